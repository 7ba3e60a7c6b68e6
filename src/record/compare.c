/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/load.h"
#include "record/metric.h"
#include "record/pairs.h"
#include "record/shape.h"
#include "record/threshold.h"
#include "stats/stats.h"
#include "util/units.h"

int pairs_collect(struct record *rec, struct pairs *pairs)
{
	memset(pairs, 0, sizeof(*pairs));
	for (size_t i = 0; i < rec->n_rounds; i++)
		pairs->n_rounds[rec->rounds[i].side]++;
	pairs->two_sided = rec->n_targets > 1 || pairs->n_rounds[SIDE_B] > 0;
	pairs->pairs = calloc(pairs->n_rounds[SIDE_A] + 1, sizeof(*pairs->pairs));
	if (!pairs->pairs)
		return -1;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *a = &rec->rounds[i];

		for (size_t j = 0; a->side == SIDE_A && !a->aborted_by && j < rec->n_rounds; j++) {
			struct record_round *b = &rec->rounds[j];

			if (b->side != SIDE_B || b->pair != a->pair || b->aborted_by)
				continue;
			pairs->pairs[pairs->n++] = (struct pair){a, b};
			break;
		}
	}
	return 0;
}

/* Room for the values of one metric: a side's rounds, and both sides of the pairs. */
struct values {
	double *side, *a, *b;
};

/* What is compared: a row of the table, or a side metric, which is in none. */
struct subject {
	const struct metric *metric;
	const char *side_metric;
};

static double value_in(const struct subject *subject, const struct record_round *round)
{
	if (subject->metric)
		return subject->metric->get(round);
	for (size_t i = 0; i < round->n_side_metrics; i++)
		if (round->side_metrics[i].name &&
		    !strcmp(round->side_metrics[i].name, subject->side_metric))
			return round->side_metrics[i].value;
	return NAN;
}

static size_t values_of_side(const struct record *rec, enum side side,
			     const struct subject *subject, double *values)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		double value =
			rec->rounds[i].side == side ? value_in(subject, &rec->rounds[i]) : NAN;

		if (!isnan(value))
			values[n++] = value;
	}
	return n;
}

static size_t values_of_pairs(const struct pairs *pairs, const struct subject *subject,
			      const struct values *values)
{
	size_t n = 0;

	for (size_t i = 0; i < pairs->n; i++) {
		values->a[n] = value_in(subject, pairs->pairs[i].a);
		values->b[n] = value_in(subject, pairs->pairs[i].b);
		n += !isnan(values->a[n]) && !isnan(values->b[n]);
	}
	return n;
}

/* False where no round knows the metric. */
static bool summarize(const struct record *rec, const struct pairs *pairs,
		      const struct subject *subject, const struct values *values,
		      struct record_comparison *comparison)
{
	size_t n_a, n_b, n_pairs;

	n_a = values_of_side(rec, SIDE_A, subject, values->side);
	comparison->a_median = stats_median(values->side, n_a);
	comparison->a_min = stats_min(values->side, n_a);
	comparison->a_max = stats_max(values->side, n_a);
	n_b = values_of_side(rec, SIDE_B, subject, values->side);
	comparison->b_median = stats_median(values->side, n_b);
	comparison->b_min = stats_min(values->side, n_b);
	comparison->b_max = stats_max(values->side, n_b);
	n_pairs = values_of_pairs(pairs, subject, values);
	comparison->ratio = stats_pair_ratio(values->a, values->b, n_pairs);
	comparison->n = (int64_t)(pairs->two_sided ? n_pairs : n_a);
	comparison->lower_is_better = subject->metric && subject->metric->lower_is_better;
	comparison->exploratory = !subject->metric;
	return n_a || n_b;
}

static void comparison_clear(struct record *rec)
{
	for (size_t i = 0; i < rec->n_comparison; i++) {
		free(rec->comparison[i].metric);
		free(rec->comparison[i].unit);
		free(rec->comparison[i].verdict);
	}
	free(rec->comparison);
	rec->comparison = NULL;
	rec->n_comparison = 0;
}

