/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The signed-rank test, its interval and Holm's correction against answers of others: scipy 1.10.1
 * and R 4.2.2.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "stats/holm.h"
#include "stats/paired.h"
#include "stats/stats.h"

static void assert_near(double x, double wanted)
{
	if (!(fabs(x - wanted) <= 1e-12 * fmax(1, fabs(wanted))))
		fail_msg("%.17g is not %.17g", x, wanted);
}

static const double ten[] = {0.031, 0.012,  -0.004, 0.045, 0.022,
			     0.018, -0.009, 0.037,  0.026, 0.005};
static const double six[] = {0.11, 0.12, 0.10, 0.13, 0.09, 0.14};
static const double five[] = {1, 2, 3, 4, 5};
static const double twelve[] = {-1.3, 0.4, 2.2, -0.7, 1.9, 3.1, -2.8, 0.6, 1.1, -0.2, 2.5, 1.7};
static const double tied[] = {1, 1, 2, -1, 3, 2, -2, 4, 1, 2};
static const double zeros[] = {0, 0, 1, -2, 3, 4, 5, 0, 6, 7};
static const double both[] = {0, 1, 1, -1, 2, 0, 3, 3, -2, 4, 5};

#define SAMPLE(d) d, sizeof(d) / sizeof((d)[0])

/*
 * scipy.stats.wilcoxon(d, method='exact'); with ties or zeros, which it does not count exactly, its
 * permutation_test((v,), lambda x: sum(x[x > 0]), permutation_type='samples', n_resamples=inf) over
 * the signed ranks v of the d that are not 0, v from rankdata(abs(d)).
 */
static const struct {
	const double *d;
	size_t n;
	double p;
} exact[] = {
	{SAMPLE(ten), 0.013671875},      {SAMPLE(six), 0.03125},    {SAMPLE(five), 0.0625},
	{SAMPLE(twelve), 0.20361328125}, {SAMPLE(tied), 0.0703125}, {SAMPLE(zeros), 0.046875},
	{SAMPLE(both), 0.0703125},
};

static void test_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		assert_near(stats_signed_rank_p(exact[i].d, exact[i].n), exact[i].p);
}

/* The other way round, scaled, in another order: the same p. */
static void test_symmetry(void **state)
{
	double turned[11];

	(void)state;
	for (size_t i = 0; i < 11; i++)
		turned[10 - i] = -3 * both[i];
	assert_near(stats_signed_rank_p(turned, 11), 0.0703125);
}

static void test_many(void **state)
{
	double d[250], few[STATS_EXACT_MAX], p;

	(void)state;
	/* wilcoxon(d, method='approx', correction=True, zero_method='pratt'): a zero, no tie. */
	for (size_t i = 0; i < 250; i++)
		d[i] = ((double)((i + 1) * 37 % 251) - 100) / 10;
	p = stats_signed_rank_p(d, 250);
	if (fabs(p - 5.368725455329598e-07) > 1e-15)
		fail_msg("%.17g", p);
	/* 5 zeros, and ties everywhere. */
	for (size_t i = 0; i < 250; i++)
		d[i] = (double)((i + 1) * 37 % 50) - 20;
	p = stats_signed_rank_p(d, 250);
	if (fabs(p - 7.374141089253473e-06) > 1e-14)
		fail_msg("%.17g", p);
	/* The last exact one: all of one sign. */
	for (size_t i = 0; i < STATS_EXACT_MAX; i++)
		few[i] = (double)i + 1;
	assert_near(stats_signed_rank_p(few, STATS_EXACT_MAX) * 0x1p199, 1);
}

static void test_nothing_to_test(void **state)
{
	const double none[] = {0, 0, 0}, unknown[] = {1, NAN, 2};

	(void)state;
	assert_near(stats_signed_rank_p(none, 3), 1);
	assert_true(isnan(stats_signed_rank_p(none, 0)));
	assert_true(isnan(stats_signed_rank_p(unknown, 3)));
	assert_true(isnan(stats_signed_rank_interval(unknown, 3, 0.5).low));
	assert_true(isnan(stats_deviation(none, 1)));
	assert_true(isnan(stats_detectable(none, 0)));
	assert_int_equal(stats_pairs_for_width(none, 3, 0.02, 0.95), 0);
	assert_int_equal(stats_pairs_for_width(none, 1, 0.02, 0.95), 0);
	assert_int_equal(stats_outliers(none, 0), 0);
}

/* wilcox.test(d, conf.int=TRUE, exact=TRUE, conf.level=confidence)$conf.int of R. */
static const struct {
	const double *d;
	size_t n;
	double confidence, low, high;
} intervals[] = {
	{SAMPLE(ten), 0.95, 0.005, 0.0315}, {SAMPLE(ten), 0.90, 0.007, 0.0295},
	{SAMPLE(six), 0.95, 0.09, 0.14},    {SAMPLE(six), 0.90, 0.10, 0.13},
	{SAMPLE(twelve), 0.95, -0.45, 1.9}, {SAMPLE(twelve), 0.90, -0.2, 1.75},
	{twelve, 8, 0.95, -1.3, 2.2},       {twelve, 8, 0.90, -1.1, 1.9},
};

