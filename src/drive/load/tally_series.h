/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What came of a load by stretches of time. Bounded: where there would be too many stretches,
 * neighbours are added up and all are twice as long.
 */
#ifndef PERFBPF_DRIVE_LOAD_TALLY_SERIES_H
#define PERFBPF_DRIVE_LOAD_TALLY_SERIES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Counts by ticks. */
#define SERIES_TICKS_MAX 72000
struct series {
	uint64_t tick_ns;
	size_t n, room;
	uint64_t *ticks;
};

void series_init(struct series *series, uint64_t tick_ns);
void series_clear(struct series *series); /* the tick stays */
/* One more at @since_ns from the begin. */
void series_add(struct series *series, uint64_t since_ns);
/* To longer ticks; what was counted stays. */
void series_lengthen(struct series *series, uint64_t tick_ns);
/* Rates a second for @length_ns of time. What is left at its end counts from half a tick on. New
 * reference. */
json_t *series_json(const struct series *series, uint64_t length_ns);

/* Distributions by intervals. */
#define P95_INTERVALS_MAX 128
#define P95_INTERVAL_NS   1000000000ULL /* at first */
struct p95s {
	uint64_t interval_ns;
	size_t n, room;
	struct p95_interval *intervals;
};

void p95s_clear(struct p95s *p95s);
/* Another time, of something at @since_ns from the begin. */
void p95s_add(struct p95s *p95s, uint64_t since_ns, uint64_t ns);
/* The p95 of each interval, null where fewer than 10 values lie beyond. New reference. */
json_t *p95s_json(const struct p95s *p95s);

#endif
