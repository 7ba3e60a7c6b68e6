/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/load/tally.h"
#include "drive/load/tally_series.h"
#include "util/clock.h"

#define MS       NSEC_PER_MSEC
#define SECOND   NSEC_PER_SEC
#define START    (1000 * SECOND)
#define MEASURED (START + SECOND)
#define END      (START + 3 * SECOND)

static char warm_up[] = "warm-up", measured[] = "measured", cool_down[] = "cool-down";
static const struct phase phases[] = {
	{.name = warm_up, .role = PHASE_WARMUP, .duration_ns = SECOND},
	{.name = measured, .role = PHASE_MEASURED, .duration_ns = 2 * SECOND},
	{.name = cool_down, .role = PHASE_COOLDOWN, .duration_ns = SECOND},
};
static const char *const kinds[] = {"small", "large"};

static struct tally *started(void)
{
	struct tally *tally = tally_new(phases, 3, kinds, 2);

	assert_non_null(tally);
	tally_start(tally, START);
	return tally;
}

/* Due at @at_ns, sent @late_ns after that, answered @service_ns after that. */
static void add(struct tally *tally, uint64_t at_ns, uint64_t late_ns, uint64_t service_ns,
		const char *error)
{
	struct tally_request request = {
		.phase = at_ns < MEASURED ? 0
			 : at_ns < END    ? 1
					  : 2,
		.kind = at_ns / MS % 2,
		.intended_ns = at_ns,
		.begun_ns = at_ns + late_ns,
		.ended_ns = at_ns + late_ns + service_ns,
		.error = error,
		.bytes = 10,
		.rows = 3,
	};

	tally_add(tally, &request);
}

/* A number at the end of a path of keys and of indices ("phases.1.operations"). */
static double at(const json_t *json, const char *path)
{
	char text[128], *part, *rest = text;

	snprintf(text, sizeof(text), "%s", path);
	while ((part = strsep(&rest, ".")))
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(part))
					   : json_object_get(json, part);
	if (!json)
		fail_msg("there is no %s", path);
	return json_is_number(json) ? json_number_value(json) : NAN;
}

static void close_to(const json_t *json, const char *path, double expected)
{
	if (!(fabs(at(json, path) - expected) <= fabs(expected) * 0.01))
		fail_msg("%s is %g instead of %g", path, at(json, path), expected);
}

/* The window is that of the measured phase even before its opening is told. */
static void what_was_due_in_the_window_counts(void **state)
{
	struct tally *tally = started();
	json_t *report;

	(void)state;
	add(tally, MEASURED - 1, 0, 5 * MS, NULL);
	add(tally, MEASURED, 0, 5 * MS, NULL);
	add(tally, MEASURED + 10 * MS, 0, 5 * MS, "status 503");
	tally_window_open(tally, MEASURED, 100 * MS);
	add(tally, END - 1, 0, 500 * MS, NULL);
	tally_window_close(tally, END);
	add(tally, END, 0, 5 * MS, NULL);
	report = tally_report(tally);
	assert_int_equal(at(report, "work.operations"), 2);
	assert_int_equal(at(report, "work.errors"), 1);
	assert_int_equal(at(report, "work.bytes"), 30);
	assert_int_equal(at(report, "work.rows"), 9);
	close_to(report, "work.success_rate", 2.0 / 3);
	assert_int_equal(at(report, "errors.status 503"), 1);
	/* All that was due in each phase, with its time as it is. */
	assert_int_equal(at(report, "phases.0.operations"), 1);
	assert_int_equal(at(report, "phases.1.operations"), 2);
	assert_int_equal(at(report, "phases.1.errors"), 1);
	assert_int_equal(at(report, "phases.2.operations"), 1);
	assert_int_equal(at(report, "phases.1.seconds"), 2);
	close_to(report, "phases.1.operations_per_second", 1);
	close_to(report, "latency.response.max_seconds", 0.5);
	assert_int_equal(at(report, "latency.response.count"), 2);
	/* Ticks count answers when they come; the last one came after the end. */
	assert_int_equal(json_array_size(json_object_get(report, "operations_per_second")), 20);
	close_to(report, "operations_per_second.0", 20);
	close_to(report, "errors_per_second.0", 10);
	assert_int_equal(at(report, "operations_per_second.19"), 0);
	json_decref(report);
	tally_free(tally);
}

