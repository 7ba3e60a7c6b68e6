/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Soaks, simulated: a leaker of 1 MiB a minute is found in ten minutes, whatever else its resident
 * set does, and steady programs are accused in at most one of twenty cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/endurance.h"
#include "record/record.h"
#include "stats/stats.h"
#include "stats/trend.h"

#define MIB     1048576.0
#define PAGE    4096.0
#define SECONDS 600
/* Values a second. */
#define RATE 1
#define N    ((size_t)(SECONDS * RATE))
#define RUNS 1000

static double uniform(uint64_t *state)
{
	return (double)(stats_random_u64(state) >> 11) / 0x1p53;
}

static double gauss(uint64_t *state)
{
	return sqrt(-2 * log(1 - uniform(state))) * cos(2 * M_PI * uniform(state));
}

/* A program's resident set: what it has of each. */
struct program {
	double base;
	double leak_per_minute;
	double noise, noise_seconds;   /* of what comes and goes, and how long it stays */
	double sawtooth, period;       /* a heap that fills and is swept */
	double warmup, warmup_seconds; /* what fills at first, and then is full */
	double step, step_seconds;     /* arenas that are taken and given back, how often */
};

/* In whole pages, as the kernel counts; noise comes and goes as an AR(1) process. */
static void simulate(const struct program *program, double *rss, uint64_t *state)
{
	double memory = exp(-1 / (program->noise_seconds * RATE)), noise = 0, phase, steps = 0;

	phase = uniform(state);
	noise = gauss(state);
	for (size_t i = 0; i < N; i++) {
		double t = (double)i / RATE, bytes = program->base;

		noise = memory * noise + sqrt(1 - memory * memory) * gauss(state);
		if (program->step_seconds > 0 && uniform(state) * program->step_seconds * RATE < 1)
			steps = floor(uniform(state) * 4);
		bytes += program->leak_per_minute * t / 60 + program->noise * noise;
		if (program->period > 0)
			bytes += program->sawtooth * fmod(t / program->period + phase, 1);
		if (program->warmup > 0)
			bytes += program->warmup * (1 - exp(-t / program->warmup_seconds));
		bytes += program->step * steps;
		rss[i] = floor(bytes / PAGE) * PAGE;
	}
}

/* The verdict of one soak, "memory". */
static const char *verdict_of(double *rss, size_t n, struct record_round *round)
{
	record_round_init(round);
	round->series.interval_seconds = 1.0 / RATE;
	round->series.n = n;
	round->series.rss_bytes = rss;
	assert_int_equal(record_endurance(round), 0);
	assert_string_equal(round->endurance[0].name, "memory");
	return round->endurance[0].verdict;
}

static void release(struct record_round *round)
{
	round->series.rss_bytes = NULL;
	record_round_clear(round);
	memset(round, 0, sizeof(*round));
}

/* How many of @runs soaks of it are called a leak. */
static int count_leaks(const struct program *program, int runs, uint64_t seed)
{
	static double rss[N];
	struct record_round round = {0};
	uint64_t state = seed;
	int leaks = 0;

	for (int i = 0; i < runs; i++) {
		simulate(program, rss, &state);
		leaks += !strcmp(verdict_of(rss, N, &round), "leak");
		release(&round);
	}
	return leaks;
}

