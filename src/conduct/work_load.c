/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/work_load.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/load.h"

int64_t report_integer(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : RECORD_NONE;
}

double report_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* NULL where there is none, or no memory: then it has no name. */
static char *report_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strdup(text) : NULL;
}

/* Names with a number each: both lists of a record have this layout. */
_Static_assert(sizeof(struct record_error) == sizeof(struct record_count) &&
		       offsetof(struct record_error, kind) == offsetof(struct record_count, name) &&
		       offsetof(struct record_error, count) == offsetof(struct record_count, count),
	       "errors are counts");

static int most_first(const void *a, const void *b)
{
	const struct record_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Beyond the bound the rarest are one, the last. */
static int fold_counts(struct record_count *counts, size_t *n)
{
	int64_t rest = 0;
	char *other;

	if (*n <= RECORD_MAX_ERRORS)
		return 0;
	other = strdup("other");
	if (!other)
		return -1;
	while (*n >= RECORD_MAX_ERRORS) {
		struct record_count *last = &counts[--*n];

		free(last->name);
		if (__builtin_add_overflow(rest, last->count, &rest))
			rest = INT64_MAX;
	}
	counts[(*n)++] = (struct record_count){other, rest};
	return 0;
}

/* Those that are there at all, most first. */
static int take_counts(struct record_count **out, size_t *n, json_t *from)
{
	const char *name;
	json_t *count;

	if (!json_object_size(from))
		return 0;
	*out = calloc(json_object_size(from), sizeof(**out));
	if (!*out)
		return -1;
	json_object_foreach (from, name, count) {
		struct record_count *to = &(*out)[*n];

		if (!json_is_integer(count) || json_integer_value(count) <= 0)
			continue;
		*to = (struct record_count){strdup(name), json_integer_value(count)};
		if (!to->name)
			return -1;
		++*n;
	}
	qsort(*out, *n, sizeof(**out), most_first);
	return fold_counts(*out, n);
}

static int take_kinds(struct record_round *out, const json_t *kinds)
{
	size_t n = json_array_size(kinds);

	if (n > RECORD_MAX_KINDS)
		n = RECORD_MAX_KINDS;
	out->kinds = n ? calloc(n, sizeof(*out->kinds)) : NULL;
	if (n && !out->kinds)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const json_t *from = json_array_get(kinds, i);

		out->kinds[out->n_kinds++] = (struct record_kind){
			.name = report_string(from, "name"),
			.operations = report_integer(from, "operations"),
			.errors = report_integer(from, "errors"),
			.bytes = report_integer(from, "bytes"),
			.rows = report_integer(from, "rows"),
		};
	}
	return 0;
}

static int fill_load(struct record_load *load, const json_t *from)
{
	record_load_init(load);
	load->operations = report_integer(from, "operations");
	load->errors = report_integer(from, "errors");
	load->dropped = report_integer(from, "dropped");
	load->late_seconds_max = report_number(from, "late_seconds_max");
	load->rate_per_second = report_number(from, "operations_per_second");
	if (isnan(load->rate_per_second))
		load->rate_per_second = report_number(from, "rate");
	return report_latency(&load->response, json_object_get(from, "response")) ||
			       report_latency(&load->service, json_object_get(from, "service"))
		       ? -1
		       : 0;
}

/* The round's phase of that name, or a new one, of which nothing else is known. */
static struct record_round_phase *phase_of(struct record_round *out, const char *name)
{
	for (size_t i = 0; i < out->n_phases; i++)
		if (out->phases[i].name && !strcmp(out->phases[i].name, name))
			return &out->phases[i];
	return record_add_phase(out, name);
}

/* Was the phase's work in the window? Others have nothing to tell. */
static bool is_measured(const json_t *phase)
{
	const char *role = json_string_value(json_object_get(phase, "role"));

	return !role || !strcmp(role, "measured");
}

/* By its name, or, where the report has none, by its place among all of them; NULL: nowhere, or
 * no memory (-1 in @rc). */
