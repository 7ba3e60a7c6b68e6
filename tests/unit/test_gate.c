/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Gates, the options that ask for them, and what a run ends in by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cmd/run_options.h"
#include "conduct/judge.h"
#include "record/gate.h"
#include "record/metric.h"
#include "sample_report.h"

#define CPU  "cpu.total_seconds"
#define PACE "work.operations_per_second"

/* A record whose comparison has been made by hand: CPU time and operations per second. */
static struct record *judged(const char *cpu, double cpu_p, const char *pace, double pace_p)
{
	struct record *rec = sample_record(1, true);
	struct record_comparison *rows;

	for (size_t i = 0; i < rec->n_comparison; i++) {
		free(rec->comparison[i].metric);
		free(rec->comparison[i].unit);
		free(rec->comparison[i].verdict);
	}
	free(rec->comparison);
	rec->comparison = rows = calloc(2, sizeof(*rows));
	rec->n_comparison = 2;
	for (size_t i = 0; i < 2; i++)
		rows[i] = (struct record_comparison){
			.metric = strdup(i ? PACE : CPU),
			.unit = strdup(i ? "" : "s"),
			.lower_is_better = !i,
			.ratio = 1.10,
			.ci_low = 1.09,
			.ci_high = 1.115,
			.p_adjusted = i ? pace_p : cpu_p,
			.difference = NAN,
			.difference_low = NAN,
			.difference_high = NAN,
			.n = 10,
			.pairs_needed = RECORD_NONE,
			.verdict = strdup(i ? pace : cpu),
		};
	rec->verdict.valid = true;
	rec->statistics.confidence = 0.95;
	free(rec->statistics.primary);
	rec->statistics.primary = strdup(CPU);
	return rec;
}

static void results(void **state)
{
	struct record *rec = judged("B_higher", 0.01, "B_lower", 0.01);

	(void)state;
	assert_int_equal(gate_judge(rec, CPU), GATE_WORSE);
	assert_int_equal(gate_judge(rec, PACE), GATE_WORSE);
	assert_int_equal(gate_judge(rec, "window_seconds"), GATE_NO_DATA);
	rec->comparison[0].n = 0;
	assert_int_equal(gate_judge(rec, CPU), GATE_NO_DATA);
	record_free(rec);
	rec = judged("B_lower", 0.01, "B_higher", 0.01);
	assert_int_equal(gate_judge(rec, CPU), GATE_PASSED);
	assert_int_equal(gate_judge(rec, PACE), GATE_PASSED);
	assert_true(gate_finds_difference(rec));
	rec->comparison[0].exploratory = rec->comparison[1].exploratory = true;
	assert_false(gate_finds_difference(rec));
	record_free(rec);
	/* What does not survive the correction for several gates is not known. */
	rec = judged("B_higher", 0.06, "equivalent", 0.5);
	assert_int_equal(gate_judge(rec, CPU), GATE_INCONCLUSIVE);
	assert_int_equal(gate_judge(rec, PACE), GATE_PASSED);
	assert_false(gate_finds_difference(rec));
	rec->comparison[0].p_adjusted = NAN;
	assert_int_equal(gate_judge(rec, CPU), GATE_INCONCLUSIVE);
	free(rec->comparison[0].verdict);
	rec->comparison[0].verdict = NULL;
	assert_int_equal(gate_judge(rec, CPU), GATE_INCONCLUSIVE);
	record_free(rec);
	assert_true(gate_fails(GATE_WORSE) && gate_fails(GATE_NO_DATA));
	assert_false(gate_fails(GATE_PASSED) || gate_fails(GATE_INCONCLUSIVE));
}

static void assert_text(const struct record *rec, const char *metric, const char *expected)
{
	char *text = gate_text(rec, metric);

	assert_string_equal(text, expected);
	free(text);
}

