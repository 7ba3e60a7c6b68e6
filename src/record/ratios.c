/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/ratios.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "record/pairs.h"
#include "stats/stats.h"

double ratios_share(const struct ratios *ratios, double d)
{
	if (isnan(ratios->scale))
		return expm1(d);
	return d == 0 ? 0 : d / ratios->scale;
}

double ratios_of_share(const struct ratios *ratios, double share)
{
	return isnan(ratios->scale) ? log1p(share) : share * ratios->scale;
}

/* @b holds B's values on, and the terms in the end. */
static void make_terms(struct ratios *out, const double *a, double *b)
{
	bool is_positive = out->n > 0;

	for (size_t i = 0; i < out->n; i++)
		is_positive &= a[i] > 0 && b[i] > 0;
	if (!is_positive)
		out->scale = fmax(fabs(stats_median(a, out->n)), fabs(stats_median(b, out->n)));
	for (size_t i = 0; i < out->n; i++)
		b[i] = is_positive ? log(b[i]) - log(a[i]) : b[i] - a[i];
}

int ratios_collect(const struct record *rec, const struct metric *metric, struct ratios *out)
{
	struct pairs pairs;
	double *a;
	int rc;

	memset(out, 0, sizeof(*out));
	out->scale = NAN;
	/* It only looks at the rounds. */
	if (pairs_collect((struct record *)rec, &pairs))
		return -1;
	a = calloc(pairs.n + 1, sizeof(*a));
	out->d = calloc(pairs.n + 1, sizeof(*out->d));
	for (size_t i = 0; a && out->d && i < pairs.n; i++) {
		a[out->n] = metric->get(pairs.pairs[i].a);
		out->d[out->n] = metric->get(pairs.pairs[i].b);
		out->n += isfinite(a[out->n]) && isfinite(out->d[out->n]);
	}
	out->without = pairs.n - out->n;
	if (a && out->d)
		make_terms(out, a, out->d);
	free(pairs.pairs);
	rc = a && out->d ? 0 : -1;
	free(a);
	return rc;
}

void ratios_clear(struct ratios *ratios)
{
	free(ratios->d);
	memset(ratios, 0, sizeof(*ratios));
}
