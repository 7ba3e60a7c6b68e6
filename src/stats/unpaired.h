/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two runs that took no turns: a stored one against a new one. Pure; what cannot be said (no value
 * at all, one that is NAN, no memory) is NAN.
 */
#ifndef PERFBPF_STATS_UNPAIRED_H
#define PERFBPF_STATS_UNPAIRED_H

#include <stddef.h>

#include "stats/paired.h"

struct stats_mann_whitney {
	double p;      /* two-sided */
	double effect; /* U/(n m): the share of pairs in which y is larger, ties by half */
};

/*
 * Mann & Whitney 1947. Where n m is at most STATS_EXACT_PRODUCT_MAX exact, by counting all ways to
 * deal the very ranks that there are, ties by mid-ranks: twice the smaller tail. Beyond by the
 * normal approximation, with the variance of ties and with continuity correction.
 */
#define STATS_EXACT_PRODUCT_MAX 2500
struct stats_mann_whitney stats_mann_whitney(const double *x, size_t n, const double *y, size_t m);
/* Hodges-Lehmann estimate of the shift: the median of all y_j - x_i. */
double stats_shift(const double *x, size_t n, const double *y, size_t m);
/* Its interval at @confidence: the test inverted; NAN where n and m are too small for it (4 and 4
 * are enough at 95 %). Critical values as of stats_signed_rank_interval(). */
struct stats_interval stats_shift_interval(const double *x, size_t n, const double *y, size_t m,
					   double confidence);

#endif
