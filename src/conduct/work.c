/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/work_load.h"
#include "record/distribution.h"
#include "record/limit.h"
#include "record/load.h"
#include "record/threshold.h"

static void take_work(struct record_round *out, const json_t *report)
{
	const json_t *work = json_object_get(report, "work");
	const json_t *fixed = json_object_get(report, "work_is_fixed");

	if (!json_is_object(work))
		return;
	out->has_work = true;
	out->work = (struct record_work){
		.lines = report_integer(work, "lines"),
		.bytes = report_integer(work, "bytes"),
		.expected_lines = report_integer(work, "expected_lines"),
		.lost = report_integer(work, "lost"),
		.duplicated = report_integer(work, "duplicated"),
		.reordered = report_integer(work, "reordered"),
		.malformed = report_integer(work, "malformed"),
		.foreign = report_integer(work, "foreign"),
		.operations = report_integer(work, "operations"),
		.errors = report_integer(work, "errors"),
		.dropped = report_integer(work, "dropped"),
		.completed = report_integer(work, "completed"),
		.rows = report_integer(work, "rows"),
		.rows_expected = report_integer(work, "rows_expected"),
	};
	/* Who does not say so has a plan that both sides must fulfil. */
	out->work.is_fixed = record_has_operations(out) && !json_is_false(fixed);
	if (record_has_operations(out) && out->work.dropped == RECORD_NONE)
		out->work.dropped = out->driver.dropped;
}

/* Both lists or neither: a bucket without its count says nothing. */
static int take_buckets(struct record_latency *out, const json_t *from)
{
	const json_t *upper = json_object_get(from, "bucket_upper_seconds");
	const json_t *counts = json_object_get(from, "bucket_counts");
	size_t n = json_array_size(upper);

	if (!n || json_array_size(counts) != n)
		return 0;
	out->bucket_upper_seconds = calloc(n, sizeof(double));
	out->bucket_counts = calloc(n, sizeof(double));
	if (!out->bucket_upper_seconds || !out->bucket_counts)
		return -1;
	out->n_buckets = n;
	for (size_t i = 0; i < n; i++) {
		out->bucket_upper_seconds[i] = json_number_value(json_array_get(upper, i));
		out->bucket_counts[i] = json_number_value(json_array_get(counts, i));
	}
	return 0;
}

int report_latency(struct record_latency *out, const json_t *from)
{
	out->count = report_integer(from, "count");
	out->min_seconds = report_number(from, "min_seconds");
	out->mean_seconds = report_number(from, "mean_seconds");
	out->p50_seconds = report_number(from, "p50_seconds");
	out->p90_seconds = report_number(from, "p90_seconds");
	out->p95_seconds = report_number(from, "p95_seconds");
	out->p99_seconds = report_number(from, "p99_seconds");
	out->p999_seconds = report_number(from, "p999_seconds");
	out->max_seconds = report_number(from, "max_seconds");
	return take_buckets(out, from);
}

static struct record_latency *find_latency(struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_latency; i++)
		if (!strcmp(round->latency[i].name, name))
			return &round->latency[i];
	return NULL;
}

/*
 * A client's response time is not what was seen at the server's sockets under the same name,
 * which becomes server_NAME.
 */
static int yield_name(struct record_round *round, const char *name)
{
	struct record_latency *seen = find_latency(round, name);
	char *longer;

	if (!seen)
		return 0;
	if (asprintf(&longer, "server_%s", name) < 0)
		return -1;
	free(seen->name);
	seen->name = longer;
	return 0;
}

static int take_latencies(struct record_round *round, json_t *all)
{
	struct record_latency *out;
	const char *name;
	json_t *from;

	json_object_foreach (all, name, from)
		if (yield_name(round, name))
			return -1;
	json_object_foreach (all, name, from) {
		out = latency_add(round, name);
		if (!out || report_latency(out, from))
			return -1;
	}
	return 0;
}

