/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of docs/ that come from tables of the program are those of the program.
 * `test_docs exit-codes` and `test_docs run-json` print them. Runs in the root of the
 * repository, or finds it in PERFBPF_SOURCE_DIR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/shape.h"
#include "util/exit_code.h"
#include "util/file.h"
#include "util/grouped.h"
#include "util/utf8.h"

static char *doc(const char *name)
{
	const char *root = getenv("PERFBPF_SOURCE_DIR");
	char path[4096], *text;

	snprintf(path, sizeof(path), "%s/docs/%s", root ? root : ".", name);
	text = file_read(path, 1 << 20, NULL);
	if (!text)
		fail_msg("cannot read %s", path);
	return text;
}

static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(out);
	fclose(out);
	return text;
}

static void test_exit_codes(void **state)
{
	char *text = doc("exit-codes.md"), *wanted = printed(exit_code_print_markdown);

	(void)state;
	assert_string_equal(text, wanted);
	free(text);
	free(wanted);
}

static void test_run_json(void **state)
{
	char *text = doc("run-json.md"), *table = printed(record_print_markdown);

	(void)state;
	if (!strstr(text, table))
		fail_msg("the table of docs/run-json.md is not that of record/shape.c");
	free(text);
	free(table);
}

static void test_grouped(void **state)
{
	char buf[GROUPED_MAX], small[4];

	(void)state;
	assert_string_equal(format_grouped(buf, sizeof(buf), 0), "0");
	assert_string_equal(format_grouped(buf, sizeof(buf), 999), "999");
	assert_string_equal(format_grouped(buf, sizeof(buf), 1204), "1,204");
	assert_string_equal(format_grouped(buf, sizeof(buf), -140000), "-140,000");
	assert_string_equal(format_grouped(buf, sizeof(buf), INT64_MIN),
			    "-9,223,372,036,854,775,808");
	assert_string_equal(format_grouped(small, sizeof(small), 1204), "1,2");
}

static void test_utf8(void **state)
{
	static const char *const broken[] = {"\x80",         "\xc3",         "\xc0\x80",
					     "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
					     "\xff",         "\xf0\x9f\x98"};
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(utf8_decode(broken[i], &code), 0);
	assert_int_equal(utf8_decode("a", &code), 1);
	assert_int_equal(utf8_decode("\xc3\xa9", &code), 2);
	assert_int_equal(code, 0xe9);
	assert_int_equal(utf8_decode("\xe2\x82\xac", &code), 3);
	assert_int_equal(utf8_decode("\xf0\x9f\x98\x80", &code), 4);
	assert_int_equal(code, 0x1f600);
	assert_int_equal(utf8_columns(code), 2);
	assert_true(utf8_is_control(0x1b) && utf8_is_control(0x202e) && !utf8_is_control('a'));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_run_json),
		cmocka_unit_test(test_grouped),
		cmocka_unit_test(test_utf8),
	};

	if (argc == 2 && !strcmp(argv[1], "exit-codes")) {
		exit_code_print_markdown(stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "run-json")) {
		record_print_markdown(stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
