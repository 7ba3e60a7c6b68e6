/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is wrong with the data that were planted, what is to be run next, and how both are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_insight.h"

static void test_nothing_wrong(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	find_insights(rec);
	if (rec->n_insights)
		fail_with_all(rec, "something is wrong with nothing");
	record_free(rec);
}

static void test_machine(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	rec->host.virtualization = strdup("kvm");
	rec->host.governor = strdup("powersave");
	SET_EACH(rec, SIDE_A, time.stolen_seconds, 0.01);
	SET_EACH(rec, SIDE_B, time.stolen_seconds, 0.05);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round_phase *phase = record_add_phase(&rec->rounds[i], "main");

		phase->duration_seconds = 1.1;
		phase->cpu.utilization = rec->rounds[i].side == SIDE_B ? 0.6 : 0.9;
	}
	find_insights(rec);
	assert_insight(rec, "quality", "the host or interrupts took 4.76 % of the time");
	assert_insight(rec, "quality", "a virtual machine: ");
	assert_insight(rec, "quality", "the CPU frequency governor is powersave");
	/* 1 s of 2 CPUs in 1.1 s is 45.5 %; perfbpf's own 10 ms are 0.5 %. */
	assert_insight(rec, "quality",
		       "in the median round 44 % (A) and 14 % (B) of its CPUs' time");
	assert_insight(rec, "next", "a quieter machine settles more with the same pairs: ");
	assert_insight(rec, "next", ": $ cpupower frequency-set -g performance");
	record_free(rec);
}

/* A governor that nobody knows is a question only where there is one. */
static void test_unknown_governor(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	rec->host.virtualization = strdup("none");
	find_insights(rec);
	assert_insight(rec, "quality", "the CPU frequency governor is not known");
	assert_no_insight(rec, "quality", "virtual machine");
	record_free(rec);
}

static void test_own_cost(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];
		bool is_b = round->side == SIDE_B;

		round->observer.probe_seconds = is_b ? 0.08 : 0.04;
		round->observer.syscall_slowdown_seconds = 100e-9;
		round->observer.losses.stacks = is_b ? 100 : 0;
		round->observer.losses.ring = 1;
		round->n_syscalls = 1;
		round->syscalls = calloc(1, sizeof(*round->syscalls));
		round->syscalls[0].name = strdup("read");
		round->syscalls[0].count = is_b ? 1000000 : 1000;
	}
	find_insights(rec);
	assert_insight(rec, "quality",
		       "perfbpf's own programs ran for as long as 4 % of A's CPU time "
		       "and 8 % of B's");
	assert_insight(rec, "quality",
		       "--syscalls made every call slower, by about 0.01 % of A's CPU "
		       "time and 10 % of B's");
	assert_insight(rec, "quality", "(lifecycle events: 20, stack samples: 1,000)");
	record_free(rec);
}

static void test_driver(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		rec->rounds[i].has_driver = true;
		rec->rounds[i].driver.cpu_seconds = 0.1;
		rec->rounds[i].driver.late_seconds_max = i == 7 ? 0.031 : 0.001;
		rec->rounds[i].driver.dropped = i == 3 ? 5 : 0;
	}
	find_insights(rec);
	assert_insight(rec, "quality", "the driver was up to 31.0 ms behind its plan");
	assert_insight(rec, "quality", "the driver dropped 5 pieces of work");
	record_free(rec);
}

static void test_drift(void **state)
{
	struct record *rec = sample_alike();
	const struct record_insight *drift;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].window_seconds *= 1 + 0.01 * (double)rec->rounds[i].pair;
	find_insights(rec);
	drift = assert_insight(rec, "quality", "wall time of A drifted by +");
	assert_string_equal(drift->metric, "window_seconds");
	assert_true(drift->value > 0.06 && drift->value < 0.1);
	assert_insight(rec, "quality", "wall time of B drifted by +");
	record_free(rec);
}

static void test_outliers(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	rec->rounds[8].window_seconds = 9;
	find_insights(rec);
	assert_insight(rec, "quality",
		       "1 of 20 rounds lies far out in wall time (all are kept): A "
		       "from ");
	record_free(rec);
}

static void test_first_round(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	rec->rounds[0].window_seconds *= 1.2;
	find_insights(rec);
	assert_insight(rec, "quality",
		       "the first round of A stands out, as where something was still "
		       "cold: wall time is 19.8 %");
	assert_no_insight(rec, "quality", "the first round of B");
	record_free(rec);
}

static void test_order(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].window_seconds *= rec->rounds[i].position ? 1.05 : 1;
	find_insights(rec);
	assert_insight(rec, "quality", "the order within a pair matters: B/A of wall time is 1.0");
	record_free(rec);
}

