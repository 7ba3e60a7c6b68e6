/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Mann-Whitney test, its shift and interval against answers of scipy 1.10.1 and R 4.2.2. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "stats/unpaired.h"

static void assert_within(double x, double wanted, double bound)
{
	if (!(fabs(x - wanted) <= bound * fmax(1, fabs(wanted))))
		fail_msg("%.17g is not %.17g", x, wanted);
}

static void assert_near(double x, double wanted)
{
	assert_within(x, wanted, 1e-12);
}

static const double low[] = {1.1, 2.2, 3.3, 4.4}, high[] = {5.5, 6.6, 7.7, 8.8};
/* Of ?wilcox.test: Hollander & Wolfe, table 4.1. */
static const double at_term[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
static const double before[] = {1.15, 0.88, 0.90, 0.74, 1.21};
static const double old[] = {10.1, 10.4, 9.8, 10.0, 10.2, 9.9};
static const double new[] = {10.3, 10.6, 10.5, 10.15, 10.7, 9.95, 10.9};
static const double tied_x[] = {1, 2, 2, 3, 3, 3}, tied_y[] = {2, 3, 4, 4, 5};
static const double zeros_x[] = {0, 0, 0, 0, 1}, zeros_y[] = {0, 0, 1, 2, 2, 3, 0};

#define SAMPLE(x) x, sizeof(x) / sizeof((x)[0])

/*
 * scipy.stats.mannwhitneyu(y, x, method='exact'); with ties, of which that knows nothing, its
 * permutation_test((ranks of x, ranks of y), lambda x, y: sum(y), permutation_type='independent',
 * n_resamples=inf). The effect is mannwhitneyu's statistic over n m.
 */
static const struct {
	const double *x;
	size_t n;
	const double *y;
	size_t m;
	double p, effect;
} exact[] = {
	{SAMPLE(low), SAMPLE(high), 0.02857142857142857, 1},
	{SAMPLE(high), SAMPLE(low), 0.02857142857142857, 0},
	{SAMPLE(at_term), SAMPLE(before), 0.2544122544122544, 0.3},
	{SAMPLE(old), SAMPLE(new), 0.05128205128205128, 0.8333333333333334},
	{SAMPLE(tied_x), SAMPLE(tied_y), 0.11255411255411256, 0.8166666666666667},
	{SAMPLE(tied_y), SAMPLE(tied_x), 0.11255411255411256, 0.18333333333333332},
	{SAMPLE(zeros_x), SAMPLE(zeros_y), 0.2297979797979798, 0.7285714285714285},
	/* By hand: one of three ranks, the middle one. */
	{tied_y, 1, low, 2, 1, 0.5},
};

static void test_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		struct stats_mann_whitney found =
			stats_mann_whitney(exact[i].x, exact[i].n, exact[i].y, exact[i].m);

		assert_near(found.p, exact[i].p);
		assert_near(found.effect, exact[i].effect);
	}
}

/* Steps of a tenth in no order, with ties. */
static void fill(double *x, size_t n, size_t step, double offset)
{
	for (size_t i = 1; i <= n; i++)
		x[i - 1] = ((double)(i * step % 101) + offset) / 10;
}

static void test_many(void **state)
{
	double x[60], y[70];
	struct stats_mann_whitney found;

	(void)state;
	/* mannwhitneyu(y, x, method='asymptotic', use_continuity=True) */
	fill(x, 60, 37, 0);
	fill(y, 70, 53, 4);
	found = stats_mann_whitney(x, 60, y, 70);
	assert_within(found.p, 0.719130374124215, 1e-9);
	assert_near(found.effect, 0.518452380952381);
	/* The largest exact ones: mannwhitneyu(y, x, method='exact'), without ties. */
	fill(y, 50, 53, 12.5);
	found = stats_mann_whitney(x, 40, y, 50);
	assert_within(found.p, 0.1433310577499754, 1e-10);
	/* All apart: two of the choose(90, 40) ways. */
	for (size_t i = 0; i < 50; i++)
		y[i] += 100;
	assert_near(stats_mann_whitney(x, 40, y, 50).p / 3.340520538602392e-26, 1);
}

