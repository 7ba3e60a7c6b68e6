/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When each line of each pod is due: a pure function with an exact inverse, so
 * that history needs no memory. Times are nanoseconds since the schedule's start.
 */
#ifndef PERFBPF_DRIVE_KUBELOGS_SCHEDULE_H
#define PERFBPF_DRIVE_KUBELOGS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* Lines of a burst, and of the lull that follows it. */
#define SCHEDULE_BURST_LINES 1000

/* The ten kinds of deployment; an eleventh is like the first. */
#define SCHEDULE_KINDS 10

struct schedule_config {
	int deployments;
	int replicas;
	double rate; /* lines a second over all pods, on average */
	uint64_t seed;
	bool bursts;
};

/*
 * Cycles of SCHEDULE_BURST_LINES lines at one interval and as many at another.
 * Intervals are fixed-point (SCHEDULE_FRACTION_BITS) so that the average is exact
 * over any length of time and no rounding adds up.
 */
#define SCHEDULE_FRACTION_BITS 20
struct pod_schedule {
	uint64_t offset_ns; /* of line 0: pods do not speak in unison */
	uint64_t fast_interval;
	uint64_t slow_interval;
};

/* Fills @pods[deployments * replicas], replicas of one deployment beside each other. */
void schedule_fill(const struct schedule_config *config, struct pod_schedule *pods);

/* When line @seq is due. */
uint64_t schedule_time_ns(const struct pod_schedule *pod, uint64_t seq);
/* How many lines are due at @at_ns or before: the smallest seq that is due later. */
uint64_t schedule_due(const struct pod_schedule *pod, uint64_t at_ns);

#endif
