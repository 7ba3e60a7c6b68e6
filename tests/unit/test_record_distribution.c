/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Latencies of a record, added up and asked for quantiles, against the histograms they came from.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "util/random.h"
#include "measure/latency.h"
#include "record/distribution.h"

static const double quantiles[] = {0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999};
#define N_QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static struct histogram *draw(uint64_t seed, size_t n, uint32_t bits)
{
	struct histogram *h = malloc(sizeof(*h));

	histogram_init(h);
	for (size_t i = 0; i < n; i++)
		histogram_add(h, random_next(&seed) >> (64 - 1 - random_below(&seed, bits)));
	return h;
}

static struct record_latency filled(const struct histogram *h)
{
	struct record_latency latency;

	assert_int_equal(latency_fill(&latency, NULL, h), 0);
	return latency;
}

static bool alike(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-12 * fabs(b);
}

static void assert_alike(const struct record_latency *a, const struct record_latency *b)
{
	assert_int_equal(a->count, b->count);
	assert_true(alike(a->min_seconds, b->min_seconds));
	assert_true(alike(a->mean_seconds, b->mean_seconds));
	assert_true(alike(a->p50_seconds, b->p50_seconds));
	assert_true(alike(a->p90_seconds, b->p90_seconds));
	assert_true(alike(a->p95_seconds, b->p95_seconds));
	assert_true(alike(a->p99_seconds, b->p99_seconds));
	assert_true(alike(a->p999_seconds, b->p999_seconds));
	assert_true(alike(a->max_seconds, b->max_seconds));
	assert_int_equal(a->n_buckets, b->n_buckets);
	for (size_t i = 0; i < a->n_buckets; i++) {
		assert_true(a->bucket_upper_seconds[i] == b->bucket_upper_seconds[i]);
		assert_true(a->bucket_counts[i] == b->bucket_counts[i]);
	}
}

static void what_a_histogram_becomes(void **state)
{
	struct histogram *h = draw(3, 20000, 41);
	struct record_latency latency = filled(h);
	double count = 0;

	(void)state;
	assert_int_equal(latency.count, 20000);
	assert_true(latency.min_seconds == (double)h->min_ns / 1e9);
	assert_true(latency.max_seconds == (double)h->max_ns / 1e9);
	assert_true(latency_is_fine(&latency));
	for (size_t i = 0; i < latency.n_buckets; i++) {
		double lower = latency_bucket_lower(&latency, i);
		double upper = latency.bucket_upper_seconds[i];

		count += latency.bucket_counts[i];
		assert_true(latency.bucket_counts[i] > 0);
		assert_true(lower <= upper && (upper - lower) <= lower / 64);
		assert_true(!i || lower > latency.bucket_upper_seconds[i - 1]);
	}
	assert_true(count == 20000);
	assert_true(latency_count_within(&latency, latency.max_seconds * 1.02) == 20000);
	assert_true(latency_count_within(&latency, -1) == 0);
	for (size_t i = 0; i < N_QUANTILES; i++)
		assert_true(alike(latency_quantile(&latency, quantiles[i]),
				  histogram_quantile_seconds(h, quantiles[i])));
	latency_clear(&latency);
	free(h);
}

static void an_empty_histogram(void **state)
{
	struct histogram *h = draw(1, 0, 1);
	struct record_latency latency = filled(h);

	(void)state;
	assert_int_equal(latency.count, 0);
	assert_int_equal(latency.n_buckets, 0);
	assert_true(isnan(latency.min_seconds) && isnan(latency.mean_seconds));
	assert_true(isnan(latency.p50_seconds) && isnan(latency.max_seconds));
	assert_true(isnan(latency_quantile(&latency, 0.5)));
	free(h);
}

static void times_beyond_the_range_end_at_the_longest(void **state)
{
	struct histogram *h = draw(1, 0, 1);
	struct record_latency latency;

	(void)state;
	histogram_add(h, 3ULL << 43);
	latency = filled(h);
	assert_int_equal(latency.n_buckets, 1);
	assert_true(latency.bucket_upper_seconds[0] == latency.max_seconds);
	assert_true(latency_is_fine(&latency));
	latency_clear(&latency);
	free(h);
}

/* Three rounds, and one with few values: the same as if all had gone into one histogram. */
static void merging_is_exact(void **state)
{
	struct histogram *all = draw(1, 0, 1);
	struct record_latency sum, wanted;

	(void)state;
	latency_init(&sum);
	for (uint64_t seed = 1; seed < 5; seed++) {
		struct histogram *h = draw(seed, seed == 2 ? 3 : 4000, (uint32_t)(10 * seed));
		struct record_latency one = filled(h);

		histogram_merge(all, h);
		assert_int_equal(latency_merge(&sum, &one), 0);
		latency_clear(&one);
		free(h);
	}
	wanted = filled(all);
	assert_alike(&sum, &wanted);
	latency_clear(&sum);
	latency_clear(&wanted);
	free(all);
}

