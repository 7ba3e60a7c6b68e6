/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Causes that were planted are named, and none where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/distribution.h"
#include "record/gate.h"
#include "record/metric.h"
#include "sample_insight.h"

static void test_alike(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	find_insights(rec);
	if (count_insights(rec, "cause"))
		fail_with_all(rec, "a cause of no difference");
	record_free(rec);
}

/* One side alone has nothing to be compared with. */
static void test_one_side(void **state)
{
	struct record *rec = sample_record(8, false);

	(void)state;
	find_insights(rec);
	assert_int_equal(count_insights(rec, "cause"), 0);
	record_free(rec);
}

static void test_system_time(void **state)
{
	struct record *rec = sample_alike();
	const struct record_insight *cause;

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	find_insights(rec);
	cause = assert_insight(
		rec, "cause",
		"83 % of B's extra CPU time is system time: 1.00 s of 1.20 s a round");
	assert_ptr_equal(cause, &rec->insights[0]);
	assert_string_equal(cause->metric, "cpu.system_seconds");
	assert_float_equal(cause->value, 1, 0.01);
	assert_no_insight(rec, "cause", "is user time");
	assert_no_insight(rec, "cause", "goes along");
	record_free(rec);
}

/* Of the side with more, be it A. */
static void test_user_time(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_A, 2.8, 0.1);
	find_insights(rec);
	assert_insight(rec, "cause",
		       "all of A's extra CPU time is user time: 2.00 s more of it, and "
		       "less of the other, make 1.90 s a round");
	record_free(rec);
}

static void test_counted(void **state)
{
	static const char *const parts[] = {
		"B's extra CPU time (1.00 s a round) goes along with more minor faults: 1,998 of A "
		"against 99,800 of B a round",
		"more context switches: 2,997 of A against 59,900 of B a round",
		"more bytes sent: ",
	};
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_B, 1.3, 0.7);
	SET_EACH(rec, SIDE_B, memory.minor_faults, 100000);
	SET_EACH(rec, SIDE_B, cpu.context_switches, 60000);
	SET_EACH(rec, SIDE_B, network.tx_bytes, 5e8);
	SET_EACH(rec, SIDE_B, network.retransmits, 2);
	/* More of it where less CPU time was used explains nothing. */
	SET_EACH(rec, SIDE_A, network.rx_bytes, 5e8);
	find_insights(rec);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!find_insight(rec, "cause", parts[i]) && i != 0 && i != 1)
			fail_with_all(rec, parts[i]);
	assert_insight(rec, "cause", "goes along with more minor faults: ");
	assert_insight(rec, "cause", "goes along with more context switches: ");
	assert_no_insight(rec, "cause", "received");
	assert_no_insight(rec, "cause", "sent again");
	assert_true(count_insights(rec, "cause") <= INSIGHT_MAX_CAUSES);
	record_free(rec);
}

static void add_syscall(struct record_round *round, size_t i, const char *name, double count,
			double seconds)
{
	round->syscalls[i] = (struct record_syscall){
		.name = strdup(name), .count = (int64_t)count, .total_seconds = seconds};
}

static void test_syscalls(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		bool is_b = round->side == SIDE_B;

		round->n_syscalls = 3;
		round->syscalls = calloc(3, sizeof(*round->syscalls));
		add_syscall(round, 0, is_b ? "write" : "openat", is_b ? 800000 : 30, 0.5);
		add_syscall(round, 1, "read", is_b ? 900000 : 20, alike(i, is_b ? 0.7 : 0.001));
		add_syscall(round, 2, "futex", alike(i, 40), alike(i, 3));
	}
	find_insights(rec);
	assert_insight(
		rec, "cause",
		"B's extra CPU time (1.20 s a round) goes along with more system calls: read "
		"(20 of A against 900,000 of B, 699 ms more in them), write (0 of A against "
		"800,000 of B, 500 ms more in them) a round");
	assert_no_insight(rec, "cause", "futex");
	assert_no_insight(rec, "cause", "openat");
	assert_no_insight(rec, "next", "--syscalls");
	record_free(rec);
}

static void test_processes(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		if (round->side != SIDE_B)
			continue;
		round->processes = reallocarray(round->processes, 200, sizeof(*round->processes));
		for (; round->n_processes < 200; round->n_processes++) {
			sample_process(&round->processes[round->n_processes], "true", 0.001);
			round->processes[round->n_processes].started_at = 0.5;
			round->processes[round->n_processes].exited_at = 0.51;
		}
	}
	find_insights(rec);
	assert_insight(rec, "cause",
		       "more processes: 2 of A against 200 of B a round (of them 0 and "
		       "198 lived less than 100 ms)");
	record_free(rec);
}

