/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/load/tally_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drive/latency_json.h"
#include "perfbpf.h"

/* --- counts ------------------------------------------------------------------------ */

void series_init(struct series *series, uint64_t tick_ns)
{
	*series = (struct series){.tick_ns = tick_ns};
}

void series_clear(struct series *series)
{
	free(series->ticks);
	series_init(series, series->tick_ns);
}

/* No tick begins before what is added to it. */
void series_lengthen(struct series *series, uint64_t tick_ns)
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

void series_add(struct series *series, uint64_t since_ns)
{
	size_t room = series->room ? series->room : 1024, index;
	uint64_t *ticks;

	while (since_ns / series->tick_ns >= SERIES_TICKS_MAX)
		series_lengthen(series, series->tick_ns * 2);
	index = (size_t)(since_ns / series->tick_ns);
	while (room <= index)
		room *= 2;
	if (room > series->room) {
		ticks = realloc(series->ticks, room * sizeof(*ticks));
		if (!ticks)
			return;
		series->ticks = ticks;
		series->room = room;
	}
	while (series->n <= index)
		series->ticks[series->n++] = 0;
	series->ticks[index]++;
}

json_t *series_json(const struct series *series, uint64_t length_ns)
{
	uint64_t tick_ns = series->tick_ns;
	json_t *json = json_array();

	for (uint64_t i = 0, at = 0; at + tick_ns / 2 <= length_ns; i++, at += tick_ns) {
		uint64_t span = length_ns - at < tick_ns ? length_ns - at : tick_ns;
		uint64_t count = i < series->n ? series->ticks[i] : 0;

		if (span)
			json_array_append_new(json, json_real((double)count * 1e9 / (double)span));
	}
	return json;
}

/* --- distributions ------------------------------------------------------------------- */

struct p95_interval {
	uint64_t count;
	uint32_t buckets[PB_HIST_BUCKETS];
};

void p95s_clear(struct p95s *p95s)
{
	free(p95s->intervals);
	*p95s = (struct p95s){0};
}

static void merge_neighbours(struct p95s *p95s)
{
	for (size_t i = 0; i < p95s->n; i++) {
		struct p95_interval *from = &p95s->intervals[i];
		struct p95_interval *into = &p95s->intervals[i / 2];

		if (i % 2 == 0) {
			memmove(into, from, sizeof(*into));
			continue;
		}
		into->count += from->count;
		for (size_t j = 0; j < PB_HIST_BUCKETS; j++)
			into->buckets[j] += from->buckets[j];
	}
	p95s->n = (p95s->n + 1) / 2;
	p95s->interval_ns *= 2;
}

void p95s_add(struct p95s *p95s, uint64_t since_ns, uint64_t ns)
{
	struct p95_interval *intervals;
	size_t index;

	if (!p95s->interval_ns)
		p95s->interval_ns = P95_INTERVAL_NS;
	while (since_ns / p95s->interval_ns >= P95_INTERVALS_MAX)
		merge_neighbours(p95s);
	index = (size_t)(since_ns / p95s->interval_ns);
	if (index >= p95s->room) {
		size_t room = index < 8 ? 16 : 2 * index;

		intervals = realloc(p95s->intervals, room * sizeof(*intervals));
		if (!intervals)
			return;
		p95s->intervals = intervals;
		p95s->room = room;
	}
	while (p95s->n <= index)
		memset(&p95s->intervals[p95s->n++], 0, sizeof(*p95s->intervals));
	p95s->intervals[index].count++;
	p95s->intervals[index].buckets[pb_hist_index(ns)]++;
}

static double p95_seconds(const struct p95_interval *interval)
{
	double rank = ceil(0.95 * (double)interval->count);
	uint64_t below = 0;
	uint32_t i = 0;

	if ((double)interval->count * 0.05 < 10 - 1e-6)
		return NAN;
	for (; i < PB_HIST_BUCKETS - 1; i++) {
		below += interval->buckets[i];
		if ((double)below >= rank)
			break;
	}
	return ((double)pb_hist_lower(i) + (double)(pb_hist_lower(i + 1) - 1)) / 2e9;
}

json_t *p95s_json(const struct p95s *p95s)
{
	json_t *json = json_array();

	for (size_t i = 0; i < p95s->n; i++)
		json_array_append_new(json, number_json(p95_seconds(&p95s->intervals[i])));
	return json;
}