static void nothing_changes_nothing(void **state)
{
	struct histogram *h = draw(5, 100, 20), *none = draw(1, 0, 1);
	struct record_latency sum, some = filled(h), empty = filled(none), unknown;

	(void)state;
	latency_init(&sum);
	latency_init(&unknown);
	assert_int_equal(latency_merge(&sum, &unknown), 0);
	assert_true(sum.count == RECORD_NONE);
	assert_int_equal(latency_merge(&sum, &empty), 0);
	assert_int_equal(sum.count, 0);
	assert_int_equal(latency_merge(&sum, &some), 0);
	assert_int_equal(latency_merge(&sum, &empty), 0);
	assert_int_equal(latency_merge(&sum, &unknown), 0);
	assert_alike(&sum, &some);
	latency_clear(&sum);
	latency_clear(&some);
	free(h);
	free(none);
}

/* A record of before there were buckets: one round keeps its percentiles, two have none. */
static void without_buckets_a_sum_has_no_percentiles(void **state)
{
	struct histogram *h = draw(5, 100, 20);
	struct record_latency sum, some = filled(h), bare;

	(void)state;
	latency_init(&bare);
	bare.count = 300;
	bare.mean_seconds = 2;
	bare.p99_seconds = 7;
	bare.max_seconds = 9;
	latency_init(&sum);
	latency_merge(&sum, &bare);
	assert_true(sum.p99_seconds == 7);
	latency_merge(&sum, &bare);
	assert_int_equal(sum.count, 600);
	assert_true(sum.mean_seconds == 2 && sum.max_seconds == 9);
	assert_true(isnan(sum.p99_seconds) && isnan(sum.min_seconds));
	latency_merge(&sum, &some);
	assert_int_equal(sum.count, 700);
	assert_int_equal(sum.n_buckets, 0);
	assert_true(isnan(sum.p50_seconds));
	latency_clear(&sum);
	latency_clear(&some);
	free(h);
}

/* Lists that no program of ours wrote: they are taken as none, and end. */
static void broken_buckets_are_none(void **state)
{
	static const double uppers[][3] = {{1, 2, NAN}, {2, 1, 3}, {1, 1, 2}, {1, 2, INFINITY}};
	static const double fine_counts[] = {1, 1, 1}, negative[] = {1, -1, 1}, nan[] = {NAN, 1, 1};
	struct record_latency sum, one;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		latency_init(&sum);
		latency_init(&one);
		one.count = 3;
		one.n_buckets = 3;
		one.bucket_upper_seconds = (double *)(i < 4 ? uppers[i] : fine_counts);
		one.bucket_counts = (double *)(i < 4 ? fine_counts : i == 4 ? negative : nan);
		if (i == 6)
			one.bucket_counts = NULL;
		assert_int_equal(latency_merge(&sum, &one), 0);
		assert_int_equal(latency_merge(&sum, &one), 0);
		assert_int_equal(sum.n_buckets, 0);
		latency_clear(&sum);
	}
}

/* As histogram_quantile() of Prometheus: linear within a bucket, and its lower end is the
 * upper end of the one before. */
static void wide_buckets_are_interpolated(void **state)
{
	static double upper[] = {0.1, 0.2, 0.5, 1}, counts[] = {100, 0, 300, 50};
	struct record_latency latency;

	(void)state;
	latency_init(&latency);
	latency.count = 500; /* 50 lie above the last bound */
	latency.n_buckets = 4;
	latency.bucket_upper_seconds = upper;
	latency.bucket_counts = counts;
	assert_false(latency_is_fine(&latency));
	assert_true(alike(latency_quantile(&latency, 0.1), 0.05));
	assert_true(alike(latency_quantile(&latency, 0.2), 0.1));
	assert_true(alike(latency_quantile(&latency, 0.5), 0.35));
	assert_true(alike(latency_quantile(&latency, 0.8), 0.5));
	assert_true(alike(latency_quantile(&latency, 0.9), 1));
	assert_true(alike(latency_quantile(&latency, 0.95), 1));
	assert_true(isnan(latency_quantile(&latency, 0.99)));
	assert_true(latency_bucket_lower(&latency, 2) == 0.2);
	assert_true(latency_count_within(&latency, 0.5) == 400);
}

static void latencies_of_a_round(void **state)
{
	struct record_round round = {0};

	(void)state;
	record_round_init(&round);
	assert_null(latency_find(&round, "queue"));
	assert_non_null(latency_add(&round, "service"));
	latency_add(&round, "queue")->count = 4;
	assert_int_equal(latency_find(&round, "queue")->count, 4);
	assert_true(latency_find(&round, "service")->count == RECORD_NONE);
	assert_true(isnan(latency_find(&round, "service")->p99_seconds));
	record_round_clear(&round);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_histogram_becomes),
		cmocka_unit_test(an_empty_histogram),
		cmocka_unit_test(times_beyond_the_range_end_at_the_longest),
		cmocka_unit_test(merging_is_exact),
		cmocka_unit_test(nothing_changes_nothing),
		cmocka_unit_test(without_buckets_a_sum_has_no_percentiles),
		cmocka_unit_test(broken_buckets_are_none),
		cmocka_unit_test(wide_buckets_are_interpolated),
		cmocka_unit_test(latencies_of_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
