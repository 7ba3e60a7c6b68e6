/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pairs of rounds: one difference d_i for each. Pure; what cannot be said (a value is NAN, no
 * memory) is NAN. Differences that are not finite are the caller's to leave out.
 */
#ifndef PERFBPF_STATS_PAIRED_H
#define PERFBPF_STATS_PAIRED_H

#include <stddef.h>

struct stats_interval {
	double low, high; /* NAN: @n is too small for the confidence */
};

/*
 * Two-sided p of the Wilcoxon signed-rank test that @d is symmetric about 0 (Wilcoxon 1945; zeros
 * as Pratt 1959: they take part in the ranking and then drop out; ties by mid-ranks). Up to
 * STATS_EXACT_MAX pairs exact, by counting all signs of the very ranks that there are; beyond by
 * the normal approximation with continuity correction. Only zeros: 1.
 */
#define STATS_EXACT_MAX 200
double stats_signed_rank_p(const double *d, size_t n);
/*
 * The interval of the centre of @d at @confidence, the signed-rank test inverted: order statistics
 * of the Walsh averages (d_i + d_j)/2, i <= j (Hollander & Wolfe, section 3.3). Its critical value
 * is the exact one up to STATS_EXACT_MAX pairs, else the normal approximation; where values are
 * alike it is that of values that are not, which holds the confidence or more.
 */
struct stats_interval stats_signed_rank_interval(const double *d, size_t n, double confidence);
/* From how many pairs on there is an interval at @confidence: 6 at 95 %. */
size_t stats_min_pairs(double confidence);
/* The standard deviation of @d, n - 1; NAN below two. */
double stats_deviation(const double *d, size_t n);
/* The smallest true centre that @n pairs show with a power of about 0.8 at 5 %: 2.8 sd / sqrt(n)
 * (0.73 with 20 pairs: the deviation is not known, but estimated). */
double stats_detectable(const double *d, size_t n);
/*
 * How many pairs bring half the width of the interval to @half_width, at the spread of @d; at
 * least stats_min_pairs(), at most STATS_MOST_PAIRS. 0: not known (n < 2, or no spread).
 */
#define STATS_MOST_PAIRS 1000000
size_t stats_pairs_for_width(const double *d, size_t n, double half_width, double confidence);
/* How many of @x lie further than 14.8 median absolute deviations from the median (10 standard
 * deviations of normal values). None where more than half of them are alike. */
size_t stats_outliers(const double *x, size_t n);

#endif
