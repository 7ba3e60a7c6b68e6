/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two runs that took no turns: a stored one against a new one. Pure; n < 1 gives NAN. */
#ifndef PERFBPF_STATS_UNPAIRED_H
#define PERFBPF_STATS_UNPAIRED_H

#include <stddef.h>

#include "stats/paired.h"

struct stats_mann_whitney {
	double p;      /* two-sided; exact, ties too, where n m <= 10^5, else normal with ties */
	double effect; /* U/(n m): the share of pairs in which y is larger, ties by half */
};

/* Mann & Whitney 1947. */
struct stats_mann_whitney stats_mann_whitney(const double *x, size_t n, const double *y, size_t m);
/* Hodges-Lehmann estimate of the shift: the median of all y_j - x_i. */
double stats_shift(const double *x, size_t n, const double *y, size_t m);
/* Its interval at @confidence: the test inverted; NAN where n and m are too small for it. */
struct stats_interval stats_shift_interval(const double *x, size_t n, const double *y, size_t m,
					   double confidence);

#endif
