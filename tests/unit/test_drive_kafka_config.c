/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `kafka` of a scenario: what is taken, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "drive/kafka/kafka.h"
#include "util/clock.h"

#define OPEN_LOOP                                                                                  \
	"phases: [{name: m, role: measured, executor: constant-arrival-rate, rate: 10, "           \
	"duration: 10s}]\n"
#define NO_EXECUTOR "phases: [{name: m, role: measured, duration: 10s}]\n"
#define START       "driver: kafka\n"

static struct scenario *take(const char *text)
{
	struct error err;
	struct scenario *scenario =
		scenario_load_memory("s.yaml", text, strlen(text), driver_schema_of, &err);

	if (!scenario)
		fail_msg("refused: %s", err.text);
	return scenario;
}

/* By the schema, with its place. */
static void refuse(const char *section, const char *begins, const char *holds)
{
	char text[1024];
	struct error err = {0};

	snprintf(text, sizeof(text), START OPEN_LOOP "kafka: {%s}\n", section);
	if (scenario_load_memory("s.yaml", text, strlen(text), driver_schema_of, &err))
		fail_msg("taken: %s", text);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
}

/* By what belongs together; @holds NULL: it is taken. */
static void check_whole(const char *phases, const char *section, const char *holds)
{
	struct error err = {0};
	struct scenario *scenario;
	char text[1024];
	int rc;

	snprintf(text, sizeof(text), START "%skafka: {%s}\n", phases, section);
	scenario = take(text);
	rc = kafka_check(scenario, &err);
	if (!holds) {
		assert_int_equal(rc, 0);
	} else {
		assert_int_equal(rc, -1);
		assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
		if (!strstr(err.text, holds))
			fail_msg("'%s' does not hold '%s'", err.text, holds);
	}
	scenario_free(scenario);
}

static void the_section(void **state)
{
	struct scenario *scenario = take(START OPEN_LOOP);
	const struct kafka_config *config = scenario->driver_config;

	(void)state;
	assert_string_equal(config->bootstrap, "127.0.0.1:${port}");
	assert_int_equal(config->partitions, 10);
	assert_int_equal(config->message_size, 1024);
	assert_int_equal(config->acks, 1);
	assert_int_equal(config->linger_ns, 10 * NSEC_PER_MSEC);
	assert_int_equal(config->producers, 1);
	assert_int_equal(config->consumers, 0);
	assert_int_equal(kafka_seed(config), 1);
	scenario_free(scenario);

	scenario = take(START OPEN_LOOP
			"kafka: {topic: t, acks: all, compression: lz4, message_size: 100, "
			"consumers: 3, assignor: cooperative-sticky, linger: 0s, "
			"rebalance: [{at: 5s, join: 1}, {phase: m, leave: 2}], "
			"properties: {socket.nagle.disable: \"false\"}}\n");
	config = scenario->driver_config;
	assert_int_equal(config->acks, 2);
	assert_int_equal(config->compression, 3);
	assert_int_equal(config->linger_ns, 0);
	assert_int_equal(config->n_rebalances, 2);
	assert_int_equal(config->rebalances[0].at_ns, 5 * NSEC_PER_SEC);
	assert_int_equal(config->rebalances[1].leave, 2);
	assert_string_equal(config->properties[0].name, "socket.nagle.disable");
	assert_int_equal(kafka_check(scenario, NULL), 0);
	scenario_free(scenario);
}

static void values_out_of_bounds(void **state)
{
	(void)state;
	refuse("message_size: 47", "s.yaml:3:23: key 'kafka.message_size': ", "48");
	refuse("compression: brotli", "s.yaml:3:22: key 'kafka.compression': ", "none, gzip");
	refuse("acks: 2", "s.yaml:3:15: key 'kafka.acks': ", "0, 1");
	refuse("producers: 65", "s.yaml:3:20: key 'kafka.producers': ", "64");
	refuse("lingr: 5ms", "s.yaml:3:9: key 'kafka.lingr': ", "linger");
	refuse("rebalance: [{join: x}]", "s.yaml:3:28: key 'kafka.rebalance[0].join': ", "'x'");
}