static void test_intervals(void **state)
{
	double roots[40];
	struct stats_interval interval;

	(void)state;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		interval = stats_signed_rank_interval(intervals[i].d, intervals[i].n,
						      intervals[i].confidence);
		assert_near(interval.low, intervals[i].low);
		assert_near(interval.high, intervals[i].high);
	}
	/* The same of sqrt(1:40) - 4.2. */
	for (size_t i = 0; i < 40; i++)
		roots[i] = sqrt((double)i + 1) - 4.2;
	interval = stats_signed_rank_interval(roots, 40, 0.95);
	assert_near(interval.low, -0.37157287525381);
	assert_near(interval.high, 0.67082869338697);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Beyond the exact ones, against the means written out. */
static void test_intervals_of_many(void **state)
{
	size_t n = 1000, used = 0;
	double *d = calloc(n, sizeof(*d)), *means = calloc(n * (n + 1) / 2, sizeof(*means));
	struct stats_interval interval;

	(void)state;
	for (size_t i = 0; i < n; i++)
		d[i] = sin((double)i * 1.7) + 0.1;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			means[used++] = d[i] / 2 + d[j] / 2;
	qsort(means, used, sizeof(*means), compare);
	interval = stats_signed_rank_interval(d, n, 0.95);
	/* 1000·1001/4 - 1.959964 sqrt(1000·1001·2001/24) = 232344.5 */
	assert_near(interval.low, means[232345 - 1]);
	assert_near(interval.high, means[used - 232345]);
	free(d);
	free(means);
}

static void test_too_few(void **state)
{
	(void)state;
	assert_true(isnan(stats_signed_rank_interval(five, 5, 0.95).low));
	assert_true(isnan(stats_signed_rank_interval(five, 5, 0.95).high));
	assert_true(isnan(stats_signed_rank_interval(five, 0, 0.95).high));
	assert_near(stats_signed_rank_interval(five, 5, 0.90).low, 1);
	assert_int_equal(stats_min_pairs(0.95), 6);
	assert_int_equal(stats_min_pairs(0.90), 5);
	assert_int_equal(stats_min_pairs(0.99), 8);
}

static void test_spread(void **state)
{
	(void)state;
	assert_near(stats_deviation(five, 5), sqrt(2.5));
	assert_near(stats_detectable(five, 5), 2.8 * sqrt(2.5) / sqrt(5));
}

/* Half the width at n is what n pairs were said to bring. */
static void test_pairs_for_width(void **state)
{
	uint64_t seed = 11;
	double d[400], half;
	size_t needed;
	struct stats_interval interval;

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		double u = (double)(stats_random_u64(&seed) >> 11) / 0x1p53;
		double v = (double)(stats_random_u64(&seed) >> 11) / 0x1p53;

		d[i] = 0.04 * sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
	}
	needed = stats_pairs_for_width(d, 20, 0.008, 0.95);
	assert_in_range(needed, 50, 200);
	interval = stats_signed_rank_interval(d, needed, 0.95);
	half = (interval.high - interval.low) / 2;
	if (half < 0.006 || half > 0.010)
		fail_msg("%zu pairs have an interval of +- %g", needed, half);
	assert_int_equal(stats_pairs_for_width(d, 20, 1, 0.95), 6);
	assert_int_equal(stats_pairs_for_width(d, 20, 1e-9, 0.95), STATS_MOST_PAIRS);
	assert_int_equal(stats_pairs_for_width(d, 20, 0, 0.95), 0);
	/* One that is far out widens the deviation, and the interval hardly. */
	d[3] = 10;
	assert_in_range(stats_pairs_for_width(d, 20, 0.008, 0.95), 50, 400);
}

static void test_outliers(void **state)
{
	/* The median is 3, the median deviation 1. */
	const double far[] = {2, 3, 3, 4, 4, 2, 3 + 14.9}, near[] = {2, 3, 3, 4, 4, 2, 3 + 14.7};
	const double alike[] = {7, 7, 7, 7, 900};

	(void)state;
	assert_int_equal(stats_outliers(far, 7), 1);
	assert_int_equal(stats_outliers(near, 7), 0);
	assert_int_equal(stats_outliers(alike, 5), 0);
}

/* p.adjust(p, "holm") of R. */
static void test_holm(void **state)
{
	const double p[] = {0.01, 0.04, 0.03, 0.005, 0.8};
	const double wanted[] = {0.04, 0.09, 0.09, 0.025, 0.8};
	double some[] = {0.02, NAN, 0.02, 0.9}, out[5];

	(void)state;
	stats_holm(p, 5, out);
	for (size_t i = 0; i < 5; i++)
		assert_near(out[i], wanted[i]);
	stats_holm(some, 4, some);
	assert_near(some[0], 0.06);
	assert_true(isnan(some[1]));
	assert_near(some[2], 0.06);
	assert_near(some[3], 0.9);
	stats_holm(p, 0, out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_symmetry),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_nothing_to_test),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_intervals_of_many),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_pairs_for_width),
		cmocka_unit_test(test_outliers),
		cmocka_unit_test(test_holm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
