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
	free_names(&tally->errors);
	free_names(&tally->counts);
	recovery_free(tally->recovery);
	free(tally->series.ticks);
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
	tally->series.tick_ns = FIRST_TICK_NS;
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
	for (size_t i = 0; i < tally->n_kinds; i++)
		free_counts(&tally->by_kind[i]);
	free_names(&tally->errors);
	free_names(&tally->counts);
	tally->times_lost = 0;
	tally->series.n = 0;
	tally->series.tick_ns = FIRST_TICK_NS;
}

/* To ticks of @tick_ns, which are longer: none of them begins before what is added to it. */
static void merge_ticks(struct tally_series *series, uint64_t tick_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < series->n; i++) {
		size_t into = (size_t)((uint64_t)i * series->tick_ns / tick_ns);
		uint64_t count = series->ticks[i];

		while (n <= into)
			series->ticks[n++] = 0;
		series->ticks[into] += count;
	}
	series->n = n;
	series->tick_ns = tick_ns;
}

void tally_window_open(struct tally *tally, uint64_t at_ns, uint64_t tick_ns)
{
	if (at_ns != tally->open_ns)
		forget_window(tally);
	tally->open_ns = at_ns;
	tally->close_ns = UINT64_MAX;
	tally->is_closed = false;
	if (tick_ns > tally->series.tick_ns)
		merge_ticks(&tally->series, tick_ns);
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

/* Room for tick @index, by fewer and longer ticks where there would be too many. */
static size_t make_room(struct tally_series *series, uint64_t since_ns)
{
	size_t room = series->room ? series->room : 1024;
	uint64_t *ticks;

	while (since_ns / series->tick_ns >= TALLY_TICKS_MAX)
		merge_ticks(series, series->tick_ns * 2);
	while (room <= since_ns / series->tick_ns)
		room *= 2;
	if (room > series->room) {
		ticks = realloc(series->ticks, room * sizeof(*ticks));
		if (!ticks)
			return SIZE_MAX;
		series->ticks = ticks;
		series->room = room;
	}
	return (size_t)(since_ns / series->tick_ns);
}

static void add_to_series(struct tally *tally, uint64_t ended_ns)
{
	struct tally_series *series = &tally->series;
	size_t index;

	if (ended_ns < tally->open_ns || ended_ns >= tally->close_ns)
		return;
	index = make_room(series, ended_ns - tally->open_ns);
	if (index == SIZE_MAX)
		return;
	while (series->n <= index)
		series->ticks[series->n++] = 0;
	series->ticks[index]++;
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
	if (request->error) {
		tally->bad++;
	} else {
		tally->good++;
		add_to_series(tally, request->ended_ns);
	}
	if (!tally_is_in_window(tally, request->intended_ns))
		return;
	add_counts(tally, &tally->window, request);
	add_service(tally, &tally->window, request);
	add_counts(tally, kind, request);
	if (request->error)
		add_name(&tally->errors, request->error, 1);
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
