/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/baseline.h"
#include "record/metric.h"
#include "util/units.h"

static const char *put_value(char *buf, size_t size, const struct metric *metric, double value)
{
	if (!metric || metric->kind == METRIC_COUNT)
		format_count(buf, size, value);
	else if (metric->kind == METRIC_SECONDS)
		format_seconds(buf, size, value);
	else if (metric->kind == METRIC_BYTES)
		format_bytes(buf, size, value);
	else
		snprintf(buf, size, "%.3g %%", 100 * value);
	return buf;
}

/* The smallest p that so many rounds can have: 2 / (n + m over n). */
static double least_p(int64_t n, int64_t m)
{
	double arrangements = 1;

	for (int64_t i = 1; i <= n; i++)
		arrangements *= (double)(m + i) / (double)i;
	return 2 / arrangements;
}

static char *text_of_unknown(const struct record_regression *row, const char *what)
{
	char *text;
	int n;

	if (!row->n_base || !row->n_new)
		n = asprintf(&text, "%s: not known in %s run, so nothing is said", what,
			     row->n_base ? "this" : "the earlier");
	else
		n = asprintf(&text,
			     "%s: %" PRId64 " round%s in the earlier run and %" PRId64
			     " in this one, and %d of each are needed for a verdict",
			     what, row->n_base, row->n_base == 1 ? "" : "s", row->n_new,
			     BASELINE_MIN_ROUNDS);
	return n < 0 ? NULL : text;
}

/* "1.30x (95 % interval 1.28 to 1.33)"; without a ratio the medians have to do. */
static const char *put_ratio(char buf[96], const struct record_regression *row)
{
	if (isnan(row->ratio))
		snprintf(buf, 96, "no ratio, as a round has 0");
	else if (isnan(row->ci_low) || isnan(row->ci_high))
		snprintf(buf, 96, "%.3gx", row->ratio);
	else
		snprintf(buf, 96, "%.3gx, 95 %% interval %.3g to %.3g", row->ratio, row->ci_low,
			 row->ci_high);
	return buf;
}

static void put_conclusion(char *buf, size_t size, const struct record_regression *row,
			   size_t tests)
{
	double p = row->gate ? row->p_adjusted : row->p, limit = 100 * row->threshold;

	if (!strcmp(row->verdict, "unknown"))
		snprintf(buf, size, "not judged, as it has no better end (p %.2g)", p);
	else if (!strcmp(row->verdict, "regressed"))
		snprintf(buf, size, "a %s regression (worse by more than %.3g %%, p %.2g)",
			 row->severity, limit, p);
	else if (!strcmp(row->verdict, "improved"))
		snprintf(buf, size, "better by more than %.3g %% (p %.2g)", limit, p);
	else if (!strcmp(row->verdict, "unchanged"))
		snprintf(buf, size, "not changed by more than %.3g %%", limit);
	else if (least_p(row->n_base, row->n_new) * (double)tests >= BASELINE_ALPHA)
		snprintf(buf, size,
			 "inconclusive: %" PRId64 " and %" PRId64
			 " rounds are too few for %zu metrics at once; measure more rounds, or "
			 "gate fewer metrics",
			 row->n_base, row->n_new, tests);
	else
		snprintf(buf, size,
			 "inconclusive: neither a change by more than %.3g %% nor its absence is "
			 "shown (p %.2g); measure more rounds",
			 limit, p);
}

char *baseline_text(const struct record_regression *row, const char *target, size_t tests)
{
	const struct metric *metric = metric_find(row->metric);
	const char *label = metric ? metric->label : row->metric;
	char was[48], is[48], ratio[96], conclusion[256], what[256], *text;

	snprintf(what, sizeof(what), "%.80s of %.120s", label,
		 target                ? target
		 : row->side == SIDE_A ? "A"
				       : "B");
	if (!strcmp(row->verdict, "unknown") && isnan(row->p))
		return text_of_unknown(row, what);
	put_conclusion(conclusion, sizeof(conclusion), row, tests);
	if (asprintf(&text, "%s: %s, was %s (%s): %s", what,
		     put_value(is, sizeof(is), metric, row->new_median),
		     put_value(was, sizeof(was), metric, row->base_median), put_ratio(ratio, row),
		     conclusion) < 0)
		return NULL;
	return text;
}
