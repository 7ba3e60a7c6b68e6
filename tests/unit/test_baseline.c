/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "record/baseline.h"
#include "sample_record.h"
#include "stats/stats.h"

static const char *const cpu_gate[] = {"cpu.total_seconds"};
static const struct baseline_options cpu_only = {.n_gates = 1, .gates = cpu_gate};

/* One side, @rounds rounds of @cpu seconds with @noise, drawn from @state. */
static struct record *make(size_t rounds, double cpu, double noise, uint64_t *state)
{
	struct record *rec = sample_record(rounds, false);

	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].cpu.total_seconds =
			cpu *
			(1 + noise * ((double)(stats_random_u64(state) >> 11) / (1ULL << 52) - 1));
	rec->verdict.valid = true;
	return rec;
}

static const struct record_regression *row_of(const struct record *rec, enum side side,
					      const char *metric)
{
	for (size_t i = 0; i < rec->baseline.n_rows; i++)
		if (rec->baseline.rows[i].side == side &&
		    !strcmp(rec->baseline.rows[i].metric, metric))
			return &rec->baseline.rows[i];
	return NULL;
}

static const char *severity_at(double factor, const struct baseline_options *options)
{
	uint64_t state = 3;
	struct record *base = make(6, 1, 0.01, &state), *rec = make(6, factor, 0.01, &state);
	static char severity[32];
	const struct record_regression *row;

	assert_int_equal(record_baseline(rec, base, "base", options), 0);
	row = row_of(rec, SIDE_A, "cpu.total_seconds");
	snprintf(severity, sizeof(severity), "%s", row->severity ? row->severity : row->verdict);
	assert_int_equal(record_has_regressed(rec), row->severity != NULL);
	record_free(base);
	record_free(rec);
	return severity;
}

static void test_severities(void **context)
{
	struct baseline_rule rules[2];
	struct baseline_options options = {
		.n_gates = 1, .gates = cpu_gate, .n_rules = 1, .rules = rules};
	struct error err;

	(void)context;
	assert_string_equal(severity_at(1.0, &cpu_only), "unchanged");
	assert_string_equal(severity_at(1.07, &cpu_only), "unchanged");
	assert_string_equal(severity_at(1.2, &cpu_only), "minor");
	assert_string_equal(severity_at(1.6, &cpu_only), "major");
	assert_string_equal(severity_at(2.2, &cpu_only), "critical");
	assert_string_equal(severity_at(0.8, &cpu_only), "improved");
	assert_int_equal(baseline_rule_severity(&rules[0], "5%,10%,25%", &err), 0);
	assert_string_equal(severity_at(1.07, &options), "minor");
	assert_string_equal(severity_at(1.2, &options), "major");
	assert_string_equal(severity_at(1.3, &options), "critical");
	/* What names the metric counts more, wherever it stands. */
	assert_int_equal(baseline_rule_threshold(&rules[0], "cpu.total_seconds=30%", &err), 0);
	assert_int_equal(baseline_rule_threshold(&rules[1], "5%", &err), 0);
	options.n_rules = 2;
	assert_string_equal(severity_at(1.2, &options), "unchanged");
	assert_string_equal(severity_at(1.4, &options), "minor");
}

