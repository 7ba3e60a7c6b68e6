/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rounds of a side put together: sums, and distributions added up exactly. */
#ifndef PERFBPF_REPORT_MERGED_H
#define PERFBPF_REPORT_MERGED_H

#include "record/record.h"

struct merged {
	size_t rounds; /* that went in */
	/*
	 * Sums over the rounds: window_seconds, time, requests, io, latency (in the order of the
	 * first round), protocols (most requests first), peers (most bytes first),
	 * syscalls (most time first), errors (most first), the load of phases and producers (in the
	 * order of the first round). All else is not known.
	 */
	struct record_round sum;
};

/* NULL without memory. @valid_only leaves out the rounds that must not be compared. */
struct merged *merged_new(const struct record *rec, enum side side, bool valid_only);
void merged_free(struct merged *merged);

#endif
