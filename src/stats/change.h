/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a series of runs changes its level. Pure.
 *
 * E-divisive (Matteson & James 2014), as it is used on benchmark series by Daly et al. 2020: a
 * stretch is cut where the energy distance between what is before and a part of any length behind
 * is largest, if a permutation test says that no order of the same values would do as well (p <=
 * CHANGE_ALPHA); then both parts are looked at in the same way. So a series without a change is
 * accused in CHANGE_ALPHA of all cases, whatever its distribution, as long as its values do not
 * depend on each other: a machine that drifts is found as well. Values are taken as their
 * logarithms where all are positive, so that what counts are ratios.
 */
#ifndef PERFBPF_STATS_CHANGE_H
#define PERFBPF_STATS_CHANGE_H

#include <stddef.h>

#define CHANGE_ALPHA 0.01
/* Fewer values cannot have such a p, whatever they are. */
#define CHANGE_MIN_VALUES 10
/* Values on either side of a change, at least. */
#define CHANGE_MIN_STRETCH 2

struct stats_change {
	size_t at; /* the first value behind it */
	double p;  /* of the permutation test */
};

/*
 * The changes in @x, in order, at most n / CHANGE_MIN_STRETCH of them into @out; how many. Values
 * that are not finite are the caller's to leave out. The permutations are the same in each call.
 * -1 without memory.
 */
int stats_changes(const double *x, size_t n, struct stats_change *out);

/*
 * The interval of the median of @x at @confidence by order statistics (Hollander & Wolfe, section
 * 3.6): for any distribution. -1: too few values for it (below 6, at 0.95), or no memory.
 */
int stats_median_interval(const double *x, size_t n, double confidence, double *low, double *high);

#endif
