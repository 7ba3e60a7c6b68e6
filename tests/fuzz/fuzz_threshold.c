/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a threshold, the metric in the first line and the expression in the second: what is
 * taken can be judged, and what is not says why. With -DFUZZ_STANDALONE it runs over the files that
 * it is given.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record/threshold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const char *metric, const char *expression)
{
	struct threshold_rule rule = {metric, expression, NULL};
	struct record_round round = {0};
	struct record *rec = record_new();

	if (!rec)
		return;
	record_round_init(&round);
	threshold_fails_live(metric, expression, &round);
	if (record_add_round(rec, &round) || record_thresholds(rec, &rule, 1)) {
		record_free(rec);
		return;
	}
	/* Of a round of which nothing is known nothing holds. */
	if (rec->n_thresholds != 1 || rec->thresholds[0].passed || !rec->thresholds[0].text)
		abort();
	record_free(rec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *metric = strndup((const char *)data, size), *expression;
	struct threshold_problem problem = {.text = ""};
	struct threshold threshold;
	int rc;

	if (!metric)
		return 0;
	expression = strchr(metric, '\n');
	if (expression)
		*expression++ = '\0';
	else
		expression = metric + strlen(metric);
	rc = threshold_parse(metric, expression, &threshold, &problem);
	if (rc ? !problem.text[0] : !threshold.unit || !isfinite(threshold.bound))
		abort();
	judge(metric, expression);
	free(metric);
	return 0;
}

#include "standalone.h"