static const struct {
	const char *name;
	struct program program;
} steady[] = {
	{"flat", {.base = 40 * MIB, .noise_seconds = 1}},
	{"white noise", {.base = 40 * MIB, .noise = MIB / 2, .noise_seconds = 0.01}},
	{"noise that stays 5 s", {.base = 40 * MIB, .noise = MIB, .noise_seconds = 5}},
	{"noise that stays 30 s", {.base = 40 * MIB, .noise = MIB, .noise_seconds = 30}},
	{"swept each 3 s",
	 {.base = 60 * MIB, .sawtooth = 30 * MIB, .period = 3, .noise = MIB, .noise_seconds = 2}},
	{"swept each 47 s",
	 {.base = 60 * MIB, .sawtooth = 30 * MIB, .period = 47, .noise = MIB, .noise_seconds = 2}},
	{"swept each 170 s",
	 {.base = 60 * MIB, .sawtooth = 30 * MIB, .period = 170, .noise = MIB, .noise_seconds = 2}},
	{"warms up in 20 s",
	 {.base = 20 * MIB,
	  .warmup = 80 * MIB,
	  .warmup_seconds = 20,
	  .noise = MIB,
	  .noise_seconds = 5}},
	{"warms up in 100 s",
	 {.base = 20 * MIB,
	  .warmup = 80 * MIB,
	  .warmup_seconds = 100,
	  .noise = MIB,
	  .noise_seconds = 5}},
	{"arenas",
	 {.base = 40 * MIB,
	  .step = 2 * MIB,
	  .step_seconds = 40,
	  .noise = MIB / 4,
	  .noise_seconds = 2}},
	{"all at once",
	 {.base = 50 * MIB,
	  .sawtooth = 20 * MIB,
	  .period = 31,
	  .warmup = 30 * MIB,
	  .warmup_seconds = 60,
	  .step = MIB,
	  .step_seconds = 60,
	  .noise = MIB / 2,
	  .noise_seconds = 5}},
};

static const struct {
	const char *name;
	struct program program;
} leaky[] = {
	{"nothing else", {.base = 40 * MIB, .noise_seconds = 1}},
	{"white noise", {.base = 40 * MIB, .noise = MIB / 2, .noise_seconds = 0.01}},
	{"noise that stays 5 s", {.base = 40 * MIB, .noise = MIB / 2, .noise_seconds = 5}},
	{"swept each 3 s",
	 {.base = 60 * MIB,
	  .sawtooth = 10 * MIB,
	  .period = 3,
	  .noise = MIB / 4,
	  .noise_seconds = 2}},
	{"warms up in 20 s",
	 {.base = 20 * MIB,
	  .warmup = 80 * MIB,
	  .warmup_seconds = 20,
	  .noise = MIB / 4,
	  .noise_seconds = 5}},
	{"arenas",
	 {.base = 40 * MIB,
	  .step = MIB / 4,
	  .step_seconds = 40,
	  .noise = MIB / 4,
	  .noise_seconds = 2}},
};

static void steady_programs_are_not_accused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(steady) / sizeof(steady[0]); i++) {
		int leaks = count_leaks(&steady[i].program, RUNS, i);

		if (leaks > RUNS / 20)
			fail_msg("%s: %d of %d are accused", steady[i].name, leaks, RUNS);
	}
}

static void a_mebibyte_a_minute_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(leaky) / sizeof(leaky[0]); i++) {
		struct program program = leaky[i].program;
		int leaks;

		program.leak_per_minute = MIB;
		leaks = count_leaks(&program, RUNS / 5, i);
		if (leaks < RUNS / 5 * 95 / 100)
			fail_msg("%s: only %d of %d are found", leaky[i].name, leaks, RUNS / 5);
	}
}

/* The interval is one of 95 %: of 200 soaks the true slope is in it in nearly all. */
static void the_interval_holds_the_slope(void **state)
{
	struct program program = {
		.base = 40 * MIB, .leak_per_minute = MIB, .noise = MIB / 2, .noise_seconds = 5};
	struct record_round round = {0};
	static double rss[N];
	uint64_t seed = 7;
	int held = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		simulate(&program, rss, &seed);
		verdict_of(rss, N, &round);
		held += round.endurance[0].ci_low <= 60 * MIB &&
			round.endurance[0].ci_high >= 60 * MIB;
		release(&round);
	}
	assert_in_range(held, 176, 200);
}

