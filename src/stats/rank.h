/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sums of ranks under chance alone. Used inside stats/. */
#ifndef PERFBPF_STATS_RANK_H
#define PERFBPF_STATS_RANK_H

#include <stddef.h>

/*
 * Twice the ranks from 1 of the sorted @x, the mean rank for those that are alike: integers, with
 * ties too. Returns the sum of t^3 - t over all groups of t alike, for variances.
 */
double stats_double_ranks(const double *x, size_t n, size_t *ranks);

/*
 * How likely each sum from 0 to @limit is where each of @n ranks (> 0) counts or not, by chance:
 * limit + 1 values, to be freed. NULL without memory.
 */
double *stats_sums_of_any(const size_t *ranks, size_t n, size_t limit);
/* The same where just @m of @n ranks count, each choice of them as likely as another. Of @n over
 * 1,000 it may be beyond what a double holds. */
double *stats_sums_of_some(const size_t *ranks, size_t n, size_t m, size_t limit);

/*
 * How many of the smallest means or differences lie outside of an interval whose test has @sums
 * (symmetric, from 0): the largest k so that sums below k come up with a probability of less than
 * @tail. 0: there is none.
 */
size_t stats_critical(const double *sums, size_t n, double tail);
/* The same where the sum is taken as normal. */
size_t stats_critical_normal(double mean, double deviation, double confidence);
/* Two-sided p of a sum that is taken as normal, with continuity correction for steps of one. */
double stats_normal_p(double sum, double mean, double deviation);

#endif
