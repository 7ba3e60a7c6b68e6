/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of several scenarios, and index.html. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/overview.h"
#include "sample_report.h"

/* Of three scenarios: compared, invalid, and one that left nothing. */
static struct overview *sample_overview(void)
{
	struct overview *overview = overview_new();
	struct record *rec = sample_compared();

	sample_replace(&rec->scenario.name, "kubelogs/basic");
	assert_int_equal(overview_add(overview, rec, "kubelogs-basic"), 0);
	record_free(rec);
	rec = sample_planted(PLANTED);
	assert_int_equal(overview_add(overview, rec, "a b?#" PLANTED), 0);
	record_free(rec);
	assert_int_equal(overview_add_failed(overview, "kubelogs/slow", "disk <full>"), 0);
	return overview;
}

static char *print(const struct overview *overview, bool is_html)
{
	const struct text_style style = {.width = 0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (is_html)
		overview_print_html(overview, out);
	else
		assert_int_equal(overview_print(overview, out, &style), 0);
	fclose(out);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void test_text(void **state)
{
	struct overview *overview = sample_overview();
	char *text = print(overview, false);

	(void)state;
	assert_int_equal(overview_count(overview), 3);
	assert_has(text, "\nkubectl (A) against curl (B)\n");
	assert_has(text, "kubelogs/basic                      valid      B curl  CPU time *     "
			 "0.41x  0.409\xe2\x80\x93"
			 "0.413  B lower\n");
	assert_has(text, "  RSS, peak      1.00x  0.997\xe2\x80\x93"
			 "1.007  equivalent\n");
	assert_has(text, "  NOT VALID  none    CPU time *     0.41x            -  -\n");
	assert_has(text, "kubelogs/slow                       FAILED     -       -");
	assert_null(strchr(text, '\x1b'));
	free(text);
	overview_free(overview);
}

static void test_html(void **state)
{
	struct overview *overview = sample_overview();
	char *text = print(overview, true);

	(void)state;
	assert_has(text, "<a href=\"kubelogs-basic/report.html\">kubelogs/basic</a>");
	assert_has(text, "<a href=\"a%20b%3F%23%3Cscript%3E%22%27%60%7C%0A");
	assert_has(text, "<dd>FAILED: disk &lt;full&gt;</dd>");
	assert_null(strstr(text, "<script"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	overview_free(overview);
}

static void test_one_side(void **state)
{
	struct overview *overview = overview_new();
	char *text;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct record *rec = sample_record(3, false);

		record_compare(rec, &(struct compare_options){.work_bound = 0.001});
		assert_int_equal(overview_add(overview, rec, NULL), 0);
		record_free(rec);
	}
	text = print(overview, false);
	assert_has(text, "scenario  run    CPU time  RSS, peak  per second      p99\n"
			 "basic     valid    1.10 s   32.0 MiB      14,000  2.00 ms\n");
	assert_null(strstr(text, "winner"));
	free(text);
	text = print(overview, true);
	assert_null(strstr(text, "href"));
	free(text);
	overview_free(overview);
}

static void test_nothing(void **state)
{
	struct overview *overview = overview_new();
	char *text = print(overview, false);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	overview_free(overview);
	assert_int_equal(overview_count(NULL), 0);
	assert_int_equal(overview_add(NULL, NULL, NULL), 0);
	overview_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
