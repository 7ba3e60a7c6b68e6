/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Histograms in the text that programs give to Prometheus (and in OpenMetrics), and what was
 * added to one between two looks. The text comes from outside: what it may take is bounded, and
 * what is wrong in it is said with its line. Times are taken as seconds, as Prometheus asks
 * for.
 */
#ifndef PERFBPF_MEASURE_PROMETHEUS_H
#define PERFBPF_MEASURE_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"
#include "util/error.h"

#define PROMETHEUS_MAX_BUCKETS 512
#define PROMETHEUS_MAX_LABELS  16  /* that may be asked for */
#define PROMETHEUS_MAX_VALUE   512 /* bytes of a label's value; a longer one matches nothing */

struct prometheus_label {
	const char *name, *value;
};

/* Which histogram: series with other labels beside these are added up. */
struct prometheus_query {
	const char *name; /* without _bucket */
	size_t n_labels;
	const struct prometheus_label *labels;
};

struct prometheus_histogram {
	size_t n_series; /* that matched; 0: there was none, and all else is 0 */
	size_t n;        /* buckets, without that of +Inf */
	double upper[PROMETHEUS_MAX_BUCKETS];  /* ascending */
	double within[PROMETHEUS_MAX_BUCKETS]; /* values up to there: cumulative */
	double count, sum;                     /* of all; @sum NAN: the text has none */
};

/*
 * The sum of all series of the gauge or counter @query->name that have its labels, into @value;
 * NAN where there is none. -1 with @err: the text is broken.
 */
int prometheus_scalar(const char *text, size_t size, const struct prometheus_query *query,
		      double *value, struct error *err);
/* Looks through @text (@size bytes, need not end in NUL). -1 with @err: it is broken. */
int prometheus_read(const char *text, size_t size, const struct prometheus_query *query,
		    struct prometheus_histogram *out, struct error *err);
/*
 * What came between two looks, as a latency (its former content is not looked at, @name is copied):
 * count, mean, percentiles interpolated in their bucket as histogram_quantile() of Prometheus
 * does, all buckets, min and max not known. What is longer than the last bound is in count
 * only. -1 with @err: not there at the end, begun anew in between, or out of memory.
 */
int prometheus_between(const struct prometheus_histogram *open,
		       const struct prometheus_histogram *close, const char *name,
		       struct record_latency *out, struct error *err);

#endif
