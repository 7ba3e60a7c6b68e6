/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "stats/order.h"

static bool any_unknown(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(x[i]))
			return true;
	return false;
}

double stats_median(const double *x, size_t n)
{
	double *sorted = stats_sorted(x, n), median;

	if (!sorted)
		return NAN;
	median = n % 2 ? sorted[n / 2] : stats_middle(sorted[n / 2 - 1], sorted[n / 2]);
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

double stats_hodges_lehmann(const double *d, size_t n)
{
	double *sorted = stats_sorted(d, n), centre;
	uint64_t means = (uint64_t)n * (n + 1) / 2;

	if (!sorted)
		return NAN;
	if (means % 2)
		centre = stats_nth_mean(sorted, n, means / 2 + 1);
	else
		centre = stats_middle(stats_nth_mean(sorted, n, means / 2),
				      stats_nth_mean(sorted, n, means / 2 + 1));
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
