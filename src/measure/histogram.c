/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/histogram.h"

#include <math.h>
#include <string.h>

#define NS_PER_SECOND 1e9
/* A quantile stands on what lies beyond it: fewer values than this, and it is one value's luck. */
#define MIN_BEYOND 10.0

void histogram_init(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min_ns = UINT64_MAX;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->buckets[pb_hist_index(ns)]++;
	h->count++;
	h->sum_ns += (double)ns;
	if (ns < h->min_ns)
		h->min_ns = ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

void histogram_take(struct histogram *into, const struct pb_hist *shard)
{
	uint64_t count = 0;

	for (size_t i = 0; i < PB_HIST_BUCKETS; i++) {
		into->buckets[i] += shard->buckets[i];
		count += shard->buckets[i];
	}
	if (!count)
		return;
	into->count += count;
	into->sum_ns += (double)shard->sum_ns;
	if (shard->min_plus_one_ns && shard->min_plus_one_ns - 1 < into->min_ns)
		into->min_ns = shard->min_plus_one_ns - 1;
	if (shard->max_ns > into->max_ns)
		into->max_ns = shard->max_ns;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->count)
		return;
	for (size_t i = 0; i < PB_HIST_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->count += from->count;
	into->sum_ns += from->sum_ns;
	if (from->min_ns < into->min_ns)
		into->min_ns = from->min_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

static double bucket_midpoint(uint32_t index)
{
	double lower = (double)pb_hist_lower(index);

	/* The last bucket takes all that is longer: nothing is known of its upper end. */
	if (index + 1 >= PB_HIST_BUCKETS)
		return lower;
	return (lower + (double)(pb_hist_lower(index + 1) - 1)) / 2;
}

double histogram_quantile_seconds(const struct histogram *h, double q)
{
	double beyond = (double)h->count * (1 - q), rank, ns;
	uint64_t below = 0;
	uint32_t i;

	/* The small allowance is for 1 − q, which is not exact: 100 · (1 − 0.9) is below 10. */
	if (!h->count || isnan(q) || (q > 0.5 && beyond < MIN_BEYOND - 1e-6))
		return NAN;
	rank = ceil(q * (double)h->count - 1e-6);
	if (rank < 1)
		rank = 1;
	for (i = 0; i < PB_HIST_BUCKETS - 1; i++) {
		below += h->buckets[i];
		if ((double)below >= rank)
			break;
	}
	ns = bucket_midpoint(i);
	ns = fmax(ns, (double)h->min_ns);
	ns = fmin(ns, (double)h->max_ns);
	return ns / NS_PER_SECOND;
}

double histogram_mean_seconds(const struct histogram *h)
{
	return h->count ? h->sum_ns / (double)h->count / NS_PER_SECOND : NAN;
}
