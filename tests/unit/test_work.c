/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A driver's report, taken into a round: whole, with gaps, and none at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/work.h"
#include "record/distribution.h"

static void assert_near(double x, double wanted)
{
	if (!(fabs(x - wanted) <= 1e-12 * fmax(1, fabs(wanted))))
		fail_msg("%.17g is not %.17g", x, wanted);
}

static int set_up(void **state)
{
	struct record_round *round = calloc(1, sizeof(*round));

	if (!round)
		return -1;
	record_round_init(round);
	*state = round;
	return 0;
}

static int tear_down(void **state)
{
	record_round_clear(*state);
	free(*state);
	return 0;
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *report = json_loads(text, 0, &error);

	if (!report)
		fail_msg("%s", error.text);
	return report;
}

static void take(struct record_round *round, const char *text)
{
	json_t *report = parse(text);

	assert_int_equal(work_take(round, report, 1500000000), 0);
	json_decref(report);
}

static void a_complete_report(void **state)
{
	struct record_round *round = *state;

	take(round,
	     "{\"late_seconds_max\": 0.125, \"dropped\": 9, \"work\": {\"lines\": 1,"
	     "\"bytes\": 2, \"expected_lines\": 3, \"lost\": 4, \"duplicated\": 5, \"reordered\": "
	     "6, \"malformed\": 7, \"foreign\": 8}, \"latency\": {\"delivery\": {\"count\": 10,"
	     "\"min_seconds\": 0.5, \"mean_seconds\": 1, \"p50_seconds\": 2, \"p90_seconds\": 3,"
	     "\"p95_seconds\": 4, \"p99_seconds\": 5, \"p999_seconds\": null, \"max_seconds\": "
	     "7}, \"first\": {\"count\": 11}}}");
	assert_true(round->has_driver);
	assert_near(round->driver.cpu_seconds, 1.5);
	assert_near(round->driver.late_seconds_max, 0.125);
	assert_int_equal(round->driver.dropped, 9);
	assert_true(round->has_work);
	assert_int_equal(round->work.lines, 1);
	assert_int_equal(round->work.bytes, 2);
	assert_int_equal(round->work.expected_lines, 3);
	assert_int_equal(round->work.lost, 4);
	assert_int_equal(round->work.duplicated, 5);
	assert_int_equal(round->work.reordered, 6);
	assert_int_equal(round->work.malformed, 7);
	assert_int_equal(round->work.foreign, 8);
	assert_int_equal(round->n_latency, 2);
	assert_string_equal(round->latency[0].name, "delivery");
	assert_int_equal(round->latency[0].count, 10);
	assert_near(round->latency[0].min_seconds, 0.5);
	assert_near(round->latency[0].mean_seconds, 1);
	assert_near(round->latency[0].p50_seconds, 2);
	assert_near(round->latency[0].p90_seconds, 3);
	assert_near(round->latency[0].p95_seconds, 4);
	assert_near(round->latency[0].p99_seconds, 5);
	assert_true(isnan(round->latency[0].p999_seconds));
	assert_near(round->latency[0].max_seconds, 7);
	assert_string_equal(round->latency[1].name, "first");
	assert_int_equal(round->latency[1].count, 11);
	assert_true(isnan(round->latency[1].p50_seconds));
	assert_true(round->validity.valid);
}

static void buckets_of_a_latency(void **state)
{
	struct record_round *round = *state;

	latency_add(round, "run_queue"); /* what is there already stays */
	take(round, "{\"latency\": {\"delivery\": {\"count\": 3, \"bucket_upper_seconds\":"
		    "[0.5, 2], \"bucket_counts\": [1, 2]}, \"first\": {\"bucket_counts\": [4]},"
		    "\"last\": {\"bucket_upper_seconds\": [1], \"bucket_counts\": [1, 2]}}}");
	assert_int_equal(round->n_latency, 4);
	assert_int_equal(latency_find(round, "delivery")->n_buckets, 2);
	assert_near(latency_find(round, "delivery")->bucket_upper_seconds[0], 0.5);
	assert_near(latency_find(round, "delivery")->bucket_upper_seconds[1], 2);
	assert_near(latency_find(round, "delivery")->bucket_counts[0], 1);
	assert_near(latency_find(round, "delivery")->bucket_counts[1], 2);
	assert_int_equal(latency_find(round, "first")->n_buckets, 0);
	assert_int_equal(latency_find(round, "last")->n_buckets, 0);
}

