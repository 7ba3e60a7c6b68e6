/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Distributions of times as a record holds them: found, added up, and asked for a quantile. */
#ifndef PERFBPF_RECORD_DISTRIBUTION_H
#define PERFBPF_RECORD_DISTRIBUTION_H

#include "record/record.h"

/* A quantile stands on what lies beyond it: fewer values than this, and it is one value's luck. */
#define LATENCY_MIN_BEYOND 10

/* Buckets of each power of two in perfbpf's own histograms. */
#define LATENCY_SUB_BUCKETS 64

/* The latency of that name; NULL where the round has none. */
const struct record_latency *latency_find(const struct record_round *round, const char *name);
/* Appends one of which nothing is known; borrowed until the next is added. NULL without memory. */
struct record_latency *latency_add(struct record_round *round, const char *name);
/* Sets all to "not known", as for one that is in no round. */
void latency_init(struct record_latency *latency);
/* Frees what the latency owns, its name too, and leaves it as latency_init() does. */
void latency_clear(struct record_latency *latency);

/*
 * Adds @from to @into, which is empty (latency_init()) or came from here. Buckets are added
 * up exactly, and the percentiles are those of the sum; where a part has no buckets, they
 * are not known. -1 without memory.
 */
int latency_merge(struct record_latency *into, const struct record_latency *from);

/* Does @count carry the quantile @q? p99 needs 1,000 values, p99.9 10,000; half and below one. */
bool latency_carries(double count, double q);
/*
 * The quantile @q in [0, 1] in seconds, from the buckets; NAN without them, and where the count
 * does not carry it. In perfbpf's own buckets that is the middle of the bucket, within 0.8 %;
 * in others, which are wider, it is interpolated over the bucket, as histogram_quantile() of
 * Prometheus does. Never outside what is known of min and max.
 */
double latency_quantile(const struct record_latency *latency, double q);

/* Are these perfbpf's own buckets (at most 1/64 wide), and not those of a scraped histogram? */
bool latency_is_fine(const struct record_latency *latency);
/* The lower end of bucket @i: of a fine one its own, else the upper end of the one before. */
double latency_bucket_lower(const struct record_latency *latency, size_t i);
/* How many values were not longer than @seconds, by whole buckets. */
double latency_count_within(const struct record_latency *latency, double seconds);

#endif
