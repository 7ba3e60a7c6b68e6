/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a threshold holds in a record. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/load.h"
#include "record/metric.h"
#include "record/shape_table.h"
#include "record/threshold.h"
#include "stats/stats.h"

/* The rounds that are judged together. */
struct rounds {
	const struct record_round *list;
	size_t n;
	enum side side; /* others are passed over */
};

struct judgement {
	double value; /* NAN: there is none */
	bool passed;
	const char *text;   /* NULL: nothing more to say */
	bool is_substitute; /* the value stands for one that is not known */
};

static bool holds(const struct threshold *threshold, double value)
{
	switch (threshold->relation) {
	case THRESHOLD_LESS:
		return value < threshold->bound;
	case THRESHOLD_LESS_EQUAL:
		return value <= threshold->bound;
	case THRESHOLD_GREATER:
		return value > threshold->bound;
	case THRESHOLD_GREATER_EQUAL:
		return value >= threshold->bound;
	case THRESHOLD_EQUAL:
		return value == threshold->bound;
	case THRESHOLD_NOT_EQUAL:
		return value != threshold->bound;
	case THRESHOLD_OPERATORS:
		break;
	}
	return false;
}

static bool is_upper_bound(const struct threshold *threshold)
{
	return threshold->relation == THRESHOLD_LESS || threshold->relation == THRESHOLD_LESS_EQUAL;
}

static bool is_lower_bound(const struct threshold *threshold)
{
	return threshold->relation == THRESHOLD_GREATER ||
	       threshold->relation == THRESHOLD_GREATER_EQUAL;
}

/* --- times, over all rounds together ----------------------------------------------- */

static const struct record_latency *latency_of(const struct threshold *threshold,
					       const struct record_round *round)
{
	const struct record_round_phase *phase;

	if (!threshold->phase[0])
		return latency_find(round, threshold->name);
	phase = record_load_phase(round, threshold->phase);
	if (!phase)
		return NULL;
	return !strcmp(threshold->name, "service") ? &phase->load.service : &phase->load.response;
}

static int merge(const struct threshold *threshold, const struct rounds *rounds,
		 struct record_latency *sum)
{
	latency_init(sum);
	for (size_t i = 0; i < rounds->n; i++) {
		const struct record_latency *latency = latency_of(threshold, &rounds->list[i]);

		if (rounds->list[i].side == rounds->side && latency && latency_merge(sum, latency))
			return -1;
	}
	return 0;
}

/* A percentile as the source gave it; NAN where it is not one of those. */
static double given_percentile(const struct record_latency *latency, double q)
{
	const struct {
		double q, value;
	} given[] = {
		{0.5, latency->p50_seconds},    {0.9, latency->p90_seconds},
		{0.95, latency->p95_seconds},   {0.99, latency->p99_seconds},
		{0.999, latency->p999_seconds}, {1, latency->max_seconds},
	};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (fabs(given[i].q - q) < 1e-9)
			return given[i].value;
	return NAN;
}

/* Without buckets the rounds cannot be put together: the worst one's percentile counts. */
static double worst_percentile(const struct threshold *threshold, const struct rounds *rounds,
			       double q)
{
	double worst = NAN;

	for (size_t i = 0; i < rounds->n; i++) {
		const struct record_latency *latency = latency_of(threshold, &rounds->list[i]);
		double value = latency && rounds->list[i].side == rounds->side
				       ? given_percentile(latency, q)
				       : NAN;

		worst = is_lower_bound(threshold) ? fmin(worst, value) : fmax(worst, value);
	}
	return worst;
}

static void judge_percentile(const struct threshold *threshold, const struct rounds *rounds,
			     const struct record_latency *sum, double q, struct judgement *out)
{
	out->value = q < 1 ? latency_quantile(sum, q) : sum->max_seconds;
	if (isnan(out->value) && !sum->n_buckets) {
		out->value = worst_percentile(threshold, rounds, q);
		if (!isnan(out->value))
			return;
	}
	if (!isnan(out->value) || sum->count <= 0)
		return;
	out->text = "too few values for this percentile";
	if (!is_upper_bound(threshold))
		return;
	out->value = sum->max_seconds;
	out->is_substitute = true;
	out->text = "the largest value, as there are too few for this percentile";
}

static void judge_latency(const struct threshold *threshold, const struct rounds *rounds,
			  struct judgement *out)
{
	struct record_latency sum;