static void texts(void **state)
{
	struct record *rec = judged("B_higher", 0.01, "inconclusive", 0.4);

	(void)state;
	assert_text(rec, CPU,
		    CPU " of B is worse, 1.1x (95 % interval 1.09 to 1.115) of A's after 10 pairs");
	rec->comparison[1].pairs_needed = 34;
	assert_text(rec, PACE,
		    PACE " of B is inconclusive, 1.1x (95 % interval 1.09 to 1.115) of A's after "
			 "10 pairs; about 34 would settle it");
	assert_text(rec, "window_seconds",
		    "no pair of rounds tells window_seconds, so nothing guards it");
	rec->comparison[1].pairs_needed = 35075;
	assert_text(rec, PACE,
		    PACE " of B is inconclusive, 1.1x (95 % interval 1.09 to 1.115) of A's after "
			 "10 pairs; not even 1,000 more would settle it");
	/* What the correction for several gates takes is told. */
	rec->comparison[0].p_adjusted = 0.0625;
	rec->comparison[0].n = 6;
	assert_text(rec, CPU,
		    CPU " of B is inconclusive, 1.1x (95 % interval 1.09 to 1.115) of A's after 6 "
			"pairs; p after Holm, over 2 metrics, is 0.062: less than 0.05 takes 7 "
			"pairs or more");
	rec->comparison[0].p_adjusted = 0.01;
	rec->comparison[0].n = 10;
	rec->comparison[0].ratio = NAN;
	rec->comparison[0].difference = 0.02;
	rec->comparison[0].difference_low = 0.01;
	rec->comparison[0].difference_high = 0.03;
	assert_text(rec, CPU,
		    CPU " of B is worse, 20.0 ms more (95 % interval 10.0 ms to 30.0 ms) than A's "
			"after 10 pairs");
	rec->comparison[1].ci_low = NAN;
	rec->comparison[1].n = 1;
	rec->comparison[1].pairs_needed = RECORD_NONE;
	assert_text(rec, PACE,
		    PACE " of B is inconclusive, 1.1x (no interval yet) of A's after 1 pair; it "
			 "takes 6 pairs at least");
	record_free(rec);
}

static int code(struct conduct_options *options, const struct record *rec)
{
	const struct judge judge = {options, NULL};

	return judge_code(&judge, rec);
}

static void codes(void **state)
{
	struct record *rec = judged("B_higher", 0.01, "inconclusive", 0.4);
	struct conduct_options options;

	(void)state;
	conduct_options_init(&options);
	options.target = options.versus = "x";
	/* Nobody asked. */
	assert_int_equal(code(&options, rec), EXIT_CODE_OK);
	/* The primary metric has an answer, whatever it is. */
	options.is_strict = true;
	assert_int_equal(code(&options, rec), EXIT_CODE_OK);
	options.gates[options.n_gates++] = PACE;
	assert_int_equal(code(&options, rec), EXIT_CODE_INCONCLUSIVE);
	options.gates[options.n_gates++] = CPU;
	assert_int_equal(code(&options, rec), EXIT_CODE_REGRESSION);
	options.n_gates = 1;
	options.is_strict = false;
	assert_int_equal(code(&options, rec), EXIT_CODE_OK);
	options.gates[options.n_gates++] = "latency.response.p99_seconds";
	assert_int_equal(code(&options, rec), EXIT_CODE_REGRESSION);
	/* What comes before it. */
	rec->thresholds = calloc(1, sizeof(*rec->thresholds));
	rec->n_thresholds = 1;
	rec->thresholds[0].metric = strdup(CPU);
	rec->thresholds[0].expression = strdup("value<1s");
	assert_int_equal(code(&options, rec), EXIT_CODE_THRESHOLD);
	record_invalid(&rec->rounds[0], "unequal");
	assert_int_equal(code(&options, rec), EXIT_CODE_INVALID);
	record_free(rec);
	/* A side against itself: not worse, but different. */
	rec = judged("B_higher", 0.01, "inconclusive", 0.4);
	options.is_noise = true;
	assert_int_equal(code(&options, rec), EXIT_CODE_OK);
	options.is_strict = true;
	assert_int_equal(code(&options, rec), EXIT_CODE_INCONCLUSIVE);
	record_free(rec);
}