static void test_warming(void **state)
{
	struct record *rec = sample_record(6, true);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_series *series = &rec->rounds[i].series;

		series->n = 40;
		free(series->cpu_utilization);
		free(series->rss_bytes);
		free(series->tx_bytes_per_second);
		free(series->rx_bytes_per_second);
		free(series->lines_per_second);
		series->cpu_utilization = sample_series(40, 0);
		series->rss_bytes = sample_series(40, 0);
		series->tx_bytes_per_second = sample_series(40, 0);
		series->rx_bytes_per_second = sample_series(40, 0);
		series->lines_per_second = sample_series(40, 0);
		for (size_t j = 0; j < 40; j++)
			series->cpu_utilization[j] =
				rec->rounds[i].side == SIDE_B && j < 12 ? 0.8 : 0.4;
	}
	find_insights(rec);
	assert_insight(rec, "quality",
		       "B was still warming up when the window opened: in each of its 6 "
		       "rounds the CPU use of the first quarter is at least 2 times");
	assert_no_insight(rec, "quality", "A was still");
	record_free(rec);
}

static void test_wide(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].window_seconds *= 1 + 0.03 * (double)(i * 7 % 5);
	find_insights(rec);
	assert_insight(rec, "quality", "the interval of B/A of wall time is wide: ");
	assert_insight(rec, "next",
		       " would settle, at this noise, wall time: $ perfbpf run --rounds ");
	assert_insight(rec, "next",
		       "or as many pairs as it takes, whatever the noise will be by then: $ "
		       "perfbpf run --until-width 2% --max-rounds 1000");
	assert_no_insight(rec, "next",
			  "as many pairs as it takes, whatever the noise will be by then: "
			  "$ perfbpf noise");
	record_free(rec);
}

static void set_argv(struct record *rec, const char *const *words)
{
	for (size_t i = 0; i < rec->n_argv; i++)
		free(rec->argv[i]);
	free(rec->argv);
	rec->argv = calloc(32, sizeof(*rec->argv));
	for (rec->n_argv = 0; words[rec->n_argv]; rec->n_argv++)
		rec->argv[rec->n_argv] = strdup(words[rec->n_argv]);
}

/* Its own options are replaced, the folder is left out, and a shell takes it as it was. */
static void test_command(void **state)
{
	static const char *const words[] = {"/opt/perfbpf",
					    "run",
					    "-n",
					    "2",
					    "--target",
					    "sh -c 'a \"b\"'",
					    "--rounds=2",
					    "-o",
					    "old folder",
					    "--output=x",
					    "--vs",
					    "b",
					    "--rounds",
					    "2",
					    "--max-rounds",
					    "9",
					    "--until-width=1%",
					    NULL};
	struct record *rec = sample_alike();

	(void)state;
	while (rec->n_rounds > 4)
		record_round_clear(&rec->rounds[--rec->n_rounds]);
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].window_seconds = 1;
	set_argv(rec, words);
	find_insights(rec);
	assert_insight(rec, "next",
		       "10 pairs (8 more) give an interval of wall time: $ perfbpf run --rounds 10 "
		       "--target 'sh -c '\\''a \"b\"'\\''' --vs b");
	assert_no_insight(rec, "next", "-rounds 9");
	assert_no_insight(rec, "next", "until-width");
	record_free(rec);
}

/* At this noise it takes so many pairs that the machine is in question. */
static void test_noise(void **state)
{
	static const char *const words[] = {"perfbpf", "run",      "--target", "a",  "--vs",
					    "b",       "--gate",   "x",        "-o", "y",
					    "--soak",  "--rounds", "10",       NULL};
	static const char *const process[] = {"perfbpf", "run",   "--target", "pid:1",
					      "--vs",    "pid:2", NULL};
	struct record *rec = sample_alike();

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].window_seconds *= 1 + 0.15 * (double)(i * 7 % 5);
	set_argv(rec, words);
	find_insights(rec);
	assert_insight(rec, "next",
		       "what difference could be seen on this machine, and with how many "
		       "pairs: $ perfbpf noise --target a --rounds 10");
	set_argv(rec, process);
	find_insights(rec);
	assert_no_insight(rec, "next", "perfbpf noise");
	record_free(rec);
}

/* What was not a `run` cannot be run again with other options. */
static void test_no_command(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	free(rec->argv[1]);
	rec->argv[1] = strdup("attach");
	set_cpu(rec, SIDE_B, 1, 1.2);
	find_insights(rec);
	assert_insight(rec, "cause", "is system time");
	assert_int_equal(count_insights(rec, "next"), 0);
	rec->n_argv = 0;
	find_insights(rec);
	assert_int_equal(count_insights(rec, "next"), 0);
	rec->n_argv = 2;
	record_free(rec);
}