static struct record_round_phase *find_phase(struct record_round *out, const json_t *phases,
					     size_t i, int *rc)
{
	const char *name = json_string_value(json_object_get(json_array_get(phases, i), "name"));
	struct record_round_phase *phase;

	if (!name || !*name)
		return json_array_size(phases) == out->n_phases ? &out->phases[i] : NULL;
	phase = phase_of(out, name);
	if (!phase)
		*rc = -1;
	return phase;
}

/* Of which of several phases the whole is, a driver that tells none does not say. */
static int take_phases(struct record_round *out, const json_t *phases)
{
	bool tells = false;
	const json_t *from;
	int rc = 0;
	size_t i;

	json_array_foreach (phases, i, from) {
		struct record_round_phase *phase;

		if (!is_measured(from))
			continue;
		phase = find_phase(out, phases, i, &rc);
		if (rc)
			return -1;
		if (!phase || phase->has_load)
			continue;
		tells = true;
		phase->driver.saturation = report_number(from, "late_seconds_max");
		phase->driver.errors = report_integer(from, "dropped");
		phase->has_load = json_is_integer(json_object_get(from, "operations"));
		if (phase->has_load && fill_load(&phase->load, from))
			return -1;
	}
	if (!tells && out->n_phases == 1) {
		out->phases[0].driver.saturation = out->driver.late_seconds_max;
		out->phases[0].driver.errors = out->driver.dropped;
	}
	return 0;
}

static int take_producers(struct record_round *out, const json_t *producers)
{
	size_t n = json_array_size(producers), i;
	const json_t *from;

	if (!n)
		return 0;
	out->producers = calloc(n < RECORD_MAX_PRODUCERS ? n : RECORD_MAX_PRODUCERS,
				sizeof(*out->producers));
	if (!out->producers)
		return -1;
	json_array_foreach (producers, i, from) {
		struct record_producer *producer = &out->producers[out->n_producers];

		if (out->n_producers == RECORD_MAX_PRODUCERS)
			break;
		out->n_producers++;
		producer->name = report_string(from, "name");
		if (fill_load(&producer->load, from))
			return -1;
	}
	return 0;
}

static int take_recovery(struct record_round *out, const json_t *recoveries)
{
	size_t n = json_array_size(recoveries), i;
	const json_t *from;

	if (n > RECORD_MAX_RECOVERIES)
		n = RECORD_MAX_RECOVERIES;
	out->recovery = n ? calloc(n, sizeof(*out->recovery)) : NULL;
	if (n && !out->recovery)
		return -1;
	for (i = 0; i < n; i++) {
		from = json_array_get(recoveries, i);
		out->recovery[out->n_recovery++] = (struct record_recovery){
			.fault = report_string(from, "fault"),
			.at_seconds = report_number(from, "at_seconds"),
			.last_good_seconds = report_number(from, "last_good_seconds"),
			.first_good_seconds = report_number(from, "first_good_seconds"),
			.outage_seconds = report_number(from, "outage_seconds"),
			.normal_p95_seconds = report_number(from, "normal_p95_seconds"),
			.p95_normal_after_seconds = report_number(from, "p95_normal_after_seconds"),
		};
	}
	return 0;
}

static int take_side_metrics(struct record_round *out, json_t *metrics)
{
	const char *name;
	json_t *value;
	int rc;

	json_object_foreach (metrics, name, value) {
		if (!json_is_number(value))
			continue;
		rc = record_add_side_metric(out, name, json_number_value(value));
		if (rc == -ENOMEM)
			return -1;
	}
	return 0;
}

int work_take_load(struct record_round *out, const json_t *report)
{
	const json_t *work = json_object_get(report, "work");

	if (take_counts((struct record_count **)&out->errors, &out->n_errors,
			json_object_get(report, "errors")) ||
	    take_counts(&out->counts, &out->n_counts, json_object_get(work, "counts")) ||
	    take_kinds(out, json_object_get(report, "kinds")) ||
	    take_phases(out, json_object_get(report, "phases")) ||
	    take_producers(out, json_object_get(report, "producers")) ||
	    take_recovery(out, json_object_get(report, "recovery")))
		return -1;
	return take_side_metrics(out, json_object_get(report, "side_metrics"));
}