/* Takes @name, which may be NULL without memory. */
static int add_comparison(struct record *rec, const struct pairs *pairs,
			  const struct values *values, const struct subject *subject, char *name,
			  const char *unit)
{
	struct record_comparison *comparison = &rec->comparison[rec->n_comparison];

	memset(comparison, 0, sizeof(*comparison));
	comparison->ci_low = comparison->ci_high = NAN;
	comparison->p = comparison->p_adjusted = comparison->mde = NAN;
	comparison->difference = comparison->difference_low = comparison->difference_high = NAN;
	comparison->pairs_needed = comparison->outliers = RECORD_NONE;
	if (name && !summarize(rec, pairs, subject, values, comparison)) {
		free(name);
		return 0;
	}
	rec->n_comparison++;
	comparison->metric = name;
	comparison->unit = strdup(unit);
	return comparison->metric && comparison->unit ? 0 : -1;
}

/* Is the side metric in a round before @round? */
static bool is_known_before(const struct record *rec, size_t round, const char *name)
{
	const struct subject subject = {.side_metric = name};

	for (size_t i = 0; i < round; i++)
		if (!isnan(value_in(&subject, &rec->rounds[i])))
			return true;
	return false;
}

/* Those of @round that are in none before; counts them only where @values is NULL. -1: no memory.
 */
static int compare_side_metrics(struct record *rec, const struct pairs *pairs,
				const struct values *values, size_t *count)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].n_side_metrics; j++) {
			struct subject subject = {.side_metric =
							  rec->rounds[i].side_metrics[j].name};
			char *name;

			if (!subject.side_metric || is_known_before(rec, i, subject.side_metric))
				continue;
			++*count;
			if (!values)
				continue;
			if (asprintf(&name, "side_metrics.%s", subject.side_metric) < 0)
				name = NULL;
			if (add_comparison(rec, pairs, values, &subject, name, ""))
				return -1;
		}
	return 0;
}

static int compare_metrics(struct record *rec, const struct pairs *pairs,
			   const struct values *values)
{
	size_t n, n_side = 0;
	const struct metric *metrics = metric_table(&n);

	compare_side_metrics(rec, pairs, NULL, &n_side);
	rec->comparison = calloc(n + n_side, sizeof(*rec->comparison));
	if (!rec->comparison)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct subject subject = {.metric = &metrics[i]};

		if (add_comparison(rec, pairs, values, &subject, strdup(metrics[i].name),
				   metrics[i].unit))
			return -1;
	}
	return compare_side_metrics(rec, pairs, values, &n_side);
}

static const struct record_comparison *find(const struct record *rec, const char *metric)
{
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (!strcmp(rec->comparison[i].metric, metric))
			return &rec->comparison[i];
	return NULL;
}

static const char *target_name(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side && rec->targets[i].name)
			return rec->targets[i].name;
	return side == SIDE_A ? "A" : "B";
}

/* "kubectl", or "kubectl (A)" where both sides have one name. To be freed. */
static char *side_label(const struct record *rec, enum side side)
{
	const char *name = target_name(rec, side);
	bool same = !strcmp(name, target_name(rec, side == SIDE_A ? SIDE_B : SIDE_A));
	char *label;

	if (asprintf(&label, "%s%s", name, !same ? "" : side == SIDE_A ? " (A)" : " (B)") < 0)
		return NULL;
	return label;
}

static const char *first_reason(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].validity.n_reasons && rec->rounds[i].validity.reasons[0])
			return rec->rounds[i].validity.reasons[0];
	return "a round is not valid";
}

static bool all_valid(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (!rec->rounds[i].validity.valid)
			return false;
	return true;
}

/* "0.41x the CPU time", or why there is no such number. */
static void name_ratio(char *buf, size_t size, const struct record_comparison *comparison,
		       const char *what)
{
	if (!comparison)
		snprintf(buf, size, "an unknown %s", what);
	else if (isnan(comparison->ratio))
		snprintf(buf, size, "a %s without a ratio (zero or unknown in a round)", what);
	else
		snprintf(buf, size, "%.3gx the %s", comparison->ratio, what);
}

/* Did the plan say how much each side had to do, rather than its own speed? */
static bool is_same_work(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (record_has_operations(&rec->rounds[i]) && !rec->rounds[i].work.is_fixed)
			return false;
	return true;
}

