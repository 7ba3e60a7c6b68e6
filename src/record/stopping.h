/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a run has pairs enough: after a fixed number, or once an interval is as narrow as wanted.
 * Never by what the interval says: who stops as soon as a difference is significant finds one in
 * most runs without any. Pure.
 */
#ifndef PERFBPF_RECORD_STOPPING_H
#define PERFBPF_RECORD_STOPPING_H

#include "record/record.h"

#define STOPPING_DEFAULT_MAX 50 /* pairs */
/* With fewer pairs even the largest difference has p = 2/2^5 = 0.0625: no interval at 95 %. */
#define STOPPING_MIN_PAIRS 6
/* Metrics that decide where no gate is asked for; one more of closed loops. */
#define STOPPING_DEFAULT_GATES 3

struct stopping {
	int min_pairs, max_pairs;
	double until_width; /* half the interval's width, relative: 0.02; NAN: min_pairs, not more
			     */
};

struct stopping_state {
	double width;       /* half of the verdict's interval, relative; NAN: not known yet */
	bool is_reached;    /* it is until_width or less */
	bool is_over;       /* no further pair is wanted */
	int expected_pairs; /* in all, by the spread so far; max_pairs where that is not known */
};

/* Of @n pairs' ln(B/A), after @done pairs: those with and without a ratio. */
void stopping_judge(const struct stopping *stopping, const double *ln_ratios, size_t n, int done,
		    struct stopping_state *state);
/* The same of a record, by the metric (metric.h) of that name; where a value is zero, by the
 * differences over the larger side's median. -1 without memory. */
int stopping_look(const struct stopping *stopping, const struct record *rec, const char *metric,
		  int done, struct stopping_state *state);
/*
 * The fewest pairs whose p can be below 0.05 by Holm over @n_gates metrics; with one, or none:
 * STOPPING_MIN_PAIRS.
 */
int stopping_fewest(size_t n_gates);

#endif
