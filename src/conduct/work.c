/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A driver that hands out its work later than this did not keep its schedule. */
#define LATE_BOUND_SECONDS 0.25

static int64_t integer(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : RECORD_NONE;
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void take_lines(struct record_round *out, const json_t *work)
{
	if (!json_is_object(work))
		return;
	out->has_work = true;
	out->work = (struct record_work){
		.lines = integer(work, "lines"),
		.bytes = integer(work, "bytes"),
		.expected_lines = integer(work, "expected_lines"),
		.lost = integer(work, "lost"),
		.duplicated = integer(work, "duplicated"),
		.reordered = integer(work, "reordered"),
		.malformed = integer(work, "malformed"),
		.foreign = integer(work, "foreign"),
	};
}

static int take_latency(struct record_round *out, json_t *all)
{
	const char *name;
	json_t *from;

	out->latency = calloc(json_object_size(all) + 1, sizeof(*out->latency));
	if (!out->latency)
		return -1;
	json_object_foreach (all, name, from) {
		out->latency[out->n_latency++] = (struct record_latency){
			.name = strdup(name),
			.count = integer(from, "count"),
			.min_seconds = number(from, "min_seconds"),
			.mean_seconds = number(from, "mean_seconds"),
			.p50_seconds = number(from, "p50_seconds"),
			.p90_seconds = number(from, "p90_seconds"),
			.p95_seconds = number(from, "p95_seconds"),
			.p99_seconds = number(from, "p99_seconds"),
			.p999_seconds = number(from, "p999_seconds"),
			.max_seconds = number(from, "max_seconds"),
		};
	}
	return 0;
}

/* The driver counts by ticks too; where the series' points hold several ticks, so do these. */
static int take_series(struct record_series *series, const json_t *lines, double tick_seconds)
{
	size_t n = json_array_size(lines), merged;

	if (!json_is_array(lines) || tick_seconds <= 0)
		return 0;
	series->lines_per_second = calloc(series->n + 1, sizeof(double));
	if (!series->lines_per_second)
		return -1;
	merged = (size_t)lround(series->interval_seconds / tick_seconds);
	for (size_t i = 0; i < series->n; i++) {
		double sum = 0;
		size_t count = 0;

		for (size_t j = i * merged; j < (i + 1) * merged && j < n; j++, count++)
			sum += json_number_value(json_array_get(lines, j));
		series->lines_per_second[i] = count ? sum / (double)count : NAN;
	}
	return 0;
}

int work_take(struct record_round *out, const json_t *report, uint64_t driver_cpu_ns)
{
	double tick = number(report, "tick_seconds");

	out->has_driver = true;
	out->driver.cpu_seconds = (double)driver_cpu_ns / 1e9;
	if (!report) {
		record_invalid(out,
			       "the driver gave no report: what the side delivered is not known");
		return 0;
	}
	out->driver.late_seconds_max = number(report, "late_seconds_max");
	out->driver.dropped = integer(report, "dropped");
	take_lines(out, json_object_get(report, "work"));
	if (out->driver.late_seconds_max > LATE_BOUND_SECONDS)
		record_invalid(out,
			       "the driver was saturated: it handed out a line %.0f ms late (bound "
			       "%.0f ms)",
			       out->driver.late_seconds_max * 1e3, LATE_BOUND_SECONDS * 1e3);
	if (take_latency(out, json_object_get(report, "latency")))
		return -1;
	return take_series(&out->series, json_object_get(report, "lines_per_second"),
			   isnan(tick) ? out->series.interval_seconds : tick);
}

void work_notes(struct record *rec, const json_t *report)
{
	const json_t *notes = json_object_get(report, "notes"), *note;
	size_t i;

	json_array_foreach (notes, i, note)
		if (json_is_string(note))
			record_note(rec, json_string_value(note));
}
