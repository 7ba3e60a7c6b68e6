/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The four verdicts, by ratios and by differences; gates, winners, and the sentence of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/metric.h"
#include "sample_load.h"
#include "stats/paired.h"
#include "stats/stats.h"

/* Noise of a pair, as a share: in no order, mean about 0, none alike. */
static double noise(size_t i)
{
	static const double steps[] = {0.3, -0.8, 0.5, 1.0, -0.4, -0.9, 0.7, 0.1, -0.6, 0.2};

	return steps[i % 10] * (1 + 0.01 * (double)i);
}

/* Sets @metric of both sides: 2 s of A, and @ratio times that of B, give or take @spread. */
static struct record *with_cpu(size_t pairs, double ratio, double spread)
{
	struct record *rec = sample_record(pairs, true);

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		bool is_b = round->side == SIDE_B;

		round->cpu.total_seconds = 2 * (1 + 0.05 * (double)(i / 2)) *
					   (is_b ? ratio * (1 + spread * noise(i / 2)) : 1);
	}
	return rec;
}

static void compare(struct record *rec)
{
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
}

static const struct record_comparison *find(const struct record *rec, const char *metric)
{
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (!strcmp(rec->comparison[i].metric, metric))
			return &rec->comparison[i];
	fail_msg("%s is not compared", metric);
	return NULL;
}

static void assert_text(const struct record *rec, const char *wanted)
{
	assert_string_equal(rec->verdict.text, wanted);
}

/* A difference: all of the statistics are those of the pairs' ln(B/A). */
static void test_lower(void **state)
{
	struct record *rec = with_cpu(10, 0.42, 0.02);
	const struct record_comparison *cpu;
	struct stats_interval interval;
	double d[10];

	(void)state;
	compare(rec);
	for (size_t i = 0; i < 10; i++)
		d[i] = log(0.42 * (1 + 0.02 * noise(i)));
	interval = stats_signed_rank_interval(d, 10, 0.95);
	cpu = find(rec, "cpu.total_seconds");
	assert_true(fabs(cpu->ratio - exp(stats_hodges_lehmann(d, 10))) < 1e-12);
	assert_true(fabs(cpu->ci_low - exp(interval.low)) < 1e-12);
	assert_true(fabs(cpu->ci_high - exp(interval.high)) < 1e-12);
	assert_true(fabs(cpu->mde - expm1(stats_detectable(d, 10))) < 1e-12);
	assert_true(cpu->p == 0x1p-9);
	/* CPU time, memory and delivery have gates; the other two have p = 1. */
	assert_true(cpu->p_adjusted == 3 * 0x1p-9);
	assert_true(cpu->difference_low < cpu->difference &&
		    cpu->difference < cpu->difference_high);
	assert_true(cpu->difference_high < 0);
	assert_int_equal(cpu->pairs_needed, RECORD_NONE);
	assert_int_equal(cpu->outliers, 0);
	assert_string_equal(cpu->verdict, "B_lower");
	assert_int_equal(rec->verdict.winner, SIDE_B);
	assert_text(rec, "curl used 0.42x the CPU time of kubectl for the same 140,000 lines (95 % "
			 "interval 0.416\xe2\x80\x93"
			 "0.424, 10 pairs)");
	record_free(rec);
}

static void test_higher(void **state)
{
	struct record *rec = with_cpu(10, 2.4, 0.05);

	(void)state;
	compare(rec);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "B_higher");
	assert_int_equal(rec->verdict.winner, SIDE_A);
	assert_text(rec, "curl used 2.40x the CPU time of kubectl for the same 140,000 lines (95 % "
			 "interval 2.34\xe2\x80\x93"
			 "2.46, 10 pairs)");
	record_free(rec);
}

