/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/baseline.h"
#include "record/metric.h"
#include "util/units.h"

/* As many regressions the headline names. */
#define MANY_NAMED 3

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

static const char *target_of(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name)
			return rec->targets[i].name;
	return side == SIDE_A ? "A" : "B";
}

/* "CPU time of tool 1.3x, minor"; of many the first few. */
static size_t put_regressed(char *buf, size_t size, const struct record *rec)
{
	size_t n = 0, used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < rec->baseline.n_rows; i++) {
		const struct record_regression *row = &rec->baseline.rows[i];
		const struct metric *metric = row->metric ? metric_find(row->metric) : NULL;
		char ratio[32] = "";

		if (!row->gate || !row->verdict || strcmp(row->verdict, "regressed") ||
		    n++ >= MANY_NAMED)
			continue;
		if (!isnan(row->ratio))
			snprintf(ratio, sizeof(ratio), " %.3gx", row->ratio);
		used += (size_t)snprintf(buf + used, size - used, "%s%.60s of %.60s%s, %.20s",
					 n == 1 ? "" : "; ", metric ? metric->label : "?",
					 target_of(rec, row->side), ratio,
					 row->severity ? row->severity : "?");
	}
	if (n > MANY_NAMED)
		snprintf(buf + used, size - used, "; and %zu more", n - MANY_NAMED);
	return n;
}

char *baseline_headline(const struct record *rec)
{
	const struct record_baseline *baseline = &rec->baseline;
	const char *path = baseline->path ? baseline->path : "the earlier run";
	const char *weight = baseline->comparable ? "" : "NOT COMPARABLE, so that nothing fails: ";
	char regressed[MANY_NAMED * 200 + 40], open[64] = "", *text;
	size_t gates = 0, n_open = 0, n = put_regressed(regressed, sizeof(regressed), rec);
	int written;

	for (size_t i = 0; i < baseline->n_rows; i++) {
		const char *verdict = baseline->rows[i].verdict;

		gates += baseline->rows[i].gate;
		n_open += baseline->rows[i].gate && verdict &&
			  (!strcmp(verdict, "inconclusive") || !strcmp(verdict, "unknown"));
	}
	if (n_open)
		snprintf(open, sizeof(open), "; %zu cannot be told", n_open);
	if (record_unfit(rec))
		written = asprintf(&text, "nothing was compared with %s: %s", path,
				   record_unfit(rec));
	else if (!gates)
		written = asprintf(&text, "%sno gate is on the comparison with %s", weight, path);
	else if (n)
		written = asprintf(&text, "%s%zu of %zu gates regressed against %s: %s%s", weight,
				   n, gates, path, regressed, open);
	else
		written = asprintf(&text, "%snone of %zu gate%s regressed against %s%s", weight,
				   gates, gates == 1 ? "" : "s", path, open);
	return written < 0 ? NULL : text;
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
