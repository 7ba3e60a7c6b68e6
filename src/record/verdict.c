/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/load.h"
#include "record/metric.h"
#include "stats/holm.h"
#include "stats/paired.h"
#include "stats/stats.h"

enum verdict {
	VERDICT_INCONCLUSIVE,
	VERDICT_LOWER,
	VERDICT_HIGHER,
	VERDICT_EQUIVALENT,
};

static const char *const verdict_words[] = {
	[VERDICT_INCONCLUSIVE] = "inconclusive",
	[VERDICT_LOWER] = "B_lower",
	[VERDICT_HIGHER] = "B_higher",
	[VERDICT_EQUIVALENT] = "equivalent",
};

/* An estimate, and the limits within which it is no difference, in the same terms. */
struct judged {
	double centre;
	struct stats_interval interval;
	double lower, upper;
};

/* An end that is not known makes no comparison true: inconclusive. */
static enum verdict judge(const struct judged *judged)
{
	if (judged->interval.high < judged->lower)
		return VERDICT_LOWER;
	if (judged->interval.low > judged->upper)
		return VERDICT_HIGHER;
	if (judged->interval.low >= judged->lower && judged->interval.high <= judged->upper)
		return VERDICT_EQUIVALENT;
	return VERDICT_INCONCLUSIVE;
}

/*
 * How many pairs make the interval too narrow to reach from the estimate to the nearer limit:
 * should the estimate stay, that settles it.
 */
static int64_t pairs_needed(const struct judged *judged, const double *d, size_t n,
			    double confidence)
{
	double room =
		fmin(fabs(judged->centre - judged->lower), fabs(judged->centre - judged->upper));
	size_t least = stats_min_pairs(confidence);
	size_t needed = stats_pairs_for_width(d, n, room, confidence);

	if (!needed)
		return n < least ? (int64_t)least : RECORD_NONE;
	/* These pairs did not do. */
	return (int64_t)(needed > n ? needed : n + 1);
}

static void conclude(struct record_comparison *row, const struct judged *judged, const double *d,
		     size_t n, double confidence)
{
	enum verdict verdict = judge(judged);

	row->p = stats_signed_rank_p(d, n);
	row->verdict = strdup(verdict_words[verdict]);
	if (verdict == VERDICT_INCONCLUSIVE)
		row->pairs_needed = pairs_needed(judged, d, n, confidence);
}

static bool all_positive(const struct pair_values *values)
{
	for (size_t i = 0; i < values->n; i++)
		if (!(values->a[i] > 0) || !(values->b[i] > 0))
			return false;
	return values->n > 0;
}

static void judge_ratio(struct record_comparison *row, const struct pair_values *values,
			const struct record_statistics *how)
{
	struct judged judged = {.lower = log1p(-how->margin), .upper = log1p(how->margin)};
	double *d = values->d;
	size_t n = values->n;

	for (size_t i = 0; i < n; i++)
		d[i] = log(values->b[i]) - log(values->a[i]);
	judged.centre = stats_hodges_lehmann(d, n);
	judged.interval = stats_signed_rank_interval(d, n, how->confidence);
	row->ratio = exp(judged.centre);
	row->ci_low = exp(judged.interval.low);
	row->ci_high = exp(judged.interval.high);
	row->mde = expm1(stats_detectable(d, n));
	conclude(row, &judged, d, n, how->confidence);
}

/* @d holds the differences. */
static void judge_difference(struct record_comparison *row, const double *d, size_t n,
			     const struct record_statistics *how)
{
	double scale = fmax(fabs(row->a_median), fabs(row->b_median));
	struct judged judged = {
		.centre = row->difference,
		.interval = {row->difference_low, row->difference_high},
		.lower = -how->margin * scale,
		.upper = how->margin * scale,
	};

	row->mde = scale > 0 ? stats_detectable(d, n) / scale : NAN;
	conclude(row, &judged, d, n, how->confidence);
}

