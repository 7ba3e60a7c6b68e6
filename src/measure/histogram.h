/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Log-linear histogram of nanoseconds, the geometry of bpf/perfbpf.h
 * (pb_hist_index): at most 1 % error from 1 ns to over 1 h, constant memory,
 * exact merge.
 */
#ifndef PERFBPF_MEASURE_HISTOGRAM_H
#define PERFBPF_MEASURE_HISTOGRAM_H

#include <stdint.h>

#include "perfbpf.h"

struct histogram {
	uint64_t count;
	uint64_t min_ns, max_ns; /* exact */
	double sum_ns;
	uint64_t buckets[PB_HIST_BUCKETS];
};

void histogram_init(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t ns);
/* Adds one shard of a distribution that was built in the kernel. */
void histogram_take(struct histogram *into, const struct pb_hist *shard);
void histogram_merge(struct histogram *into, const struct histogram *from);
/*
 * The value at quantile @q in [0, 1] in seconds: the midpoint of the bucket that
 * holds it, never outside [min, max]; NAN where count is 0 and, for @q above 0.5, where
 * the count does not carry it (fewer than 10 values lie beyond: p99.9 needs 10,000).
 */
double histogram_quantile_seconds(const struct histogram *h, double q);
double histogram_mean_seconds(const struct histogram *h);

#endif
