/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "stats/stats.h"

static void assert_near(double x, double wanted)
{
	if (fabs(x - wanted) > 1e-12 * fmax(1, fabs(wanted)))
		fail_msg("%.17g is not %.17g", x, wanted);
}

static void test_median(void **state)
{
	const double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, huge[] = {1.7e308, 1.7e308};
	const double unknown[] = {1, NAN, 2};

	(void)state;
	assert_near(stats_median(odd, 3), 2);
	assert_near(stats_median(even, 4), 2.5);
	assert_near(stats_median(odd, 1), 3);
	assert_near(odd[0], 3); /* the input is left as it is */
	assert_near(stats_median(huge, 2), 1.7e308);
	assert_true(isnan(stats_median(odd, 0)));
	assert_true(isnan(stats_median(unknown, 3)));
}

static void test_range(void **state)
{
	const double x[] = {3, -1, 2}, unknown[] = {1, NAN};

	(void)state;
	assert_near(stats_min(x, 3), -1);
	assert_near(stats_max(x, 3), 3);
	assert_true(isnan(stats_min(x, 0)));
	assert_true(isnan(stats_max(x, 0)));
	assert_true(isnan(stats_min(unknown, 2)));
}

static void test_hodges_lehmann(void **state)
{
	/* Means of (1, 2, 6): 1, 1.5, 2, 3.5, 4, 6. Their median is 2.75. */
	const double three[] = {6, 1, 2};
	/* Of (1, 5): 1, 3, 5. */
	const double two[] = {1, 5};
	const double negative[] = {-4, -2, 0, 2, 10};

	(void)state;
	assert_near(stats_hodges_lehmann(three, 3), 2.75);
	assert_near(stats_hodges_lehmann(two, 2), 3);
	assert_near(stats_hodges_lehmann(three, 1), 6);
	/* -4 -3 -2 -2 -1 -1 0 0 1 2 3 4 5 6 10: the 8th of 15 is 0. */
	assert_near(stats_hodges_lehmann(negative, 5), 0);
	assert_true(isnan(stats_hodges_lehmann(three, 0)));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Against the definition, all means written out. */
static double by_definition(const double *d, size_t n)
{
	double *means = calloc(n * (n + 1) / 2, sizeof(*means)), result;
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			means[used++] = d[i] / 2 + d[j] / 2;
	qsort(means, used, sizeof(*means), compare);
	result = used % 2 ? means[used / 2] : means[used / 2 - 1] / 2 + means[used / 2] / 2;
	free(means);
	return result;
}

static void test_hodges_lehmann_random(void **state)
{
	uint64_t seed = 7;
	double d[40];

	(void)state;
	for (size_t n = 1; n <= 40; n++) {
		for (size_t i = 0; i < n; i++)
			d[i] = (double)(int64_t)(stats_random_u64(&seed) % 2001 - 1000) / 64;
		assert_true(stats_hodges_lehmann(d, n) == by_definition(d, n));
	}
}

static void test_pair_ratio(void **state)
{
	const double a[] = {1, 2, 4}, b[] = {2, 4, 8}, zero[] = {1, 0, 4}, unknown[] = {1, NAN, 4};

	(void)state;
	assert_near(stats_pair_ratio(a, b, 3), 2);
	assert_near(stats_pair_ratio(b, a, 3), 0.5);
	assert_true(isnan(stats_pair_ratio(a, zero, 3)));
	assert_true(isnan(stats_pair_ratio(zero, a, 3)));
	assert_true(isnan(stats_pair_ratio(a, unknown, 3)));
	assert_true(isnan(stats_pair_ratio(a, b, 0)));
}

/* The published first outputs for the seed 1234567. */
static void test_random(void **state)
{
	uint64_t seed = 1234567;

	(void)state;
	assert_true(stats_random_u64(&seed) == 6457827717110365317ULL);
	assert_true(stats_random_u64(&seed) == 3203168211198807973ULL);
	assert_true(stats_random_u64(&seed) == 9817491932198370423ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median),         cmocka_unit_test(test_range),
		cmocka_unit_test(test_hodges_lehmann), cmocka_unit_test(test_hodges_lehmann_random),
		cmocka_unit_test(test_pair_ratio),     cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
