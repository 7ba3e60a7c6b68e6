/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/kubelogs/random.h"
#include "measure/histogram.h"

#define MANY 10000000

static const double quantiles[] = {0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 0.99999};
#define N_QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static struct histogram *new_histogram(void)
{
	struct histogram *h = malloc(sizeof(*h));

	assert_non_null(h);
	histogram_init(h);
	return h;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* From 1 ns to about an hour, each power of two as likely as the next. */
static uint64_t draw(uint64_t *random)
{
	uint64_t bits = random_below(random, 41), value = random_next(random);

	return ((value >> 20) & ((1ULL << bits) - 1)) | 1ULL << bits;
}

static void quantiles_are_within_one_percent(void **state)
{
	uint64_t *values = malloc(MANY * sizeof(*values)), random = 7;
	struct histogram *h = new_histogram();
	double sum = 0;

	(void)state;
	assert_non_null(values);
	for (size_t i = 0; i < MANY; i++) {
		values[i] = draw(&random);
		sum += (double)values[i];
		histogram_add(h, values[i]);
	}
	qsort(values, MANY, sizeof(*values), by_value);
	assert_int_equal(h->count, MANY);
	assert_int_equal(h->min_ns, values[0]);
	assert_int_equal(h->max_ns, values[MANY - 1]);
	assert_true(fabs(histogram_mean_seconds(h) * 1e9 * MANY / sum - 1) < 1e-12);
	for (size_t i = 0; i < N_QUANTILES; i++) {
		size_t rank = (size_t)ceil(quantiles[i] * MANY - 1e-6);
		double exact = (double)values[rank ? rank - 1 : 0];
		double found = histogram_quantile_seconds(h, quantiles[i]) * 1e9;

		assert_true(fabs(found / exact - 1) <= 0.01);
	}
	free(values);
	free(h);
}

static void merging_is_exact(void **state)
{
	struct histogram *all = new_histogram(), *odd = new_histogram(), *even = new_histogram();
	uint64_t random = 11;

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		uint64_t value = draw(&random);

		histogram_add(all, value);
		histogram_add(i % 2 ? odd : even, value);
	}
	histogram_merge(even, odd);
	assert_int_equal(even->count, all->count);
	assert_int_equal(even->min_ns, all->min_ns);
	assert_int_equal(even->max_ns, all->max_ns);
	assert_memory_equal(even->buckets, all->buckets, sizeof(all->buckets));
	assert_true(fabs(even->sum_ns / all->sum_ns - 1) < 1e-12);
	free(all);
	free(odd);
	free(even);
}

static void an_empty_one_changes_nothing_in_a_merge(void **state)
{
	struct histogram *some = new_histogram(), *none = new_histogram();

	(void)state;
	histogram_add(some, 5);
	histogram_merge(some, none);
	assert_int_equal(some->count, 1);
	assert_int_equal(some->min_ns, 5);
	histogram_merge(none, some);
	assert_int_equal(none->min_ns, 5);
	assert_int_equal(none->max_ns, 5);
	free(some);
	free(none);
}

static void nothing_counted_has_no_quantile(void **state)
{
	struct histogram *h = new_histogram();

	(void)state;
	assert_true(isnan(histogram_quantile_seconds(h, 0.5)));
	assert_true(isnan(histogram_mean_seconds(h)));
	free(h);
}

/* p90 needs 100 values, p99 1,000, p99.9 10,000: ten beyond it. */
static void a_quantile_that_few_values_carry_is_not_given(void **state)
{
	static const struct {
		double q;
		size_t needs;
	} rows[] = {{0.9, 100}, {0.95, 200}, {0.99, 1000}, {0.999, 10000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct histogram *h = new_histogram();

		for (size_t n = 0; n + 1 < rows[i].needs; n++)
			histogram_add(h, 1000);
		assert_true(isnan(histogram_quantile_seconds(h, rows[i].q)));
		histogram_add(h, 1000);
		assert_true(histogram_quantile_seconds(h, rows[i].q) == 1e-6);
		assert_true(histogram_quantile_seconds(h, 0.5) == 1e-6);
		assert_true(isnan(histogram_quantile_seconds(h, 1)));
		free(h);
	}
}

static void edges_are_kept(void **state)
{
	static const uint64_t edges[] = {0,   1,    63,   64,         127,
					 128, 1023, 1024, 1ULL << 41, (1ULL << 42) - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		struct histogram *h = new_histogram();

		histogram_add(h, edges[i]);
		/* One value: its minimum and maximum leave nothing to guess. */
		assert_true(histogram_quantile_seconds(h, 0.5) == (double)edges[i] / 1e9);
		assert_int_equal(h->buckets[pb_hist_index(edges[i])], 1);
		free(h);
	}
}

static void what_is_longer_than_the_range_counts_in_the_last_bucket(void **state)
{
	struct histogram *h = new_histogram();

	(void)state;
	histogram_add(h, UINT64_MAX);
	histogram_add(h, 1ULL << 42);
	assert_int_equal(h->buckets[PB_HIST_BUCKETS - 1], 2);
	assert_true(histogram_quantile_seconds(h, 0.5) >= (double)(1ULL << 42) / 1e9);
	free(h);
}

static void buckets_follow_each_other_without_a_gap(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < PB_HIST_BUCKETS; i++) {
		assert_true(pb_hist_lower(i) > pb_hist_lower(i - 1));
		assert_int_equal(pb_hist_index(pb_hist_lower(i)), i);
		assert_int_equal(pb_hist_index(pb_hist_lower(i) - 1), i - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_within_one_percent),
		cmocka_unit_test(merging_is_exact),
		cmocka_unit_test(an_empty_one_changes_nothing_in_a_merge),
		cmocka_unit_test(nothing_counted_has_no_quantile),
		cmocka_unit_test(a_quantile_that_few_values_carry_is_not_given),
		cmocka_unit_test(edges_are_kept),
		cmocka_unit_test(what_is_longer_than_the_range_counts_in_the_last_bucket),
		cmocka_unit_test(buckets_follow_each_other_without_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