/* What is not said, or said in another kind of value, is not known: it is not zero. */
static void what_is_missing_is_not_known(void **state)
{
	struct record_round *round = *state;

	take(round, "{\"dropped\": \"3\", \"late_seconds_max\": [], \"tick_seconds\": {},"
		    "\"work\": {\"lines\": 5, \"lost\": 1.5, \"bytes\": null},"
		    "\"latency\": {\"delivery\": null}}");
	assert_true(round->has_driver);
	assert_true(isnan(round->driver.late_seconds_max));
	assert_true(round->driver.dropped == RECORD_NONE);
	assert_true(round->has_work);
	assert_int_equal(round->work.lines, 5);
	assert_true(round->work.lost == RECORD_NONE);
	assert_true(round->work.bytes == RECORD_NONE);
	assert_true(round->work.expected_lines == RECORD_NONE);
	assert_true(round->work.foreign == RECORD_NONE);
	assert_int_equal(round->n_latency, 1);
	assert_true(round->latency[0].count == RECORD_NONE);
	assert_true(isnan(round->latency[0].max_seconds));
	assert_null(round->series.lines_per_second);
	assert_true(round->validity.valid);
}

static void an_empty_report(void **state)
{
	struct record_round *round = *state;

	take(round, "{}");
	assert_true(round->has_driver);
	assert_false(round->has_work);
	assert_int_equal(round->n_latency, 0);
	assert_true(isnan(round->driver.late_seconds_max));
	assert_true(round->validity.valid);
}

static void something_else_than_a_report(void **state)
{
	struct record_round *round = *state;

	take(round, "[{\"work\": {}}]");
	assert_false(round->has_work);
	assert_int_equal(round->n_latency, 0);
}

static void no_report(void **state)
{
	struct record_round *round = *state;

	assert_int_equal(work_take(round, NULL, 2000000000), 0);
	assert_true(round->has_driver);
	assert_near(round->driver.cpu_seconds, 2);
	assert_true(isnan(round->driver.late_seconds_max));
	assert_true(round->driver.dropped == RECORD_NONE);
	assert_false(round->has_work);
	assert_false(round->validity.valid);
	assert_int_equal(round->validity.n_reasons, 1);
	assert_non_null(strstr(round->validity.reasons[0], "no report"));
}

static void just_in_time(void **state)
{
	struct record_round *round = *state;

	take(round, "{\"late_seconds_max\": 0.25}");
	assert_true(round->validity.valid);
}

static void a_late_driver(void **state)
{
	struct record_round *round = *state;

	take(round, "{\"late_seconds_max\": 0.31, \"work\": {\"lines\": 1}}");
	assert_false(round->validity.valid);
	assert_int_equal(round->validity.n_reasons, 1);
	assert_string_equal(round->validity.reasons[0],
			    "the driver was saturated: it handed out a line 310 ms late (bound 250 "
			    "ms)");
	/* What it did is recorded all the same. */
	assert_int_equal(round->work.lines, 1);
	assert_near(round->driver.late_seconds_max, 0.31);
}

static void assert_series(const struct record_round *round, const double *wanted)
{
	assert_non_null(round->series.lines_per_second);
	for (size_t i = 0; i < round->series.n; i++) {
		if (isnan(wanted[i]))
			assert_true(isnan(round->series.lines_per_second[i]));
		else
			assert_near(round->series.lines_per_second[i], wanted[i]);
	}
}

static void a_series_by_the_same_ticks(void **state)
{
	const double wanted[] = {10, 20, 30.5, NAN};
	struct record_round *round = *state;

	round->series.n = 4;
	round->series.interval_seconds = 0.1;
	take(round, "{\"tick_seconds\": 0.1, \"lines_per_second\": [10, 20, 30.5]}");
	assert_series(round, wanted);
}

static void a_series_without_its_tick(void **state)
{
	const double wanted[] = {10, 20};
	struct record_round *round = *state;

	round->series.n = 2;
	round->series.interval_seconds = 0.1;
	take(round, "{\"lines_per_second\": [10, 20, 30]}");
	assert_series(round, wanted);
}