static void test_equivalent(void **state)
{
	struct record *rec = with_cpu(10, 1.004, 0.01);

	(void)state;
	compare(rec);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "equivalent");
	assert_int_equal(rec->verdict.winner, -1);
	assert_true(rec->verdict.valid);
	assert_text(rec, "curl used the same CPU time as kubectl within 2 % for the same 140,000 "
			 "lines (1.004x, 95 % interval 0.999\xe2\x80\x93"
			 "1.009, 10 pairs)");
	record_free(rec);
	/* Even where it is a difference by p: it is smaller than what matters. */
	rec = with_cpu(10, 1.01, 0.005);
	compare(rec);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "equivalent");
	assert_true(find(rec, "cpu.total_seconds")->p < 0.01);
	assert_int_equal(rec->verdict.winner, -1);
	record_free(rec);
	/* By a narrower margin it is one. */
	rec = with_cpu(10, 1.01, 0.005);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .margin = 0.001}),
			 0);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "B_higher");
	assert_true(rec->statistics.margin == 0.001);
	record_free(rec);
}

static void test_inconclusive(void **state)
{
	struct record *rec = with_cpu(10, 1.04, 0.06);
	const struct record_comparison *cpu;

	(void)state;
	compare(rec);
	cpu = find(rec, "cpu.total_seconds");
	assert_string_equal(cpu->verdict, "inconclusive");
	assert_int_equal(rec->verdict.winner, -1);
	assert_in_range(cpu->pairs_needed, 11, 100);
	assert_text(rec, "no conclusion: curl used 1.04x the CPU time of kubectl for the same "
			 "140,000 lines (95 % interval 1.01\xe2\x80\x93"
			 "1.07, 10 pairs); about 9 more pairs would settle it");
	record_free(rec);
	/* Right at a limit no number of pairs is known to do. */
	rec = with_cpu(10, 1.0198, 0.06);
	compare(rec);
	assert_true(find(rec, "cpu.total_seconds")->pairs_needed > 1000);
	assert_non_null(strstr(rec->verdict.text, "; not even 1,000 more pairs would settle it"));
	record_free(rec);
}

/* As many as are said to be needed do settle it. */
static void test_pairs_needed(void **state)
{
	struct record *rec = with_cpu(10, 1.04, 0.06);
	size_t needed;

	(void)state;
	compare(rec);
	needed = (size_t)find(rec, "cpu.total_seconds")->pairs_needed;
	record_free(rec);
	rec = with_cpu(needed + needed / 4, 1.04, 0.06);
	compare(rec);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "B_higher");
	record_free(rec);
}

/* Below six pairs nothing is said, however large it is, and however alike. */
static void test_too_few(void **state)
{
	struct record *rec = with_cpu(5, 10, 0.001);

	(void)state;
	compare(rec);
	for (size_t i = 0; i < rec->n_comparison; i++) {
		assert_string_equal(rec->comparison[i].verdict, "inconclusive");
		assert_true(isnan(rec->comparison[i].ci_low));
		assert_int_equal(rec->comparison[i].pairs_needed, 6);
	}
	assert_int_equal(rec->verdict.winner, -1);
	assert_text(rec, "no conclusion: curl used 10.0x the CPU time of kubectl for the same "
			 "140,000 lines (5 pairs); 5 pairs are too few for an interval, which "
			 "takes 6");
	record_free(rec);
}

/* Six pairs have an interval, and no p that holds for three metrics. */
static void test_correction(void **state)
{
	static const char *const gates[] = {"cpu.total_seconds"};
	struct record *rec = with_cpu(6, 0.5, 0.01);

	(void)state;
	compare(rec);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "B_lower");
	assert_true(find(rec, "cpu.total_seconds")->p_adjusted == 3 * 0x1p-5);
	assert_int_equal(rec->verdict.winner, -1);
	assert_text(rec, "curl used 0.50x the CPU time of kubectl for the same 140,000 lines (95 % "
			 "interval 0.495\xe2\x80\x93"
			 "0.505, 6 pairs); corrected for 3 metrics p is 0.094, so no winner is "
			 "named: that takes 7 pairs or more");
	/* One gate alone needs no correction. */
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .gates = gates,
								       .n_gates = 1}),
			 0);
	assert_true(find(rec, "cpu.total_seconds")->p_adjusted == 0x1p-5);
	assert_true(find(rec, "memory.rss_peak_bytes")->exploratory);
	assert_true(isnan(find(rec, "memory.rss_peak_bytes")->p_adjusted));
	assert_int_equal(rec->verdict.winner, SIDE_B);
	record_free(rec);
}

