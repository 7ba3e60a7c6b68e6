/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as what a program tells Prometheus: refused, or a histogram whose buckets ascend; and
 * what lies between any two of them is refused, or a latency that holds together. The two
 * texts are on both sides of a form feed. With -DFUZZ_STANDALONE it runs over the files
 * that it is given.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/prometheus.h"
#include "record/distribution.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void check_histogram(const struct prometheus_histogram *h)
{
	expect(h->n <= PROMETHEUS_MAX_BUCKETS);
	expect(h->count >= 0);
	for (size_t i = 0; i < h->n; i++) {
		expect(isfinite(h->upper[i]) && h->upper[i] >= 0);
		expect(!i || h->upper[i] > h->upper[i - 1]);
		expect(h->within[i] >= 0 && h->within[i] <= h->count);
		expect(!i || h->within[i] >= h->within[i - 1]);
	}
}

static void check_latency(const struct record_latency *latency)
{
	double last = latency->bucket_upper_seconds[latency->n_buckets - 1];

	expect(latency->count >= 0 && latency->n_buckets > 0);
	for (size_t i = 0; i < latency->n_buckets; i++)
		expect(latency->bucket_counts[i] >= 0);
	expect(isnan(latency->p50_seconds) ||
	       (latency->p50_seconds >= 0 && latency->p50_seconds <= last));
	expect(isnan(latency->p99_seconds) || isnan(latency->p50_seconds) ||
	       latency->p99_seconds >= latency->p50_seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct prometheus_label labels[] = {{"code", "200"}};
	static const struct prometheus_query query = {"h", 1, labels}, all = {"h", 0, NULL};
	const uint8_t *split = memchr(data, '\f', size);
	size_t first = split ? (size_t)(split - data) : size;
	struct prometheus_histogram open, close;
	struct record_latency latency;
	struct error err;

	if (!prometheus_read((const char *)data, size, &query, &open, &err))
		check_histogram(&open);
	if (prometheus_read((const char *)data, first, &all, &open, &err))
		return 0;
	check_histogram(&open);
	if (!split ||
	    prometheus_read((const char *)split + 1, size - first - 1, &all, &close, &err))
		return 0;
	check_histogram(&close);
	if (prometheus_between(&open, &close, "h", &latency, &err))
		return 0;
	check_latency(&latency);
	latency_clear(&latency);
	return 0;
}

#include "standalone.h"