/* A long window's points hold several ticks each; the last may hold fewer. */
static void a_series_by_finer_ticks(void **state)
{
	const double wanted[] = {25, 60, NAN};
	struct record_round *round = *state;

	round->series.n = 3;
	round->series.interval_seconds = 0.4;
	take(round, "{\"tick_seconds\": 0.1, \"lines_per_second\": [10, 20, 30, 40, 50, 70]}");
	assert_series(round, wanted);
}

static void a_series_that_is_none(void **state)
{
	struct record_round *round = *state;

	round->series.n = 2;
	round->series.interval_seconds = 0.1;
	take(round, "{\"tick_seconds\": 0, \"lines_per_second\": [10, 20]}");
	assert_null(round->series.lines_per_second);
}

static void a_series_of_no_points(void **state)
{
	struct record_round *round = *state;

	round->series.n = 0;
	take(round, "{\"tick_seconds\": 0.1, \"lines_per_second\": [10, 20]}");
	assert_int_equal(round->series.n, 0);
}

static void add_phases(struct record_round *round, size_t n)
{
	round->n_phases = n;
	round->phases = calloc(n, sizeof(*round->phases));
	for (size_t i = 0; i < n; i++)
		round->phases[i].driver = (struct record_use){0.5, NAN, RECORD_NONE};
}

static void assert_use(const struct record_use *use, double saturation, int64_t errors)
{
	assert_near(use->utilization, 0.5);
	if (isnan(saturation))
		assert_true(isnan(use->saturation));
	else
		assert_near(use->saturation, saturation);
	assert_true(use->errors == errors);
}

static void phases_that_the_driver_tells(void **state)
{
	struct record_round *round = *state;

	add_phases(round, 3);
	take(round, "{\"late_seconds_max\": 0.1, \"dropped\": 4, \"phases\": ["
		    "{\"late_seconds_max\": 0.1, \"dropped\": 1}, {\"dropped\": 3}, 7]}");
	assert_use(&round->phases[0].driver, 0.1, 1);
	assert_use(&round->phases[1].driver, NAN, 3);
	assert_use(&round->phases[2].driver, NAN, RECORD_NONE);
}

/* The whole is one phase's, but not one of several. */
static void phases_that_no_driver_tells(void **state)
{
	static const char *const reports[] = {
		"{\"late_seconds_max\": 0.1, \"dropped\": 4}",
		"{\"late_seconds_max\": 0.1, \"dropped\": 4, \"phases\": []}",
		"{\"late_seconds_max\": 0.1, \"dropped\": 4, \"phases\": 2}",
		"{\"late_seconds_max\": 0.1, \"dropped\": 4, \"phases\": [{}, {}, {}]}",
	};
	struct record_round *round = *state;

	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		add_phases(round, 1);
		take(round, reports[i]);
		assert_use(&round->phases[0].driver, 0.1, 4);
		free(round->phases);
		add_phases(round, 2);
		take(round, reports[i]);
		assert_use(&round->phases[0].driver, NAN, RECORD_NONE);
		assert_use(&round->phases[1].driver, NAN, RECORD_NONE);
		free(round->phases);
		round->phases = NULL;
		round->n_phases = 0;
	}
}

#define LOAD                                                                                       \
	"{\"work\": {\"operations\": 90, \"errors\": 10, \"bytes\": 5, \"rows\": 900,"             \
	"\"rows_expected\": 1000, \"dropped\": 2, \"counts\": {\"status 200\": 90}},"              \
	"\"errors\": {\"timeout\": 3, \"status 503\": 7, \"none\": 0, \"odd\": \"x\"},"            \
	"\"kinds\": [{\"name\": \"read\", \"operations\": 90, \"errors\": 10, \"rows\": 900}],"    \
	"\"latency\": {\"response\": {\"count\": 90, \"p95_seconds\": 0.5},"                       \
	"\"response read\": {\"count\": 90}}, \"late_seconds_max\": 0.01, \"dropped\": 2,"         \
	"\"phases\": [{\"name\": \"ramp\", \"role\": \"warmup\", \"operations\": 7},"              \
	"{\"name\": \"main\", \"role\": \"measured\", \"operations\": 90, \"errors\": 10,"         \
	"\"dropped\": 2, \"late_seconds_max\": 0.01, \"operations_per_second\": 9,"                \
	"\"response\": {\"count\": 90, \"p95_seconds\": 0.5}, \"service\": {\"count\": 90}}],"     \
	"\"producers\": [{\"name\": \"p0\", \"operations\": 90, \"rate\": 9}],"                    \
	"\"recovery\": [{\"fault\": \"kill\", \"at_seconds\": 1, \"last_good_seconds\": 0.9,"      \
	"\"first_good_seconds\": 2, \"outage_seconds\": 1.1, \"normal_p95_seconds\": null}],"      \
	"\"side_metrics\": {\"hits\": 0.97, \"text\": \"x\"},"                                     \
	"\"response_p95_seconds\": [0.5, null], \"response_p95_interval_seconds\": 5}"

