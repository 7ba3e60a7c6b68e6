/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/schedule.h"

#include <stddef.h>

#include "util/random.h"
#include "util/clock.h"

__extension__ typedef unsigned __int128 wide;

/* Lines a second of one pod, before they are scaled to the rate that is wanted. */
struct nominal {
	double fast, slow;
};

static struct nominal nominal_rate(int deployment, bool bursts)
{
	static const double steady[SCHEDULE_KINDS - 1] = {500, 500, 1000, 800, 750,
							  667, 833, 769,  909};
	static const struct nominal burst = {1000, 200};
	int kind = deployment % SCHEDULE_KINDS;
	double average;

	if (kind < SCHEDULE_KINDS - 1)
		return (struct nominal){steady[kind], steady[kind]};
	if (bursts)
		return burst;
	average = 2 / (1 / burst.fast + 1 / burst.slow);
	return (struct nominal){average, average};
}

static uint64_t interval_of(double lines_per_second)
{
	double interval =
		(double)NSEC_PER_SEC * (double)(1U << SCHEDULE_FRACTION_BITS) / lines_per_second;

	return interval < 1 ? 1 : (uint64_t)interval;
}

void schedule_fill(const struct schedule_config *config, struct pod_schedule *pods)
{
	double total = 0;
	size_t pod = 0;

	for (int i = 0; i < config->deployments; i++) {
		struct nominal rate = nominal_rate(i, config->bursts);

		total += config->replicas * 2 / (1 / rate.fast + 1 / rate.slow);
	}
	for (int i = 0; i < config->deployments; i++) {
		struct nominal rate = nominal_rate(i, config->bursts);
		double scale = config->rate / total;

		for (int replica = 0; replica < config->replicas; replica++, pod++) {
			uint64_t hash = random_mix(config->seed + (pod + 1) * RANDOM_STEP);
			uint64_t fast = interval_of(rate.fast * scale);

			pods[pod].fast_interval = fast;
			pods[pod].slow_interval = interval_of(rate.slow * scale);
			pods[pod].offset_ns = hash % ((fast >> SCHEDULE_FRACTION_BITS) + 1);
		}
	}
}

uint64_t schedule_time_ns(const struct pod_schedule *pod, uint64_t seq)
{
	uint64_t cycle = seq / (2 * SCHEDULE_BURST_LINES), line = seq % (2 * SCHEDULE_BURST_LINES);
	uint64_t fast = line, slow = 0;
	wide lines;

	if (line > SCHEDULE_BURST_LINES) {
		fast = SCHEDULE_BURST_LINES;
		slow = line - SCHEDULE_BURST_LINES;
	}
	lines = (wide)cycle * SCHEDULE_BURST_LINES;
	lines = (lines + fast) * pod->fast_interval + (lines + slow) * pod->slow_interval;
	return pod->offset_ns + (uint64_t)(lines >> SCHEDULE_FRACTION_BITS);
}

uint64_t schedule_due(const struct pod_schedule *pod, uint64_t at_ns)
{
	wide burst = (wide)SCHEDULE_BURST_LINES * pod->fast_interval;
	wide cycle = burst + (wide)SCHEDULE_BURST_LINES * pod->slow_interval;
	wide at, rest;
	uint64_t lines;

	if (at_ns < pod->offset_ns)
		return 0;
	/* The latest instant, fractions included, that schedule_time_ns() rounds to @at_ns. */
	at = (((wide)(at_ns - pod->offset_ns) + 1) << SCHEDULE_FRACTION_BITS) - 1;
	lines = (uint64_t)(at / cycle) * (2 * SCHEDULE_BURST_LINES);
	rest = at % cycle;
	if (rest < burst)
		return lines + (uint64_t)(rest / pod->fast_interval) + 1;
	return lines + SCHEDULE_BURST_LINES + (uint64_t)((rest - burst) / pod->slow_interval) + 1;
}