/* The driver counts by ticks too; where the series' points hold several ticks, so do these. */
static int take_ticks(const struct record_series *series, double **out, const json_t *values,
		      double tick_seconds)
{
	size_t n = json_array_size(values), merged;

	if (!json_is_array(values) || tick_seconds <= 0)
		return 0;
	*out = calloc(series->n + 1, sizeof(double));
	if (!*out)
		return -1;
	merged = (size_t)lround(series->interval_seconds / tick_seconds);
	for (size_t i = 0; i < series->n; i++) {
		double sum = 0;
		size_t count = 0;

		for (size_t j = i * merged; j < (i + 1) * merged && j < n; j++, count++)
			sum += json_number_value(json_array_get(values, j));
		(*out)[i] = count ? sum / (double)count : NAN;
	}
	return 0;
}

/* Of which of several phases the whole is, a driver that tells none does not say. */
static void fill_use(struct record_round *out, const json_t *report)
{
	const json_t *phases = json_object_get(report, "phases");

	for (size_t i = 0; i < out->n_phases; i++) {
		struct record_round_phase *phase = &out->phases[i];

		if (phase->has_load) {
			phase->driver.saturation = phase->load.late_seconds_max;
			phase->driver.errors = phase->load.dropped;
		} else if (json_array_size(phases) == out->n_phases) {
			phase->driver.saturation =
				report_number(json_array_get(phases, i), "late_seconds_max");
			phase->driver.errors = report_integer(json_array_get(phases, i), "dropped");
		} else if (out->n_phases == 1) {
			phase->driver.saturation = out->driver.late_seconds_max;
			phase->driver.errors = out->driver.dropped;
		}
	}
}

static int take_p95(struct record_series *series, const json_t *report)
{
	const json_t *values = json_object_get(report, "response_p95_seconds"), *value;
	size_t n = json_array_size(values), i;

	if (!n || n > REPORT_MAX_INTERVALS)
		return 0;
	series->response_p95_seconds = calloc(n, sizeof(double));
	if (!series->response_p95_seconds)
		return -1;
	series->n_response_p95_seconds = n;
	series->response_p95_interval_seconds =
		report_number(report, "response_p95_interval_seconds");
	json_array_foreach (values, i, value)
		series->response_p95_seconds[i] =
			json_is_number(value) ? json_number_value(value) : NAN;
	return 0;
}

static int take_series(struct record_series *series, const json_t *report)
{
	double tick = report_number(report, "tick_seconds");

	if (isnan(tick))
		tick = series->interval_seconds;
	if (take_ticks(series, &series->lines_per_second,
		       json_object_get(report, "lines_per_second"), tick) ||
	    take_ticks(series, &series->operations_per_second,
		       json_object_get(report, "operations_per_second"), tick) ||
	    take_ticks(series, &series->errors_per_second,
		       json_object_get(report, "errors_per_second"), tick))
		return -1;
	return take_p95(series, report);
}

/* A driver that fell behind its own plan has not asked for what it was to ask for. */
static void check_lateness(struct record_round *out)
{
	if (!(out->driver.late_seconds_max > LIMIT_DRIVER_LATE_SECONDS))
		return;
	record_invalid(out, "the driver was saturated: it %s %.0f ms late (bound %.0f ms)",
		       record_has_operations(out) ? "sent a request" : "handed out a line",
		       out->driver.late_seconds_max * 1e3, LIMIT_DRIVER_LATE_SECONDS * 1e3);
}

/* What the driver alone knows to make the round worthless. */
static void take_invalid(struct record_round *out, const json_t *reasons)
{
	const json_t *reason;
	size_t i;

	json_array_foreach (reasons, i, reason)
		if (json_is_string(reason))
			record_invalid(out, "the driver: %s", json_string_value(reason));
}

int work_take(struct record_round *out, const json_t *report, uint64_t driver_cpu_ns)
{
	out->has_driver = true;
	out->driver.cpu_seconds = (double)driver_cpu_ns / 1e9;
	if (!report) {
		record_invalid(out,
			       "the driver gave no report: what the side delivered is not known");
		return 0;
	}
	out->driver.late_seconds_max = report_number(report, "late_seconds_max");
	out->driver.dropped = report_integer(report, "dropped");
	take_work(out, report);
	check_lateness(out);
	take_invalid(out, json_object_get(report, "invalid"));
	if (take_latencies(out, json_object_get(report, "latency")) || work_take_load(out, report))
		return -1;
	fill_use(out, report);
	return take_series(&out->series, report);
}

