/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a histogram to what a record keeps of it. */
#ifndef PERFBPF_MEASURE_LATENCY_H
#define PERFBPF_MEASURE_LATENCY_H

#include "measure/histogram.h"
#include "record/record.h"

/*
 * Fills @out, whose former content is not looked at and not freed: count, min, mean, the
 * percentiles that the count carries (NAN: it does not), max, and the buckets that are not
 * empty. An empty histogram gives count 0, all else NAN, no buckets. @name is copied; it is
 * NULL where the latency is no element of a map (a protocol's service, a system call's).
 * -1 without memory; @out then owns nothing.
 */
int latency_fill(struct record_latency *out, const char *name, const struct histogram *h);

#endif