void verdict_of_row(struct record_comparison *row, const struct pair_values *values,
		    const struct record_statistics *how)
{
	struct stats_interval interval;

	if (!values->n)
		return;
	for (size_t i = 0; i < values->n; i++)
		values->d[i] = values->b[i] - values->a[i];
	row->difference = stats_hodges_lehmann(values->d, values->n);
	interval = stats_signed_rank_interval(values->d, values->n, how->confidence);
	row->difference_low = interval.low;
	row->difference_high = interval.high;
	if (all_positive(values))
		judge_ratio(row, values, how);
	else
		judge_difference(row, values->d, values->n, how);
}

const struct record_comparison *verdict_row(const struct record *rec, const char *metric)
{
	for (size_t i = 0; metric && i < rec->n_comparison; i++)
		if (!strcmp(rec->comparison[i].metric, metric))
			return &rec->comparison[i];
	return NULL;
}

static bool may_be_gated(const char *metric)
{
	return !metric_is_score(metric) && !metric_is_neutral(metric);
}

/* The first of the gates' metrics that has a row. */
static int set_primary(struct record *rec, const char *const *gates, size_t n)
{
	free(rec->statistics.primary);
	rec->statistics.primary = NULL;
	for (size_t i = 0; i < n; i++)
		if (verdict_row(rec, gates[i]) && may_be_gated(gates[i])) {
			rec->statistics.primary = strdup(gates[i]);
			return rec->statistics.primary ? 0 : -1;
		}
	return 0;
}

int verdict_gates(struct record *rec, const struct compare_options *options, bool two_sided)
{
	const char *defaults[COMPARE_MAX_GATES];
	const char *const *gates = options->n_gates ? options->gates : defaults;
	size_t n = options->n_gates ? options->n_gates : compare_default_gates(rec, defaults);
	double *p = calloc(rec->n_comparison + 1, sizeof(*p));

	if (!p)
		return -1;
	for (size_t i = 0; i < rec->n_comparison; i++) {
		struct record_comparison *row = &rec->comparison[i];

		row->exploratory = true;
		for (size_t j = 0; j < n && row->exploratory; j++)
			row->exploratory =
				strcmp(row->metric, gates[j]) != 0 || !may_be_gated(row->metric);
		p[i] = row->exploratory ? NAN : row->p;
	}
	stats_holm(p, rec->n_comparison, p);
	for (size_t i = 0; i < rec->n_comparison; i++)
		rec->comparison[i].p_adjusted = p[i];
	free(p);
	return set_primary(rec, gates, two_sided ? n : 0);
}

size_t verdict_n_gated(const struct record *rec)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_comparison; i++)
		n += !isnan(rec->comparison[i].p_adjusted);
	return n;
}

int verdict_winner(const struct record *rec)
{
	const struct record_comparison *row = verdict_row(rec, rec->statistics.primary);
	bool lower = row && row->verdict && !strcmp(row->verdict, verdict_words[VERDICT_LOWER]);
	bool higher = row && row->verdict && !strcmp(row->verdict, verdict_words[VERDICT_HIGHER]);

	/* Of what a scenario reads elsewhere nobody knows which way is the better one. */
	if (!(lower || higher) || !(row->p_adjusted < COMPARE_SIGNIFICANT) ||
	    !metric_find(row->metric))
		return -1;
	return lower == row->lower_is_better ? SIDE_B : SIDE_A;
}

void verdict_withdraw(struct record *rec)
{
	for (size_t i = 0; i < rec->n_comparison; i++) {
		free(rec->comparison[i].verdict);
		rec->comparison[i].verdict = NULL;
		rec->comparison[i].pairs_needed = RECORD_NONE;
	}
}

bool verdict_is_closed_loop(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (record_has_operations(&rec->rounds[i]) && !rec->rounds[i].work.is_fixed)
			return true;
	return false;
}
