/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool any_unknown(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(x[i]))
			return true;
	return false;
}

/* A sorted copy, to be freed; NULL where there is nothing to sort. */
static double *sorted_copy(const double *x, size_t n)
{
	double *copy;

	if (n == 0 || any_unknown(x, n))
		return NULL;
	copy = malloc(n * sizeof(*copy));
	if (!copy)
		return NULL;
	memcpy(copy, x, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), compare_doubles);
	return copy;
}

/* The mean of two without overflow of their sum. */
static double middle(double a, double b)
{
	return a / 2 + b / 2;
}

double stats_median(const double *x, size_t n)
{
	double *sorted = sorted_copy(x, n), median;

	if (!sorted)
		return NAN;
	median = n % 2 ? sorted[n / 2] : middle(sorted[n / 2 - 1], sorted[n / 2]);
	free(sorted);
	return median;
}

double stats_min(const double *x, size_t n)
{
	double min = n ? x[0] : NAN;

	for (size_t i = 1; i < n; i++)
		min = fmin(min, x[i]);
	return any_unknown(x, n) ? NAN : min;
}

double stats_max(const double *x, size_t n)
{
	double max = n ? x[0] : NAN;

	for (size_t i = 1; i < n; i++)
		max = fmax(max, x[i]);
	return any_unknown(x, n) ? NAN : max;
}

/* How many of the means (d_i + d_j)/2, i <= j, are at most @limit; @d is sorted. */
static uint64_t count_means(const double *d, size_t n, double limit)
{
	uint64_t count = 0;
	size_t j = n;

	for (size_t i = 0; i < n; i++) {
		while (j > i && middle(d[i], d[j - 1]) > limit)
			j--;
		if (j <= i)
			break;
		count += j - i;
	}
	return count;
}

/* Doubles in their order as integers in the same order, so that a bisection ends exactly. */
static int64_t ordinal_of(double x)
{
	int64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits < 0 ? INT64_MIN - bits : bits;
}

static double ordinal_to(int64_t ordinal)
{
	int64_t bits = ordinal < 0 ? INT64_MIN - ordinal : ordinal;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* The @k-th smallest mean (1-based) by bisection: no room for all n(n+1)/2 of them is needed. */
static double nth_mean(const double *d, size_t n, uint64_t k)
{
	int64_t low = ordinal_of(d[0]), high = ordinal_of(d[n - 1]);

	while (low < high) {
		int64_t half = low + (int64_t)(((uint64_t)high - (uint64_t)low) / 2);

		if (count_means(d, n, ordinal_to(half)) >= k)
			high = half;
		else
			low = half + 1;
	}
	return ordinal_to(low);
}

double stats_hodges_lehmann(const double *d, size_t n)
{
	double *sorted = sorted_copy(d, n), centre;
	uint64_t means = (uint64_t)n * (n + 1) / 2;

	if (!sorted)
		return NAN;
	if (means % 2)
		centre = nth_mean(sorted, n, means / 2 + 1);
	else
		centre = middle(nth_mean(sorted, n, means / 2), nth_mean(sorted, n, means / 2 + 1));
	free(sorted);
	return centre;
}

double stats_pair_ratio(const double *a, const double *b, size_t n)
{
	double *d, ratio;

	for (size_t i = 0; i < n; i++)
		if (!(a[i] > 0) || !(b[i] > 0))
			return NAN;
	d = n ? malloc(n * sizeof(*d)) : NULL;
	if (!d)
		return NAN;
	for (size_t i = 0; i < n; i++)
		d[i] = log(b[i]) - log(a[i]);
	ratio = exp(stats_hodges_lehmann(d, n));
	free(d);
	return ratio;
}

uint64_t stats_random_u64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}
