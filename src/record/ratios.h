/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pairs of rounds say of one metric, one number each. Used inside record/ only. */
#ifndef PERFBPF_RECORD_RATIOS_H
#define PERFBPF_RECORD_RATIOS_H

#include "record/metric.h"
#include "record/record.h"

struct ratios {
	size_t n;
	/* Of each pair that knows both sides, in their order, what a verdict is made of: ln(B/A);
	 * where a value is not above 0, B - A of all of them. */
	double *d;
	double scale;   /* of B - A: the median of the larger side; 0: all medians are; NAN: none */
	size_t without; /* pairs in which a side is not known */
};

/* The share that @d is: e^d - 1, or d over the scale, of which zero over zero is zero. */
double ratios_share(const struct ratios *ratios, double d);
/* The reverse. */
double ratios_of_share(const struct ratios *ratios, double share);
/* -1 without memory; ratios_clear() frees. */
int ratios_collect(const struct record *rec, const struct metric *metric, struct ratios *out);
void ratios_clear(struct ratios *ratios);

#endif
