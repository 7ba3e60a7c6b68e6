/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/paired.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "stats/order.h"
#include "stats/rank.h"
#include "stats/stats.h"

#define FAR_DEVIATIONS  14.8
#define POWER_DETECTING 2.8 /* the quantiles of 5 % two-sided and of power 0.8: 1.96 + 0.84 */

static int compare_sizes(const void *a, const void *b)
{
	double x = fabs(*(const double *)a), y = fabs(*(const double *)b);

	return (x > y) - (x < y);
}

/* What the signed-rank test looks at: sizes in order, zeros first, and their doubled ranks. */
struct signed_ranks {
	double *d;
	size_t *ranks;
	size_t n, zeros;
	bool has_ties;
};

static void signed_ranks_clear(struct signed_ranks *signs)
{
	free(signs->d);
	free(signs->ranks);
}

/* -1 where a value is NAN or memory is short. */
static int signed_ranks_init(struct signed_ranks *signs, const double *d, size_t n)
{
	double *sizes = calloc(n + 1, sizeof(*sizes));

	*signs = (struct signed_ranks){.n = n};
	signs->d = stats_sorted(d, n);
	signs->ranks = calloc(n + 1, sizeof(*signs->ranks));
	if (!signs->d || !signs->ranks || !sizes) {
		signed_ranks_clear(signs);
		free(sizes);
		return -1;
	}
	qsort(signs->d, n, sizeof(*signs->d), compare_sizes);
	for (size_t i = 0; i < n; i++) {
		sizes[i] = fabs(signs->d[i]);
		signs->zeros += sizes[i] == 0;
	}
	stats_double_ranks(sizes, n, signs->ranks);
	/* The mean rank of the zeros does not count. */
	for (size_t i = signs->zeros; i < n; i++)
		signs->has_ties |= signs->ranks[i] != 2 * (i + 1);
	free(sizes);
	return 0;
}

/* P of a sum of ranks no further from the middle than it is, on either side: it is symmetric. */
static double exact_p(const struct signed_ranks *signs, size_t positive, size_t all)
{
	size_t unit = signs->has_ties ? 1 : 2;
	size_t least = (positive < all - positive ? positive : all - positive) / unit;
	double *sums, p = 0;

	for (size_t i = signs->zeros; i < signs->n; i++)
		signs->ranks[i] /= unit;
	sums = stats_sums_of_any(signs->ranks + signs->zeros, signs->n - signs->zeros, least);
	if (!sums)
		return NAN;
	for (size_t s = 0; s <= least; s++)
		p += sums[s];
	free(sums);
	return fmin(2 * p, 1);
}

double stats_signed_rank_p(const double *d, size_t n)
{
	struct signed_ranks signs;
	size_t positive = 0, all = 0;
	double squares = 0, p;

	if (n == 0 || signed_ranks_init(&signs, d, n))
		return NAN;
	for (size_t i = signs.zeros; i < n; i++) {
		double rank = (double)signs.ranks[i] / 2;

		all += signs.ranks[i];
		positive += signs.d[i] > 0 ? signs.ranks[i] : 0;
		squares += rank * rank;
	}
	if (n <= STATS_EXACT_MAX)
		p = exact_p(&signs, positive, all);
	else
		p = stats_normal_p((double)positive / 2, (double)all / 4, sqrt(squares / 4));
	signed_ranks_clear(&signs);
	return p;
}

/* How many of the smallest means the interval leaves out, and one; 0: @n is too small. */
static size_t critical(size_t n, double confidence)
{
	double count = (double)n, *sums, tail = (1 - confidence) / 2;
	size_t *ranks, half = n * (n + 1) / 4, k = 0;

	if (n > STATS_EXACT_MAX)
		return stats_critical_normal(count * (count + 1) / 4,
					     sqrt(count * (count + 1) * (2 * count + 1) / 24),
					     confidence);
	ranks = calloc(n + 1, sizeof(*ranks));
	if (!ranks)
		return 0;
	for (size_t i = 0; i < n; i++)
		ranks[i] = i + 1;
	sums = stats_sums_of_any(ranks, n, half);
	if (sums)
		k = stats_critical(sums, half + 1, tail);
	free(sums);
	free(ranks);
	return k;
}

struct stats_interval stats_signed_rank_interval(const double *d, size_t n, double confidence)
{
	struct stats_interval interval = {NAN, NAN};
	size_t k = critical(n, confidence);
	double *sorted = k ? stats_sorted(d, n) : NULL;

	if (sorted) {
		interval.low = stats_nth_mean(sorted, n, k);
		interval.high = stats_nth_mean(sorted, n, (uint64_t)n * (n + 1) / 2 + 1 - k);
	}
	free(sorted);
	return interval;
}

size_t stats_min_pairs(double confidence)
{
	size_t n = 1;

	while (n < STATS_EXACT_MAX && ldexp(1, -(int)n) >= (1 - confidence) / 2)
		n++;
	return n;
}

double stats_deviation(const double *d, size_t n)
{
	double mean = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		mean += d[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (d[i] - mean) * (d[i] - mean);
	return n < 2 ? NAN : sqrt(squares / (double)(n - 1));
}

double stats_detectable(const double *d, size_t n)
{
	return POWER_DETECTING * stats_deviation(d, n) / sqrt((double)n);
}

size_t stats_pairs_for_width(const double *d, size_t n, double half_width, double confidence)
{
	struct stats_interval now = stats_signed_rank_interval(d, n, confidence);
	double z = stats_normal_quantile(confidence), spread = stats_deviation(d, n), wanted;
	size_t least = stats_min_pairs(confidence);

	/* Half the width is z sqrt(pi/3) sd / sqrt(n) for normal values; few far out widen the
	 * deviation much, and the interval itself little. */
	spread *= z * sqrt(M_PI / 3);
	if (!isnan(now.low))
		spread = fmin(spread, (now.high - now.low) / 2 * sqrt((double)n));
	if (!(spread > 0) || !(half_width > 0))
		return 0;
	/* z^2/2 more, since the deviation itself is estimated (Guenther 1981). */
	wanted = ceil(spread * spread / (half_width * half_width) + z * z / 2);
	if (wanted > STATS_MOST_PAIRS)
		return STATS_MOST_PAIRS;
	return wanted > (double)least ? (size_t)wanted : least;
}

size_t stats_outliers(const double *x, size_t n)
{
	double centre = stats_median(x, n), deviation,
	       *distances = calloc(n + 1, sizeof(*distances));
	size_t count = 0;

	for (size_t i = 0; distances && i < n; i++)
		distances[i] = fabs(x[i] - centre);
	deviation = distances ? stats_median(distances, n) : NAN;
	for (size_t i = 0; deviation > 0 && i < n; i++)
		count += distances[i] > FAR_DEVIATIONS * deviation;
	free(distances);
	return count;
}