static void set_limits(struct record *rec, enum side side, const char *limit)
{
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round_phase *phase;

		if (rec->rounds[i].side != side)
			continue;
		phase = record_add_phase(&rec->rounds[i], "main");
		phase->duration_seconds = 1;
		phase->limited_by = limit ? strdup(limit) : NULL;
	}
}

static void test_wall(void **state)
{
	struct record *rec = sample_alike();
	const struct record_insight *cause;

	(void)state;
	set_window(rec, SIDE_A, 2.1);
	SET_EACH(rec, SIDE_A, time.lock_seconds, 3);
	set_limits(rec, SIDE_A, "lock");
	set_limits(rec, SIDE_B, NULL);
	find_insights(rec);
	cause = assert_insight(
		rec, "cause",
		"A's extra wall time (1.00 s a round) goes along with more waiting for "
		"locks (all threads together): 3.00 s of A against 10.0 ms of B a "
		"round");
	assert_string_equal(cause->metric, "time.lock_seconds");
	assert_float_equal(cause->value, -2.99, 0.03);
	assert_insight(rec, "cause",
		       "A was limited by lock (in 10 of 10 rounds), B by nothing evident "
		       "(in 10 of 10)");
	record_free(rec);
}

/* A limit that a third of the rounds do not have is not the side's. */
static void test_limit_of_some(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	set_window(rec, SIDE_A, 2.1);
	set_limits(rec, SIDE_A, "lock");
	set_limits(rec, SIDE_B, "cpu");
	for (size_t i = 0; i < rec->n_rounds; i += 3) {
		free(rec->rounds[i].phases[0].limited_by);
		rec->rounds[i].phases[0].limited_by = NULL;
	}
	find_insights(rec);
	assert_no_insight(rec, "cause", "limited by");
	record_free(rec);
}

static void add_hot(struct record *rec, const struct sample_row *rows, size_t n)
{
	rec->profile = profile_new();
	for (uint32_t r = 0; r < rec->n_rounds; r++) {
		struct record_round *round = &rec->rounds[r];

		round->has_profile = round->profile.has_oncpu = true;
		sample_add_rows(rec, r, PROFILE_ONCPU, rows, n, 10);
	}
}

static void test_functions(void **state)
{
	static const struct sample_row rows[] = {
		{"tool", "main;steady", 1, 1, "", 0, false},
		{"tool", "main;parse;check_utf8", 0.1, 0.9, "", 0, false},
		{"tool", "main;parse;check_quotes", 0.02, 0.5, "", 0, false},
		{"tool", "main;print", 0.1, 0.1, "", 0, false},
	};
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_A, 12, 0.2);
	set_cpu(rec, SIDE_B, 25, 0.2);
	add_hot(rec, rows, sizeof(rows) / sizeof(rows[0]));
	find_insights(rec);
	assert_insight(rec, "cause",
		       "hottest differing functions, by their own CPU time and at equal "
		       "work: check_utf8 (+8.");
	assert_insight(rec, "cause", "), check_quotes (+4.");
	assert_insight(rec, "cause", " is spent in parse and what it calls (+1");
	assert_no_insight(rec, "cause", "steady");
	assert_no_insight(rec, "cause", "print");
	record_free(rec);
}

/* Whatever a function is called, its name is short and whole. */
static void test_long_name(void **state)
{
	struct sample_row rows[] = {
		{"tool", "main;steady", 1, 1, "", 0, false},
		{"tool", "", 0, 1, "", 0, false},
	};
	char stack[4000] = "main;";
	struct record *rec = sample_alike();

	(void)state;
	for (size_t i = strlen(stack); i + 3 < 1000; i += 2)
		strcpy(stack + i, "é");
	rows[1].stack = stack;
	set_cpu(rec, SIDE_B, 12, 0.2);
	add_hot(rec, rows, 2);
	find_insights(rec);
	assert_insight(rec, "cause", "éé… (+");
	record_free(rec);
}

static void test_latency(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	rec->scenario.driver = strdup("http");
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		double more = round->side == SIDE_B ? 0.02 : 0.002;

		round->n_latency = 2;
		round->latency = reallocarray(round->latency, 2, sizeof(*round->latency));
		free(round->latency[0].name);
		for (size_t j = 0; j < 2; j++) {
			latency_init(&round->latency[j]);
			round->latency[j].name = strdup(j ? "server_service" : "response");
			round->latency[j].count = 5000;
			round->latency[j].p99_seconds = alike(i, more - 0.001 * (double)j);
		}
	}
	find_insights(rec);
	assert_insight(rec, "cause",
		       "B's extra response, p99 (18.0 ms) goes along with more service time of the "
		       "server (p99): 1.00 ms of A against 19.0 ms of B");
	record_free(rec);
}

