/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "util/error.h"

static void filled(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, EXIT_CODE_USAGE, "no %s at %d", "file", 7), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(err.text, "no file at 7");
	assert_int_equal(error_set(&err, EXIT_CODE_FAILED, "other"), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_FAILED);
	assert_string_equal(err.text, "other");
}

static void prefixed(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, EXIT_CODE_PRIVILEGE, "not on PATH");
	assert_int_equal(error_prefix(&err, "target '%s'", "stern"), -1);
	assert_string_equal(err.text, "target 'stern': not on PATH");
	assert_int_equal(err.exit_code, EXIT_CODE_PRIVILEGE);
}

static void no_place_for_it(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, EXIT_CODE_USAGE, "x"), -1);
	assert_int_equal(error_prefix(NULL, "x"), -1);
}

/* What comes from outside must not reach a terminal as it is. */
static void one_clean_line(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, EXIT_CODE_USAGE, "a%sb", "\033[31m\n\t\x7f");
	assert_string_equal(err.text, "a?[31m???b");
	error_prefix(&err, "p\r");
	assert_string_equal(err.text, "p?: a?[31m???b");
	error_set(&err, EXIT_CODE_USAGE, "%s", "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(err.text, "gr\xc3\xbc\xc3\x9f");
}

static void too_long_is_cut(void **state)
{
	char text[3000];
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, EXIT_CODE_USAGE, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	error_prefix(&err, "front");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "front: xxx", 10);
	error_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filled),          cmocka_unit_test(prefixed),
		cmocka_unit_test(no_place_for_it), cmocka_unit_test(one_clean_line),
		cmocka_unit_test(too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
