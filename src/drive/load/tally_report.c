/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tally tells. */
#include <math.h>
#include <stdio.h>

#include "drive/latency_json.h"
#include "drive/load/tally_internal.h"

static const char *const role_names[] = {
	[PHASE_WARMUP] = "warmup",
	[PHASE_MEASURED] = "measured",
	[PHASE_COOLDOWN] = "cooldown",
};

static json_t *count_json(uint64_t count)
{
	return json_integer((json_int_t)count);
}

static json_t *names_json(const struct tally_names *names)
{
	json_t *json = json_object();

	for (size_t i = 0; i < names->n; i++)
		json_object_set_new(json, names->names[i].name, count_json(names->names[i].n));
	if (names->other) {
		json_int_t there = json_integer_value(json_object_get(json, "other"));

		json_object_set_new(json, "other", json_integer(there + (json_int_t)names->other));
	}
	return json;
}

static json_t *times_json(const struct histogram *h)
{
	struct histogram none;

	if (h)
		return latency_json(h);
	histogram_init(&none);
	return latency_json(&none);
}

/* Of all that came to an end; what was never sent is counted beside. */
static json_t *success_rate(const struct tally_counts *counts)
{
	uint64_t all = counts->operations + counts->errors;

	return number_json(all ? (double)counts->operations / (double)all : NAN);
}

static json_t *work(const struct tally *tally)
{
	const struct tally_counts *window = &tally->window;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "operations",
			 count_json(window->operations), "completed", count_json(window->completed),
			 "errors", count_json(window->errors), "bytes", count_json(window->bytes),
			 "rows", count_json(window->rows), "dropped", count_json(window->dropped),
			 "success_rate", success_rate(window), "counts",
			 names_json(&tally->counts));
}

static json_t *kinds(const struct tally *tally)
{
	json_t *json = json_array();

	for (size_t i = 0; i < tally->n_kinds; i++) {
		const struct tally_counts *kind = &tally->by_kind[i];

		json_array_append_new(
			json, json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", tally->kinds[i],
					"operations", count_json(kind->operations), "errors",
					count_json(kind->errors), "bytes", count_json(kind->bytes),
					"rows", count_json(kind->rows)));
	}
	return json;
}

static json_t *latencies(const struct tally *tally)
{
	json_t *json = json_object();
	char name[256];

	json_object_set_new(json, "response", times_json(tally->window.response));
	json_object_set_new(json, "service", times_json(tally->window.service));
	if (tally->failed)
		json_object_set_new(json, "failed", times_json(tally->failed));
	for (size_t i = 0; tally->n_kinds > 1 && i < tally->n_kinds; i++) {
		snprintf(name, sizeof(name), "response %s", tally->kinds[i]);
		json_object_set_new(json, name, times_json(tally->by_kind[i].response));
	}
	return json;
}

/* The end of what is known: the window's, or of the last answer where it is not closed. */
static uint64_t end_ns(const struct tally *tally)
{
	return tally->is_closed ? tally->close_ns : tally->latest_ns;
}

/* Both series have the same ticks, or one of them has had longer ones since it went on for longer.
 */
static void add_series(const struct tally *tally, json_t *report)
{
	uint64_t to_ns = end_ns(tally);
	uint64_t length_ns = to_ns > tally->open_ns ? to_ns - tally->open_ns : 0;

	json_object_set_new(report, "operations_per_second",
			    series_json(&tally->good_series, length_ns));
	json_object_set_new(report, "errors_per_second",
			    series_json(&tally->error_series, length_ns));
	json_object_set_new(report, "tick_seconds",
			    json_real((double)tally->good_series.tick_ns / 1e9));
	json_object_set_new(report, "response_p95_seconds", p95s_json(&tally->responses));
	json_object_set_new(report, "response_p95_interval_seconds",
			    number_json(tally->responses.interval_ns
						? (double)tally->responses.interval_ns / 1e9
						: NAN));
}

/* Have all users done their iterations? What is left of the phase then has no work. */
static bool is_done(const struct phase *phase, const struct tally_counts *counts)
{
	return phase->executor == EXECUTOR_PER_VU_ITERATIONS && phase->vus > 0 &&
	       (counts->operations + counts->errors) / (uint64_t)phase->vus >=
		       (uint64_t)phase->iterations;
}

/* Of a phase that was cut short, or whose iterations were over, what there was of it. */
static double phase_seconds(const struct tally *tally, size_t phase, uint64_t begin_ns)
{
	const struct tally_counts *counts = &tally->by_phase[phase];
	uint64_t length_ns = tally->phases[phase].duration_ns;
	uint64_t to_ns = end_ns(tally);

	if (is_done(&tally->phases[phase], counts))
		to_ns = counts->last_ns;
	/* The cool-down goes on behind the window. */
	else if (to_ns < tally->latest_ns)
		to_ns = tally->latest_ns;
	if (to_ns <= begin_ns)
		return 0;
	return (double)(to_ns - begin_ns < length_ns ? to_ns - begin_ns : length_ns) / 1e9;
}

static json_t *phases(const struct tally *tally)
{
	uint64_t begin_ns = tally->start_ns;
	json_t *json = json_array();

	for (size_t i = 0; i < tally->n_phases; i++) {
		const struct phase *phase = &tally->phases[i];
		const struct tally_counts *counts = &tally->by_phase[i];
		double seconds = phase_seconds(tally, i, begin_ns);

		json_array_append_new(
			json,
			json_pack("{s:s, s:s, s:f, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o}", "name",
				  phase->name, "role", role_names[phase->role], "seconds", seconds,
				  "operations", count_json(counts->operations), "errors",
				  count_json(counts->errors), "dropped",
				  count_json(counts->dropped), "success_rate", success_rate(counts),
				  "operations_per_second",
				  number_json(seconds > 0 ? (double)counts->completed / seconds
							  : NAN),
				  "late_seconds_max", (double)counts->late_max_ns / 1e9, "response",
				  times_json(counts->response), "service",
				  times_json(counts->service)));
		begin_ns += phase->duration_ns;
	}
	return json;
}

static json_t *notes(const struct tally *tally)
{
	unsigned int left_out = recovery_faults_left_out(tally->recovery);
	json_t *json = json_array();
	char text[160];

	if (tally->times_lost) {
		snprintf(text, sizeof(text),
			 "the driver ran out of memory: %llu times of answers are missing",
			 (unsigned long long)tally->times_lost);
		json_array_append_new(json, json_string(text));
	}
	if (left_out) {
		snprintf(text, sizeof(text),
			 "recovery was followed for the first %d faults only; %u more came",
			 RECOVERY_FAULTS_MAX, left_out);
		json_array_append_new(json, json_string(text));
	}
	return json;
}

json_t *tally_report(const struct tally *tally)
{
	json_t *report = json_pack(
		"{s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "work", work(tally), "errors",
		names_json(&tally->errors), "kinds", kinds(tally), "latency", latencies(tally),
		"late_seconds_max", (double)tally->window.late_max_ns / 1e9, "dropped",
		count_json(tally->window.dropped), "phases", phases(tally), "recovery",
		recovery_report(tally->recovery, tally->open_ns), "notes", notes(tally));

	if (report)
		add_series(tally, report);
	return report;
}
