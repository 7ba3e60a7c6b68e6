/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/rank.h"

#include <math.h>
#include <stdlib.h>

#include "stats/order.h"

double stats_double_ranks(const double *x, size_t n, size_t *ranks)
{
	double ties = 0;

	for (size_t i = 0, end; i < n; i = end) {
		double alike;

		for (end = i + 1; end < n && x[end] == x[i];)
			end++;
		/* Half of (i + 1) + end, twice. */
		for (size_t j = i; j < end; j++)
			ranks[j] = i + 1 + end;
		alike = (double)(end - i);
		ties += alike * alike * alike - alike;
	}
	return ties;
}

double *stats_sums_of_any(const size_t *ranks, size_t n, size_t limit)
{
	double *sums = calloc(limit + 1, sizeof(*sums));
	size_t top = 0; /* no sum so far is larger */

	if (!sums)
		return NULL;
	sums[0] = 1;
	for (size_t i = 0; i < n; i++) {
		top = top + ranks[i] < limit ? top + ranks[i] : limit;
		for (size_t s = top + 1; s-- > 0;)
			sums[s] = (sums[s] + (s >= ranks[i] ? sums[s - ranks[i]] : 0)) / 2;
	}
	return sums;
}

/* Of @n ranks, @m: in how many ways. */
static double choices(size_t n, size_t m)
{
	double ways = 1;

	for (size_t i = 1; i <= m; i++)
		ways = ways * (double)(n - m + i) / (double)i;
	return ways;
}

double *stats_sums_of_some(const size_t *ranks, size_t n, size_t m, size_t limit)
{
	size_t width = limit + 1;
	/* ways[j][s]: in how many ways j of the ranks so far have the sum s. */
	double *ways = calloc((m + 1) * width, sizeof(*ways)), *sums, all = choices(n, m);

	sums = calloc(width, sizeof(*sums));
	if (ways && sums) {
		ways[0] = 1;
		for (size_t i = 0; i < n; i++)
			for (size_t j = i < m ? i + 1 : m; j > 0; j--)
				for (size_t s = ranks[i]; s < width; s++)
					ways[j * width + s] += ways[(j - 1) * width + s - ranks[i]];
		for (size_t s = 0; s < width; s++)
			sums[s] = ways[m * width + s] / all;
	} else {
		free(sums);
		sums = NULL;
	}
	free(ways);
	return sums;
}

size_t stats_critical(const double *sums, size_t n, double tail)
{
	double below = 0;

	for (size_t k = 0; k < n; k++) {
		below += sums[k];
		if (below >= tail)
			return k;
	}
	return n;
}

size_t stats_critical_normal(double mean, double deviation, double confidence)
{
	double k = floor(mean - stats_normal_quantile(confidence) * deviation + 0.5);

	return k > 0 ? (size_t)k : 0;
}

double stats_normal_p(double sum, double mean, double deviation)
{
	double distance = fmax(fabs(sum - mean) - 0.5, 0);

	return deviation > 0 ? fmin(erfc(distance / deviation / M_SQRT2), 1) : 1;
}