/* Each side did as much as it could: how much, and what one operation cost. */
static int text_of_paces(char **text, const struct record *rec, const char *a, const char *b,
			 const struct pairs *pairs)
{
	char pace[96], cpu[96];

	name_ratio(pace, sizeof(pace), find(rec, "work.operations_per_second"),
		   "operations per second");
	name_ratio(cpu, sizeof(cpu), find(rec, "cpu.seconds_per_thousand_operations"),
		   "CPU time per operation");
	return asprintf(text,
			"%s did %s of %s at %s (closed loop, over %zu pair%s; no interval yet, so "
			"no winner is named)",
			b, pace, a, cpu, pairs->n, pairs->n == 1 ? "" : "s");
}

static char *text_of_two(const struct record *rec, const struct pairs *pairs)
{
	char *a = side_label(rec, SIDE_A), *b = side_label(rec, SIDE_B), *text = NULL;
	char cpu[96], wall[96];
	int n = -1;

	name_ratio(cpu, sizeof(cpu), find(rec, "cpu.total_seconds"), "CPU time");
	name_ratio(wall, sizeof(wall), find(rec, "window_seconds"), "wall time");
	if (a && b && rec->scenario.driver && !is_same_work(rec))
		n = text_of_paces(&text, rec, a, b, pairs);
	else if (a && b && rec->scenario.driver)
		n = asprintf(&text,
			     "%s used %s of %s for the same work (over %zu pair%s; no interval "
			     "yet, so no winner is named)",
			     b, cpu, a, pairs->n, pairs->n == 1 ? "" : "s");
	else if (a && b)
		n = asprintf(&text,
			     "%s took %s and %s of %s (over %zu pair%s; no interval yet, so no "
			     "winner is named)",
			     b, wall, cpu, a, pairs->n, pairs->n == 1 ? "" : "s");
	free(a);
	free(b);
	return n < 0 ? NULL : text;
}

static char *text_of_one(const struct record *rec, const struct pairs *pairs)
{
	const struct record_comparison *cpu = find(rec, "cpu.total_seconds");
	const struct record_comparison *wall = find(rec, "window_seconds");
	const struct record_comparison *rss = find(rec, "memory.rss_peak_bytes");
	size_t n = pairs->n_rounds[SIDE_A];
	char a[32], b[32], c[32], *text;

	if (asprintf(&text,
		     "%s used %s of CPU time in %s, resident set up to %s (median of %zu round%s)",
		     target_name(rec, SIDE_A),
		     format_seconds(a, sizeof(a), cpu ? cpu->a_median : NAN),
		     format_seconds(b, sizeof(b), wall ? wall->a_median : NAN),
		     format_bytes(c, sizeof(c), rss ? rss->a_median : NAN), n,
		     n == 1 ? "" : "s") < 0)
		return NULL;
	return text;
}

static char *text_of_invalid(const char *reason)
{
	char *text;

	return asprintf(&text, "invalid: %s", reason) < 0 ? NULL : text;
}

static int give_verdict(struct record *rec, const struct pairs *pairs)
{
	const char *missing = NULL;

	if (rec->n_rounds == 0)
		missing = "no round was recorded";
	else if (pairs->two_sided && pairs->n == 0 && record_is_aborted(rec))
		missing = "a threshold ended the run before a pair was completed, so there is "
			  "nothing to compare";
	else if (pairs->two_sided && pairs->n == 0)
		missing = "no pair was completed, so there is nothing to compare";
	rec->verdict.winner = -1;
	rec->verdict.valid = !missing && all_valid(rec);
	free(rec->verdict.text);
	if (!rec->verdict.valid)
		rec->verdict.text = text_of_invalid(missing ? missing : first_reason(rec));
	else if (pairs->two_sided)
		rec->verdict.text = text_of_two(rec, pairs);
	else
		rec->verdict.text = text_of_one(rec, pairs);
	return rec->verdict.text ? 0 : -1;
}

int record_compare(struct record *rec, const struct compare_options *options)
{
	struct pairs pairs;
	struct values values;
	int rc = -1;

	values.side = calloc(rec->n_rounds + 1, sizeof(double));
	values.a = calloc(rec->n_rounds + 1, sizeof(double));
	values.b = calloc(rec->n_rounds + 1, sizeof(double));
	comparison_clear(rec);
	if (!pairs_collect(rec, &pairs) && values.side && values.a && values.b) {
		validity_check(rec, &pairs, options->work_bound);
		rc = compare_metrics(rec, &pairs, &values);
		if (!rc)
			rc = give_verdict(rec, &pairs);
	}
	free(pairs.pairs);
	free(values.side);
	free(values.a);
	free(values.b);
	return rc;
}
