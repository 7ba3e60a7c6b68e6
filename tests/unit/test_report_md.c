/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/escape.h"
#include "sample_report.h"

static void assert_escaped(const char *given, const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	escape_markdown(out, given);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

static void test_escape(void **state)
{
	(void)state;
	assert_escaped(NULL, "");
	assert_escaped("plain 1.5", "plain 1.5");
	assert_escaped("a|b", "a\\|b");
	assert_escaped("`x`", "\\`x\\`");
	assert_escaped("<script>&amp;", "&lt;script&gt;&amp;amp;");
	assert_escaped("[x](y) *a* _b_ # c", "\\[x\\](y) \\*a\\* \\_b\\_ \\# c");
	assert_escaped("two\nlines", "two lines");
	assert_escaped("\x1b\xff", "\xef\xbf\xbd\xef\xbf\xbd");
}

static void assert_argv(const char *word, const char *wanted)
{
	char *argv[] = {(char *)"cmd", (char *)word};
	char *text = escape_argv(argv, 2);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_argv(void **state)
{
	(void)state;
	assert_argv("--a=b", "cmd --a=b");
	assert_argv("", "cmd ''");
	assert_argv("a b$(c)", "cmd 'a b$(c)'");
	assert_argv("it's", "cmd 'it'\\''s'");
	assert_argv("a\nb\\", "cmd $'a\\012b\\\\'");
	assert_argv("\xff", "cmd $'\\377'");
	assert_argv(NULL, "cmd ''");
}

static void test_report(void **state)
{
	static const char *const lines[] = {
		"# kubectl (A) against curl (B)\n\n**no conclusion: curl used 0.41x the CPU "
		"time of kubectl for the same 140,000 lines (3 pairs)",
		"| metric | A kubectl | B curl | B/A |\n|---|---:|---:|---:|\n| CPU time | 1.10 s ",
		"| delivered | 420,000 | 420,000 |\n",
		"| tool | 1 | 990 ms | 8.00 MiB | /usr/bin/tool |\n",
		"| time per event | 80.0 ns | 80.0 ns |\n",
		"| lost: lifecycle events | 0 | 0 |\n",
		"## To run it again\n\n```sh\nperfbpf run\n```\n",
		"- seed: 42\n",
		"- kernel: 6.18.0\n",
		"B curl, version 1.2.3, ran as\n\n```sh\ncurl 'logs -f'\n```\n",
	};
	struct record *rec = sample_record(3, true);
	const char *at;
	char *text;

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_markdown, 80, false);
	at = text;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		at = strstr(at, lines[i]); /* in this order */
		if (!at)
			fail_msg("\"%s\" is not in:\n%s", lines[i], text);
	}
	free(text);
	record_free(rec);
}

static void assert_tables(const char *text);

static void test_verdicts(void **state)
{
	static const char *const lines[] = {
		"| metric | A kubectl | B curl | B/A | interval | verdict | could show |\n"
		"|---|---:|---:|---:|---:|---|---:|\n| CPU time | ",
		"781) | 0.41x | 0.409\xe2\x80\x93"
		"0.413 | B lower | 0.46 % |\n",
		" | - | +1 to +3 | B higher | ",
		"\n\nGates, corrected for one another (Holm): CPU time; RSS, peak; delivery, p99. "
		"All other",
	};
	struct record *rec = sample_compared();
	char *text = sample_report(rec, &report_markdown, 80, false);

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("\"%s\" is not in:\n%s", lines[i], text);
	assert_tables(text);
	free(text);
	record_free(rec);
}

/* Every line of a table keeps its number of cells, whatever is in them. */
static void assert_tables(const char *text)
{
	size_t wanted = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t bars = 0;

		if (*line != '|') {
			wanted = 0;
			continue;
		}
		for (const char *c = line; *c != '\n'; c++)
			bars += *c == '|' && (c == line || c[-1] != '\\');
		if (wanted)
			assert_int_equal(bars, wanted);
		wanted = bars;
	}
}

static void test_planted(void **state)
{
	struct record *rec = sample_planted(PLANTED "```");
	char *text = sample_report(rec, &report_markdown, 80, true);

	(void)state;
	sample_assert_harmless(text, "\n");
	assert_tables(text);
	assert_non_null(strstr(text, "| &lt;script&gt;\"'\\`\\| "));
	/* In a block of code markup is no markup, and three backticks do not end it. */
	assert_non_null(strstr(text, "````sh\nkubectl $'<script>"));
	free(text);
	record_free(rec);
}

static void test_others(void **state)
{
	struct record *rec = sample_record(1, false);
	char *text = sample_report(rec, &report_markdown, 80, false);

	(void)state;
	assert_non_null(strstr(text, "**no verdict was made**"));
	assert_tables(text);
	free(text);
	record_free(rec);
	rec = record_new();
	text = sample_report(rec, &report_markdown, 80, false);
	assert_tables(text);
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),  cmocka_unit_test(test_argv),
		cmocka_unit_test(test_report),  cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_planted), cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
