/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/trend.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stats/stats.h"

/* Beyond it a series says next to nothing of its trend. */
#define R_MAX     0.98
#define Z_95      1.959964
#define MIN_SLOPE 8
#define MIN_SHIFT 4

static const struct stats_estimate unknown = {NAN, NAN, NAN};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The known ones of @x into @out, in order of size; how many. */
static size_t sort_known(const double *x, size_t n, double *out)
{
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(x[i]))
			out[known++] = x[i];
	qsort(out, known, sizeof(*out), compare_doubles);
	return known;
}

double stats_quantile(const double *x, size_t n, double q)
{
	double *sorted = calloc(n + 1, sizeof(*sorted)), value = NAN;
	size_t known = sorted ? sort_known(x, n, sorted) : 0, rank;

	if (known) {
		rank = (size_t)ceil(q * (double)known);
		value = sorted[rank ? (rank > known ? known : rank) - 1 : 0];
	}
	free(sorted);
	return value;
}

int stats_block_medians(const double *y, size_t n, double *out, size_t n_blocks)
{
	double *sorted = calloc(n + 1, sizeof(*sorted));

	if (!sorted)
		return -1;
	for (size_t i = 0; i < n_blocks; i++) {
		size_t from = i * n / n_blocks, to = (i + 1) * n / n_blocks;
		size_t known = sort_known(y + from, to - from, sorted);

		out[i] = known ? stats_median(sorted, known) : NAN;
	}
	free(sorted);
	return 0;
}

/* The ranks of @x from 1, the mean one for those that are alike. */
static void rank(const double *x, size_t n, double *ranks)
{
	for (size_t i = 0; i < n; i++) {
		size_t below = 0, alike = 0;

		for (size_t j = 0; j < n; j++) {
			below += x[j] < x[i];
			alike += x[j] == x[i];
		}
		ranks[i] = (double)below + ((double)alike + 1) / 2;
	}
}

/* Of @x around its mean, at @lag. */
static double autocorrelation(const double *x, size_t n, size_t lag)
{
	double mean = 0, sum = 0, square = 0;

	for (size_t i = 0; i < n; i++)
		mean += x[i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		square += (x[i] - mean) * (x[i] - mean);
		if (i + lag < n)
			sum += (x[i] - mean) * (x[i + lag] - mean);
	}
	return square > 0 ? sum / square : 0;
}

static bool is_constant(const double *x, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

/*
 * How much larger the variance of S is than of independent values: 1 + 2/(n(n−1)(n−2)) · Σ
 * (n−k)(n−k−1)(n−k−2) r_k, with r_k = r^k, as of an AR(1) process. Taking the trend out makes r too
 * small; (n·r + 1)/(n − 4) makes up for that (Hamed 2009). What falls and rises again (a sawtooth)
 * is not made more certain by that.
 */
static double inflation(const double *ranks, size_t n)
{
	double count = (double)n, sum = 0, r = autocorrelation(ranks, n, 1), power = 1;

	if (is_constant(ranks, n))
		return 1;
	r = fmin((count * r + 1) / (count - 4), R_MAX);
	for (size_t lag = 1; lag < n - 2 && r > 0; lag++) {
		double left = count - (double)lag;

		power *= r;
		sum += left * (left - 1) * (left - 2) * power;
	}
	return 1 + 2 / (count * (count - 1) * (count - 2)) * sum;
}

/* What of the slopes @k of @n, of which half are on each side, an interval reaches to. */
static void invert(const double *sorted, size_t n, double deviation, struct stats_estimate *out)
{
	double low = ((double)n - Z_95 * deviation) / 2;
	size_t below = low > 0 ? (size_t)low : 0;

	out->low = low < 0 ? -INFINITY : sorted[below < n ? below : n - 1];
	out->high = low < 0 ? INFINITY : sorted[below < n ? n - 1 - below : 0];
}

int stats_slope(const double *y, size_t n, struct stats_estimate *out)
{
	size_t n_pairs = n * (n - 1) / 2, at = 0;
	double *slopes, *residuals, *ranks, count = (double)n;

	*out = unknown;
	if (n < MIN_SLOPE)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(y[i]))
			return 0;
	slopes = calloc(n_pairs, sizeof(*slopes));
	residuals = calloc(n, sizeof(*residuals));
	ranks = calloc(n, sizeof(*ranks));
	if (slopes && residuals && ranks) {
		for (size_t i = 0; i < n; i++)
			for (size_t j = i + 1; j < n; j++)
				slopes[at++] = (y[j] - y[i]) / (double)(j - i);
		qsort(slopes, n_pairs, sizeof(*slopes), compare_doubles);
		out->value = stats_median(slopes, n_pairs);
		for (size_t i = 0; i < n; i++)
			residuals[i] = y[i] - out->value * (double)i;
		rank(residuals, n, ranks);
		invert(slopes, n_pairs,
		       sqrt(count * (count - 1) * (2 * count + 5) / 18 * inflation(ranks, n)), out);
	}
	free(slopes);
	free(residuals);
	free(ranks);
	return isnan(out->value) ? -1 : 0;
}

int stats_level_shift(const double *a, size_t n_a, const double *b, size_t n_b,
		      struct stats_estimate *out)
{
	double *x = calloc(n_a + 1, sizeof(*x)), *y = calloc(n_b + 1, sizeof(*y)), *shifts = NULL;
	size_t n = x ? sort_known(a, n_a, x) : 0, m = y ? sort_known(b, n_b, y) : 0, at = 0;
	double product = (double)n * (double)m;
	int rc = x && y ? 0 : -1;

	*out = unknown;
	if (!rc && n >= MIN_SHIFT && m >= MIN_SHIFT) {
		shifts = calloc(n * m, sizeof(*shifts));
		rc = shifts ? 0 : -1;
	}
	if (shifts) {
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < m; j++)
				shifts[at++] = y[j] - x[i];
		qsort(shifts, at, sizeof(*shifts), compare_doubles);
		out->value = stats_median(shifts, at);
		/* U and n·m − U differ by twice U's deviation. */
		invert(shifts, at, 2 * sqrt(product * (double)(n + m + 1) / 12), out);
	}
	free(x);
	free(y);
	free(shifts);
	return rc;
}
