/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Trends and shifts in what is measured over time. Pure; robust against outliers. */
#ifndef PERFBPF_STATS_TREND_H
#define PERFBPF_STATS_TREND_H

#include <stddef.h>

/* An estimate with its 95 % interval; all NAN where it cannot be had. */
struct stats_estimate {
	double value, low, high;
};

/*
 * The slope of @y over equal steps (per step): the median of (y_j − y_i) / (j − i) (Theil 1950, Sen
 * 1968). Its interval are those of these slopes that Kendall's S would reach by chance in one case
 * of twenty; the variance of S is enlarged for the autocorrelation of what is left without the
 * trend, as by Hamed & Rao (1998) and Hamed (2009), and never made smaller. An end of the interval
 * may be infinite. @n from 8 on. -1 without memory.
 */
int stats_slope(const double *y, size_t n, struct stats_estimate *out);

/*
 * By how much @b lies above @a: the median of all b_j − a_i (Hodges & Lehmann 1963), with the
 * interval that inverts the Mann-Whitney test (normal approximation). 4 values of each at least;
 * those that are NAN are left out. -1 without memory.
 */
int stats_level_shift(const double *a, size_t n_a, const double *b, size_t n_b,
		      struct stats_estimate *out);

/*
 * @y in @n_blocks stretches of about equal length, each with its median into @out; NAN where a
 * stretch has no value that is known. -1 without memory.
 */
int stats_block_medians(const double *y, size_t n, double *out, size_t n_blocks);
/* The quantile @q of @x, by the nearest rank; NAN ones are left out, and NAN where none are known
 * or without memory. */
double stats_quantile(const double *x, size_t n, double q);

#endif
