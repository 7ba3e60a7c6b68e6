/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/random.h"
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

/* By 11 bits at a time: some ten times as fast as qsort() with so many values. */
static void sort(uint64_t *values, uint64_t *room, size_t n)
{
	for (unsigned int shift = 0; shift < 44; shift += 11) {
		size_t starts[2048] = {0}, at = 0;
		uint64_t *swap = values;

		for (size_t i = 0; i < n; i++)
			starts[(values[i] >> shift) & 2047]++;
		for (size_t i = 0; i < 2048; i++) {
			size_t count = starts[i];

			starts[i] = at;
			at += count;
		}
		for (size_t i = 0; i < n; i++)
			room[starts[(values[i] >> shift) & 2047]++] = values[i];
		values = room;
		room = swap;
	}
}

/* In (0, 1]. */
static double uniform(uint64_t *random)
{
	return (double)((random_next(random) >> 11) + 1) * 0x1p-53;
}

/* The sum of four is near enough to a normal distribution, and much cheaper. */
static double normal(uint64_t *random)
{
	uint64_t bits = random_next(random);
	int64_t sum = (int64_t)(bits & 0xffff) + (int64_t)(bits >> 16 & 0xffff) +
		      (int64_t)(bits >> 32 & 0xffff) + (int64_t)(bits >> 48);

	return ((double)sum - 2 * 65535) / 37837;
}

/* From 1 ns to an hour, each power of two as likely as the next. */
static uint64_t draw(uint64_t *random)
{
	uint64_t bits = random_below(random, 41), value = random_next(random);

	return ((value >> 20) & ((1ULL << bits) - 1)) | 1ULL << bits;
}

/* Answers of a service: the median at 200 us, a long tail. */
static uint64_t lognormal(uint64_t *random)
{
	return (uint64_t)(200e3 * exp(1.2 * normal(random)));
}

static uint64_t exponential(uint64_t *random)
{
	return (uint64_t)(-5e6 * log(uniform(random)));
}

/* A cache's hits of 40 ns, and one miss in ten, of 8 ms. */
static uint64_t bimodal(uint64_t *random)
{
	if (random_below(random, 10))
		return 30 + random_below(random, 20);
	return (uint64_t)(8e6 + 1e6 * normal(random));
}

static uint64_t constant(uint64_t *random)
{
	(void)random;
	return 3600ULL * 1000000000;
}

/* @sorted by a program that knows no histogram; the bound is the promise of histogram.h. */
static void assert_quantiles(const struct histogram *h, const uint64_t *sorted, size_t n)
{
	for (size_t i = 0; i < N_QUANTILES; i++) {
		size_t rank = (size_t)ceil(quantiles[i] * (double)n - 1e-6);
		double exact = (double)sorted[rank ? rank - 1 : 0];
		double found = histogram_quantile_seconds(h, quantiles[i]) * 1e9;

		if (!(fabs(found - exact) <= 0.01 * exact))
			fail_msg("quantile %g: %g instead of %g", quantiles[i], found, exact);
	}
}

static void quantiles_are_within_one_percent(void **state)
{
	static uint64_t (*const distributions[])(uint64_t *) = {draw, lognormal, exponential,
								bimodal, constant};
	uint64_t *values = malloc(MANY * sizeof(*values)), *room = malloc(MANY * sizeof(*room));

	(void)state;
	assert_true(values && room);
	for (size_t d = 0; d < sizeof(distributions) / sizeof(distributions[0]); d++) {
		struct histogram *h = new_histogram();
		uint64_t random = 7 + d;
		double sum = 0;

		for (size_t i = 0; i < MANY; i++) {
			values[i] = distributions[d](&random);
			sum += (double)values[i];
			histogram_add(h, values[i]);
		}
		sort(values, room, MANY);
		assert_int_equal(h->count, MANY);
		assert_int_equal(h->min_ns, values[0]);
		assert_int_equal(h->max_ns, values[MANY - 1]);
		assert_true(fabs(histogram_mean_seconds(h) * 1e9 * MANY / sum - 1) < 1e-12);
		assert_quantiles(h, values, MANY);
		free(h);
	}
	free(values);
	free(room);
}

/* However many values and however far apart, it is one block of this size. */
static void memory_is_bounded(void **state)
{
	(void)state;
	assert_true(sizeof(struct histogram) <= 20 * 1024);
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
		cmocka_unit_test(memory_is_bounded),
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
