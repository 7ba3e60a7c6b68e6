/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/limit.h"

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

static int take_latency(struct record_round *round, json_t *all)
{
	struct record_latency *out;
	const char *name;
	json_t *from;

	json_object_foreach (all, name, from) {
		out = latency_add(round, name);
		if (!out)
			return -1;
		out->count = integer(from, "count");
		out->min_seconds = number(from, "min_seconds");
		out->mean_seconds = number(from, "mean_seconds");
		out->p50_seconds = number(from, "p50_seconds");
		out->p90_seconds = number(from, "p90_seconds");
		out->p95_seconds = number(from, "p95_seconds");
		out->p99_seconds = number(from, "p99_seconds");
		out->p999_seconds = number(from, "p999_seconds");
		out->max_seconds = number(from, "max_seconds");
		if (take_buckets(out, from))
			return -1;
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

/* Of which of several phases the whole is, a driver that tells none does not say. */
static void take_phases(struct record_round *out, const json_t *report)
{
	const json_t *phases = json_object_get(report, "phases");

	if (json_array_size(phases) == out->n_phases) {
		for (size_t i = 0; i < out->n_phases; i++) {
			struct record_use *use = &out->phases[i].driver;

			use->saturation = number(json_array_get(phases, i), "late_seconds_max");
			use->errors = integer(json_array_get(phases, i), "dropped");
		}
	} else if (out->n_phases == 1) {
		out->phases[0].driver.saturation = out->driver.late_seconds_max;
		out->phases[0].driver.errors = out->driver.dropped;
	}
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
	take_phases(out, report);
	take_lines(out, json_object_get(report, "work"));
	if (out->driver.late_seconds_max > LIMIT_DRIVER_LATE_SECONDS)
		record_invalid(out,
			       "the driver was saturated: it handed out a line %.0f ms late (bound "
			       "%.0f ms)",
			       out->driver.late_seconds_max * 1e3, LIMIT_DRIVER_LATE_SECONDS * 1e3);
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
