/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline_text.h"
#include "record/compare.h"
#include "record/metric.h"
#include "record/shape.h"
#include "record/shape_table.h"
#include "stats/holm.h"
#include "stats/stats.h"
#include "stats/unpaired.h"

#define CONFIDENCE 0.95

/* Room for the rounds of both runs, and what is being made of them. */
struct comparer {
	struct record *rec;
	const struct record *base;
	const struct baseline_options *options;
	size_t n_gates;
	const char *gates[COMPARE_MAX_GATES];
	double *old, *now, *log_old, *log_now;
};

static const char *name_of(const struct record *rec, enum side side)
{
	for (size_t i = 0; i < rec->n_targets; i++)
		if (rec->targets[i].side == side)
			return rec->targets[i].name;
	return NULL;
}

static bool is_named(const struct record *rec, enum side side, const char *name)
{
	const char *own = name_of(rec, side);

	return own && !strcmp(own, name);
}

int baseline_side_of(const struct record *rec, enum side side, const struct record *base)
{
	const char *name = name_of(rec, side);
	enum side other = side == SIDE_A ? SIDE_B : SIDE_A;

	if (!name)
		return -1;
	if (rec->n_targets == 1 && base->n_targets == 1)
		return (int)base->targets[0].side;
	if (is_named(base, side, name))
		return (int)side;
	/* A target against itself, of which the earlier run had one. */
	if (is_named(base, other, name) && !is_named(rec, other, name))
		return (int)other;
	return -1;
}

const char *record_unfit(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_validity *validity = &rec->rounds[i].validity;

		if (!validity->valid)
			return validity->n_reasons && validity->reasons[0] ? validity->reasons[0]
									   : "a round is not valid";
	}
	if (!rec->n_rounds)
		return "no round was recorded";
	if (!rec->verdict.valid)
		return rec->verdict.text ? rec->verdict.text : "it was never judged";
	return NULL;
}

/* --- the same work? ------------------------------------------------------------------ */

static const struct record_round *first_round(const struct record *rec, int side)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if ((int)rec->rounds[i].side == side && !rec->rounds[i].aborted_by)
			return &rec->rounds[i];
	return NULL;
}

/* What was attached to may have gone on. */
static bool has_end(const struct record_round *round)
{
	return round->exit_code != RECORD_NONE || (round->signal != RECORD_NONE && round->signal);
}

static bool ended_alike(const struct record_round *a, const struct record_round *b)
{
	return a->exit_code == b->exit_code && a->signal == b->signal;
}

static const char *name_end(char buf[48], const struct record_round *round)
{
	if (round->signal != RECORD_NONE && round->signal > 0)
		snprintf(buf, 48, "signal %" PRId64, round->signal);
	else
		snprintf(buf, 48, "exit code %" PRId64, round->exit_code);
	return buf;
}

/* A command that fails early is no faster one. What a driver counts, each run has checked. */
static int check_ends(struct record *rec, const struct record *base)
{
	char was[48], is[48];
	bool is_equal = true;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		const struct record_round *then =
			first_round(base, baseline_side_of(rec, round->side, base));

		if (!then || round->has_work || then->has_work || !has_end(then) ||
		    !has_end(round) || ended_alike(then, round))
			continue;
		record_invalid(round, "ended with %s, in the earlier run with %s: unequal work",
			       name_end(is, round), name_end(was, then));
		is_equal = false;
	}
	if (is_equal || !rec->verdict.valid)
		return 0;
	rec->verdict.valid = false;
	rec->verdict.winner = -1;
	free(rec->verdict.text);
	if (asprintf(&rec->verdict.text, "invalid: %s", record_unfit(rec)) < 0)
		rec->verdict.text = NULL;
	return rec->verdict.text ? 0 : -1;
}

/* --- one metric ---------------------------------------------------------------------- */

static size_t values_of(const struct record *rec, int side, const struct metric *metric,
			double *values)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];
		double value =
			(int)round->side == side && !round->aborted_by ? metric->get(round) : NAN;

		if (isfinite(value))
			values[n++] = value;
	}
	return n;
}

/* False where one is not positive. */
static bool take_logs(const double *values, size_t n, double *logs)
{
	for (size_t i = 0; i < n; i++) {
		if (!(values[i] > 0))
			return false;
		logs[i] = log(values[i]);
	}
	return true;
}

/* How much worse @to is than @from. */
static double worse_by(double from, double to, bool lower_is_better)
{
	double good = fmax(lower_is_better ? from : to, 0);
	double bad = fmax(lower_is_better ? to : from, 0);

	return good > 0 ? bad / good - 1 : bad > 0 ? INFINITY : 0;
}

/* The change as an estimate with its interval, as values of the new run for each of @from. */
struct change {
	double from, to, low, high;
};

static struct change estimate(struct comparer *c, struct record_regression *row)
{
	size_t n = (size_t)row->n_base, m = (size_t)row->n_new;
	struct stats_interval interval;
	double from;

