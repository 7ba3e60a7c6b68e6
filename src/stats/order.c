/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double *stats_sorted(const double *x, size_t n)
{
	double *copy = n ? malloc(n * sizeof(*copy)) : NULL;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (isnan(x[i])) {
			free(copy);
			return NULL;
		}
		copy[i] = x[i];
	}
	qsort(copy, n, sizeof(*copy), compare_doubles);
	return copy;
}

double stats_middle(double a, double b)
{
	return a / 2 + b / 2;
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

/* Sorted samples; @y is NULL where they are one. */
struct samples {
	const double *x, *y;
	size_t n, m;
};

/* How many of the means (x_i + x_j)/2, i <= j, are at most @limit. */
static uint64_t count_means(const struct samples *samples, double limit)
{
	const double *x = samples->x;
	uint64_t count = 0;
	size_t j = samples->n;

	for (size_t i = 0; i < samples->n; i++) {
		while (j > i && stats_middle(x[i], x[j - 1]) > limit)
			j--;
		if (j <= i)
			break;
		count += j - i;
	}
	return count;
}

/* How many of the differences y_j - x_i are at most @limit. */
static uint64_t count_shifts(const struct samples *samples, double limit)
{
	uint64_t count = 0;
	size_t j = 0;

	for (size_t i = 0; i < samples->n; i++) {
		while (j < samples->m && samples->y[j] - samples->x[i] <= limit)
			j++;
		count += j;
	}
	return count;
}

/* The least double between @low and @high of which count() gives at least @k. */
static double bisect(const struct samples *samples,
		     uint64_t (*count)(const struct samples *samples, double limit), double low,
		     double high, uint64_t k)
{
	int64_t from = ordinal_of(low), to = ordinal_of(high);

	while (from < to) {
		int64_t half = from + (int64_t)(((uint64_t)to - (uint64_t)from) / 2);

		if (count(samples, ordinal_to(half)) >= k)
			to = half;
		else
			from = half + 1;
	}
	return ordinal_to(from);
}

double stats_nth_mean(const double *d, size_t n, uint64_t k)
{
	const struct samples samples = {.x = d, .n = n};

	return bisect(&samples, count_means, d[0], d[n - 1], k);
}

double stats_nth_shift(const double *x, size_t n, const double *y, size_t m, uint64_t k)
{
	const struct samples samples = {.x = x, .y = y, .n = n, .m = m};

	return bisect(&samples, count_shifts, y[0] - x[n - 1], y[m - 1] - x[0], k);
}

double stats_normal_quantile(double confidence)
{
	double low = 0, high = 40;

	for (int i = 0; i < 100; i++) {
		double half = (low + high) / 2;

		if (erfc(half / M_SQRT2) > 1 - confidence)
			low = half;
		else
			high = half;
	}
	return low;
}