static void test_nothing_to_test(void **state)
{
	const double unknown[] = {1, NAN}, alike[] = {3, 3, 3, 3};

	(void)state;
	assert_true(isnan(stats_mann_whitney(low, 0, high, 4).p));
	assert_true(isnan(stats_mann_whitney(low, 4, high, 0).effect));
	assert_true(isnan(stats_mann_whitney(low, 4, unknown, 2).p));
	assert_true(isnan(stats_mann_whitney(unknown, 2, low, 4).p));
	assert_near(stats_mann_whitney(alike, 4, alike, 4).p, 1);
	assert_near(stats_mann_whitney(alike, 4, alike, 4).effect, 0.5);
	assert_true(isnan(stats_shift(low, 0, high, 4)));
	assert_true(isnan(stats_shift(low, 4, unknown, 2)));
	assert_true(isnan(stats_shift_interval(low, 0, high, 4, 0.95).low));
	assert_true(isnan(stats_shift_interval(unknown, 2, low, 4, 0.5).low));
	/* 4 and 3 values: the outermost sum has a chance of 1 in 35, more than 2.5 %. */
	assert_true(isnan(stats_shift_interval(low, 4, high, 3, 0.95).low));
}

/* wilcox.test(y, x, conf.int=TRUE, exact=TRUE) of R: its estimate and conf.int. */
static void test_shift(void **state)
{
	double x[40], y[50];
	struct stats_interval interval = stats_shift_interval(low, 4, high, 4, 0.95);

	(void)state;
	assert_near(stats_shift(low, 4, high, 4), 4.4);
	assert_near(interval.low, 1.1);
	assert_near(interval.high, 7.7);
	interval = stats_shift_interval(at_term, 10, before, 5, 0.95);
	assert_near(stats_shift(at_term, 10, before, 5), -0.305);
	assert_near(interval.low, -0.76);
	assert_near(interval.high, 0.15);
	interval = stats_shift_interval(old, 6, new, 7, 0.95);
	assert_near(stats_shift(old, 6, new, 7), 0.4);
	assert_near(interval.low, -0.05);
	assert_near(interval.high, 0.8);
	for (size_t i = 0; i < 40; i++)
		x[i] = sqrt((double)i + 1);
	for (size_t i = 0; i < 50; i++)
		y[i] = sqrt((double)i + 11.5);
	interval = stats_shift_interval(x, 40, y, 50, 0.95);
	assert_near(stats_shift(x, 40, y, 50), 1.51934910145697);
	assert_near(interval.low, 0.941675248779456);
	assert_near(interval.high, 2.11821699645726);
	assert_within(stats_mann_whitney(x, 40, y, 50).p, 2.06236626694372e-06, 1e-17);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Beyond the exact ones, against the differences written out. */
static void test_shift_of_many(void **state)
{
	size_t n = 300, m = 401, used = 0;
	double *x = calloc(n, sizeof(*x)), *y = calloc(m, sizeof(*y));
	double *all = calloc(n * m, sizeof(*all));
	struct stats_interval interval;

	(void)state;
	for (size_t i = 0; i < n; i++)
		x[i] = sin((double)i);
	for (size_t i = 0; i < m; i++)
		y[i] = cos((double)i * 2.3) + 0.2;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			all[used++] = y[j] - x[i];
	qsort(all, used, sizeof(*all), compare);
	assert_near(stats_shift(x, n, y, m), all[used / 2 - 1] / 2 + all[used / 2] / 2);
	/* 300·401/2 - 1.959964 sqrt(300·401·702/12) = 54950.5 */
	interval = stats_shift_interval(x, n, y, m, 0.95);
	assert_near(interval.low, all[54951 - 1]);
	assert_near(interval.high, all[used - 54951]);
	free(x);
	free(y);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),           cmocka_unit_test(test_many),
		cmocka_unit_test(test_nothing_to_test), cmocka_unit_test(test_shift),
		cmocka_unit_test(test_shift_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
