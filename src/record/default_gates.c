/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which metrics decide, where nobody says so. */
#include <math.h>
#include <string.h>

#include "record/load.h"
#include "record/metric.h"
#include "record/verdict.h"

/* Did a command run to its end, rather than for a time? Then the length of that is a result. */
static bool ran_to_end(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].exit_code != RECORD_NONE || rec->rounds[i].signal != RECORD_NONE)
			return !rec->scenario.driver;
	return false;
}

/* Known in a round of each side that has rounds. */
static bool is_known(const struct record *rec, const char *name)
{
	const struct metric *metric = metric_find(name);
	bool has_rounds[SIDES] = {false}, knows[SIDES] = {false};

	for (size_t i = 0; metric && i < rec->n_rounds; i++) {
		const struct record_round *round = &rec->rounds[i];

		has_rounds[round->side] = true;
		knows[round->side] |= !isnan(metric->get(round));
	}
	return metric && has_rounds[SIDE_A] == knows[SIDE_A] && has_rounds[SIDE_B] == knows[SIDE_B];
}

static bool asks(const struct record *rec)
{
	return rec->n_rounds && record_has_operations(&rec->rounds[0]);
}

/* Of how users fare under a load; what a plain command sends over sockets is its own affair. */
static const char *main_latency(const struct record *rec)
{
	static const char *const names[] = {"latency.delivery.p99_seconds",
					    "latency.response.p99_seconds",
					    "latency.round_trip.p99_seconds"};

	if (!rec->scenario.driver)
		return NULL;
	/* Who asks delivers nothing. */
	for (size_t i = asks(rec); i < sizeof(names) / sizeof(names[0]); i++)
		if (is_known(rec, names[i]))
			return names[i];
	return NULL;
}

size_t compare_default_gates(const struct record *rec, const char *names[COMPARE_MAX_GATES])
{
	const char *latency = main_latency(rec);
	size_t n = 0;

	if (ran_to_end(rec))
		names[n++] = "window_seconds";
	if (verdict_is_closed_loop(rec)) {
		names[n++] = "cpu.seconds_per_thousand_operations";
		names[n++] = "work.operations_per_second";
	} else {
		names[n++] = "cpu.total_seconds";
	}
	names[n++] = "memory.rss_peak_bytes";
	if (latency)
		names[n++] = latency;
	return n;
}

bool compare_has_direction(const struct record *rec, const char *metric)
{
	if (!metric_find(metric) || metric_is_score(metric) || metric_is_neutral(metric))
		return false;
	return strncmp(metric, "cpu.utilization_", 16) != 0 || !ran_to_end(rec);
}