	if (take_logs(c->old, n, c->log_old) && take_logs(c->now, m, c->log_now)) {
		interval = stats_shift_interval(c->log_old, n, c->log_now, m, CONFIDENCE);
		row->ratio = exp(stats_shift(c->log_old, n, c->log_now, m));
		row->ci_low = exp(interval.low);
		row->ci_high = exp(interval.high);
		return (struct change){1, row->ratio, row->ci_low, row->ci_high};
	}
	from = row->base_median;
	interval = stats_shift_interval(c->old, n, c->now, m, CONFIDENCE);
	return (struct change){from, from + stats_shift(c->old, n, c->now, m), from + interval.low,
			       from + interval.high};
}

/* Without regard to significance, which needs all rows first. */
static const char *verdict_of(const struct record_regression *row, const struct change *change)
{
	bool lower = row->lower_is_better;
	double worst = lower ? change->high : change->low;
	double best = lower ? change->low : change->high;

	if (worse_by(change->from, change->to, lower) > row->threshold)
		return "regressed";
	if (worse_by(change->to, change->from, lower) > row->threshold)
		return "improved";
	if (isnan(worst) || isnan(best) || worse_by(change->from, worst, lower) > row->threshold ||
	    worse_by(best, change->from, lower) > row->threshold)
		return "inconclusive";
	return "unchanged";
}

static const char *severity_of(double worse, const struct baseline_rule *rule)
{
	return worse > rule->critical ? "critical" : worse > rule->major ? "major" : "minor";
}

static bool is_gated(const struct comparer *c, const char *metric)
{
	for (size_t i = 0; i < c->n_gates; i++)
		if (!strcmp(c->gates[i], metric))
			return true;
	return false;
}

/* What can be said of one row by itself; its verdict stands if it is significant. */
static int compare_metric(struct comparer *c, enum side side, const struct metric *metric,
			  struct record_regression *row)
{
	struct baseline_rule rule = baseline_rule_of(c->options, metric->name);
	struct stats_mann_whitney test;
	struct change change;
	const char *verdict = "unknown";

	row->side = side;
	row->lower_is_better = metric->lower_is_better;
	row->threshold = rule.minor;
	row->gate = is_gated(c, metric->name);
	row->base_median = stats_median(c->old, (size_t)row->n_base);
	row->new_median = stats_median(c->now, (size_t)row->n_new);
	row->metric = strdup(metric->name);
	row->unit = strdup(metric->unit);
	if (!row->metric || !row->unit)
		return -1;
	if (row->n_base >= BASELINE_MIN_ROUNDS && row->n_new >= BASELINE_MIN_ROUNDS) {
		test = stats_mann_whitney(c->old, (size_t)row->n_base, c->now, (size_t)row->n_new);
		row->p = test.p;
		row->effect = test.effect;
		change = estimate(c, row);
		verdict = verdict_of(row, &change);
		/* Changed, and neither for the better nor for the worse. */
		if (!row->gate && strcmp(verdict, "unchanged") != 0 &&
		    !compare_has_direction(c->rec, metric->name))
			verdict = "unknown";
	}
	row->verdict = strdup(verdict);
	if (strcmp(verdict, "regressed"))
		return row->verdict ? 0 : -1;
	row->severity =
		strdup(severity_of(worse_by(change.from, change.to, row->lower_is_better), &rule));
	return row->verdict && row->severity ? 0 : -1;
}

static int compare_side(struct comparer *c, enum side side)
{
	int base_side = baseline_side_of(c->rec, side, c->base);
	struct record_baseline *out = &c->rec->baseline;
	size_t n;
	const struct metric *metrics = metric_table(&n);

	for (size_t i = 0; base_side >= 0 && i < n; i++) {
		struct record_regression *row = &out->rows[out->n_rows];
		size_t n_old = values_of(c->base, base_side, &metrics[i], c->old);
		size_t n_now = values_of(c->rec, (int)side, &metrics[i], c->now);

		if (!n_old && !n_now)
			continue;
		shape_init(&regression_shape, row);
		row->n_base = (int64_t)n_old;
		row->n_new = (int64_t)n_now;
		out->n_rows++;
		if (compare_metric(c, side, &metrics[i], row))
			return -1;
	}
	return 0;
}

/* --- all of them --------------------------------------------------------------------- */

/* What is beyond the threshold, but may be chance, is not concluded. */
static int keep_significant(struct record_regression *row)
{
	double p = row->gate ? row->p_adjusted : row->p;

	if ((strcmp(row->verdict, "regressed") && strcmp(row->verdict, "improved")) ||
	    p < BASELINE_ALPHA)
		return 0;
	free(row->severity);
	row->severity = NULL;
	free(row->verdict);
	row->verdict = strdup("inconclusive");
	return row->verdict ? 0 : -1;
}