	if (merge(threshold, rounds, &sum)) {
		latency_clear(&sum);
		out->text = "out of memory";
		return;
	}
	switch (threshold->aggregate) {
	case THRESHOLD_AVG:
		out->value = sum.mean_seconds;
		break;
	case THRESHOLD_MED:
		judge_percentile(threshold, rounds, &sum, 0.5, out);
		break;
	case THRESHOLD_PERCENTILE:
		judge_percentile(threshold, rounds, &sum, threshold->quantile, out);
		break;
	case THRESHOLD_MIN:
		out->value = sum.min_seconds;
		break;
	case THRESHOLD_MAX:
		out->value = sum.max_seconds;
		break;
	default:
		out->value = sum.count == RECORD_NONE ? NAN : (double)sum.count;
		break;
	}
	latency_clear(&sum);
	out->passed = holds(threshold, out->value);
}

/* --- numbers, one for each round ------------------------------------------------- */

static double known(int64_t value)
{
	return value == RECORD_NONE ? NAN : (double)value;
}

static double share(int64_t part, double of)
{
	return of > 0 ? known(part) / of : NAN;
}

/* What was done in the window, or in the phase that is asked for. */
static bool counts_of(const struct threshold *threshold, const struct record_round *round,
		      struct record_load *out)
{
	const struct record_round_phase *phase;

	record_load_init(out);
	if (threshold->phase[0]) {
		phase = record_load_phase(round, threshold->phase);
		if (phase)
			*out = phase->load;
		return phase != NULL;
	}
	if (!record_has_operations(round))
		return false;
	out->operations = round->work.operations;
	out->errors = round->work.errors;
	out->dropped = round->work.dropped;
	if (round->window_seconds > 0)
		out->rate_per_second =
			known(record_completed(&round->work)) / round->window_seconds;
	return true;
}

static double value_of_work(const struct threshold *threshold, const struct record_round *round)
{
	bool is_rate = threshold->aggregate == THRESHOLD_RATE;
	struct record_load load;
	double tried, offered;

	if (!counts_of(threshold, round, &load))
		return NAN;
	tried = record_tried(load.operations, load.errors);
	offered = tried + (load.dropped == RECORD_NONE ? 0 : (double)load.dropped);
	switch (threshold->class) {
	case THRESHOLD_OF_OPERATIONS:
		return is_rate ? load.rate_per_second : known(load.operations);
	case THRESHOLD_OF_ERRORS:
		return is_rate ? share(load.errors, offered) : known(load.errors);
	case THRESHOLD_OF_DROPPED:
		return is_rate ? share(load.dropped, offered) : known(load.dropped);
	default:
		return record_success(load.operations, load.errors);
	}
}

static double value_in(const struct threshold *threshold, const struct record_round *round)
{
	switch (threshold->class) {
	case THRESHOLD_OF_METRIC:
		return metric_find(threshold->name)->get(round);
	case THRESHOLD_OF_SIDE_METRIC:
		for (size_t i = 0; i < round->n_side_metrics; i++)
			if (round->side_metrics[i].name &&
			    !strcmp(round->side_metrics[i].name, threshold->name))
				return round->side_metrics[i].value;
		return NAN;
	default:
		return value_of_work(threshold, round);
	}
}

/* The worst round's: of an upper bound the largest; one that fails is worse than all that do not.
 */
static void judge_worst(const struct threshold *threshold, const struct rounds *rounds,
			struct judgement *out)
{
	bool any = false, all = true;

	for (size_t i = 0; i < rounds->n; i++) {
		double value;

		if (rounds->list[i].side != rounds->side)
			continue;
		any = true;
		value = value_in(threshold, &rounds->list[i]);
		if (isnan(value)) {
			all = false;
			continue;
		}
		if (is_upper_bound(threshold))
			out->value = fmax(out->value, value);
		else if (is_lower_bound(threshold))
			out->value = fmin(out->value, value);
		else if (isnan(out->value) || !holds(threshold, value))
			out->value = value;
	}
	out->passed = any && all && holds(threshold, out->value);
	if (any && !all && !isnan(out->value))
		out->text = "not known in every round";
}

static void judge_rounds(const struct threshold *threshold, const struct rounds *rounds,
			 struct judgement *out)
{
	double *values = calloc(rounds->n + 1, sizeof(*values)), sum = 0;
	size_t n = 0;

	for (size_t i = 0; values && i < rounds->n; i++) {
		double value = rounds->list[i].side == rounds->side
				       ? value_in(threshold, &rounds->list[i])
				       : NAN;

		if (isnan(value))
			continue;
		values[n++] = value;
		sum += value;
	}
	if (n && threshold->aggregate == THRESHOLD_AVG)
		out->value = sum / (double)n;
	else if (n && threshold->aggregate == THRESHOLD_MED)
		out->value = stats_median(values, n);
	else if (n && threshold->aggregate == THRESHOLD_MIN)
		out->value = stats_min(values, n);
	else if (n)
		out->value = stats_max(values, n);
	free(values);
	out->passed = holds(threshold, out->value);
}

