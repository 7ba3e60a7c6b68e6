/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A run against an earlier one: what has become worse, and how bad that is. */
#ifndef PERFBPF_RECORD_BASELINE_H
#define PERFBPF_RECORD_BASELINE_H

#include "record/record.h"

struct baseline_options {
	double threshold; /* the relative change for the worse that is a regression; 0: 0.10 */
	/* Metrics that the gate is on; none: those of compare_default_gates(). */
	size_t n_gates;
	const char *const *gates;
};

/*
 * Compares @rec with @base, which was read from @path, and sets rec->baseline (replaces an earlier
 * one). Sides are matched by the name of their target. -1 without memory.
 */
int record_baseline(struct record *rec, const struct record *base, const char *path,
		    const struct baseline_options *options);
/* Is there a regression in a metric that a gate is on, between runs that can be compared? */
bool record_has_regressed(const struct record *rec);

#endif