static void test_rules(void **context)
{
	static const char *const wrong_thresholds[] = {"",
						       "10",
						       "%",
						       "-5%",
						       "x%",
						       "5%%",
						       "cpu.total_second=5%",
						       "cpu.total_seconds=",
						       "=5%",
						       "nan",
						       "inf",
						       "0x1p3",
						       "5 %"};
	static const char *const wrong_severities[] = {
		"10%",      "10%,20%",      "10%,20%,30%,40%",    "30%,20%,10%",
		"10%,,30%", "10%,20%,30%,", "memory.rss=1%,2%,3%"};
	struct baseline_rule rule;
	struct error err;

	(void)context;
	for (size_t i = 0; i < sizeof(wrong_thresholds) / sizeof(wrong_thresholds[0]); i++) {
		assert_int_equal(baseline_rule_threshold(&rule, wrong_thresholds[i], &err), -1);
		assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	}
	for (size_t i = 0; i < sizeof(wrong_severities) / sizeof(wrong_severities[0]); i++)
		assert_int_equal(baseline_rule_severity(&rule, wrong_severities[i], &err), -1);
	assert_int_equal(baseline_rule_threshold(&rule, "0.05", &err), 0);
	assert_true(rule.minor == 0.05 && isnan(rule.major) && !*rule.metric);
	assert_int_equal(baseline_rule_severity(&rule, "memory.rss_peak_bytes=20%,40%,200%", &err),
			 0);
	assert_string_equal(rule.metric, "memory.rss_peak_bytes");
	assert_true(rule.minor == 0.2 && rule.major == 0.4 && rule.critical == 2);
	assert_int_equal(baseline_check_metric("score.composite", &err), 0);
	assert_int_equal(baseline_check_gate("cpu.total_seconds", &err), 0);
	assert_int_equal(baseline_check_gate("score.composite", &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_int_equal(baseline_check_gate("latency.run_queue.count", &err), -1);
	assert_non_null(strstr(err.text, "e.g. latency.run_queue.p99_seconds"));
	assert_int_equal(baseline_check_gate("cpu.total_second", &err), -1);
	assert_int_equal(baseline_check_metric("cpu.total_second", &err), -1);
	assert_non_null(strstr(err.text, "did you mean 'cpu.total_seconds'"));
}

/* Against an independent computation: scipy.stats.mannwhitneyu(method='exact'), median of ratios.
 */
static void test_numbers(void **context)
{
	static const double old[] = {1.00, 1.02, 0.98, 1.01, 0.99};
	static const double now[] = {1.31, 1.29, 1.33, 1.30, 1.27};
	uint64_t state = 1;
	struct record *base = make(5, 1, 0, &state), *rec = make(5, 1, 0, &state);
	const struct record_regression *row;

	(void)context;
	for (size_t i = 0; i < 5; i++) {
		base->rounds[i].cpu.total_seconds = old[i];
		rec->rounds[i].cpu.total_seconds = now[i];
	}
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	row = row_of(rec, SIDE_A, "cpu.total_seconds");
	assert_true(fabs(row->p - 2.0 / 252) < 1e-12);
	assert_true(fabs(row->p_adjusted - row->p) < 1e-12);
	assert_true(row->effect == 1);
	assert_true(fabs(row->ratio - 1.3) < 0.005);
	assert_true(row->ci_low > 1.24 && row->ci_high < 1.36 && row->ci_low < row->ratio);
	assert_true(row->base_median == 1.00 && row->new_median == 1.30);
	assert_true(row->n_base == 5 && row->n_new == 5 && row->gate);
	assert_string_equal(row->verdict, "regressed");
	assert_non_null(strstr(row->text, "a minor regression"));
	assert_string_equal(rec->baseline.started_at, "2025-01-01T12:00:00.000Z");
	/* No gate is on what else there is, however it has changed. */
	row = row_of(rec, SIDE_A, "memory.rss_peak_bytes");
	assert_false(row->gate);
	assert_true(isnan(row->p_adjusted));
	record_free(base);
	record_free(rec);
}

/* Four and four rounds: p is 2/70 at best, which Holm's correction of two gates takes away. */
/* More that was timed is no better and no worse; nor is a CPU kept busier by a command that ends.
 */
static void test_no_better_end(void **context)
{
	uint64_t state = 3;
	struct record *base = make(6, 1, 0.01, &state), *rec = make(6, 1, 0.01, &state);
	const struct record_regression *row;

	(void)context;
	free(rec->scenario.driver);
	rec->scenario.driver = NULL;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		rec->rounds[i].exit_code = 0;
		rec->rounds[i].cpu.utilization_avg = 3 * base->rounds[i].cpu.utilization_avg;
		for (size_t j = 0; j < rec->rounds[i].n_latency; j++)
			rec->rounds[i].latency[j].count *= 2;
	}
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	row = row_of(rec, SIDE_A, "cpu.utilization_avg");
	assert_string_equal(row->verdict, "unknown");
	assert_true(fabs(row->ratio - 3) < 1e-9 && row->p < 0.05 && !row->severity);
	assert_non_null(strstr(row->text, ": not judged, as it has no better end (p "));
	row = row_of(rec, SIDE_A, "latency.delivery.count");
	assert_string_equal(row->verdict, "unknown");
	/* Until somebody says that it has. */
	assert_int_equal(
		record_baseline(rec, base, "base",
				&(struct baseline_options){
					.n_gates = 1,
					.gates = (const char *const[]){"cpu.utilization_avg"}}),
		0);
	assert_string_equal(row_of(rec, SIDE_A, "cpu.utilization_avg")->verdict, "regressed");
	record_free(base);
	record_free(rec);
}

static void test_few_rounds(void **context)
{
	static const char *const two[] = {"cpu.total_seconds", "memory.rss_peak_bytes"};
	const struct baseline_options both = {.n_gates = 2, .gates = two};
	uint64_t state = 1;
	struct record *base = make(4, 1, 0.01, &state), *rec = make(4, 2, 0.01, &state);
	struct record *three = make(3, 1, 0.01, &state);
	const struct record_regression *row;

	(void)context;
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	assert_true(record_has_regressed(rec));
	assert_false(record_baseline_is_open(rec));
	assert_int_equal(record_baseline(rec, base, "base", &both), 0);
	row = row_of(rec, SIDE_A, "cpu.total_seconds");
	assert_string_equal(row->verdict, "inconclusive");
	assert_null(row->severity);
	assert_non_null(strstr(row->text, "too few for 2 metrics at once"));
	assert_false(record_has_regressed(rec));
	assert_true(record_baseline_is_open(rec));
	assert_int_equal(record_baseline(rec, three, "base", &cpu_only), 0);
	row = row_of(rec, SIDE_A, "cpu.total_seconds");
	assert_string_equal(row->verdict, "unknown");
	assert_non_null(strstr(row->text, "4 of each are needed"));
	assert_true(record_baseline_is_open(rec));
	record_free(base);
	record_free(rec);
	record_free(three);
}

/* Throughput: lower is worse, and half of it is worse by 100 %. */
static void test_higher_is_better(void **context)
{
	static const char *const gate[] = {"work.lines"};
	const struct baseline_options options = {.n_gates = 1, .gates = gate};
	uint64_t state = 1;
	struct record *base = make(6, 1, 0, &state), *rec = make(6, 1, 0, &state);
	const struct record_regression *row;

	(void)context;
	for (size_t i = 0; i < 6; i++) {
		base->rounds[i].work.lines = 10000 + (int64_t)i;
		rec->rounds[i].work.lines = 4900 + (int64_t)i;
	}
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	row = row_of(rec, SIDE_A, "work.lines");
	assert_string_equal(row->verdict, "regressed");
	assert_string_equal(row->severity, "critical");
	assert_int_equal(record_baseline(base, rec, "base", &options), 0);
	assert_string_equal(row_of(base, SIDE_A, "work.lines")->verdict, "improved");
	record_free(base);
	record_free(rec);
}

/* Where there is no ratio: nothing, something, and nothing on both sides. */
static void test_zeros(void **context)
{
	static const char *const gate[] = {"memory.major_faults"};
	const struct baseline_options options = {.n_gates = 1, .gates = gate};
	uint64_t state = 1;
	struct record *base = make(6, 1, 0, &state), *rec = make(6, 1, 0, &state);
	const struct record_regression *row;

	(void)context;
	for (size_t i = 0; i < 6; i++) {
		base->rounds[i].memory.major_faults = 0;
		rec->rounds[i].memory.major_faults = 5 + (int64_t)i;
	}
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	row = row_of(rec, SIDE_A, "memory.major_faults");
	assert_true(isnan(row->ratio) && isnan(row->ci_low));
	assert_string_equal(row->verdict, "regressed");
	assert_string_equal(row->severity, "critical");
	assert_non_null(strstr(row->text, "no ratio"));
	assert_int_equal(record_baseline(base, rec, "base", &options), 0);
	assert_string_equal(row_of(base, SIDE_A, "memory.major_faults")->verdict, "improved");
	for (size_t i = 0; i < 6; i++)
		rec->rounds[i].memory.major_faults = 0;
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	assert_string_equal(row_of(rec, SIDE_A, "memory.major_faults")->verdict, "unchanged");
	record_free(base);
	record_free(rec);
}

static void test_differences(void **context)
{
	uint64_t state = 1;
	struct record *base = make(6, 1, 0.01, &state), *rec = make(6, 2, 0.01, &state);
	struct baseline_options options = cpu_only;

	(void)context;
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	assert_int_equal(rec->baseline.n_differences, 0);
	assert_true(rec->baseline.comparable && record_has_regressed(rec));
	/* A version is what one wants to compare. */
	free(rec->targets[0].version);
	rec->targets[0].version = strdup("1.3.0");
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	assert_int_equal(rec->baseline.n_differences, 1);
	assert_string_equal(rec->baseline.differences[0],
			    "version of 'kubectl': 1.2.3 in the earlier run, 1.3.0 now");
	assert_true(rec->baseline.comparable);
	free(rec->host.kernel);
	rec->host.kernel = strdup("6.19.0");
	rec->host.cpus = 4;
	rec->host.memory_bytes = 16LL << 30;
	rec->scenario.phases[0].rate = 20000;
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	assert_int_equal(rec->baseline.n_differences, 5);
	assert_string_equal(rec->baseline.differences[0],
			    "kernel: '6.18.0' in the earlier run, '6.19.0' now");
	assert_string_equal(rec->baseline.differences[1], "CPUs: 2 in the earlier run, 4 now");
	assert_string_equal(rec->baseline.differences[3],
			    "phase 1: 'main', 10.0 s at 14000/s, in the earlier run, 'main', "
			    "10.0 s at 20000/s, now");
	assert_false(rec->baseline.comparable || record_has_regressed(rec));
	assert_true(record_baseline_is_open(rec));
	options.accept_differences = true;
	assert_int_equal(record_baseline(rec, base, "base", &options), 0);
	assert_int_equal(rec->baseline.n_differences, 5);
	assert_true(rec->baseline.comparable && record_has_regressed(rec));
	record_free(base);
	record_free(rec);
}

static void rename_target(struct record *rec, size_t i, const char *name)
{
	free(rec->targets[i].name);
	rec->targets[i].name = strdup(name);
}

static void test_sides(void **context)
{
	struct record *two = sample_record(2, true), *one = sample_record(2, false);
	struct record *turned = sample_record(2, true);
	struct error err;

	(void)context;
	assert_int_equal(baseline_side_of(one, SIDE_A, two), SIDE_A);
	assert_int_equal(baseline_side_of(two, SIDE_A, one), SIDE_A);
	assert_int_equal(baseline_side_of(two, SIDE_B, one), -1);
	assert_int_equal(baseline_side_of(one, SIDE_B, one), -1);
	rename_target(turned, 0, "curl");
	rename_target(turned, 1, "kubectl");
	assert_int_equal(baseline_side_of(turned, SIDE_A, two), SIDE_B);
	assert_int_equal(baseline_side_of(turned, SIDE_B, two), SIDE_A);
	/* A target against itself. */
	rename_target(turned, 0, "kubectl");
	assert_int_equal(baseline_side_of(turned, SIDE_A, two), SIDE_A);
	assert_int_equal(baseline_side_of(turned, SIDE_B, two), -1);
	/* The only ones of two runs are compared whatever they are called. */
	rename_target(one, 0, "kubectl-new");
	assert_int_equal(baseline_side_of(one, SIDE_A, two), -1);
	assert_int_equal(baseline_check(one, two, NULL, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	two->n_targets = 1;
	assert_int_equal(baseline_side_of(one, SIDE_A, two), SIDE_A);
	assert_int_equal(baseline_check(one, two, NULL, &err), 0);
	two->n_targets = 2;
	record_free(two);
	record_free(one);
	record_free(turned);
}

static void test_a_gate_that_guards_nothing(void **context)
{
	static const char *const gate[] = {"work.operations_per_second"};
	const struct baseline_options options = {.n_gates = 1, .gates = gate};
	struct record *rec = sample_record(4, false);
	struct error err;

	(void)context;
	assert_int_equal(baseline_check(rec, rec, &cpu_only, &err), 0);
	assert_int_equal(baseline_check(rec, rec, &options, &err), -1);
	assert_non_null(strstr(err.text, "work.operations_per_second"));
	record_free(rec);
}

/* A command that fails early is no faster one. */
static void test_unequal_ends(void **context)
{
	struct record *base = sample_commands(5), *rec = sample_commands(5);

	(void)context;
	base->verdict.valid = rec->verdict.valid = true;
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	assert_null(record_unfit(rec));
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].exit_code = 1;
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	assert_string_equal(
		record_unfit(rec),
		"ended with exit code 1, in the earlier run with exit code 0: unequal work");
	assert_false(rec->verdict.valid);
	assert_int_equal(rec->verdict.winner, -1);
	record_free(base);
	record_free(rec);
}

static void test_measured_otherwise(void **context)
{
	uint64_t state = 1;
	struct record *base = make(6, 1, 0.01, &state), *rec = make(6, 2, 0.01, &state);

	(void)context;
	rec->complete = true;
	base->complete = false;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].has_io = !base->rounds[i].has_io;
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	assert_int_equal(rec->baseline.n_differences, 2);
	assert_non_null(strstr(rec->baseline.differences[0], "the earlier run did not come to"));
	assert_non_null(strstr(rec->baseline.differences[1], "storage (--without): "));
	assert_false(record_has_regressed(rec)); /* what was cut short is no measure */
	base->complete = true;
	assert_int_equal(record_baseline(rec, base, "base", &cpu_only), 0);
	assert_true(record_has_regressed(rec)); /* what was left out is named only */
	record_free(base);
	record_free(rec);
}

static void test_unfit(void **context)
{
	struct record *rec = sample_record(0, false);

	(void)context;
	assert_string_equal(record_unfit(rec), "no round was recorded");
	record_free(rec);
	rec = sample_record(2, false);
	assert_string_equal(record_unfit(rec), "it was never judged");
	rec->verdict.valid = true;
	assert_null(record_unfit(rec));
	record_invalid(&rec->rounds[1], "lines lost");
	assert_string_equal(record_unfit(rec), "lines lost");
	record_free(rec);
}

/* What is written is read back, and what is heavy can go. */
static void test_record(void **context)
{
	uint64_t state = 1;
	struct record *base = make(6, 1, 0.01, &state), *rec = make(6, 2, 0.01, &state), *back;
	struct error err;
	char *text;

	(void)context;
	assert_int_equal(record_baseline(rec, base, "results/main", &cpu_only), 0);
	record_slim(rec);
	assert_int_equal(rec->rounds[0].n_processes, 0);
	assert_null(rec->rounds[0].series.rss_bytes);
	assert_true(rec->rounds[0].series.n == 0);
	text = record_to_json(rec);
	back = record_parse(text, strlen(text), "text", &err);
	assert_non_null(back);
	assert_true(record_has_regressed(back));
	assert_string_equal(back->baseline.path, "results/main");
	assert_string_equal(row_of(back, SIDE_A, "cpu.total_seconds")->severity, "major");
	free(text);
	record_free(back);
	record_free(base);
	record_free(rec);
}

/* Two runs of the same, 8 rounds each with 3 % of noise: at most 5 % may be accused of anything. */
static void test_same_is_not_accused(void **context)
{
	struct baseline_rule rule;
	const struct baseline_options options = {
		.n_gates = 1, .gates = cpu_gate, .n_rules = 1, .rules = &rule};
	struct error err;
	uint64_t state = 12;
	int accused = 0, strictly = 0, missed = 0;

	(void)context;
	assert_int_equal(baseline_rule_threshold(&rule, "0%", &err), 0);
	for (int i = 0; i < 400; i++) {
		struct record *base = make(8, 1, 0.05, &state), *rec = make(8, 1, 0.05, &state);
		struct record *slow = make(8, 1.2, 0.05, &state);

		record_baseline(rec, base, "base", &cpu_only);
		accused += record_has_regressed(rec);
		/* Without a threshold only chance is left, of which half is for the worse. */
		record_baseline(rec, base, "base", &options);
		strictly += record_has_regressed(rec);
		record_baseline(slow, base, "base", &cpu_only);
		missed += !record_has_regressed(slow);
		record_free(base);
		record_free(rec);
		record_free(slow);
	}
	print_message("of 400: accused %d, without a threshold %d, missed %d\n", accused, strictly,
		      missed);
	assert_int_equal(accused, 0);
	assert_true(strictly <= 400 * 5 / 100);
	assert_int_equal(missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_severities),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_no_better_end),
		cmocka_unit_test(test_few_rounds),
		cmocka_unit_test(test_higher_is_better),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_sides),
		cmocka_unit_test(test_a_gate_that_guards_nothing),
		cmocka_unit_test(test_unequal_ends),
		cmocka_unit_test(test_measured_otherwise),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_same_is_not_accused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
