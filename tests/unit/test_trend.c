/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Slopes and shifts: known answers, and how often the intervals hold what they are to hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "stats/stats.h"
#include "stats/trend.h"

static double uniform(uint64_t *state)
{
	return (double)(stats_random_u64(state) >> 11) / 0x1p53;
}

static double gauss(uint64_t *state)
{
	return sqrt(-2 * log(1 - uniform(state))) * cos(2 * M_PI * uniform(state));
}

static void assert_near(double value, double wanted)
{
	if (!(fabs(value - wanted) <= 1e-9 * fmax(1, fabs(wanted))))
		fail_msg("%.12g is not %.12g", value, wanted);
}

static void test_slope(void **state)
{
	double y[10];
	struct stats_estimate slope;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		y[i] = 3 + 2 * (double)i;
	assert_int_equal(stats_slope(y, 10, &slope), 0);
	assert_near(slope.value, 2);
	assert_near(slope.low, 2);
	assert_near(slope.high, 2);
	y[4] = 1e9; /* one that is out of all bounds */
	assert_int_equal(stats_slope(y, 10, &slope), 0);
	assert_near(slope.value, 2);
	assert_true(slope.low <= 2 && slope.high >= 2);
}

static void test_unknown_slope(void **state)
{
	double y[10] = {1, 2, 3, 4, 5, 6, 7, NAN, 9, 10};
	struct stats_estimate slope;

	(void)state;
	assert_int_equal(stats_slope(y, 7, &slope), 0);
	assert_true(isnan(slope.value) && isnan(slope.low) && isnan(slope.high));
	assert_int_equal(stats_slope(y, 10, &slope), 0);
	assert_true(isnan(slope.value));
	y[7] = INFINITY;
	assert_int_equal(stats_slope(y, 10, &slope), 0);
	assert_true(isnan(slope.value));
	assert_int_equal(stats_slope(y, 0, &slope), 0);
	assert_true(isnan(slope.value));
}

/* How many of 500 series without a trend have one by their interval; values follow by @memory. */
static int count_trends(double memory)
{
	uint64_t seed = 11;
	int n = 0;

	for (int run = 0; run < 500; run++) {
		struct stats_estimate slope;
		double y[32], x = gauss(&seed);

		for (size_t i = 0; i < 32; i++) {
			x = memory * x + sqrt(1 - memory * memory) * gauss(&seed);
			y[i] = x;
		}
		assert_int_equal(stats_slope(y, 32, &slope), 0);
		n += slope.low > 0 || slope.high < 0;
	}
	return n;
}

static void test_intervals_of_slopes(void **state)
{
	(void)state;
	/* 5 % of independent values; without the allowance it would be 37 % of those that follow.
	 */
	assert_in_range(count_trends(0), 8, 40);
	assert_in_range(count_trends(0.7), 0, 90);
}

static void test_shift(void **state)
{
	const double a[] = {1, 2, 3, 4, 5, NAN}, b[] = {11, 12, 13, 14, 15};
	struct stats_estimate shift;

	(void)state;
	assert_int_equal(stats_level_shift(a, 6, b, 5, &shift), 0);
	assert_near(shift.value, 10);
	assert_true(shift.low >= 6 && shift.low < 10 && shift.high > 10 && shift.high <= 14);
	assert_int_equal(stats_level_shift(a, 3, b, 5, &shift), 0);
	assert_true(isnan(shift.value) && isnan(shift.low));
}

static void test_intervals_of_shifts(void **state)
{
	uint64_t seed = 5;
	int missed = 0;

	(void)state;
	for (int run = 0; run < 1000; run++) {
		struct stats_estimate shift;
		double a[10], b[10];

		for (size_t i = 0; i < 10; i++) {
			a[i] = gauss(&seed);
			b[i] = 1 + gauss(&seed);
		}
		assert_int_equal(stats_level_shift(a, 10, b, 10, &shift), 0);
		missed += shift.low > 1 || shift.high < 1;
	}
	assert_in_range(missed, 25, 75);
}

static void test_blocks_and_quantiles(void **state)
{
	const double y[] = {5, 1, 3, 2, NAN, 8, NAN, NAN};
	double blocks[4];

	(void)state;
	assert_int_equal(stats_block_medians(y, 8, blocks, 4), 0);
	assert_near(blocks[0], 3);
	assert_near(blocks[1], 2.5);
	assert_near(blocks[2], 8);
	assert_true(isnan(blocks[3]));
	assert_near(stats_quantile(y, 8, 0), 1);
	assert_near(stats_quantile(y, 8, 0.5), 3);
	assert_near(stats_quantile(y, 8, 1), 8);
	assert_true(isnan(stats_quantile(y + 6, 2, 0.5)));
	assert_true(isnan(stats_quantile(y, 0, 0.5)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_unknown_slope),
		cmocka_unit_test(test_intervals_of_slopes),
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_intervals_of_shifts),
		cmocka_unit_test(test_blocks_and_quantiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