static void a_leak_is_named(void **state)
{
	struct program program = {.base = 40 * MIB, .leak_per_minute = MIB, .noise_seconds = 1};
	struct record_round round = {0};
	struct record rec = {.n_rounds = 1, .rounds = &round};
	static double rss[N];
	uint64_t seed = 1;

	(void)state;
	simulate(&program, rss, &seed);
	assert_string_equal(verdict_of(rss, N, &round), "leak");
	assert_string_equal(round.endurance[0].unit, "bytes/h");
	assert_true(fabs(round.endurance[0].value / (60 * MIB) - 1) < 0.001);
	assert_string_equal(round.endurance[0].text,
			    "leak found: 60.0 MiB/h (95 % interval 60.0 MiB/h to 60.0 MiB/h)");
	assert_true(record_endurance_failed(&rec));
	/* Again: the same, not twice. */
	assert_int_equal(record_endurance(&round), 0);
	assert_int_equal(round.n_endurance, 1);
	release(&round);
}

static void what_levels_off_is_no_leak(void **state)
{
	struct program program = {
		.base = 20 * MIB, .warmup = 80 * MIB, .warmup_seconds = 100, .noise_seconds = 1};
	struct record_round round = {0};
	struct record rec = {.n_rounds = 1, .rounds = &round};
	static double rss[N];
	uint64_t seed = 1;

	(void)state;
	simulate(&program, rss, &seed);
	assert_string_equal(verdict_of(rss, N, &round), "inconclusive");
	assert_non_null(strstr(round.endurance[0].text, "levelling off"));
	assert_false(record_endurance_failed(&rec));
	release(&round);
}

static void too_little(void **state)
{
	struct record_round round = {0};
	static double rss[N];

	(void)state;
	for (size_t i = 0; i < N; i++)
		rss[i] = (double)i * MIB;
	assert_string_equal(verdict_of(rss, ENDURANCE_MIN_POINTS - 1, &round), "unknown");
	assert_string_equal(round.endurance[0].text, "not enough data");
	assert_true(isnan(round.endurance[0].value));
	assert_int_equal(round.n_endurance, 1);
	release(&round);
	assert_string_equal(verdict_of(rss, ENDURANCE_MIN_POINTS, &round), "leak");
	release(&round);
	assert_string_equal(verdict_of(NULL, N, &round), "unknown");
	release(&round);
	rss[N - 1] = NAN; /* what is not known now and then is passed over */
	assert_string_equal(verdict_of(rss, N, &round), "leak");
	release(&round);
	for (size_t i = N / 2; i < N; i++)
		rss[i] = NAN;
	assert_string_equal(verdict_of(rss, N, &round), "unknown");
	release(&round);
}

/* --- what wears off -------------------------------------------------------------- */

struct wear {
	double throughput, response, errors; /* what comes of each, at the end, times */
	double noise;                        /* relative, of single values */
};

static double *make_series(size_t n, double first, double times, double noise, uint64_t *state)
{
	double *values = calloc(n, sizeof(*values));

	for (size_t i = 0; values && i < n; i++)
		values[i] = first * (1 + (times - 1) * (double)i / (double)(n - 1)) *
			    exp(noise * gauss(state));
	return values;
}

static void make_round(struct record_round *round, const struct wear *wear, uint64_t *state)
{
	memset(round, 0, sizeof(*round));
	record_round_init(round);
	round->has_driver = round->has_work = true;
	round->work.operations = 100000;
	round->work.errors = 500;
	round->series.interval_seconds = 1.0 / RATE;
	round->series.n = N;
	round->series.operations_per_second =
		make_series(N, 100, wear->throughput, wear->noise, state);
	round->series.errors_per_second = make_series(N, 0.5, wear->errors, wear->noise, state);
	round->series.n_response_p95_seconds = 100;
	round->series.response_p95_seconds =
		make_series(100, 0.020, wear->response, wear->noise, state);
	assert_int_equal(record_endurance(round), 0);
	assert_int_equal(round->n_endurance, 4);
}

