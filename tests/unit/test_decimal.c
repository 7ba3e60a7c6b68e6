/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers as text, held against strtod() and printf() of the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/decimal.h"
#include "stats/stats.h"

static void same_text(double value)
{
	char wanted[64], got[DECIMAL_MAX];
	size_t length = decimal_format(got, value);

	snprintf(wanted, sizeof(wanted), "%.15g", value == 0 ? 0 : value);
	if (strcmp(wanted, got))
		fail_msg("%.20g: '%s' instead of '%s'", value, got, wanted);
	assert_int_equal(length, strlen(got));
}

static void same_value(const char *text)
{
	struct decimal decimal;
	double wanted = strtod(text, NULL), got;

	assert_int_equal(decimal_parse(text, text + strlen(text), &decimal), strlen(text));
	got = decimal_real(&decimal);
	if (memcmp(&wanted, &got, sizeof(got)))
		fail_msg("%s: %.20g instead of %.20g", text, got, wanted);
}

static double random_double(uint64_t *state)
{
	uint64_t bits = stats_random_u64(state);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) ? value : 1;
}

static void test_corners(void **state)
{
	static const double values[] = {
		0,      -0.0,       1,       -1,      0.1,          0.5,      2.5,
		1e-4,   9.9999e-5,  1e-5,    1e14,    1e15,         1e16,     999999999999999,
		0.3,    1.0 / 3,    2.0 / 3, 100,     1e22,         1e23,     123456789012345.5,
		1e-300, DBL_MIN,    DBL_MAX, 5e-324,  4.35,         0.00012,  0.000123456789012345,
		1e308,  1048576.25, 1e-3,    0.99995, 314159265.25, 1e9 + 0.5};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		same_text(values[i]);
		same_text(-values[i]);
		same_text(nextafter(values[i], INFINITY));
		same_text(nextafter(values[i], -INFINITY));
	}
	/* About each power of ten, and where the last digit is half way. */
	for (int i = -8; i < 20; i++) {
		double power = pow(10, i), step = power;

		for (int j = 0; j < 40; j++, step = nextafter(step, 0))
			same_text(step);
		for (int j = 1; j < 2000; j++)
			same_text(power * (1 + j / 2048.0));
	}
}

static void test_random(void **state)
{
	uint64_t seed = 1;
	char text[64];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		double any = random_double(&seed);
		double usual = (double)(stats_random_u64(&seed) >> 11) / exp2(i % 64);

		same_text(any);
		same_text(usual);
		snprintf(text, sizeof(text), "%.*g", 1 + i % 20, i % 2 ? any : usual);
		if (strchr(text, '+')) /* as in 1e+20 */
			assert_non_null(strchr(text, 'e'));
		same_value(text);
		snprintf(text, sizeof(text), "%.*f", i % 25, usual / 1e9);
		same_value(text);
	}
}

static void test_text(void **state)
{
	static const char *const numbers[] = {"0",
					      "-0",
					      "0.0",
					      "1e5",
					      "1E+5",
					      "1e-5",
					      "9007199254740993",
					      "18446744073709551616",
					      "0.1e1",
					      "1e400",
					      "-1e400",
					      "1e-400",
					      "123456789012345678901234567890",
					      "0.00000000000000000000000000000000001",
					      "1.7976931348623157e308",
					      "2.2250738585072011e-308",
					      "1e99999999999999999999",
					      "100000000000000000000000e-23"};
	static const struct {
		const char *text;
		size_t length;
	} others[] = {
		{"", 0},    {"-", 0},    {"+1", 0}, {".5", 0},   {"1.", 0},   {"1.e5", 0},
		{"1e", 0},  {"1e+", 0},  {"01", 1}, {"1 2", 1},  {"1,2", 1},  {"Infinity", 0},
		{"NaN", 0}, {"0x10", 1}, {"-a", 0}, {"1.5]", 3}, {"1e5}", 3},
	};
	struct decimal decimal;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		same_value(numbers[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(decimal_parse(others[i].text,
					       others[i].text + strlen(others[i].text), &decimal),
				 others[i].length);
	/* What lies behind the end is no part of it. */
	assert_int_equal(decimal_parse("12345", "12345" + 3, &decimal), 3);
	assert_true(decimal_real(&decimal) == 123);
}

static void test_long(void **state)
{
	char text[DECIMAL_MAX_TEXT + 2];
	struct decimal decimal;

	(void)state;
	memset(text, '7', sizeof(text));
	assert_int_equal(decimal_parse(text, text + DECIMAL_MAX_TEXT, &decimal), DECIMAL_MAX_TEXT);
	assert_true(isinf(decimal_real(&decimal)));
	assert_int_equal(decimal_parse(text, text + sizeof(text), &decimal), 0);
}

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-1", true, -1},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"99999999999999999999", false, 0},
		{"1.0", false, 0},
		{"1e3", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decimal decimal;
		int64_t value = 0;

		assert_int_not_equal(decimal_parse(cases[i].text,
						   cases[i].text + strlen(cases[i].text), &decimal),
				     0);
		assert_int_equal(decimal_integer(&decimal, &value), cases[i].fits);
		assert_true(value == cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corners),  cmocka_unit_test(test_random),
		cmocka_unit_test(test_text),     cmocka_unit_test(test_long),
		cmocka_unit_test(test_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