/* Each side did what it could: what counts is the cost of an operation. */
static void test_closed_loop(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	rec->scenario.driver = strdup("http");
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_work *work = &rec->rounds[i].work;
		bool is_b = rec->rounds[i].side == SIDE_B;

		rec->rounds[i].has_work = true;
		*work = (struct record_work){.lines = RECORD_NONE, .expected_lines = RECORD_NONE};
		work->operations = work->completed = is_b ? 10000 : 1000;
		work->rows = work->rows_expected = RECORD_NONE;
		/* In all of B there are more faults, and less for each operation. */
		rec->rounds[i].memory.minor_faults = is_b ? 40000 : 20000;
		rec->rounds[i].n_latency = 0;
		free(rec->rounds[i].latency[0].name);
	}
	find_insights(rec);
	assert_insight(rec, "cause",
		       "80 % of A's extra CPU time is user time: 720 ms of 900 ms for 1,000 "
		       "operations");
	assert_insight(rec, "cause",
		       "more minor faults: 20,000 of A against 4,000 of B for 1,000 "
		       "operations");
	record_free(rec);
}

/* What differs beside what was asked about may do so by chance. */
static void test_exploratory(void **state)
{
	static const char *const gates[] = {"cpu.total_seconds"};
	struct record *rec = sample_alike();

	(void)state;
	set_window(rec, SIDE_A, 1.3);
	SET_EACH(rec, SIDE_A, time.run_queue_seconds, 0.2);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .n_gates = 1,
								       .gates = gates}),
			 0);
	assert_int_equal(report_insights(rec), 0);
	assert_int_equal(count_insights(rec, "cause"), 0);
	find_insights(rec);
	assert_insight(rec, "cause",
		       "A's extra wall time (201 ms a round) goes along with more "
		       "waiting for a CPU");
	record_free(rec);
}

/* Where the work was not the same, nothing explains anything. */
static void test_invalid(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	record_invalid(&rec->rounds[3], "lost its work");
	find_insights(rec);
	assert_int_equal(count_insights(rec, "cause"), 0);
	record_free(rec);
}

/* With three pairs, nothing is beyond noise. */
static void test_few_pairs(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	while (rec->n_rounds > 6)
		record_round_clear(&rec->rounds[--rec->n_rounds]);
	set_cpu(rec, SIDE_B, 1, 1.2);
	find_insights(rec);
	assert_int_equal(count_insights(rec, "cause"), 0);
	assert_insight(rec, "quality",
		       "too few pairs to tell anything: 3, and an interval at 95 % "
		       "needs 6");
	record_free(rec);
}

/* Found again, they replace the earlier ones. */
static void test_again(void **state)
{
	struct record *rec = sample_alike();
	size_t n;

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	find_insights(rec);
	n = rec->n_insights;
	find_insights(rec);
	assert_int_equal(rec->n_insights, n);
	record_free(rec);
}

static void test_score(void **state)
{
	const struct metric *score = metric_find("score.composite");
	struct record *rec = sample_record(1, false);
	struct record_round *round = &rec->rounds[0];

	(void)state;
	assert_non_null(score);
	round->cpu.utilization_avg = 0.125;
	round->memory.rss_avg_bytes = 60 << 20;
	assert_float_equal(score->get(round), 12.5 + 6, 1e-9);
	round->memory.rss_avg_bytes = NAN;
	assert_true(isnan(score->get(round)));
	record_free(rec);
}

/* Whoever asks for it: it names no winner. */
static void test_score_decides_nothing(void **state)
{
	char problem[GATE_PROBLEM_MAX];
	static const char *const gates[] = {"score.composite", "cpu.total_seconds"};
	struct record *rec = sample_alike();

	(void)state;
	SET_EACH(rec, SIDE_A, cpu.utilization_avg, 0.1);
	SET_EACH(rec, SIDE_B, cpu.utilization_avg, 0.5);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001,
								       .n_gates = 2,
								       .gates = gates}),
			 0);
	assert_string_equal(rec->statistics.primary, "cpu.total_seconds");
	assert_int_equal(rec->verdict.winner, -1);
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (!strcmp(rec->comparison[i].metric, "score.composite")) {
			assert_string_equal(rec->comparison[i].verdict, "B_higher");
			assert_true(rec->comparison[i].exploratory);
		}
	assert_null(gate_find("score.composite", problem));
	assert_non_null(strstr(problem, "an arbitrary sum, which decides nothing"));
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_system_time),
		cmocka_unit_test(test_user_time),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_syscalls),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_wall),
		cmocka_unit_test(test_limit_of_some),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_closed_loop),
		cmocka_unit_test(test_exploratory),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_few_pairs),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_score_decides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
