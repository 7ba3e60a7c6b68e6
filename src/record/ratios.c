/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/ratios.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/pairs.h"

int ratios_collect(const struct record *rec, const struct metric *metric, struct ratios *out)
{
	struct pairs pairs;

	memset(out, 0, sizeof(*out));
	/* It only looks at the rounds. */
	if (pairs_collect((struct record *)rec, &pairs))
		return -1;
	out->ln = calloc(pairs.n + 1, sizeof(*out->ln));
	for (size_t i = 0; out->ln && i < pairs.n; i++) {
		double a = metric->get(pairs.pairs[i].a), b = metric->get(pairs.pairs[i].b);

		if (a > 0 && b > 0)
			out->ln[out->n++] = log(b / a);
		else
			out->without++;
	}
	free(pairs.pairs);
	return out->ln ? 0 : -1;
}

void ratios_clear(struct ratios *ratios)
{
	free(ratios->ln);
	memset(ratios, 0, sizeof(*ratios));
}
