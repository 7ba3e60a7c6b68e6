/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/latency_json.h"

#include <math.h>

#include "measure/latency.h"
#include "record/distribution.h"

json_t *number_json(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *numbers(const double *values, size_t n)
{
	json_t *json = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(json, json_real(values[i]));
	return json;
}

json_t *latency_json(const struct histogram *h)
{
	struct record_latency l;
	json_t *json;

	if (latency_fill(&l, NULL, h))
		return json_null();
	json = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count",
			 (json_int_t)l.count, "min_seconds", number_json(l.min_seconds),
			 "mean_seconds", number_json(l.mean_seconds), "p50_seconds",
			 number_json(l.p50_seconds), "p90_seconds", number_json(l.p90_seconds),
			 "p95_seconds", number_json(l.p95_seconds), "p99_seconds",
			 number_json(l.p99_seconds), "p999_seconds", number_json(l.p999_seconds),
			 "max_seconds", number_json(l.max_seconds));
	json_object_set_new(json, "bucket_upper_seconds",
			    numbers(l.bucket_upper_seconds, l.n_buckets));
	json_object_set_new(json, "bucket_counts", numbers(l.bucket_counts, l.n_buckets));
	latency_clear(&l);
	return json;
}