static void order_of_codes(void **state)
{
	static const int order[] = {EXIT_CODE_OK, EXIT_CODE_INCONCLUSIVE, EXIT_CODE_REGRESSION,
				    EXIT_CODE_THRESHOLD, EXIT_CODE_INVALID};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(exit_code_worse(order[i], order[j]), order[i > j ? i : j]);
	for (size_t i = 1; i < 5; i++)
		assert_true(judge_is_judgement(order[i]));
	assert_false(judge_is_judgement(EXIT_CODE_OK) || judge_is_judgement(EXIT_CODE_FAILED) ||
		     judge_is_judgement(130));
}

/* A scenario's gates stand until the command line has its own. */
static void whose_gates(void **state)
{
	char cpu[] = CPU;
	char *list[] = {cpu, NULL};
	struct scenario scenario = {
		.rounds = 6, .margin = NAN, .until_width = NAN, .n_gates = 1, .gates = list};
	struct conduct_options options;
	const struct judge judge = {&options, &scenario};
	const char *const *names;

	(void)state;
	conduct_options_init(&options);
	options.target = "x";
	assert_int_equal(judge_gates(&judge, &names), 0);
	options.versus = "y";
	assert_int_equal(judge_gates(&judge, &names), 1);
	assert_string_equal(names[0], CPU);
	options.gates[options.n_gates++] = PACE;
	assert_int_equal(judge_gates(&judge, &names), 1);
	assert_string_equal(names[0], PACE);
}

static void refuse(int (*set)(void *, const char *, struct error *), const char *value,
		   const char *why)
{
	struct conduct_options options;
	struct error err = {.text = ""};

	conduct_options_init(&options);
	assert_int_equal(set(&options, value, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
}

static void options_of_gates(void **state)
{
	struct conduct_options options;
	struct error err;

	(void)state;
	conduct_options_init(&options);
	assert_true(isnan(options.margin) && isnan(options.until_width));
	assert_int_equal(set_margin(&options, "1.5%", &err), 0);
	assert_true(options.margin == 0.015);
	assert_int_equal(set_until_width(&options, "0.02", &err), 0);
	assert_true(options.until_width == 0.02);
	assert_int_equal(set_max_rounds(&options, "30", &err), 0);
	assert_int_equal(options.max_rounds, 30);
	assert_int_equal(set_strict(&options, NULL, &err), 0);
	assert_true(options.is_strict);
	assert_int_equal(add_gates(&options, CPU ",window_seconds", &err), 0);
	assert_int_equal(add_gates(&options, CPU, &err), 0);
	assert_int_equal(options.n_gates, 2);
	assert_string_equal(options.gates[1], "window_seconds");
	refuse(set_margin, "0", "--margin '0': a share from 0.01% to 50%");
	refuse(set_margin, "51%", "from 0.01% to 50%");
	refuse(set_margin, "x", "e.g. 2%");
	refuse(set_until_width, "0%", "--until-width '0%'");
	refuse(set_max_rounds, "0", "--max-rounds '0': a whole number from 1");
	refuse(set_max_rounds, "3x", "--max-rounds '3x'");
	refuse(add_gates, "cpu.total_second", "did you mean 'cpu.total_seconds'?");
	refuse(add_gates, CPU ",", "no metric is named ''");
	refuse(add_gates, "", "no metric is named ''");
	refuse(add_gates, "side_metrics.x", "perfbpf list metrics");
}

/* A record for `noise`: harmless, whole, and of pairs only. */
static void noise_reports(void **state)
{
	struct record *rec = sample_planted(PLANTED);
	struct report_options options = {.width = 0};
	struct error err;
	char *text = sample_report(rec, &report_noise, 0, false);
	FILE *out;

	(void)state;
	sample_assert_harmless(text, "\n");
	free(text);
	record_free(rec);
	rec = sample_record(8, true);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	text = sample_report(rec, &report_noise, 100, false);
	assert_non_null(strstr(text, "10 %"));
	assert_non_null(strstr(text, "CPU time"));
	free(text);
	record_free(rec);
	rec = sample_record(8, false);
	out = fopen("/dev/null", "w");
	assert_int_equal(report_noise.write(rec, &options, out, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	fclose(out);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),       cmocka_unit_test(texts),
		cmocka_unit_test(codes),         cmocka_unit_test(order_of_codes),
		cmocka_unit_test(whose_gates),   cmocka_unit_test(options_of_gates),
		cmocka_unit_test(noise_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
