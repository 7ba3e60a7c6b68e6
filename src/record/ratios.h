/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pairs of rounds say of one metric, one number each. Used inside record/ only. */
#ifndef PERFBPF_RECORD_RATIOS_H
#define PERFBPF_RECORD_RATIOS_H

#include "record/metric.h"
#include "record/record.h"

struct ratios {
	size_t n;
	double *ln;     /* ln(B/A) of each pair that has one, in the order of the pairs */
	size_t without; /* pairs in which a side is zero, or not known */
};

/* -1 without memory; ratios_clear() frees. */
int ratios_collect(const struct record *rec, const struct metric *metric, struct ratios *out);
void ratios_clear(struct ratios *ratios);

#endif
