/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/unpaired.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "stats/order.h"
#include "stats/rank.h"

/* Both samples in one order, and whose each value is. */
struct pooled {
	double value;
	bool is_y;
};

static int compare_pooled(const void *a, const void *b)
{
	double x = ((const struct pooled *)a)->value, y = ((const struct pooled *)b)->value;

	return (x > y) - (x < y);
}

struct pool {
	struct pooled *values;
	double *sorted;
	size_t *ranks; /* doubled */
	size_t n, m;   /* of x and of y */
	double ties;
};

static void pool_clear(struct pool *pool)
{
	free(pool->values);
	free(pool->sorted);
	free(pool->ranks);
}

/* -1 without memory. */
static int pool_init(struct pool *pool, const double *x, size_t n, const double *y, size_t m)
{
	*pool = (struct pool){.n = n, .m = m};
	pool->values = calloc(n + m, sizeof(*pool->values));
	pool->sorted = calloc(n + m, sizeof(*pool->sorted));
	pool->ranks = calloc(n + m, sizeof(*pool->ranks));
	if (!pool->values || !pool->sorted || !pool->ranks) {
		pool_clear(pool);
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		pool->values[i] = (struct pooled){x[i], false};
	for (size_t i = 0; i < m; i++)
		pool->values[n + i] = (struct pooled){y[i], true};
	qsort(pool->values, n + m, sizeof(*pool->values), compare_pooled);
	for (size_t i = 0; i < n + m; i++)
		pool->sorted[i] = pool->values[i].value;
	pool->ties = stats_double_ranks(pool->sorted, n + m, pool->ranks);
	return 0;
}

/* The doubled ranks of one sample, summed. */
static size_t rank_sum(const struct pool *pool, bool of_y)
{
	size_t sum = 0;

	for (size_t i = 0; i < pool->n + pool->m; i++)
		sum += pool->values[i].is_y == of_y ? pool->ranks[i] : 0;
	return sum;
}

/*
 * Of the smaller sample's ranks, how likely a sum is that lies no nearer to the middle, on the side
 * where it lies; twice. Turned round where it is above the middle, so that the tail that is summed
 * up is the small one. With ties the distribution need not be symmetric: the smaller of both tails.
 */
static double exact_p(const struct pool *pool)
{
	size_t all = pool->n + pool->m, m = pool->m < pool->n ? pool->m : pool->n;
	size_t sum = rank_sum(pool, pool->m <= pool->n), unit = pool->ties > 0 ? 1 : 2;
	double *sums, below = 0, p;

	if (sum > m * (all + 1)) {
		for (size_t i = 0; i < all; i++)
			pool->ranks[i] = 2 * (all + 1) - pool->ranks[i];
		sum = 2 * m * (all + 1) - sum;
	}
	for (size_t i = 0; i < all; i++)
		pool->ranks[i] /= unit;
	sum /= unit;
	sums = stats_sums_of_some(pool->ranks, all, m, sum);
	if (!sums)
		return NAN;
	for (size_t s = 0; s < sum; s++)
		below += sums[s];
	p = fmin(2 * fmin(below + sums[sum], 1 - below), 1);
	free(sums);
	return p;
}

struct stats_mann_whitney stats_mann_whitney(const double *x, size_t n, const double *y, size_t m)
{
	struct stats_mann_whitney result = {NAN, NAN};
	double product = (double)n * (double)m, all = (double)n + (double)m, u, variance;
	struct pool pool;

	for (size_t i = 0; i < n; i++)
		if (isnan(x[i]))
			return result;
	for (size_t i = 0; i < m; i++)
		if (isnan(y[i]))
			return result;
	if (n < 1 || m < 1 || pool_init(&pool, x, n, y, m))
		return result;
	u = (double)rank_sum(&pool, true) / 2 - (double)m * ((double)m + 1) / 2;
	variance = product / 12 * (all + 1 - pool.ties / (all * (all - 1)));
	result.effect = u / product;
	if (n * m <= STATS_EXACT_PRODUCT_MAX)
		result.p = exact_p(&pool);
	else
		result.p = stats_normal_p(u, product / 2, sqrt(fmax(variance, 0)));
	pool_clear(&pool);
	return result;
}

double stats_shift(const double *x, size_t n, const double *y, size_t m)
{
	double *a = stats_sorted(x, n), *b = stats_sorted(y, m), shift = NAN;
	uint64_t half = (uint64_t)n * m / 2;

	if (a && b && (uint64_t)n * m % 2)
		shift = stats_nth_shift(a, n, b, m, half + 1);
	else if (a && b)
		shift = stats_middle(stats_nth_shift(a, n, b, m, half),
				     stats_nth_shift(a, n, b, m, half + 1));
	free(a);
	free(b);
	return shift;
}

/* How many of the smallest differences the interval leaves out, and one; 0: too few values. */
static size_t critical(size_t n, size_t m, double confidence)
{
	size_t few = n < m ? n : m, least = few * (few + 1) / 2, half = n * m / 2, *ranks, k = 0;
	double product = (double)n * (double)m, *sums;

	if (n * m > STATS_EXACT_PRODUCT_MAX)
		return stats_critical_normal(product / 2, sqrt(product * (double)(n + m + 1) / 12),
					     confidence);
	ranks = calloc(n + m + 1, sizeof(*ranks));
	if (!ranks)
		return 0;
	for (size_t i = 0; i < n + m; i++)
		ranks[i] = i + 1;
	sums = stats_sums_of_some(ranks, n + m, few, least + half);
	if (sums)
		k = stats_critical(sums + least, half + 1, (1 - confidence) / 2);
	free(sums);
	free(ranks);
	return k;
}

struct stats_interval stats_shift_interval(const double *x, size_t n, const double *y, size_t m,
					   double confidence)
{
	struct stats_interval interval = {NAN, NAN};
	size_t k = n && m ? critical(n, m, confidence) : 0;
	double *a = k ? stats_sorted(x, n) : NULL, *b = k ? stats_sorted(y, m) : NULL;

	if (a && b) {
		interval.low = stats_nth_shift(a, n, b, m, k);
		interval.high = stats_nth_shift(a, n, b, m, (uint64_t)n * m + 1 - k);
	}
	free(a);
	free(b);
	return interval;
}