static void test_gates(void **state)
{
	static const char *const gates[] = {"nothing.of_this_name", "work.lines",
					    "cpu.total_seconds"};
	struct record *rec = with_cpu(10, 0.5, 0.01);

	(void)state;
	compare(rec);
	assert_string_equal(rec->statistics.primary, "cpu.total_seconds");
	assert_string_equal(rec->statistics.stopping, "rounds");
	assert_true(isnan(rec->statistics.until_width));
	assert_true(rec->statistics.margin == 0.02 && rec->statistics.confidence == 0.95);
	assert_false(find(rec, "latency.delivery.p99_seconds")->exploratory);
	assert_true(find(rec, "latency.delivery.p95_seconds")->exploratory);
	/* The first that there is becomes the primary one; here it is the same on both sides. */
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .gates = gates,
								       .n_gates = 3}),
			 0);
	assert_string_equal(rec->statistics.primary, "work.lines");
	assert_int_equal(rec->verdict.winner, -1);
	assert_text(rec, "lines delivered of curl and of kubectl: the same within 2 % for the "
			 "same 140,000 lines (1.000x, 95 % interval 1.000\xe2\x80\x93"
			 "1.000, 10 pairs); but it used 0.50x the CPU time");
	record_free(rec);
}

/* Zeros have no ratio: the difference is held against the margin of the larger side. */
static void test_differences(void **state)
{
	struct record *rec = with_cpu(10, 1, 0.01);
	const struct record_comparison *faults;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		bool is_b = round->side == SIDE_B;
		int64_t pair = round->pair;

		round->memory.major_faults = is_b ? 40 + pair : pair % 2;        /* more */
		round->network.retransmits = 0;                                  /* none at all */
		round->cpu.migrations = pair ? 1000 + (is_b ? pair % 3 : 0) : 0; /* alike */
		round->memory.rss_shmem_peak_bytes = is_b ? pair * 100 : 450;
	}
	compare(rec);
	faults = find(rec, "memory.major_faults");
	assert_true(isnan(faults->ratio) && isnan(faults->ci_low) && isnan(faults->ci_high));
	assert_string_equal(faults->verdict, "B_higher");
	assert_true(faults->difference > 40 && faults->difference_low > 35);
	assert_true(faults->p < 0.01 && faults->mde > 0 && faults->mde < 1);
	assert_string_equal(find(rec, "network.retransmits")->verdict, "equivalent");
	assert_true(find(rec, "network.retransmits")->p == 1);
	assert_true(find(rec, "network.retransmits")->difference_high == 0);
	assert_string_equal(find(rec, "cpu.migrations")->verdict, "equivalent");
	assert_string_equal(find(rec, "memory.rss_shmem_peak_bytes")->verdict, "inconclusive");
	record_free(rec);
}

/* A pair in which one side does not know the metric is none; the others still are. */
static void test_unknown(void **state)
{
	struct record *rec = with_cpu(10, 0.5, 0.01);

	(void)state;
	rec->rounds[4].cpu.total_seconds = NAN;
	rec->rounds[9].cpu.total_seconds = NAN;
	compare(rec);
	assert_int_equal(find(rec, "cpu.total_seconds")->n, 8);
	assert_string_equal(find(rec, "cpu.total_seconds")->verdict, "B_lower");
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].side == SIDE_B)
			rec->rounds[i].cpu.total_seconds = NAN;
	compare(rec);
	assert_int_equal(find(rec, "cpu.total_seconds")->n, 0);
	assert_null(find(rec, "cpu.total_seconds")->verdict);
	assert_int_equal(rec->verdict.winner, -1);
	assert_text(rec, "no conclusion: in no pair was the CPU time of both sides measured");
	record_free(rec);
}