/* Another window than that of the phases: what was counted for theirs goes. */
static void a_window_of_its_own_begins_anew(void **state)
{
	struct tally *tally = started();
	json_t *report;

	(void)state;
	add(tally, MEASURED, 0, 5 * MS, "refused");
	tally_count(tally, "reconnects", 2, MEASURED);
	tally_window_open(tally, MEASURED + SECOND, 100 * MS);
	add(tally, MEASURED + SECOND - 1, 0, 5 * MS, NULL);
	add(tally, MEASURED + SECOND, 0, 5 * MS, NULL);
	tally_count(tally, "reconnects", 1, MEASURED + SECOND);
	report = tally_report(tally);
	assert_int_equal(at(report, "work.operations"), 1);
	assert_int_equal(at(report, "work.errors"), 0);
	assert_int_equal(at(report, "work.counts.reconnects"), 1);
	assert_int_equal(json_object_size(json_object_get(report, "errors")), 0);
	assert_int_equal(at(report, "phases.1.operations"), 2);
	json_decref(report);
	tally_free(tally);
}

/* 4 users with 5 requests each, one every 10 ms, in a phase of 2 s, with another one behind it: the
 * rate is over the 200 ms that they took. One request short they are not done. */
static void iterations_that_are_done_have_their_own_time(void **state)
{
	struct phase own[3];

	(void)state;
	memcpy(own, phases, sizeof(own));
	own[1].executor = EXECUTOR_PER_VU_ITERATIONS;
	own[1].vus = 4;
	own[1].iterations = 5;
	for (int n = 19; n <= 20; n++) {
		struct tally *tally = tally_new(own, 3, kinds, 2);
		json_t *report;

		assert_non_null(tally);
		tally_start(tally, START);
		for (int i = 0; i < n; i++)
			add(tally, MEASURED + (uint64_t)i * 10 * MS, 0, 10 * MS,
			    i % 5 == 4 ? "refused" : NULL);
		add(tally, END, 0, 5 * MS, NULL);
		tally_window_close(tally, END);
		report = tally_report(tally);
		close_to(report, "phases.1.seconds", n == 20 ? 0.2 : 2);
		close_to(report, "phases.1.operations_per_second", n == 20 ? 80 : 8);
		json_decref(report);
		tally_free(tally);
	}
}

/* Errors have times of their own, which are in nobody else's. */
static void errors_have_times_of_their_own(void **state)
{
	struct tally *tally = started();
	json_t *report;

	(void)state;
	add(tally, MEASURED - 1, 0, 900 * MS, "timeout");
	add(tally, MEASURED, 0, 5 * MS, NULL);
	report = tally_report(tally);
	assert_null(json_object_get(json_object_get(report, "latency"), "failed"));
	json_decref(report);
	for (int i = 0; i < 100; i++)
		add(tally, MEASURED + (uint64_t)i * MS, 100 * MS, 200 * MS, "timeout");
	report = tally_report(tally);
	assert_int_equal(at(report, "latency.failed.count"), 100);
	close_to(report, "latency.failed.p50_seconds", 0.3);
	close_to(report, "latency.failed.max_seconds", 0.3);
	assert_int_equal(at(report, "latency.response.count"), 1);
	close_to(report, "latency.response.max_seconds", 0.005);
	json_decref(report);
	/* They go with the window that they were of. */
	tally_window_open(tally, MEASURED + SECOND, 100 * MS);
	report = tally_report(tally);
	assert_null(json_object_get(json_object_get(report, "latency"), "failed"));
	json_decref(report);
	tally_free(tally);
}

static void response_counts_from_the_intended_time(void **state)
{
	struct tally *tally = started();
	json_t *report;

	(void)state;
	for (int i = 0; i < 2000; i++)
		add(tally, MEASURED + (uint64_t)i * MS, 40 * MS, (uint64_t)(i % 100 + 1) * MS,
		    NULL);
	report = tally_report(tally);
	close_to(report, "latency.service.p50_seconds", 0.050);
	close_to(report, "latency.service.p99_seconds", 0.099);
	close_to(report, "latency.response.p50_seconds", 0.090);
	close_to(report, "latency.response.p99_seconds", 0.139);
	/* 2,000 do not carry it. */
	assert_true(isnan(at(report, "latency.response.p999_seconds")));
	assert_int_equal(at(report, "latency.response small.count"), 1000);
	assert_int_equal(at(report, "latency.response large.count"), 1000);
	assert_int_equal(at(report, "kinds.1.operations"), 1000);
	close_to(report, "phases.1.response.p99_seconds", 0.139);
	close_to(report, "response_p95_seconds.0", 0.135);
	assert_int_equal(at(report, "response_p95_interval_seconds"), 1);
	json_decref(report);
	tally_free(tally);
}