static void assert_verdict(const struct record_round *round, size_t i, const char *name,
			   const char *verdict)
{
	assert_string_equal(round->endurance[i].name, name);
	if (strcmp(round->endurance[i].verdict, verdict) != 0)
		fail_msg("%s: %s, not %s", name, round->endurance[i].text, verdict);
}

static void what_stays_is_steady(void **state)
{
	const struct wear wear = {1, 1, 1, 0.02};
	struct record_round round;
	uint64_t seed = 3;

	(void)state;
	make_round(&round, &wear, &seed);
	assert_verdict(&round, 0, "memory", "unknown");
	assert_verdict(&round, 1, "throughput", "steady");
	assert_verdict(&round, 2, "response", "steady");
	assert_verdict(&round, 3, "errors", "steady");
	record_round_clear(&round);
}

static void what_wears_off_drifts(void **state)
{
	const struct wear wear = {0.7, 1.5, 4, 0.02};
	struct record_round round;
	uint64_t seed = 3;

	(void)state;
	make_round(&round, &wear, &seed);
	assert_verdict(&round, 1, "throughput", "drift");
	assert_verdict(&round, 2, "response", "drift");
	assert_verdict(&round, 3, "errors", "drift");
	assert_true(fabs(round.endurance[1].value + 0.27) < 0.02);
	assert_non_null(strstr(round.endurance[2].text, "p95 of the response from the first "
							"tenth to the last"));
	record_round_clear(&round);
}

/* Better is no drift, however much. */
static void what_becomes_better_is_steady(void **state)
{
	const struct wear wear = {1.5, 0.5, 0.1, 0.02};
	struct record_round round;
	uint64_t seed = 3;

	(void)state;
	make_round(&round, &wear, &seed);
	for (size_t i = 1; i < 4; i++)
		assert_string_equal(round.endurance[i].verdict, "steady");
	record_round_clear(&round);
}

/* Much noise makes it inconclusive, and hardly ever a drift. */
static void noise_is_no_drift(void **state)
{
	const struct wear wear = {1, 1, 1, 0.3};
	struct record_round round;
	uint64_t seed = 3;
	int drifts = 0;

	(void)state;
	for (int i = 0; i < RUNS; i++) {
		make_round(&round, &wear, &seed);
		for (size_t j = 1; j < 4; j++)
			drifts += !strcmp(round.endurance[j].verdict, "drift");
		record_round_clear(&round);
	}
	assert_in_range(drifts, 0, 3 * RUNS / 20);
}

static void it_stopped(void **state)
{
	const struct wear wear = {1, 1, 1, 0.02};
	struct record_round round;
	uint64_t seed = 3;

	(void)state;
	make_round(&round, &wear, &seed);
	for (size_t i = N / 2; i < N; i++)
		round.series.operations_per_second[i] = 0;
	assert_int_equal(record_endurance(&round), 0);
	assert_verdict(&round, 1, "throughput", "drift");
	assert_true(round.endurance[1].value < -0.99);
	record_round_clear(&round);
}

static void no_error_at_all(void **state)
{
	struct record_round round = {0};

	(void)state;
	record_round_init(&round);
	round.has_driver = round.has_work = true;
	round.work.operations = 10;
	round.work.errors = 0;
	assert_int_equal(record_endurance(&round), 0);
	assert_verdict(&round, 1, "throughput", "unknown");
	assert_verdict(&round, 2, "response", "unknown");
	assert_verdict(&round, 3, "errors", "steady");
	record_round_clear(&round);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steady_programs_are_not_accused),
		TEST(a_mebibyte_a_minute_is_found),
		TEST(the_interval_holds_the_slope),
		TEST(a_leak_is_named),
		TEST(what_levels_off_is_no_leak),
		TEST(too_little),
		TEST(what_stays_is_steady),
		TEST(what_wears_off_drifts),
		TEST(what_becomes_better_is_steady),
		TEST(noise_is_no_drift),
		TEST(it_stopped),
		TEST(no_error_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