/* Far out, flagged, and in the estimate all the same. */
static void test_outliers(void **state)
{
	struct record *rec = with_cpu(10, 0.5, 0.01);

	(void)state;
	rec->rounds[7].cpu.total_seconds = 300;
	compare(rec);
	assert_int_equal(find(rec, "cpu.total_seconds")->outliers, 1);
	assert_int_equal(find(rec, "cpu.total_seconds")->n, 10);
	assert_true(find(rec, "cpu.total_seconds")->b_max == 300);
	record_free(rec);
}

/* Unequal work has no winner, and no row claims one. */
static void test_invalid(void **state)
{
	struct record *rec = with_cpu(10, 0.5, 0.01);

	(void)state;
	rec->rounds[3].work.lost = 1204;
	compare(rec);
	assert_false(rec->verdict.valid);
	assert_int_equal(rec->verdict.winner, -1);
	for (size_t i = 0; i < rec->n_comparison; i++)
		assert_null(rec->comparison[i].verdict);
	/* What was measured is there all the same. */
	assert_true(find(rec, "cpu.total_seconds")->ci_high < 0.6);
	record_free(rec);
}

/* Commands: how long they took; what the faster one has to pay is told with it. */
static void test_commands(void **state)
{
	struct record *rec = sample_commands(10);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		round->window_seconds = round->side == SIDE_B ? 0.2 * (1 + 0.1 * noise(i / 2)) : 1;
		round->memory.rss_peak_bytes = round->side == SIDE_B ? 64 << 20 : 32 << 20;
	}
	compare(rec);
	assert_string_equal(rec->statistics.primary, "window_seconds");
	assert_int_equal(rec->verdict.winner, SIDE_B);
	assert_text(rec, "curl took 0.20x the time of kubectl (95 % interval 0.189\xe2\x80\x93"
			 "0.210, 10 pairs); but it had 2.00x the peak resident set");
	record_free(rec);
}

/* Where the primary one is the same, or open, what else differs is told all the same: the largest
 * first, and what has no ratio before all. */
static void test_prices(void **state)
{
	static const char *const gates[] = {"window_seconds", "cpu.total_seconds",
					    "memory.rss_peak_bytes", "memory.major_faults"};
	const struct compare_options options = {.work_bound = 0.001, .gates = gates, .n_gates = 4};
	struct record *rec = sample_commands(10);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		bool is_b = round->side == SIDE_B;

		round->window_seconds = 1;
		round->cpu.total_seconds = is_b ? 8 : 1;
		round->memory.rss_peak_bytes = is_b ? 64 << 20 : 32 << 20;
		round->memory.major_faults = is_b ? 12 : 0;
	}
	assert_int_equal(record_compare(rec, &options), 0);
	assert_int_equal(rec->verdict.winner, -1);
	assert_text(rec, "curl took the same time as kubectl within 2 % (1.000x, 95 % interval "
			 "1.000\xe2\x80\x93"
			 "1.000, 10 pairs); but it had 12 more major faults, used 8.00x the CPU "
			 "time and had 2.00x the peak resident set");
	/* Of a winner only what it loses, with a ratio or without. */
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].side == SIDE_B) {
			rec->rounds[i].window_seconds = 0.5;
			rec->rounds[i].cpu.total_seconds = 0.25;
			rec->rounds[i].memory.rss_peak_bytes = 32 << 20;
		}
	assert_int_equal(record_compare(rec, &options), 0);
	assert_int_equal(rec->verdict.winner, SIDE_B);
	assert_non_null(strstr(rec->verdict.text, "10 pairs); but it had 12 more major faults"));
	assert_null(strstr(rec->verdict.text, "CPU time"));
	record_free(rec);
}

