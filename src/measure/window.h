/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a window's ticks add up to: the time series, peaks and averages of the tree. Pure. */
#ifndef PERFBPF_MEASURE_WINDOW_H
#define PERFBPF_MEASURE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "measure/tree.h"

/* Above this many points neighbours are merged and the interval doubles: memory stays bounded. */
#define WINDOW_MAX_POINTS 72000

struct window_point {
	double cpu_utilization, rss_bytes, tx_bytes_per_second, rx_bytes_per_second;
};

struct window {
	uint64_t opened_ns, closed_ns, tick_ns;
	struct tree_sum last;
	uint64_t last_ns;
	size_t n, capacity;
	struct window_point *points;
	size_t merged;  /* ticks in a point, a power of two */
	size_t pending; /* ticks in the point that is being filled */
	double utilization_peak;
	double rss_seconds, rss_time; /* integral of the resident set, and over what time */
	uint64_t rss_peak_bytes, vms_peak_bytes, anon_peak_bytes, file_peak_bytes, shmem_peak_bytes;
};

/* @sum: the tree at the opening, with nothing used yet. */
void window_open(struct window *window, uint64_t now_ns, uint64_t tick_ns,
		 const struct tree_sum *sum);
/*
 * @ticks: how many intervals have passed since the last call (more than one where
 * perfbpf was kept from running); the point is repeated for each. -1 without memory.
 */
int window_tick(struct window *window, uint64_t now_ns, unsigned int ticks,
		const struct tree_sum *sum);
/* The last, partial interval: it counts in totals and peaks of memory, and gives no point. */
void window_close(struct window *window, uint64_t now_ns, const struct tree_sum *sum);
void window_clear(struct window *window);
/* Length of a point. */
double window_interval_seconds(const struct window *window);

#endif