static void what_does_not_go_together(void **state)
{
	(void)state;
	check_whole(OPEN_LOOP, "producers: 2, consumers: 2", NULL);
	check_whole(NO_EXECUTOR, "producers: 0, consumers: 1, preload: 10", NULL);
	check_whole(NO_EXECUTOR, "producers: 0, preload: 10", "has to have consumers");
	check_whole(NO_EXECUTOR, "producers: 0, consumers: 1", "'preload'");
	check_whole(OPEN_LOOP, "preload: 5", "'preload' is for 'producers: 0'");
	check_whole(NO_EXECUTOR, "producers: 1", "phase 'm' has no executor");
	check_whole(OPEN_LOOP, "producers: 0, consumers: 1, preload: 1", "has an executor");
	check_whole(OPEN_LOOP, "consumers: 1, partitions: 10000, producers: 2", "more than 16384");
	check_whole(OPEN_LOOP, "partitions: 10000, producers: 2", NULL);
	check_whole(OPEN_LOOP, "buffer_size: 1KiB, message_size: 2KiB", "less than a message");
	check_whole(OPEN_LOOP, "consumers: 1, rebalance: [{phase: x, join: 1}]", "'x'");
	check_whole(OPEN_LOOP, "consumers: 1, rebalance: [{at: 1s}]", "changes nothing");
	check_whole(OPEN_LOOP, "consumers: 1, rebalance: [{leave: 1}]", "leaves 0 consumers");
	check_whole(OPEN_LOOP, "consumers: 1, rebalance: [{join: 1}, {leave: 1}]", NULL);
}

static void the_rate_of_the_command_line(void **state)
{
	struct scenario *scenario = take(
		START "phases:\n"
		      "  - {name: w, role: warmup, executor: constant-vus, vus: 5, duration: 1s}\n"
		      "  - {name: m, role: measured, executor: constant-arrival-rate, "
		      "rate: 6000, timeUnit: 1m, duration: 1s}\n"
		      "  - {name: c, role: cooldown, executor: ramping-arrival-rate, "
		      "startRate: 50, stages: [{duration: 1s, target: 200}]}\n");
	const uint64_t seed = UINT64_MAX;
	struct phase *phases;
	struct error err;

	(void)state;
	assert_int_equal(kafka_override(scenario->driver_config, -1, NULL, &err), -1);
	assert_int_equal(kafka_override(scenario->driver_config, 400, &seed, &err), 0);
	assert_int_equal(kafka_seed(scenario->driver_config), UINT64_MAX);
	phases = kafka_phases(scenario, &err);
	assert_non_null(phases);
	/* The highest becomes 400 a second, the others keep their share of it. */
	assert_float_equal(phases[1].rate, 12000, 1e-6);
	assert_float_equal(phases[2].start_rate, 100, 1e-6);
	assert_float_equal(phases[2].stages[0].target, 400, 1e-6);
	assert_float_equal(scenario->phases[2].stages[0].target, 200, 1e-6);
	kafka_phases_free(phases, scenario->n_phases);
	scenario_free(scenario);

	scenario = take(START "phases: [{name: m, role: measured, executor: constant-vus, vus: 1, "
			      "duration: 1s}]\n");
	assert_int_equal(kafka_override(scenario->driver_config, 400, NULL, &err), 0);
	assert_null(kafka_phases(scenario, &err));
	assert_non_null(strstr(err.text, "no phase of s.yaml has an arrival rate"));
	assert_int_equal(kafka_override(scenario->driver_config, NAN, NULL, &err), 0);
	phases = kafka_phases(scenario, &err);
	assert_non_null(phases);
	kafka_phases_free(phases, scenario->n_phases);
	scenario_free(scenario);
}

static void errors_are_bounded(void **state)
{
	static char names[KAFKA_ERRORS_MAX + 10][8];
	struct kafka_errors errors = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(names[i], sizeof(names[i]), "e%zu", i);
		kafka_errors_add(&errors, names[i]);
		kafka_errors_add(&errors, names[i]);
	}
	assert_int_equal(errors.n, KAFKA_ERRORS_MAX);
	assert_string_equal(errors.rows[0].name, "e0");
	assert_int_equal(errors.rows[0].count, 2);
	assert_string_equal(errors.rows[KAFKA_ERRORS_MAX - 1].name, "other");
	assert_int_equal(errors.rows[KAFKA_ERRORS_MAX - 1].count, 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_section),
		cmocka_unit_test(values_out_of_bounds),
		cmocka_unit_test(what_does_not_go_together),
		cmocka_unit_test(the_rate_of_the_command_line),
		cmocka_unit_test(errors_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
