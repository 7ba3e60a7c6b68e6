/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stats/change.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stats/order.h"
#include "stats/stats.h"

#define PERMUTATIONS 399
/* Any will do: with the same one, the same series has the same changes. */
#define SEED 0x70657266627066ULL

struct cut {
	size_t at;
	double distance;
};

static double energy(double across, double before, double behind, double n, double m)
{
	double mean =
		2 * across / (n * m) - 2 * before / (n * (n - 1)) - 2 * behind / (m * (m - 1));

	return n * m / (n + m) * mean;
}

/* Sums of |x_i - x_j| over pairs, for each cut; room for them is given. */
struct sums {
	double *before; /* both before the cut */
	double *behind; /* both from the cut on, as far as was looked */
	double *across;
};

/* Takes x[k] into the sums; what is behind a cut reaches to k then. */
static void sums_take(const struct sums *sums, const double *x, size_t k)
{
	double all = 0, near = 0;

	for (size_t j = 0; j < k; j++)
		all += fabs(x[k] - x[j]);
	for (size_t cut = 0; cut < k; cut++) {
		sums->across[cut] += near;
		sums->behind[cut] += all - near;
		near += fabs(x[k] - x[cut]);
	}
	sums->across[k] = all;
	sums->behind[k] = 0;
	sums->before[k + 1] = sums->before[k] + all;
}

/*
 * Where the distance is largest between all that is before a cut and a stretch behind it, however
 * long: or what rises and falls again would hide the one change by the other.
 */
static struct cut best_cut(const double *x, size_t n, const struct sums *sums)
{
	struct cut best = {0, -INFINITY};

	sums->before[0] = 0;
	for (size_t k = 0; k < n; k++) {
		sums_take(sums, x, k);
		for (size_t cut = CHANGE_MIN_STRETCH; cut + CHANGE_MIN_STRETCH <= k + 1; cut++) {
			double distance =
				energy(sums->across[cut], sums->before[cut], sums->behind[cut],
				       (double)cut, (double)(k + 1 - cut));

			if (distance > best.distance)
				best = (struct cut){cut, distance};
		}
	}
	return best;
}

static void shuffle(double *x, size_t n, uint64_t *state)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = (size_t)(stats_random_u64(state) % (i + 1));
		double kept = x[i];

		x[i] = x[j];
		x[j] = kept;
	}
}

/* The p of @cut; ends early where it is above CHANGE_ALPHA for sure, and says 1. */
static double permutation_p(const double *x, size_t n, const struct cut *cut, double *room,
			    const struct sums *sums)
{
	uint64_t state = SEED;
	size_t as_good = 1, limit = (size_t)(CHANGE_ALPHA * (PERMUTATIONS + 1));

	memcpy(room, x, n * sizeof(*x));
	for (size_t i = 0; i < PERMUTATIONS; i++) {
		shuffle(room, n, &state);
		/* Sums in another order differ in their last digits. */
		as_good += best_cut(room, n, sums).distance >= cut->distance * (1 - 1e-9);
		if (as_good > limit)
			return 1;
	}
	return (double)as_good / (PERMUTATIONS + 1);
}

static bool is_constant(const double *x, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

/* The changes in [from, to) behind those that are in @out; how many there are then. */
static size_t divide(const double *x, size_t from, size_t to, double *room, const struct sums *sums,
		     struct stats_change *out, size_t n_out)
{
	size_t n = to - from;
	struct cut cut;
	double p;

	if (n < CHANGE_MIN_VALUES || is_constant(x + from, n))
		return n_out;
	cut = best_cut(x + from, n, sums);
	p = permutation_p(x + from, n, &cut, room, sums);
	if (p > CHANGE_ALPHA)
		return n_out;
	n_out = divide(x, from, from + cut.at, room, sums, out, n_out);
	out[n_out++] = (struct stats_change){from + cut.at, p};
	return divide(x, from + cut.at, to, room, sums, out, n_out);
}

int stats_changes(const double *x, size_t n, struct stats_change *out)
{
	double *values = calloc(5 * n + 1, sizeof(*values));
	struct sums sums = {values + 2 * n, values + 3 * n + 1, values + 4 * n + 1};
	bool positive = true;
	size_t found;

	if (!values)
		return -1;
	for (size_t i = 0; i < n; i++)
		positive &= x[i] > 0;
	for (size_t i = 0; i < n; i++)
		values[i] = positive ? log(x[i]) : x[i];
	found = divide(values, 0, n, values + n, &sums, out, 0);
	free(values);
	return (int)found;
}

int stats_median_interval(const double *x, size_t n, double confidence, double *low, double *high)
{
	double left = (1 - confidence) / 2, below = 0, term = pow(0.5, (double)n), *sorted;
	size_t k = 0;

	/* The most values that may be cut off at each end; @below is P(Binomial(n, 1/2) <= k - 1).
	 */
	while (k < n / 2 && below + term <= left) {
		below += term;
		term *= (double)(n - k) / (double)(k + 1);
		k++;
	}
	sorted = k ? stats_sorted(x, n) : NULL;
	if (!sorted)
		return -1;
	*low = sorted[k - 1];
	*high = sorted[n - k];
	free(sorted);
	return 0;
}
