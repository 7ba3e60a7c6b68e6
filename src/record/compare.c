/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/metric.h"
#include "record/pairs.h"
#include "record/shape.h"
#include "record/threshold.h"
#include "record/verdict.h"
#include "stats/paired.h"
#include "stats/stats.h"

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
	double *side;
	struct pair_values pairs;
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

static void values_of_pairs(const struct pairs *pairs, const struct subject *subject,
			    struct pair_values *values)
{
	values->n = 0;
	for (size_t i = 0; i < pairs->n; i++) {
		double a = value_in(subject, pairs->pairs[i].a);
		double b = value_in(subject, pairs->pairs[i].b);

		if (!isfinite(a) || !isfinite(b))
			continue;
		values->a[values->n] = a;
		values->b[values->n++] = b;
	}
}

/* False where no round knows the metric. */
static bool summarize(const struct record *rec, const struct pairs *pairs,
		      const struct subject *subject, struct values *values,
		      struct record_comparison *comparison)
{
	size_t n_a, n_b;

	n_a = values_of_side(rec, SIDE_A, subject, values->side);
	comparison->a_median = stats_median(values->side, n_a);
	comparison->a_min = stats_min(values->side, n_a);
	comparison->a_max = stats_max(values->side, n_a);
	comparison->outliers = (int64_t)stats_outliers(values->side, n_a);
	n_b = values_of_side(rec, SIDE_B, subject, values->side);
	comparison->b_median = stats_median(values->side, n_b);
	comparison->b_min = stats_min(values->side, n_b);
	comparison->b_max = stats_max(values->side, n_b);
	comparison->outliers += (int64_t)stats_outliers(values->side, n_b);
	comparison->lower_is_better = subject->metric && subject->metric->lower_is_better;
	values_of_pairs(pairs, subject, &values->pairs);
	comparison->n = (int64_t)(pairs->two_sided ? values->pairs.n : n_a);
	verdict_of_row(comparison, &values->pairs, &rec->statistics);
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
static int add_comparison(struct record *rec, const struct pairs *pairs, struct values *values,
			  const struct subject *subject, char *name, const char *unit)
{
	struct record_comparison *comparison = &rec->comparison[rec->n_comparison];

	memset(comparison, 0, sizeof(*comparison));
	comparison->ratio = comparison->ci_low = comparison->ci_high = NAN;
	comparison->p = comparison->p_adjusted = comparison->mde = NAN;
	comparison->difference = comparison->difference_low = comparison->difference_high = NAN;
	comparison->pairs_needed = RECORD_NONE;
	if (name && !summarize(rec, pairs, subject, values, comparison)) {
		free(name);
		return 0;
	}
	rec->n_comparison++;
	comparison->metric = name;
	comparison->unit = strdup(unit);
	/* Each row that pairs know has a verdict. */
	return comparison->metric && comparison->unit && (!values->pairs.n || comparison->verdict)
		       ? 0
		       : -1;
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
				struct values *values, size_t *count)
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

static int compare_metrics(struct record *rec, const struct pairs *pairs, struct values *values)
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
	if (!rec->verdict.valid) {
		verdict_withdraw(rec);
		rec->verdict.text = text_of_invalid(missing ? missing : first_reason(rec));
	} else if (pairs->two_sided) {
		rec->verdict.winner = verdict_winner(rec);
		rec->verdict.text = sentence_of_two(rec);
	} else {
		rec->verdict.text = sentence_of_one(rec, pairs);
	}
	return rec->verdict.text ? 0 : -1;
}

/* What is set already (until_width, and that it ended the run) stays. */
static int set_statistics(struct record *rec, const struct compare_options *options)
{
	struct record_statistics *how = &rec->statistics;

	how->margin = options->margin > 0 ? options->margin : COMPARE_MARGIN;
	how->confidence = COMPARE_CONFIDENCE;
	if (!how->stopping)
		how->stopping = strdup("rounds");
	return how->stopping ? 0 : -1;
}

static int compare_all(struct record *rec, const struct compare_options *options,
		       const struct pairs *pairs, struct values *values)
{
	validity_check(rec, pairs, options->work_bound);
	if (set_statistics(rec, options) || compare_metrics(rec, pairs, values) ||
	    verdict_gates(rec, options, pairs->two_sided))
		return -1;
	return give_verdict(rec, pairs);
}

int record_compare(struct record *rec, const struct compare_options *options)
{
	double *room = calloc(4 * (rec->n_rounds + 1), sizeof(*room));
	size_t width = rec->n_rounds + 1;
	struct values values = {
		.side = room,
		.pairs = {.a = room + width, .b = room + 2 * width, .d = room + 3 * width},
	};
	struct pairs pairs;
	int rc = -1;

	comparison_clear(rec);
	if (!pairs_collect(rec, &pairs) && room)
		rc = compare_all(rec, options, &pairs, &values);
	free(pairs.pairs);
	free(room);
	return rc;
}