static struct judgement judge(const struct threshold *threshold, const struct rounds *rounds)
{
	struct judgement out = {.value = NAN};

	if (threshold->class == THRESHOLD_LATENCY)
		judge_latency(threshold, rounds, &out);
	else if (threshold->class >= THRESHOLD_OF_METRIC && threshold->aggregate != THRESHOLD_VALUE)
		judge_rounds(threshold, rounds, &out);
	else
		judge_worst(threshold, rounds, &out);
	/* "!=" holds for what is no number. */
	if (isnan(out.value)) {
		out.passed = false;
		if (!out.text)
			out.text = "there is no value: no round of the side tells it";
	}
	return out;
}

/* --- the record ------------------------------------------------------------------ */

static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int add_threshold(struct record *rec, const struct threshold_rule *rule, enum side side)
{
	struct record_threshold *to = &rec->thresholds[rec->n_thresholds];
	struct rounds rounds = {rec->rounds, rec->n_rounds, side};
	struct threshold_problem problem;
	struct threshold threshold;
	struct judgement judged = {.value = NAN};

	if (threshold_parse(rule->metric, rule->expression, &threshold, &problem))
		judged.text = problem.text;
	else
		judged = judge(&threshold, &rounds);
	*to = (struct record_threshold){
		.side = side,
		.metric = strdup(rule->metric),
		.expression = strdup(rule->expression),
		.level = copy_of(rule->level),
		.unit = strdup(threshold.unit ? threshold.unit : ""),
		.value = judged.value,
		.passed = judged.passed,
		.text = copy_of(judged.text),
	};
	rec->n_thresholds++;
	return to->metric && to->expression && to->unit ? 0 : -1;
}

static bool has_side(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].side == side)
			return true;
	return false;
}

static void clear(struct record *rec)
{
	for (size_t i = 0; i < rec->n_thresholds; i++)
		shape_clear(&threshold_shape, &rec->thresholds[i]);
	free(rec->thresholds);
	rec->thresholds = NULL;
	rec->n_thresholds = 0;
}

int record_thresholds(struct record *rec, const struct threshold_rule *rules, size_t n)
{
	clear(rec);
	if (!n)
		return 0;
	rec->thresholds = calloc(n * SIDES, sizeof(*rec->thresholds));
	if (!rec->thresholds)
		return -1;
	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < n && has_side(rec, (enum side)side); i++)
			if (add_threshold(rec, &rules[i], (enum side)side))
				return -1;
	return 0;
}

bool record_thresholds_failed(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_thresholds; i++)
		if (!rec->thresholds[i].passed && threshold_is_gate(rec->thresholds[i].level))
			return true;
	return false;
}

bool record_is_aborted(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].aborted_by)
			return true;
	return false;
}

bool record_bounds_errors(const struct record *rec, const char *phase)
{
	struct threshold_problem problem;
	struct threshold threshold;

	for (size_t i = 0; i < rec->n_thresholds; i++) {
		const struct record_threshold *from = &rec->thresholds[i];

		if (!from->metric || !from->expression || !threshold_is_gate(from->level) ||
		    threshold_parse(from->metric, from->expression, &threshold, &problem) ||
		    (threshold.class != THRESHOLD_OF_ERRORS &&
		     threshold.class != THRESHOLD_OF_SUCCESS))
			continue;
		if (!threshold.phase[0] || (phase && !strcmp(threshold.phase, phase)))
			return true;
	}
	return false;
}

/* What only grows (or, min, only falls) may yet come to where it must be. */
static bool may_yet_hold(const struct threshold *threshold)
{
	const struct metric *metric = metric_find(threshold->name);

	switch (threshold->aggregate) {
	case THRESHOLD_COUNT:
	case THRESHOLD_MAX:
		return !is_upper_bound(threshold);
	case THRESHOLD_MIN:
		return !is_lower_bound(threshold);
	case THRESHOLD_VALUE:
		if (threshold->class == THRESHOLD_OF_SUCCESS)
			return false;
		return !is_upper_bound(threshold) &&
		       (threshold->class != THRESHOLD_OF_METRIC || metric->kind == METRIC_COUNT ||
			metric->kind == METRIC_BYTES);
	default:
		return false;
	}
}

bool threshold_fails_live(const char *metric, const char *expression,
			  const struct record_round *round)
{
	struct rounds rounds = {round, 1, round->side};
	struct threshold_problem problem;
	struct threshold threshold;
	struct judgement judged;

	if (threshold_parse(metric, expression, &threshold, &problem) || may_yet_hold(&threshold))
		return false;
	judged = judge(&threshold, &rounds);
	return !judged.passed && !isnan(judged.value) && !judged.is_substitute;
}
