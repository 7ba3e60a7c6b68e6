/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND 1e9

/* The largest value that a bucket holds. The last one takes all that is longer. */
static double upper_seconds(const struct histogram *h, uint32_t index)
{
	uint64_t upper = pb_hist_lower(index + 1) - 1;

	if (index == PB_HIST_BUCKETS - 1 && h->max_ns > upper)
		upper = h->max_ns;
	return (double)upper / NS_PER_SECOND;
}

static int fill_buckets(struct record_latency *out, const struct histogram *h)
{
	size_t n = 0;

	for (uint32_t i = 0; i < PB_HIST_BUCKETS; i++)
		n += h->buckets[i] > 0;
	if (!n)
		return 0;
	out->bucket_upper_seconds = calloc(n, sizeof(double));
	out->bucket_counts = calloc(n, sizeof(double));
	if (!out->bucket_upper_seconds || !out->bucket_counts)
		return -1;
	for (uint32_t i = 0; i < PB_HIST_BUCKETS; i++) {
		if (!h->buckets[i])
			continue;
		out->bucket_upper_seconds[out->n_buckets] = upper_seconds(h, i);
		out->bucket_counts[out->n_buckets++] = (double)h->buckets[i];
	}
	return 0;
}

int latency_fill(struct record_latency *out, const char *name, const struct histogram *h)
{
	*out = (struct record_latency){
		.name = name ? strdup(name) : NULL,
		.count = (int64_t)h->count,
		.min_seconds = h->count ? (double)h->min_ns / NS_PER_SECOND : NAN,
		.mean_seconds = histogram_mean_seconds(h),
		.p50_seconds = histogram_quantile_seconds(h, 0.5),
		.p90_seconds = histogram_quantile_seconds(h, 0.9),
		.p95_seconds = histogram_quantile_seconds(h, 0.95),
		.p99_seconds = histogram_quantile_seconds(h, 0.99),
		.p999_seconds = histogram_quantile_seconds(h, 0.999),
		.max_seconds = h->count ? (double)h->max_ns / NS_PER_SECOND : NAN,
	};
	if ((!name || out->name) && !fill_buckets(out, h))
		return 0;
	free(out->name);
	free(out->bucket_upper_seconds);
	free(out->bucket_counts);
	memset(out, 0, sizeof(*out));
	return -1;
}
