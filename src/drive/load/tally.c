/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting; what is told of it is in tally_report.c. */
#include "drive/load/tally.h"

#include <stdlib.h>
#include <string.h>

#include "drive/load/tally_internal.h"
#include "util/clock.h"

/* Until the window's tick is known. It divides those that are used. */
#define FIRST_TICK_NS (10 * NSEC_PER_MSEC)

static void free_names(struct tally_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i].name);
	memset(names, 0, sizeof(*names));
}

static void free_counts(struct tally_counts *counts)
{
	free(counts->response);
	free(counts->service);
	memset(counts, 0, sizeof(*counts));
}

static void free_series(struct tally *tally)
{
	series_clear(&tally->good_series);
	series_clear(&tally->error_series);
	p95s_clear(&tally->responses);
}

void tally_free(struct tally *tally)
{
	if (!tally)
		return;
	for (size_t i = 0; tally->kinds && i < tally->n_kinds; i++)
		free(tally->kinds[i]);
	for (size_t i = 0; tally->by_phase && i < tally->n_phases; i++)
		free_counts(&tally->by_phase[i]);
	for (size_t i = 0; tally->by_kind && i < tally->n_kinds; i++)
		free_counts(&tally->by_kind[i]);
	free_counts(&tally->window);
	free(tally->failed);
	free_names(&tally->errors);
	free_names(&tally->counts);
	recovery_free(tally->recovery);
	free_series(tally);
	free(tally->by_phase);
	free(tally->by_kind);
	free(tally->kinds);
	free(tally);
}

struct tally *tally_new(const struct phase *phases, size_t n_phases, const char *const *kinds,
			size_t n_kinds)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	bool is_complete;

	if (!tally)
		return NULL;
	tally->phases = phases;
	tally->n_phases = n_phases;
	tally->n_kinds = n_kinds;
	tally->open_ns = tally->close_ns = UINT64_MAX;
	series_init(&tally->good_series, FIRST_TICK_NS);
	series_init(&tally->error_series, FIRST_TICK_NS);
	tally->kinds = calloc(n_kinds + 1, sizeof(*tally->kinds));
	tally->by_phase = calloc(n_phases + 1, sizeof(*tally->by_phase));
	tally->by_kind = calloc(n_kinds + 1, sizeof(*tally->by_kind));
	tally->recovery = recovery_new();
	is_complete = tally->kinds && tally->by_phase && tally->by_kind && tally->recovery;
	for (size_t i = 0; is_complete && i < n_kinds; i++) {
		tally->kinds[i] = strdup(kinds[i]);
		is_complete = tally->kinds[i];
	}
	if (is_complete)
		return tally;
	tally_free(tally);
	return NULL;
}

/* --- the window -------------------------------------------------------------------- */

void tally_start(struct tally *tally, uint64_t at_ns)
{
	uint64_t begin_ns = at_ns;

	tally->start_ns = at_ns;
	tally->open_ns = tally->close_ns = UINT64_MAX;
	for (size_t i = 0; i < tally->n_phases; i++) {
		uint64_t end_ns = begin_ns + tally->phases[i].duration_ns;

		if (tally->phases[i].role == PHASE_MEASURED) {
			if (tally->open_ns == UINT64_MAX)
				tally->open_ns = begin_ns;
			tally->close_ns = end_ns;
		}
		begin_ns = end_ns;
	}
}

static void forget_window(struct tally *tally)
{
	free_counts(&tally->window);
	free(tally->failed);
	tally->failed = NULL;
	for (size_t i = 0; i < tally->n_kinds; i++)
		free_counts(&tally->by_kind[i]);
	free_names(&tally->errors);
	free_names(&tally->counts);
	tally->times_lost = 0;
	free_series(tally);
	tally->good_series.tick_ns = tally->error_series.tick_ns = FIRST_TICK_NS;
}

void tally_window_open(struct tally *tally, uint64_t at_ns, uint64_t tick_ns)
{
	if (at_ns != tally->open_ns)
		forget_window(tally);
	tally->open_ns = at_ns;
	tally->close_ns = UINT64_MAX;
	tally->is_closed = false;
	if (tick_ns > tally->good_series.tick_ns)
		series_lengthen(&tally->good_series, tick_ns);
	if (tick_ns > tally->error_series.tick_ns)
		series_lengthen(&tally->error_series, tick_ns);
}

void tally_window_close(struct tally *tally, uint64_t at_ns)
{
	tally->close_ns = at_ns;
	tally->is_closed = true;
}

bool tally_is_in_window(const struct tally *tally, uint64_t intended_ns)
{
	return intended_ns >= tally->open_ns && intended_ns < tally->close_ns;
}

bool tally_is_closed(const struct tally *tally)
{
	return tally->is_closed;
}

/* --- counting ---------------------------------------------------------------------- */