static void a_load(void **state)
{
	struct record_round *round = *state;

	take(round, LOAD);
	assert_true(round->work.operations == 90 && round->work.errors == 10);
	assert_true(round->work.rows == 900 && round->work.rows_expected == 1000);
	assert_true(round->work.dropped == 2 && round->work.lines == RECORD_NONE);
	assert_true(round->work.is_fixed);
	assert_int_equal(round->n_errors, 2);
	assert_string_equal(round->errors[0].kind, "status 503");
	assert_int_equal(round->errors[0].count, 7);
	assert_string_equal(round->errors[1].kind, "timeout");
	assert_int_equal(round->n_counts, 1);
	assert_string_equal(round->counts[0].name, "status 200");
	assert_int_equal(round->n_kinds, 1);
	assert_int_equal(round->kinds[0].rows, 900);
	assert_true(round->kinds[0].bytes == RECORD_NONE);
	assert_int_equal(round->n_producers, 1);
	assert_near(round->producers[0].load.rate_per_second, 9);
	assert_int_equal(round->n_recovery, 1);
	assert_string_equal(round->recovery[0].fault, "kill");
	assert_near(round->recovery[0].outage_seconds, 1.1);
	assert_true(isnan(round->recovery[0].normal_p95_seconds));
	assert_int_equal(round->n_side_metrics, 1);
	assert_near(round->side_metrics[0].value, 0.97);
	assert_int_equal(round->series.n_response_p95_seconds, 2);
	assert_true(isnan(round->series.response_p95_seconds[1]));
	assert_near(round->series.response_p95_interval_seconds, 5);
	assert_true(round->validity.valid);
}

/* The warm-up has no part in the window; the others find their place by their names. */
static void phases_of_a_load(void **state)
{
	struct record_round *round = *state;

	record_add_phase(round, "other");
	record_add_phase(round, "main")->duration_seconds = 10;
	take(round, LOAD);
	assert_int_equal(round->n_phases, 2);
	assert_false(round->phases[0].has_load);
	assert_true(round->phases[1].has_load);
	assert_near(round->phases[1].duration_seconds, 10);
	assert_int_equal(round->phases[1].load.operations, 90);
	assert_near(round->phases[1].load.rate_per_second, 9);
	assert_near(round->phases[1].load.response.p95_seconds, 0.5);
	assert_int_equal(round->phases[1].load.service.count, 90);
	assert_near(round->phases[1].driver.saturation, 0.01);
	assert_int_equal(round->phases[1].driver.errors, 2);
}

static void a_phase_that_the_round_has_not(void **state)
{
	struct record_round *round = *state;

	take(round, LOAD);
	assert_int_equal(round->n_phases, 1);
	assert_string_equal(round->phases[0].name, "main");
	assert_true(isnan(round->phases[0].duration_seconds));
	assert_true(isnan(round->phases[0].cpu.utilization));
	assert_int_equal(round->phases[0].load.errors, 10);
}

/* What was seen at the sockets is told apart from what the client tells. */
static void latencies_of_both_ends(void **state)
{
	struct record_round *round = *state;

	latency_add(round, "response")->count = 80;
	latency_add(round, "queue")->count = 70;
	take(round, LOAD);
	assert_int_equal(latency_find(round, "response")->count, 90);
	assert_int_equal(latency_find(round, "server_response")->count, 80);
	assert_int_equal(latency_find(round, "queue")->count, 70);
	assert_int_equal(latency_find(round, "response read")->count, 90);
}

