/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void check_duration(const char *text, int result, uint64_t expected)
{
	uint64_t ns = 12345;

	assert_int_equal(parse_duration_ns(text, &ns), result);
	if (!result)
		assert_int_equal(ns, expected);
}

static void durations(void **state)
{
	(void)state;
	check_duration("250ms", 0, 250000000);
	check_duration("30s", 0, 30000000000);
	check_duration("1.5m", 0, 90000000000);
	check_duration("1h", 0, 3600000000000);
	check_duration("10us", 0, 10000);
	check_duration("100ns", 0, 100);
	check_duration("0", 0, 0);
	check_duration("0s", 0, 0);
	check_duration("007s", 0, 7000000000);
	/* In binary, 0.1 is no sum that is exact. */
	check_duration("0.1s", 0, 100000000);
	check_duration("0.3s", 0, 300000000);
	check_duration("1.0000000004s", 0, 1000000000);
	check_duration("1.0000000005s", 0, 1000000001);
	check_duration("0.33333333333333333333333333s", 0, 333333333);
	check_duration("18446744073.709551615s", 0, UINT64_MAX);
	check_duration("18446744073709551615ns", 0, UINT64_MAX);
	check_duration("5000000000000000000ns", 0, 5000000000000000000);
}

static void durations_refused(void **state)
{
	static const char *const wrong[] = {
		"",     "5",     "s",   "-5s", "+5s",    " 5s",  "5 s",
		"5s ",  "5S",    "5.s", ".5s", "5..5s",  "5sec", "1h30m",
		"1e3s", "0x10s", "inf", "nan", "5.5.5s", "5m5",  "5\ns",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_duration(wrong[i], -EINVAL, 0);
	check_duration("0.1ns", -ERANGE, 0);
	check_duration("18446744073.709551616s", -ERANGE, 0);
	check_duration("9999999h", -ERANGE, 0);
	check_duration("99999999999999999999s", -ERANGE, 0);
	check_duration("999999999999999999999999999999999999s", -ERANGE, 0);
}

static void check_count(const char *text, int result, double expected)
{
	double value = -1;

	assert_int_equal(parse_count(text, &value), result);
	if (!result)
		assert_true(value == expected);
}

static void counts(void **state)
{
	(void)state;
	check_count("0", 0, 0);
	check_count("14000", 0, 14000);
	check_count("14k", 0, 14000);
	check_count("1.5M", 0, 1500000);
	check_count("2G", 0, 2e9);
	check_count("0.25", 0, 0.25);
	check_count("14K", -EINVAL, 0);
	check_count("-1", -EINVAL, 0);
	check_count("1e4", -EINVAL, 0);
	check_count("k", -EINVAL, 0);
	check_count("", -EINVAL, 0);
	check_count("1234567890123456789012345", -ERANGE, 0);
}

static void check_size(const char *text, int result, uint64_t expected)
{
	uint64_t bytes = 12345;

	assert_int_equal(parse_size_bytes(text, &bytes), result);
	if (!result)
		assert_int_equal(bytes, expected);
}

static void sizes(void **state)
{
	(void)state;
	check_size("512", 0, 512);
	check_size("512B", 0, 512);
	check_size("64KiB", 0, 65536);
	check_size("512MiB", 0, 536870912);
	check_size("1GiB", 0, 1073741824);
	check_size("1.5KiB", 0, 1536);
	check_size("10kB", 0, 10000);
	check_size("5MB", 0, 5000000);
	check_size("1GB", 0, 1000000000);
	check_size("10KB", -EINVAL, 0);
	check_size("10K", -EINVAL, 0);
	check_size("10 MB", -EINVAL, 0);
	check_size("-1B", -EINVAL, 0);
	check_size("16777216TiB", -ERANGE, 0);
	check_size("16777215TiB", 0, 16777215ULL << 40);
}

static void shown(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(format_seconds(buf, sizeof(buf), 1.234), "1.23 s");
	assert_string_equal(format_seconds(buf, sizeof(buf), 0.01234), "12.3 ms");
	assert_string_equal(format_seconds(buf, sizeof(buf), 0.9996), "1.00 s");
	assert_string_equal(format_seconds(buf, sizeof(buf), 0.9994), "999 ms");
	assert_string_equal(format_seconds(buf, sizeof(buf), 0.00000123), "1.23 us");
	assert_string_equal(format_seconds(buf, sizeof(buf), 5e-9), "5.00 ns");
	assert_string_equal(format_seconds(buf, sizeof(buf), 1234), "1234 s");
	assert_string_equal(format_seconds(buf, sizeof(buf), 0), "0 s");
	assert_string_equal(format_seconds(buf, sizeof(buf), -0.5), "-500 ms");
	assert_string_equal(format_seconds(buf, sizeof(buf), (double)NAN), "-");
	assert_string_equal(format_bytes(buf, sizeof(buf), 45.6 * 1048576), "45.6 MiB");
	assert_string_equal(format_bytes(buf, sizeof(buf), 512), "512 B");
	assert_string_equal(format_bytes(buf, sizeof(buf), 7), "7 B");
	assert_string_equal(format_bytes(buf, sizeof(buf), 12.34), "12.3 B");
	assert_string_equal(format_bytes(buf, sizeof(buf), 1024), "1.00 KiB");
	assert_string_equal(format_bytes(buf, sizeof(buf), 1048575), "1.00 MiB");
	assert_string_equal(format_bytes(buf, sizeof(buf), (double)NAN), "-");
	assert_string_equal(format_count(buf, sizeof(buf), 14123), "14.1 k");
	assert_string_equal(format_count(buf, sizeof(buf), 999), "999");
	assert_string_equal(format_count(buf, sizeof(buf), 0), "0");
	assert_string_equal(format_count(buf, sizeof(buf), 1.5e6), "1.50 M");
	assert_string_equal(format_count(buf, sizeof(buf), 3e12), "3000 G");
	assert_string_equal(format_count(buf, sizeof(buf), (double)NAN), "-");
}

static void shown_in_little_room(void **state)
{
	char buf[4];

	(void)state;
	assert_string_equal(format_seconds(buf, sizeof(buf), 1.234), "1.2");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 250000000), "250");
}