static void add_name(struct tally_names *names, const char *name, uint64_t n)
{
	char *copy;

	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->names[i].name, name) != 0)
			continue;
		names->names[i].n += n;
		return;
	}
	copy = names->n < TALLY_ERRORS_MAX ? strdup(name) : NULL;
	if (!copy) {
		names->other += n;
		return;
	}
	names->names[names->n++] = (struct tally_name){copy, n};
}

static void add_time(struct tally *tally, struct histogram **h, uint64_t ns)
{
	if (!*h) {
		*h = malloc(sizeof(**h));
		if (!*h) {
			tally->times_lost++;
			return;
		}
		histogram_init(*h);
	}
	histogram_add(*h, ns);
}

static uint64_t from_to(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static void add_counts(struct tally *tally, struct tally_counts *counts,
		       const struct tally_request *request)
{
	counts->bytes += request->bytes;
	counts->rows += request->rows;
	if (request->ended_ns > counts->last_ns)
		counts->last_ns = request->ended_ns;
	if (request->error) {
		counts->errors++;
		return;
	}
	counts->operations++;
	add_time(tally, &counts->response, from_to(request->intended_ns, request->ended_ns));
}

static void add_service(struct tally *tally, struct tally_counts *counts,
			const struct tally_request *request)
{
	if (!request->error)
		add_time(tally, &counts->service, from_to(request->begun_ns, request->ended_ns));
}

static void add_to_series(struct tally *tally, const struct tally_request *request)
{
	struct series *series = request->error ? &tally->error_series : &tally->good_series;
	struct series *other = request->error ? &tally->good_series : &tally->error_series;
	uint64_t ended_ns = request->ended_ns;

	if (ended_ns >= tally->open_ns && ended_ns < tally->close_ns) {
		series_add(series, ended_ns - tally->open_ns);
		/* Both are shown with the same ticks. */
		if (series->tick_ns > other->tick_ns)
			series_lengthen(other, series->tick_ns);
	}
	if (!request->error && tally_is_in_window(tally, request->intended_ns))
		p95s_add(&tally->responses, request->intended_ns - tally->open_ns,
			 from_to(request->intended_ns, ended_ns));
}

/* Throughput is what came in a stretch of time: of an overload, all that was due comes later. */
static void add_completed(struct tally *tally, uint64_t ended_ns)
{
	uint64_t begin_ns = tally->start_ns;

	if (tally_is_in_window(tally, ended_ns))
		tally->window.completed++;
	for (size_t i = 0; i < tally->n_phases; i++) {
		uint64_t end_ns = begin_ns + tally->phases[i].duration_ns;

		if (ended_ns >= begin_ns && ended_ns < end_ns)
			tally->by_phase[i].completed++;
		begin_ns = end_ns;
	}
}

void tally_add(struct tally *tally, const struct tally_request *request)
{
	struct tally_counts *phase = &tally->by_phase[request->phase];
	struct tally_counts *kind = &tally->by_kind[request->kind];

	if (request->ended_ns > tally->latest_ns)
		tally->latest_ns = request->ended_ns;
	recovery_add(tally->recovery, request->ended_ns,
		     from_to(request->intended_ns, request->ended_ns), !request->error);
	add_counts(tally, phase, request);
	add_service(tally, phase, request);
	add_to_series(tally, request);
	if (!request->error)
		add_completed(tally, request->ended_ns);
	*(request->error ? &tally->bad : &tally->good) += 1;
	if (!tally_is_in_window(tally, request->intended_ns))
		return;
	add_counts(tally, &tally->window, request);
	add_service(tally, &tally->window, request);
	add_counts(tally, kind, request);
	if (!request->error)
		return;
	add_name(&tally->errors, request->error, 1);
	add_time(tally, &tally->failed, from_to(request->intended_ns, request->ended_ns));
}

void tally_count(struct tally *tally, const char *name, uint64_t n, uint64_t intended_ns)
{
	if (tally_is_in_window(tally, intended_ns))
		add_name(&tally->counts, name, n);
}

void tally_late(struct tally *tally, size_t phase, uint64_t intended_ns, uint64_t late_ns)
{
	struct tally_counts *counts = &tally->by_phase[phase];

	if (late_ns > counts->late_max_ns)
		counts->late_max_ns = late_ns;
	if (tally_is_in_window(tally, intended_ns) && late_ns > tally->window.late_max_ns)
		tally->window.late_max_ns = late_ns;
}

void tally_dropped(struct tally *tally, size_t phase, uint64_t intended_ns)
{
	tally->by_phase[phase].dropped++;
	if (tally_is_in_window(tally, intended_ns))
		tally->window.dropped++;
}

void tally_fault(struct tally *tally, const char *name, uint64_t at_ns, bool ended)
{
	recovery_fault(tally->recovery, name, at_ns, ended);
}

uint64_t tally_good(const struct tally *tally)
{
	return tally->good;
}

uint64_t tally_errors(const struct tally *tally)
{
	return tally->bad;
}
