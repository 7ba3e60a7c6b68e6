/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How often the verdict is right, on rounds of a machine that drifts: what a round takes is AR(1)
 * noise of 5 % around its mean, with 0.9 of it kept from round to round. Seeds are fixed, and so
 * are the results; bounds are five standard errors or more away from what is expected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_record.h"
#include "stats/paired.h"
#include "stats/stats.h"
#include "stats/unpaired.h"

#define ROUNDS 20 /* of each side */
#define KEPT   0.9
#define SPREAD 0.05
#define RUNS   4000

static double uniform(uint64_t *state)
{
	return (double)(stats_random_u64(state) >> 11) / 0x1p53;
}

static double gauss(uint64_t *state)
{
	return sqrt(-2 * log(1 - uniform(state))) * cos(2 * M_PI * uniform(state));
}

/* What each of @n rounds takes, in the order in which they run: the logarithm, around 0. */
static void drift(uint64_t *state, double *x, size_t n)
{
	double now = SPREAD * gauss(state);

	for (size_t i = 0; i < n; i++) {
		x[i] = now;
		now = KEPT * now + SPREAD * sqrt(1 - KEPT * KEPT) * gauss(state);
	}
}

/* ln(B/A) of @n pairs, whose rounds run in random order, with B @effect above A. */
static void run_pairs(uint64_t *state, double effect, double *d, size_t n)
{
	double x[2 * ROUNDS];

	drift(state, x, 2 * n);
	for (size_t i = 0; i < n; i++) {
		bool b_first = stats_random_u64(state) >> 63;

		d[i] = effect + (b_first ? x[2 * i] - x[2 * i + 1] : x[2 * i + 1] - x[2 * i]);
	}
}

static void assert_share(const char *what, size_t count, size_t n, double low, double high)
{
	double share = (double)count / (double)n;

	if (share < low || share > high)
		fail_msg("%s: %.4f is not in [%g, %g]", what, share, low, high);
}

/* Of how many of @runs the signed-rank test says that there is a difference. */
static size_t found(double effect, size_t n, size_t runs, uint64_t seed)
{
	size_t count = 0;
	double d[ROUNDS];

	for (size_t i = 0; i < runs; i++) {
		run_pairs(&seed, effect, d, n);
		count += stats_signed_rank_p(d, n) <= 0.05;
	}
	return count;
}

static void test_false_positives(void **state)
{
	(void)state;
	assert_share("20 pairs", found(0, 20, RUNS, 1), RUNS, 0.03, 0.07);
	assert_share("10 pairs", found(0, 10, RUNS, 2), RUNS, 0.03, 0.07);
	/* Of 64 signs only two are as far out. */
	assert_share("6 pairs", found(0, 6, RUNS, 3), RUNS, 0.02, 0.045);
}

static void test_power(void **state)
{
	(void)state;
	assert_share("5 %", found(log(1.05), 20, RUNS, 4), RUNS, 0.95, 1);
	assert_share("-5 %", found(log(0.95), 20, RUNS, 5), RUNS, 0.95, 1);
	assert_share("3 %", found(log(1.03), 20, RUNS, 6), RUNS, 0.95, 1);
}

/* What is called the smallest difference that can be shown, at the true deviation, is found in
 * about eight of ten runs. */
static void test_detectable(void **state)
{
	double deviation = SPREAD * sqrt(2 * (1 - KEPT));

	(void)state;
	assert_share("as small as 20 pairs show", found(2.8 * deviation / sqrt(20), 20, RUNS, 7),
		     RUNS, 0.7, 0.9);
}

static size_t covered(double effect, size_t n, uint64_t seed)
{
	size_t count = 0;
	double d[ROUNDS];

	for (size_t i = 0; i < RUNS; i++) {
		struct stats_interval interval;

		run_pairs(&seed, effect, d, n);
		interval = stats_signed_rank_interval(d, n, 0.95);
		count += interval.low <= effect && effect <= interval.high;
	}
	return count;
}

static void test_coverage(void **state)
{
	(void)state;
	assert_share("20 pairs", covered(log(1.05), 20, 8), RUNS, 0.93, 0.97);
	assert_share("10 pairs", covered(log(0.5), 10, 9), RUNS, 0.93, 0.97);
}