static void more_kinds_of_errors_than_there_is_room_are_other(void **state)
{
	struct tally *tally = started();
	json_t *report;
	char name[32];

	(void)state;
	for (int i = 0; i < TALLY_ERRORS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "error %d", i);
		add(tally, MEASURED, 0, MS, name);
		add(tally, MEASURED, 0, MS, name);
	}
	report = tally_report(tally);
	assert_int_equal(json_object_size(json_object_get(report, "errors")), TALLY_ERRORS_MAX + 1);
	assert_int_equal(at(report, "errors.error 31"), 2);
	assert_int_equal(at(report, "errors.other"), 10);
	assert_int_equal(at(report, "work.errors"), 2 * TALLY_ERRORS_MAX + 10);
	assert_int_equal(tally_errors(tally), 2 * TALLY_ERRORS_MAX + 10);
	assert_int_equal(tally_good(tally), 0);
	/* Nothing was good: nothing is known of its time. */
	assert_true(isnan(at(report, "latency.response.p50_seconds")));
	json_decref(report);
	tally_free(tally);
}

static void lateness_and_drops_are_of_their_phase(void **state)
{
	struct tally *tally = started();
	json_t *report;

	(void)state;
	tally_late(tally, 0, START, 900 * MS);
	tally_late(tally, 1, MEASURED, 20 * MS);
	tally_late(tally, 1, MEASURED, 10 * MS);
	tally_dropped(tally, 0, START);
	tally_dropped(tally, 1, MEASURED);
	tally_dropped(tally, 1, MEASURED);
	report = tally_report(tally);
	close_to(report, "late_seconds_max", 0.020);
	close_to(report, "phases.0.late_seconds_max", 0.900);
	assert_int_equal(at(report, "dropped"), 2);
	assert_int_equal(at(report, "phases.0.dropped"), 1);
	json_decref(report);
	tally_free(tally);
}

static void a_series_stays_bounded_and_loses_nothing(void **state)
{
	struct series series;
	uint64_t sum = 0;

	(void)state;
	series_init(&series, 10 * MS);
	for (uint64_t i = 0; i < 86400; i++)
		series_add(&series, i * SECOND);
	assert_true(series.n <= SERIES_TICKS_MAX);
	assert_int_equal(series.tick_ns, 10 * MS << 7);
	series_lengthen(&series, 2 * series.tick_ns);
	for (size_t i = 0; i < series.n; i++) {
		/* In 2.56 s there are two or three of them. */
		assert_in_range(series.ticks[i], i + 1 < series.n ? 2 : 1, 3);
		sum += series.ticks[i];
	}
	assert_int_equal(sum, 86400);
	series_clear(&series);
}

/* A day of four answers a second that take 10 ms, in its second half 20 ms. */
static void p95s_stay_bounded_and_true(void **state)
{
	struct p95s p95s = {0};
	json_t *json;

	(void)state;
	for (uint64_t i = 0; i < 86400 * 4; i++)
		p95s_add(&p95s, i * SECOND / 4, (i < 86400 * 2 ? 10 : 20) * MS);
	assert_int_equal(p95s.interval_ns, 1024 * SECOND);
	json = p95s_json(&p95s);
	assert_int_equal(json_array_size(json), 85);
	close_to(json, "0", 0.010);
	close_to(json, "41", 0.010);
	close_to(json, "43", 0.020);
	close_to(json, "84", 0.020);
	json_decref(json);
	p95s_clear(&p95s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_due_in_the_window_counts),
		cmocka_unit_test(a_window_of_its_own_begins_anew),
		cmocka_unit_test(iterations_that_are_done_have_their_own_time),
		cmocka_unit_test(errors_have_times_of_their_own),
		cmocka_unit_test(response_counts_from_the_intended_time),
		cmocka_unit_test(more_kinds_of_errors_than_there_is_room_are_other),
		cmocka_unit_test(lateness_and_drops_are_of_their_phase),
		cmocka_unit_test(a_series_stays_bounded_and_loses_nothing),
		cmocka_unit_test(p95s_stay_bounded_and_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