static void test_what_tells_more(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	find_insights(rec);
	assert_insight(rec, "next",
		       "most of the difference is system time: which calls, and how many, "
		       "tells: $ perfbpf run --syscalls");
	assert_insight(rec, "next",
		       "no stacks were sampled: they tell which functions the difference "
		       "is in: $ perfbpf run --profile oncpu");
	for (size_t i = 0; i < rec->n_rounds; i++) {
		rec->rounds[i].has_profile = rec->rounds[i].profile.has_oncpu = true;
		rec->rounds[i].profile.oncpu.samples = 3;
		rec->rounds[i].profile.oncpu.frequency_hertz = 99;
	}
	find_insights(rec);
	assert_insight(rec, "next",
		       "only 30 samples of A's CPU time and 30 of B's: more of them tell "
		       "which functions differ: $ perfbpf run --freq 999");
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].profile.oncpu.samples = 1;
	find_insights(rec);
	assert_no_insight(rec, "next", "--freq");
	record_free(rec);
}

/* Two rounds that differ, but too few for a winner among several metrics. */
static void test_winner(void **state)
{
	struct record *rec = sample_alike();

	(void)state;
	while (rec->n_rounds > 12)
		record_round_clear(&rec->rounds[--rec->n_rounds]);
	set_window(rec, SIDE_B, 3);
	find_insights(rec);
	assert_int_equal(rec->verdict.winner, -1);
	assert_insight(rec, "next",
		       "10 pairs (4 more) can name a winner: $ perfbpf run --rounds 10");
	record_free(rec);
}

static void test_shown(void **state)
{
	struct record *rec = sample_alike();
	char *text, *md;

	(void)state;
	rec->host.virtualization = strdup("kvm");
	set_cpu(rec, SIDE_B, 1, 1.2);
	sample_replace(&rec->argv[0], "a-name-so-long-that-it-would-be-wrapped-if-it-could-be-"
				      "perfbpf-in-some-far-away-folder");
	rec->n_argv = 2;
	sample_replace(&rec->argv[1], "run");
	find_insights(rec);
	text = sample_report(rec, &report_text, 60, false);
	md = sample_report(rec, &report_markdown, 0, false);
	assert_non_null(
		strstr(text, "\nInsights: what the difference goes along with\n83 % of B's "));
	assert_non_null(strstr(text, "\nData quality\na virtual machine: "));
	assert_non_null(strstr(text, "\nRecommendations: what to run next\nmost of "));
	assert_non_null(strstr(text, "\n$ a-name-so-long-that-it-would-be-wrapped-if-it-could-be-"
				     "perfbpf-in-some-far-away-folder run --syscalls\n"));
	assert_non_null(
		strstr(md, "\n## Insights: what the difference goes along with\n\n- 83 % of "));
	assert_non_null(strstr(md, "\n## Data quality\n\n- a virtual machine: "));
	assert_non_null(strstr(md, "tells:\n  ```sh\n  a-name-so-long"));
	assert_non_null(strstr(md, " run --syscalls\n  ```\n"));
	free(text);
	free(md);
	record_free(rec);
}

/* What comes from outside does no harm in a sentence or a command line. */
static void test_planted(void **state)
{
	struct record *rec = sample_alike();
	char *text, *md;

	(void)state;
	set_cpu(rec, SIDE_B, 1, 1.2);
	sample_replace(&rec->argv[0], PLANTED);
	sample_replace(&rec->argv[1], "run");
	rec->host.governor = strdup(PLANTED);
	for (size_t i = 0; i < rec->n_rounds; i++) {
		rec->rounds[i].n_syscalls = 1;
		rec->rounds[i].syscalls = calloc(1, sizeof(*rec->rounds[i].syscalls));
		rec->rounds[i].syscalls[0].name = strdup(PLANTED);
		rec->rounds[i].syscalls[0].count = rec->rounds[i].side ? 100000 : 1;
		rec->rounds[i].syscalls[0].total_seconds = rec->rounds[i].side ? 0.9 : 0;
	}
	find_insights(rec);
	assert_insight(rec, "cause", "more system calls: <script>");
	text = sample_report(rec, &report_text, 0, true);
	md = sample_report(rec, &report_markdown, 0, true);
	sample_assert_harmless(text, "\n");
	sample_assert_harmless(md, "\n");
	assert_null(strstr(md, "calls: <script>"));
	free(text);
	free(md);
	record_free(rec);
}

/* Of what nobody measured nothing is said. */
static void test_empty(void **state)
{
	struct record *rec = record_new();
	struct record_round round;

	(void)state;
	assert_int_equal(report_insights(rec), 0);
	assert_int_equal(rec->n_insights, 0);
	for (int side = 0; side < SIDES; side++) {
		memset(&round, 0, sizeof(round));
		record_round_init(&round);
		round.side = (enum side)side;
		record_add_round(rec, &round);
	}
	find_insights(rec);
	assert_int_equal(count_insights(rec, "cause"), 0);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_wrong),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_unknown_governor),
		cmocka_unit_test(test_own_cost),
		cmocka_unit_test(test_driver),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_outliers),
		cmocka_unit_test(test_first_round),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_warming),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_no_command),
		cmocka_unit_test(test_what_tells_more),
		cmocka_unit_test(test_winner),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_planted),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
