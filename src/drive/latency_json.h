/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A latency as all drivers report it, which src/conduct/work.c reads. */
#ifndef PERFBPF_DRIVE_LATENCY_JSON_H
#define PERFBPF_DRIVE_LATENCY_JSON_H

#include <jansson.h>

#include "measure/histogram.h"

/*
 * {"count": n, "min_seconds": …, "mean_seconds": …, "p50_seconds": … to "p999_seconds",
 * "max_seconds": …, "bucket_upper_seconds": […], "bucket_counts": […]}; what @h does not carry is
 * null. New reference; null without memory.
 */
json_t *latency_json(const struct histogram *h);

/* JSON knows no NaN: what is not known is null. */
json_t *number_json(double value);

#endif
