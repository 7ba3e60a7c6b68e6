/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "stats/change.h"
#include "stats/stats.h"

#define SERIES 400
#define N      30

/* Uniform in (0, 1). */
static double uniform(uint64_t *state)
{
	return ((double)(stats_random_u64(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* By Box and Muller. */
static double normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(uniform(state)));

	return radius * cos(2 * M_PI * uniform(state));
}

static void make(double *x, size_t n, double noise, uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		x[i] = exp(noise * normal(state));
}

/* Fewer than 5 % of series in which nothing happens are accused; 1 % is what is promised. */
static void test_nothing_happens(void **context)
{
	struct stats_change changes[N];
	double x[N];
	uint64_t state = 7;
	int accused = 0;

	(void)context;
	for (int i = 0; i < SERIES; i++) {
		make(x, N, 0.02, &state);
		accused += stats_changes(x, N, changes) > 0;
	}
	print_message("accused: %d of %d\n", accused, SERIES);
	assert_true(accused <= SERIES * 25 / 1000);
}

/* The same with one run in ten far out, as on a machine that others use. */
static void test_outliers_are_no_change(void **context)
{
	struct stats_change changes[N];
	double x[N];
	uint64_t state = 8;
	int accused = 0;

	(void)context;
	for (int i = 0; i < SERIES; i++) {
		make(x, N, 0.02, &state);
		for (size_t j = 0; j < N; j++)
			x[j] *= uniform(&state) < 0.1 ? 1.5 : 1;
		accused += stats_changes(x, N, changes) > 0;
	}
	print_message("accused: %d of %d\n", accused, SERIES);
	assert_true(accused <= SERIES * 25 / 1000);
}

/* A step of 10 % in noise of 2 %, wherever it is. */
static void test_step_is_found(void **context)
{
	struct stats_change changes[N];
	double x[N];
	uint64_t state = 9;
	int found = 0, exact = 0, more = 0;

	(void)context;
	for (int i = 0; i < SERIES; i++) {
		size_t at = 5 + (size_t)(uniform(&state) * (N - 9));
		int n;

		make(x, N, 0.02, &state);
		for (size_t j = at; j < N; j++)
			x[j] *= 1.1;
		n = stats_changes(x, N, changes);
		more += n > 1;
		for (int j = 0; j < n; j++) {
			exact += changes[j].at == at;
			found += changes[j].at + 1 >= at && changes[j].at <= at + 1;
		}
	}
	print_message("found: %d, exactly %d, others too %d of %d\n", found, exact, more, SERIES);
	assert_true(found >= SERIES * 99 / 100);
	assert_true(exact >= SERIES * 95 / 100);
	assert_true(more <= SERIES * 5 / 100);
}

static void test_two_steps(void **context)
{
	struct stats_change changes[N];
	double x[N];
	uint64_t state = 10;

	(void)context;
	make(x, N, 0.005, &state);
	for (size_t i = 10; i < 20; i++)
		x[i] *= 1.2;
	assert_int_equal(stats_changes(x, N, changes), 2);
	assert_int_equal(changes[0].at, 10);
	assert_int_equal(changes[1].at, 20);
	assert_true(changes[0].p <= CHANGE_ALPHA && changes[1].p <= CHANGE_ALPHA);
}

/* The last three runs of a long history are what one wants to know of. */
static void test_late_step(void **context)
{
	struct stats_change changes[N];
	double x[N];
	uint64_t state = 11;

	(void)context;
	make(x, N, 0.02, &state);
	for (size_t i = N - 3; i < N; i++)
		x[i] *= 1.2;
	assert_int_equal(stats_changes(x, N, changes), 1);
	assert_int_equal(changes[0].at, N - 3);
}

static void test_few_constant_and_zero(void **context)
{
	struct stats_change changes[N];
	double x[N] = {0}, few[9] = {1, 1, 1, 1, 2, 2, 2, 2, 2};

	(void)context;
	assert_int_equal(stats_changes(x, N, changes), 0);
	assert_int_equal(stats_changes(x, 0, changes), 0);
	assert_int_equal(stats_changes(few, 9, changes), 0);
	for (size_t i = 12; i < N; i++)
		x[i] = (double)(1 + i % 2);
	assert_int_equal(stats_changes(x, N, changes), 1);
	assert_int_equal(changes[0].at, 12);
}

/* Against the table of Hollander & Wolfe: n 6: 1st and 6th; 10: 2nd and 9th; 20: 6th and 15th. */
static void test_median_interval(void **context)
{
	static const struct {
		size_t n, k;
	} known[] = {{6, 1}, {8, 1}, {9, 2}, {10, 2}, {20, 6}, {50, 18}};
	double x[50], low, high;

	(void)context;
	for (size_t i = 0; i < 50; i++)
		x[i] = (double)((i * 7) % 50);
	assert_int_equal(stats_median_interval(x, 5, 0.95, &low, &high), -1);
	assert_int_equal(stats_median_interval(x, 0, 0.95, &low, &high), -1);
	assert_int_equal(stats_median_interval(x, 50, 0.95, &low, &high), 0);
	assert_true(low == 17 && high == 32);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (size_t j = 0; j < known[i].n; j++)
			x[j] = (double)(known[i].n - j);
		assert_int_equal(stats_median_interval(x, known[i].n, 0.95, &low, &high), 0);
		assert_true(low == (double)known[i].k);
		assert_true(high == (double)(known[i].n + 1 - known[i].k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_happens),
		cmocka_unit_test(test_outliers_are_no_change),
		cmocka_unit_test(test_step_is_found),
		cmocka_unit_test(test_two_steps),
		cmocka_unit_test(test_late_step),
		cmocka_unit_test(test_few_constant_and_zero),
		cmocka_unit_test(test_median_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