/* More kinds than are kept: the rarest are one, which is last. */
static void many_errors(void **state)
{
	struct record_round *round = *state;
	json_t *errors = json_object(), *report = json_pack("{s:o}", "errors", errors);
	int64_t sum = 0;
	char name[32];

	for (int i = 1; i <= 200; i++) {
		snprintf(name, sizeof(name), "kind %d", i);
		json_object_set_new(errors, name, json_integer(i));
	}
	assert_int_equal(work_take(round, report, 0), 0);
	json_decref(report);
	assert_int_equal(round->n_errors, RECORD_MAX_ERRORS);
	assert_string_equal(round->errors[0].kind, "kind 200");
	assert_string_equal(round->errors[RECORD_MAX_ERRORS - 1].kind, "other");
	for (size_t i = 0; i < round->n_errors; i++)
		sum += round->errors[i].count;
	assert_int_equal(sum, 200 * 201 / 2);
}

/* Lists that are none, names that are none: nothing is taken, nothing is broken. */
static void nonsense_of_a_load(void **state)
{
	struct record_round *round = *state;

	take(round, "{\"work\": {\"operations\": \"many\", \"counts\": 3}, \"errors\": [1],"
		    "\"kinds\": {\"a\": 1}, \"phases\": {\"name\": \"x\"}, \"producers\": [7],"
		    "\"recovery\": [null, {}], \"side_metrics\": [1, 2],"
		    "\"operations_per_second\": 9, \"response_p95_seconds\": {}}");
	assert_true(round->work.operations == RECORD_NONE);
	assert_false(round->work.is_fixed);
	assert_int_equal(round->n_errors + round->n_counts + round->n_kinds + round->n_phases, 0);
	assert_int_equal(round->n_producers, 1);
	assert_null(round->producers[0].name);
	assert_true(round->producers[0].load.operations == RECORD_NONE);
	assert_int_equal(round->n_recovery, 2);
	assert_true(isnan(round->recovery[0].outage_seconds));
	assert_int_equal(round->n_side_metrics, 0);
	assert_null(round->series.operations_per_second);
}

static void who_fixes_the_work(void **state)
{
	static const struct {
		enum executor executor;
		bool is_fixed;
	} rows[] = {
		{EXECUTOR_NONE, true},
		{EXECUTOR_CONSTANT_ARRIVAL_RATE, true},
		{EXECUTOR_RAMPING_ARRIVAL_RATE, true},
		{EXECUTOR_PER_VU_ITERATIONS, true},
		{EXECUTOR_CONSTANT_VUS, false},
		{EXECUTOR_RAMPING_VUS, false},
	};
	struct phase phases[] = {{.role = PHASE_WARMUP, .executor = EXECUTOR_CONSTANT_VUS},
				 {.role = PHASE_MEASURED}};
	struct scenario scenario = {.n_phases = 2, .phases = phases};
	json_t *said = json_pack("{s:b}", "work_is_fixed", 1), *unsaid = json_object();
	struct record_round *round = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		phases[1].executor = rows[i].executor;
		round->work.is_fixed = true;
		work_fix(round, unsaid, &scenario);
		assert_int_equal(round->work.is_fixed, rows[i].is_fixed);
		round->work.is_fixed = true;
		work_fix(round, said, &scenario); /* the driver knows better */
		assert_true(round->work.is_fixed);
	}
	json_decref(said);
	json_decref(unsaid);
	take(round, "{\"work_is_fixed\": false, \"work\": {\"operations\": 1}}");
	assert_false(round->work.is_fixed);
}

