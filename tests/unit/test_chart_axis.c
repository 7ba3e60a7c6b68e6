/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "report/chart_axis.h"

/* Ascending, inside, labelled, and few enough to be read. */
static void assert_sane(const struct chart_axis *axis)
{
	assert_true(isfinite(axis->low) && isfinite(axis->high));
	assert_true(axis->low < axis->high);
	assert_in_range(axis->n, 1, CHART_MAX_TICKS);
	for (size_t i = 0; i < axis->n; i++) {
		double slack = (axis->high - axis->low) * 1e-6;

		assert_true(axis->ticks[i] >= axis->low - slack);
		assert_true(axis->ticks[i] <= axis->high + slack);
		assert_true(!i || axis->ticks[i] > axis->ticks[i - 1]);
		assert_true(strlen(axis->labels[i]) > 0);
		assert_true(strlen(axis->labels[i]) < 14);
		assert_true(!i || strcmp(axis->labels[i], axis->labels[i - 1]));
	}
}

static void assert_labels(const struct chart_axis *axis, const char *wanted)
{
	char text[CHART_MAX_TICKS * CHART_LABEL] = "";

	for (size_t i = 0; i < axis->n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, axis->labels[i]);
	}
	assert_string_equal(text, wanted);
}

static void test_linear(void **state)
{
	static const struct {
		enum metric_kind kind;
		double low, high;
		const char *labels, *unit;
	} cases[] = {
		{METRIC_RATIO, 0, 1.01, "0 50 100 150", "%"},
		{METRIC_RATIO, 0, 0.0097, "0.0 0.5 1.0", "%"},
		{METRIC_BYTES, 0, 100 << 20, "0 50 100", "MiB"},
		{METRIC_BYTES, 0, 1500, "0.0 0.5 1.0 1.5", "KiB"},
		{METRIC_COUNT, 0, 13740, "0 5 10 15", "k"},
		{METRIC_COUNT, 0, 7, "0 2 4 6 8", ""},
		{METRIC_SECONDS, 0, 0.0031, "0 1 2 3 4", "ms"},
		{METRIC_SECONDS, 0, 42e-6, "0 20 40 60", "µs"},
		{METRIC_BYTES, 5.6 * 0x1p20, 6.5 * 0x1p20, "5.5 6.0 6.5", "MiB"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chart_axis axis;

		chart_axis_linear(&axis, cases[i].kind, cases[i].low, cases[i].high, 4);
		assert_sane(&axis);
		assert_labels(&axis, cases[i].labels);
		assert_string_equal(axis.unit, cases[i].unit);
		assert_true(axis.low <= cases[i].low && axis.high >= cases[i].high * (1 - 1e-9));
	}
}

/* What no measurement gives, and a broken record may. */
static const double hard[] = {0,         -0.0, 1e-320,   1e-300,    1e-12,   1,
			      1 + 1e-15, 1e9,  1e15,     1e300,     1.7e308, -1,
			      -1e300,    NAN,  INFINITY, -INFINITY, 0.1,     1e-9};
#define HARD (sizeof(hard) / sizeof(hard[0]))

static void test_whatever_comes(void **state)
{
	struct chart_axis axis;

	(void)state;
	for (size_t i = 0; i < HARD; i++)
		for (size_t j = 0; j < HARD; j++)
			for (int kind = METRIC_SECONDS; kind <= METRIC_RATIO; kind++) {
				chart_axis_linear(&axis, (enum metric_kind)kind, hard[i], hard[j],
						  5);
				assert_sane(&axis);
				chart_axis_log(&axis, (enum metric_kind)kind, hard[i], hard[j]);
				assert_true(axis.low < axis.high);
				assert_true(axis.n <= CHART_MAX_TICKS);
			}
	for (size_t i = 0; i < HARD; i++) {
		chart_axis_time(&axis, hard[i]);
		assert_sane(&axis);
	}
}

static void test_log(void **state)
{
	struct chart_axis axis;

	(void)state;
	chart_axis_log(&axis, METRIC_SECONDS, 4e-4, 0.3);
	assert_labels(&axis, "500 µs 1 ms 2 ms 5 ms 10 ms 20 ms 50 ms 100 ms 200 ms");
	chart_axis_log(&axis, METRIC_SECONDS, 1e-6, 2);
	assert_labels(&axis, "1 µs 10 µs 100 µs 1 ms 10 ms 100 ms 1 s");
	chart_axis_log(&axis, METRIC_COUNT, 0.21, 1.1);
	assert_labels(&axis, "0.3 0.5 0.7 1");
	chart_axis_log(&axis, METRIC_COUNT, 0.9, 1.1);
	assert_labels(&axis, "0.9 0.95 1 1.05 1.1");
	axis.from = 0;
	axis.to = 100;
	axis.low = 1;
	axis.high = 100;
	assert_float_equal(chart_axis_place(&axis, 10), 50, 1e-6);
}

static void test_time(void **state)
{
	struct chart_axis axis;

	(void)state;
	chart_axis_time(&axis, 30);
	assert_labels(&axis, "0 5 10 15 20 25 30");
	assert_string_equal(axis.unit, "s");
	chart_axis_time(&axis, 600);
	assert_labels(&axis, "0 2 4 6 8 10");
	assert_string_equal(axis.unit, "min");
	chart_axis_time(&axis, 86400);
	assert_labels(&axis, "0 5 10 15 20");
	assert_string_equal(axis.unit, "h");
	chart_axis_time(&axis, 3.85);
	assert_float_equal(axis.high, 3.85, 1e-9);
}

static void test_place(void **state)
{
	struct chart_axis axis;

	(void)state;
	chart_axis_linear(&axis, METRIC_COUNT, 0, 10, 5);
	axis.from = 200;
	axis.to = 100;
	assert_float_equal(chart_axis_place(&axis, 0), 200, 1e-9);
	assert_float_equal(chart_axis_place(&axis, 5), 150, 1e-9);
	assert_float_equal(chart_axis_place(&axis, 1e300), 100, 1e-9);
	assert_float_equal(chart_axis_place(&axis, -5), 200, 1e-9);
	assert_float_equal(chart_axis_place(&axis, INFINITY), 100, 1e-9);
	assert_true(isnan(chart_axis_place(&axis, NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear), cmocka_unit_test(test_whatever_comes),
		cmocka_unit_test(test_log),    cmocka_unit_test(test_time),
		cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
