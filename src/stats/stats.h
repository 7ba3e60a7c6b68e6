/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Statistics over arrays of rounds. Pure; no allocation the caller sees; n = 0 gives NAN. */
#ifndef PERFBPF_STATS_STATS_H
#define PERFBPF_STATS_STATS_H

#include <stddef.h>
#include <stdint.h>

/* The median (mean of the two middle ones for even @n); @x is left as it is. */
double stats_median(const double *x, size_t n);
double stats_min(const double *x, size_t n);
double stats_max(const double *x, size_t n);
/*
 * Hodges–Lehmann estimate of the centre of @d: the median of all (d_i + d_j)/2, i <= j
 * (Hodges & Lehmann 1963). For pair ratios, d_i = ln(b_i / a_i) and the ratio is its exp().
 */
double stats_hodges_lehmann(const double *d, size_t n);
/* Ratio B/A of @n pairs by the above; NAN where any value is not > 0 or not known. */
double stats_pair_ratio(const double *a, const double *b, size_t n);

/* splitmix64 (Steele, Lea, Flood 2014): for the order of pairs, from a seed that is printed. */
uint64_t stats_random_u64(uint64_t *state);

#endif