static int conclude(struct record_baseline *out, const struct record *rec)
{
	double *p = calloc(out->n_rows + 1, sizeof(*p));
	size_t tested = 0;
	int rc = p ? 0 : -1;

	for (size_t i = 0; p && i < out->n_rows; i++) {
		p[i] = out->rows[i].gate ? out->rows[i].p : NAN;
		tested += !isnan(p[i]);
	}
	if (p)
		stats_holm(p, out->n_rows, p);
	for (size_t i = 0; !rc && i < out->n_rows; i++) {
		struct record_regression *row = &out->rows[i];

		row->p_adjusted = p[i];
		rc = keep_significant(row);
		row->text =
			rc ? NULL
			   : baseline_text(row, name_of(rec, row->side), row->gate ? tested : 1);
		rc = row->text ? 0 : -1;
	}
	free(p);
	return rc;
}

static void choose_gates(struct comparer *c)
{
	const struct baseline_options *options = c->options;

	if (!options || !options->n_gates) {
		c->n_gates = compare_default_gates(c->rec, c->gates);
		return;
	}
	for (size_t i = 0; i < options->n_gates && c->n_gates < COMPARE_MAX_GATES; i++)
		c->gates[c->n_gates++] = options->gates[i];
}

static int describe(struct record_baseline *out, const struct comparer *c, const char *path)
{
	const char *started = c->base->n_rounds ? c->base->rounds[0].started_at : NULL;
	bool is_comparable;

	out->path = strdup(path);
	out->started_at = started ? strdup(started) : NULL;
	out->version = c->base->version ? strdup(c->base->version) : NULL;
	if (!out->path || (started && !out->started_at) || (c->base->version && !out->version) ||
	    baseline_differ(out, c->rec, c->base, &is_comparable))
		return -1;
	out->comparable = is_comparable || (c->options && c->options->accept_differences);
	return 0;
}

int record_baseline(struct record *rec, const struct record *base, const char *path,
		    const struct baseline_options *options)
{
	struct comparer c = {.rec = rec, .base = base, .options = options};
	size_t n = 0, rounds = base->n_rounds + rec->n_rounds + 1;
	int rc = -1;

	shape_clear(&baseline_shape, &rec->baseline);
	memset(&rec->baseline, 0, sizeof(rec->baseline));
	rec->has_baseline = true;
	choose_gates(&c);
	metric_table(&n);
	rec->baseline.rows = calloc(n * SIDES, sizeof(*rec->baseline.rows));
	c.old = calloc(rounds, sizeof(double));
	c.now = calloc(rounds, sizeof(double));
	c.log_old = calloc(rounds, sizeof(double));
	c.log_now = calloc(rounds, sizeof(double));
	if (rec->baseline.rows && c.old && c.now && c.log_old && c.log_now) {
		rc = describe(&rec->baseline, &c, path) || check_ends(rec, base) ||
				     compare_side(&c, SIDE_A) || compare_side(&c, SIDE_B) ||
				     conclude(&rec->baseline, rec)
			     ? -1
			     : 0;
	}
	free(c.old);
	free(c.now);
	free(c.log_old);
	free(c.log_now);
	return rc;
}

static bool any_knows(const struct record *base, const struct metric *metric)
{
	for (size_t i = 0; i < base->n_rounds; i++)
		if (isfinite(metric->get(&base->rounds[i])))
			return true;
	return false;
}

int baseline_check(const struct record *rec, const struct record *base,
		   const struct baseline_options *options, struct error *err)
{
	const char *then = name_of(base, SIDE_A), *now = name_of(rec, SIDE_A);

	if (baseline_side_of(rec, SIDE_A, base) < 0 && baseline_side_of(rec, SIDE_B, base) < 0)
		return error_set(err, EXIT_CODE_USAGE,
				 "no target was measured in both runs: '%s'%s then, '%s'%s now",
				 then ? then : "?", base->n_targets > 1 ? " and another" : "",
				 now ? now : "?", rec->n_targets > 1 ? " and another" : "");
	for (size_t i = 0; options && i < options->n_gates; i++) {
		const struct metric *metric = metric_find(options->gates[i]);

		if (!metric || !any_knows(base, metric))
			return error_set(err, EXIT_CODE_USAGE,
					 "no round of the earlier run knows %s, so that a gate on "
					 "it would guard nothing",
					 options->gates[i]);
	}
	return 0;
}

static bool has_verdict(const struct record_regression *row, const char *verdict)
{
	return row->verdict && !strcmp(row->verdict, verdict);
}

bool record_has_regressed(const struct record *rec)
{
	if (!rec->has_baseline || !rec->baseline.comparable)
		return false;
	for (size_t i = 0; i < rec->baseline.n_rows; i++)
		if (rec->baseline.rows[i].gate && has_verdict(&rec->baseline.rows[i], "regressed"))
			return true;
	return false;
}

bool record_baseline_is_open(const struct record *rec)
{
	bool any = false;

	if (!rec->has_baseline)
		return false;
	for (size_t i = 0; i < rec->baseline.n_rows; i++) {
		const struct record_regression *row = &rec->baseline.rows[i];

		any |= row->gate;
		if (row->gate && (has_verdict(row, "inconclusive") || has_verdict(row, "unknown")))
			return true;
	}
	return !any || !rec->baseline.comparable;
}