/* In a closed loop nothing is late: a driver without time left is seen by its core. */
static void a_saturated_closed_loop(void **state)
{
	static const struct {
		enum executor executor;
		double used, seconds;
		const char *report;
		bool valid;
	} rows[] = {
		{EXECUTOR_CONSTANT_VUS, 0.97, 10, "{}", false},
		{EXECUTOR_RAMPING_VUS, 0.97, 10, "{}", false},
		{EXECUTOR_PER_VU_ITERATIONS, 0.97, 10, "{}", false},
		{EXECUTOR_CONSTANT_ARRIVAL_RATE, 0.97, 10, "{}", true},
		{EXECUTOR_CONSTANT_VUS, 0.94, 10, "{}", true},
		{EXECUTOR_CONSTANT_VUS, NAN, 10, "{}", true},
		{EXECUTOR_CONSTANT_VUS, 0.97, 0.05, "{}", true},
		{EXECUTOR_CONSTANT_VUS, 1.7, 10, "{\"has_threads\": true}", true},
	};
	char name[] = "main";
	struct phase phase = {.name = name, .role = PHASE_MEASURED};
	struct scenario scenario = {.n_phases = 1, .phases = &phase};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *report = parse(rows[i].report);
		struct record_round round = {0};

		record_round_init(&round);
		record_add_phase(&round, name)->duration_seconds = rows[i].seconds;
		round.phases[0].driver.utilization = rows[i].used;
		phase.executor = rows[i].executor;
		work_check_busy(&round, report, &scenario);
		assert_int_equal(round.validity.n_reasons, rows[i].valid ? 0 : 1);
		if (!rows[i].valid)
			assert_string_equal(
				round.validity.reasons[0],
				"the driver was saturated: it used 97 % of a core in phase 'main' "
				"(bound 95 %), so users waited for it; use fewer, or a wait "
				"between requests");
		record_round_clear(&round);
		json_decref(report);
	}
}

static void a_late_load(void **state)
{
	struct record_round *round = *state;

	take(round, "{\"late_seconds_max\": 0.31, \"work\": {\"operations\": 1}}");
	assert_string_equal(round->validity.reasons[0],
			    "the driver was saturated: it sent a request 310 ms late (bound 250 "
			    "ms)");
}

static void thresholds_on_the_way(void **state)
{
	struct scenario_threshold thresholds[] = {
		{.metric = (char *)"work.errors", .expression = (char *)"count<1"},
		{.metric = (char *)"operations",
		 .expression = (char *)"count>1000",
		 .abort_on_fail = true},
		{.metric = (char *)"work.errors{phase:main}",
		 .expression = (char *)"rate<5%",
		 .abort_on_fail = true},
	};
	json_t *peek = parse(LOAD);
	size_t which = 9;

	(void)state;
	/* The first does not abort, the second may yet hold. */
	assert_int_equal(work_fails_live(thresholds, 3, peek, 5, &which), 1);
	assert_int_equal(which, 2);
	thresholds[2].delay_abort_ns = 6; /* not yet */
	assert_int_equal(work_fails_live(thresholds, 3, peek, 5, &which), 0);
	thresholds[2].delay_abort_ns = 5;
	assert_int_equal(work_fails_live(thresholds, 3, peek, 5, &which), 1);
	assert_int_equal(work_fails_live(thresholds, 2, peek, 5, &which), 0);
	assert_int_equal(work_fails_live(thresholds, 3, NULL, 5, &which), 0);
	/* Of a phase that tells how long it is under way, its own time counts. */
	json_object_set_new(json_array_get(json_object_get(peek, "phases"), 1), "seconds",
			    json_real(2));
	thresholds[2].delay_abort_ns = 2000000001;
	assert_int_equal(work_fails_live(thresholds, 3, peek, 60000000000, &which), 0);
	thresholds[2].delay_abort_ns = 2000000000;
	assert_int_equal(work_fails_live(thresholds, 3, peek, 60000000000, &which), 1);
	json_decref(peek);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_complete_report),
		TEST(buckets_of_a_latency),
		TEST(what_is_missing_is_not_known),
		TEST(an_empty_report),
		TEST(something_else_than_a_report),
		TEST(no_report),
		TEST(just_in_time),
		TEST(a_late_driver),
		TEST(phases_that_the_driver_tells),
		TEST(phases_that_no_driver_tells),
		TEST(a_series_by_the_same_ticks),
		TEST(a_series_without_its_tick),
		TEST(a_series_by_finer_ticks),
		TEST(a_series_that_is_none),
		TEST(a_load),
		TEST(phases_of_a_load),
		TEST(a_phase_that_the_round_has_not),
		TEST(latencies_of_both_ends),
		TEST(many_errors),
		TEST(nonsense_of_a_load),
		TEST(who_fixes_the_work),
		TEST(a_saturated_closed_loop),
		TEST(a_late_load),
		TEST(thresholds_on_the_way),
		TEST(a_series_of_no_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
