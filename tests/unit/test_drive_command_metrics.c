/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures out of what load generators really print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/command/metrics.h"

static void near(double value, double expected)
{
	if (!(fabs(value - expected) <= fabs(expected) * 1e-12))
		fail_msg("%.17g instead of %.17g", value, expected);
}

static void numbers_have_units_of_their_own(void **state)
{
	(void)state;
	near(metric_parse("1181.302538", UNIT_OPERATIONS), 1181.302538);
	near(metric_parse("1.25ms", UNIT_NONE), 1.25e-3);
	near(metric_parse("612.33us", UNIT_SECONDS), 612.33e-6);
	near(metric_parse("2.00s", UNIT_MILLISECONDS), 2);
	near(metric_parse("1.5m", UNIT_NONE), 90);
	near(metric_parse("34.5k", UNIT_NONE), 34500);
	near(metric_parse("9.10MB", UNIT_NONE), 9.1e6);
	near(metric_parse("2KiB", UNIT_NONE), 2048);
	near(metric_parse("12.5%", UNIT_NONE), 0.125);
	near(metric_parse("8.463 ms", UNIT_NONE), 8.463e-3);
	near(metric_parse("1,234,567.5", UNIT_NONE), 1234567.5);
	near(metric_parse("-3", UNIT_NONE), -3);
	near(metric_parse(".5", UNIT_NONE), 0.5);
	near(metric_parse("1e3", UNIT_NONE), 1000);
	near(metric_parse(" 5", UNIT_NONE), 5);
}

static void else_the_scenarios(void **state)
{
	(void)state;
	near(metric_parse("8.463", UNIT_MILLISECONDS), 8.463e-3);
	near(metric_parse("8.463", UNIT_MICROSECONDS), 8.463e-6);
	near(metric_parse("7", UNIT_NANOSECONDS), 7e-9);
	near(metric_parse("7 requests", UNIT_NONE), 7);
	near(metric_parse("7)", UNIT_BYTES), 7);
}

static void what_is_no_number_is_none(void **state)
{
	static const char *const texts[] = {"",   "nan",  "inf", "infinity", "0x10",  "-",
					    "ms", "-nan", ".",   "+inf",     "1e999", "k5"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!isnan(metric_parse(texts[i], UNIT_NONE)))
			fail_msg("'%s' is read as a number", texts[i]);
}

static double read_one(const char *regex, int unit, const char *output)
{
	struct command_metric list[] = {
		{.name = (char *)"x", .regex = (char *)regex, .unit = unit}};
	struct error err = {.text = ""};
	struct metrics *metrics = metrics_new(list, 1, &err);
	char *text = strdup(output);
	double value;

	assert_non_null(metrics);
	metrics_read(metrics, text, strlen(text));
	value = metrics_value(metrics, 0);
	metrics_free(metrics);
	free(text);
	return value;
}

#define WRK                                                                                        \
	"Running 2s test @ http://127.0.0.1:8080/\n"                                               \
	"  1 threads and 10 connections\n"                                                         \
	"  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"                                    \
	"    Latency   233.66us  214.71us   6.58ms   95.47%\n"                                     \
	"    Req/Sec    45.06k     4.39k   52.43k    71.43%\n"                                     \
	"  Latency Distribution\n"                                                                 \
	"     50%  190.00us\n"                                                                     \
	"     99%    1.09ms\n"                                                                     \
	"  94176 requests in 2.10s, 74.63MB read\n"                                                \
	"Requests/sec:  44848.26\n"

#define PGBENCH                                                                                    \
	"progress: 1.0 s, 900.0 tps, lat 1.1 ms stddev 0.3, 0 failed\n"                            \
	"progress: 2.0 s, 950.5 tps, lat 1.0 ms stddev 0.2, 0 failed\n"                            \
	"number of transactions actually processed: 2362\n"                                        \
	"number of failed transactions: 0 (0.000%)\n"                                              \
	"latency average = 8.463 ms\n"                                                             \
	"tps = 1181.302538 (without initial connection time)\n"

static void summaries_are_understood(void **state)
{
	(void)state;
	near(read_one("Requests/sec: +([0-9.]+)", UNIT_OPERATIONS, WRK), 44848.26);
	near(read_one("^ +99% +([0-9.a-z]+)", UNIT_NONE, WRK), 1.09e-3);
	near(read_one("^ +([0-9]+) requests in", UNIT_NONE, WRK), 94176);
	near(read_one("^tps = ([0-9.]+)", UNIT_OPERATIONS, PGBENCH), 1181.302538);
	near(read_one("latency average = ([0-9.]+ [a-z]+)", UNIT_NONE, PGBENCH), 8.463e-3);
	near(read_one("actually processed: ([0-9]+)", UNIT_NONE, PGBENCH), 2362);
}

static void the_last_of_several_counts(void **state)
{
	(void)state;
	near(read_one(" ([0-9.]+) tps", UNIT_NONE, PGBENCH), 950.5);
}

static void what_is_not_there_is_not_known(void **state)
{
	(void)state;
	assert_true(isnan(read_one("nothing ([0-9]+)", UNIT_NONE, WRK)));
	assert_true(isnan(read_one("([0-9]+)", UNIT_NONE, "")));
	/* A group that took no part in the match, and one around no number. */
	assert_true(isnan(read_one("Running|x([0-9]+)", UNIT_NONE, WRK)));
	assert_true(isnan(read_one("(Running)", UNIT_NONE, WRK)));
}

static void long_lines_are_cut(void **state)
{
	size_t size = 100000;
	char *text = malloc(size + 1);
	struct command_metric list[] = {{.name = (char *)"x", .regex = (char *)"([0-9]+)$"}};
	struct error err = {.text = ""};
	struct metrics *metrics = metrics_new(list, 1, &err);

	(void)state;
	assert_non_null(metrics);
	memset(text, ' ', size);
	memcpy(text, "12", 2);
	memcpy(text + size - 2, "34", 2);
	metrics_read(metrics, text, size);
	assert_true(isnan(metrics_value(metrics, 0)));
	metrics_free(metrics);
	free(text);
}

static void refuse(const char *name, const char *regex, int kind, const char *why)
{
	struct command_metric list[] = {
		{.name = (char *)name, .regex = (char *)regex, .kind = kind}};
	struct error err = {.text = ""};

	assert_null(metrics_new(list, 1, &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (!strstr(err.text, "command.metrics[0]") || !strstr(err.text, why))
		fail_msg("%s", err.text);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	refuse("x", "([0-9]+", METRIC_NUMBER, "no extended regular expression");
	refuse("x", "[0-9]+", METRIC_NUMBER, "0 groups");
	refuse("x", "(a)([0-9]+)", METRIC_NUMBER, "2 groups");
	refuse("p98", "([0-9]+)", METRIC_LATENCY, "p98");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_units_of_their_own),
		cmocka_unit_test(else_the_scenarios),
		cmocka_unit_test(what_is_no_number_is_none),
		cmocka_unit_test(summaries_are_understood),
		cmocka_unit_test(the_last_of_several_counts),
		cmocka_unit_test(what_is_not_there_is_not_known),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