/* How many were timed has no better end, nor has the CPU use of commands that ran to theirs. */
static void test_direction(void **state)
{
	static const char *const gates[] = {"latency.run_queue.count", "cpu.total_seconds"};
	struct record *commands = sample_commands(6), *rec = with_cpu(10, 0.5, 0.01);

	(void)state;
	assert_true(compare_has_direction(commands, "cpu.total_seconds"));
	assert_false(compare_has_direction(commands, "cpu.utilization_avg"));
	assert_true(compare_has_direction(rec, "cpu.utilization_avg"));
	assert_false(compare_has_direction(rec, "latency.run_queue.count"));
	assert_false(compare_has_direction(rec, "score.composite"));
	assert_false(compare_has_direction(rec, "side_metrics.lag"));
	assert_false(metric_is_neutral("work.lines") || metric_is_neutral("latency.count") ||
		     metric_is_neutral(NULL));
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .gates = gates,
								       .n_gates = 2}),
			 0);
	assert_string_equal(rec->statistics.primary, "cpu.total_seconds");
	record_free(commands);
	record_free(rec);
}

/* What a scenario reads elsewhere has no better end. */
static void test_side_metric(void **state)
{
	static const char *const gates[] = {"side_metrics.lag"};
	struct record *rec = with_cpu(10, 0.5, 0.01);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		record_add_side_metric(&rec->rounds[i], "lag",
				       rec->rounds[i].side == SIDE_B ? -1 : 5);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .gates = gates,
								       .n_gates = 1}),
			 0);
	assert_string_equal(find(rec, "side_metrics.lag")->verdict, "B_lower");
	assert_false(find(rec, "side_metrics.lag")->exploratory);
	assert_int_equal(rec->verdict.winner, -1);
	assert_text(rec, "curl had 6 less side_metrics.lag than kubectl for the same 140,000 lines "
			 "(95 % interval -6 to -6, 10 pairs)");
	record_free(rec);
}

/* An open loop is the same work, a closed one is not. */
static void test_loads(void **state)
{
	struct record *rec = sample_loaded(10, true);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].cpu.total_seconds = rec->rounds[i].side == SIDE_B ? 1 : 2;
	compare(rec);
	assert_non_null(strstr(rec->verdict.text, "curl used 0.50x the CPU time of kubectl for the "
						  "same 20,006 requests (95 % interval "));
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].work.is_fixed = false;
	compare(rec);
	assert_non_null(strstr(rec->verdict.text,
			       "curl used 0.50x the CPU time per operation of kubectl (95 % "
			       "interval "));
	assert_non_null(strstr(rec->verdict.text, "; closed loop, at 1.000x the operations"));
	record_free(rec);
}

static void test_one_side(void **state)
{
	struct record *rec = sample_record(10, false);

	(void)state;
	compare(rec);
	assert_null(rec->statistics.primary);
	for (size_t i = 0; i < rec->n_comparison; i++) {
		assert_null(rec->comparison[i].verdict);
		assert_true(isnan(rec->comparison[i].p) && isnan(rec->comparison[i].ratio));
	}
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lower),        cmocka_unit_test(test_higher),
		cmocka_unit_test(test_equivalent),   cmocka_unit_test(test_inconclusive),
		cmocka_unit_test(test_pairs_needed), cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_correction),   cmocka_unit_test(test_gates),
		cmocka_unit_test(test_differences),  cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_outliers),     cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_commands),     cmocka_unit_test(test_prices),
		cmocka_unit_test(test_direction),    cmocka_unit_test(test_side_metric),
		cmocka_unit_test(test_loads),        cmocka_unit_test(test_one_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