/* The same machine, all rounds of A before all of B: what drifts between them is taken for a
 * difference, in more than every second run. */
static void test_blocks(void **state)
{
	uint64_t seed = 10;
	size_t count = 0, runs = 1000;
	double x[2 * ROUNDS];

	(void)state;
	for (size_t i = 0; i < runs; i++) {
		drift(&seed, x, 2 * ROUNDS);
		count += stats_mann_whitney(x, ROUNDS, x + ROUNDS, ROUNDS).p <= 0.05;
	}
	assert_share("AAA...BBB", count, runs, 0.5, 1);
}

/* Two runs on different days have this much right: without drift Mann-Whitney holds 5 %. */
static void test_unpaired(void **state)
{
	uint64_t seed = 11;
	size_t count = 0, inside = 0, runs = 2000, n = 10, m = 12;
	double x[10], y[12];

	(void)state;
	for (size_t i = 0; i < runs; i++) {
		struct stats_interval interval;

		for (size_t j = 0; j < n; j++)
			x[j] = gauss(&seed);
		for (size_t j = 0; j < m; j++)
			y[j] = gauss(&seed);
		count += stats_mann_whitney(x, n, y, m).p <= 0.05;
		interval = stats_shift_interval(x, n, y, m, 0.95);
		inside += interval.low <= 0 && 0 <= interval.high;
	}
	assert_share("unpaired", count, runs, 0.03, 0.07);
	assert_share("unpaired interval", inside, runs, 0.93, 0.97);
}

/* What whole runs end in. */
struct ends {
	size_t won, lower, higher, equivalent, inconclusive;
};

static void count_end(struct ends *ends, const struct record *rec)
{
	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *row = &rec->comparison[i];

		if (strcmp(row->metric, "cpu.total_seconds"))
			continue;
		ends->lower += !strcmp(row->verdict, "B_lower");
		ends->higher += !strcmp(row->verdict, "B_higher");
		ends->equivalent += !strcmp(row->verdict, "equivalent");
		ends->inconclusive += !strcmp(row->verdict, "inconclusive");
	}
	ends->won += rec->verdict.winner >= 0;
}

static struct ends run_whole(double ratio, size_t runs, uint64_t seed)
{
	struct record *rec = sample_record(ROUNDS, true);
	struct ends ends = {0};

	for (size_t i = 0; i < runs; i++) {
		double x[2 * ROUNDS];

		drift(&seed, x, 2 * ROUNDS);
		for (size_t j = 0; j < ROUNDS; j++) {
			bool b_first = stats_random_u64(&seed) >> 63;

			rec->rounds[2 * j].cpu.total_seconds = exp(x[2 * j + b_first]);
			rec->rounds[2 * j + 1].cpu.total_seconds = ratio * exp(x[2 * j + !b_first]);
		}
		assert_int_equal(
			record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
		count_end(&ends, rec);
	}
	record_free(rec);
	return ends;
}

static void test_whole_runs(void **state)
{
	size_t runs = 300;
	struct ends same = run_whole(1, runs, 12), slower = run_whole(1.1, runs, 13);
	struct ends close = run_whole(1.02, runs, 14);

	(void)state;
	/* A against itself: a winner would need more than the margin as well. */
	assert_share("A/A, winner", same.won, runs, 0, 0.01);
	assert_share("A/A, different", same.lower + same.higher, runs, 0, 0.01);
	assert_share("A/A, equivalent", same.equivalent, runs, 0.5, 1);
	assert_share("10 % slower, found", slower.won, runs, 0.99, 1);
	assert_share("10 % slower, higher", slower.higher, runs, 0.99, 1);
	/* Right at the margin it is neither, in 95 % of the runs. */
	assert_share("2 %, no conclusion", close.inconclusive, runs, 0.9, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_false_positives), cmocka_unit_test(test_power),
		cmocka_unit_test(test_detectable),      cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_blocks),          cmocka_unit_test(test_unpaired),
		cmocka_unit_test(test_whole_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