void work_fix(struct record_round *out, const json_t *report, const struct scenario *scenario)
{
	if (!out->work.is_fixed || json_object_get(report, "work_is_fixed"))
		return;
	for (size_t i = 0; i < scenario->n_phases; i++) {
		const struct phase *phase = &scenario->phases[i];

		if (phase->role == PHASE_MEASURED && (phase->executor == EXECUTOR_CONSTANT_VUS ||
						      phase->executor == EXECUTOR_RAMPING_VUS))
			out->work.is_fixed = false;
	}
}

static bool is_closed_loop(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; name && i < scenario->n_phases; i++) {
		const struct phase *phase = &scenario->phases[i];

		if (phase->role == PHASE_MEASURED && !strcmp(phase->name, name))
			return phase->executor == EXECUTOR_CONSTANT_VUS ||
			       phase->executor == EXECUTOR_RAMPING_VUS ||
			       phase->executor == EXECUTOR_PER_VU_ITERATIONS;
	}
	return false;
}

void work_check_busy(struct record_round *out, const json_t *report,
		     const struct scenario *scenario)
{
	if (json_is_true(json_object_get(report, "has_threads")))
		return;
	for (size_t i = 0; i < out->n_phases; i++) {
		const struct record_round_phase *phase = &out->phases[i];

		if (phase->driver.utilization >= LIMIT_DRIVER_BUSY &&
		    phase->duration_seconds >= LIMIT_MIN_SECONDS &&
		    is_closed_loop(scenario, phase->name))
			record_invalid(out,
				       "the driver was saturated: it used %.0f %% of a core in "
				       "phase '%s' (bound %.0f %%), so users waited for it; use "
				       "fewer, or a wait between requests",
				       phase->driver.utilization * 100, phase->name,
				       LIMIT_DRIVER_BUSY * 100);
	}
}

void work_notes(struct record *rec, const json_t *report)
{
	const json_t *notes = json_object_get(report, "notes"), *note;
	size_t i;

	json_array_foreach (notes, i, note)
		if (json_is_string(note))
			record_note(rec, json_string_value(note));
}

/* How much of its phase, or of the window, has passed for a threshold. A driver that does not tell
 * of the phase leaves the window's. */
static double passed_seconds(const struct scenario_threshold *from, const json_t *peek,
			     uint64_t passed_ns)
{
	struct threshold_problem problem;
	struct threshold threshold;
	const json_t *phase;
	size_t i;

	if (!threshold_parse(from->metric, from->expression, &threshold, &problem) &&
	    threshold.phase[0])
		json_array_foreach (json_object_get(peek, "phases"), i, phase) {
			const char *name = json_string_value(json_object_get(phase, "name"));
			double seconds = report_number(phase, "seconds");

			if (name && !strcmp(name, threshold.phase) && !isnan(seconds))
				return seconds;
		}
	return (double)passed_ns / 1e9;
}

int work_fails_live(const struct scenario_threshold *thresholds, size_t n, const json_t *peek,
		    uint64_t passed_ns, size_t *which)
{
	struct record_round round = {0};
	int fails = 0;

	record_round_init(&round);
	if (work_take(&round, peek, 0)) {
		record_round_clear(&round);
		return -1;
	}
	for (size_t i = 0; peek && i < n && !fails; i++) {
		if (!thresholds[i].abort_on_fail ||
		    passed_seconds(&thresholds[i], peek, passed_ns) * 1e9 <
			    (double)thresholds[i].delay_abort_ns)
			continue;
		fails = threshold_fails_live(thresholds[i].metric, thresholds[i].expression,
					     &round);
		*which = i;
	}
	record_round_clear(&round);
	return fails;
}