static void durations_shown(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 0), "0");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 30000000000), "30s");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 300000000000), "5m");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 250000000), "250ms");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 100000000), "100ms");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 90000000000), "90s");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 1500000000), "1.5s");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 3600000000000), "1h");
	assert_string_equal(format_duration_ns(buf, sizeof(buf), 1), "1ns");
}

/* A fixed generator, so that a failure comes back. */
static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed ^ (*seed >> 29);
}

static void durations_come_back(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t ns = next_random(&seed) >> (i % 60), back = ~ns;
		char buf[48];

		if (i % 3 == 0)
			ns -= ns % 1000000;
		format_duration_ns(buf, sizeof(buf), ns);
		assert_int_equal(parse_duration_ns(buf, &back), 0);
		assert_int_equal(back, ns);
	}
}

static void shares(void **state)
{
	static const char *const wrong[] = {"",    "%",   "2 %",  "-2%", "2%%",
					    "two", "0x2", "1e-2", "nan"};
	double share;

	(void)state;
	assert_int_equal(parse_share("2%", &share), 0);
	assert_true(share == 0.02);
	assert_int_equal(parse_share("0.02", &share), 0);
	assert_true(share == 0.02);
	assert_int_equal(parse_share("0.1%", &share), 0);
	assert_true(share == 0.001);
	assert_int_equal(parse_share("0", &share), 0);
	assert_true(share == 0);
	assert_int_equal(parse_share("150%", &share), 0);
	assert_true(share == 1.5);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse_share(wrong[i], &share), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_refused),
		cmocka_unit_test(counts),
		cmocka_unit_test(sizes),
		cmocka_unit_test(shown),
		cmocka_unit_test(shown_in_little_room),
		cmocka_unit_test(durations_shown),
		cmocka_unit_test(durations_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
