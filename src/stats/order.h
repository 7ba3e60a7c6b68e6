/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Order statistics of means and differences, none of which are written out. Used inside stats/. */
#ifndef PERFBPF_STATS_ORDER_H
#define PERFBPF_STATS_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* A sorted copy, to be freed; NULL where n = 0 or a value is NAN, and without memory. */
double *stats_sorted(const double *x, size_t n);
/* The mean of two without overflow of their sum. */
double stats_middle(double a, double b);
/* The @k-th smallest (from 1) of all n(n+1)/2 means (d_i + d_j)/2, i <= j, of the sorted @d. In
 * O(n): a bisection over the doubles there are. */
double stats_nth_mean(const double *d, size_t n, uint64_t k);
/* The same of all n m differences y_j - x_i of the sorted @x and @y. */
double stats_nth_shift(const double *x, size_t n, const double *y, size_t m, uint64_t k);
/* z so that a standard normal variable is within +- z with probability @confidence. */
double stats_normal_quantile(double confidence);

#endif
