/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/metric.h"
#include "report/escape.h"
#include "sample_report.h"

static void assert_cell(const char *given, const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	escape_csv(out, given);
	fclose(out);
	assert_string_equal(text, wanted);
	free(text);
}

static void test_cells(void **state)
{
	(void)state;
	assert_cell(NULL, "");
	assert_cell("", "");
	assert_cell("plain", "plain");
	assert_cell("a,b", "\"a,b\"");
	assert_cell("say \"no\"", "\"say \"\"no\"\"\"");
	assert_cell("two\nlines\r", "\"two\nlines\r\"");
	assert_cell("=1+1", "\"'=1+1\"");
	assert_cell("+1", "\"'+1\"");
	assert_cell("-1", "\"'-1\"");
	assert_cell("@sum", "\"'@sum\"");
	assert_cell("\tx", "\"'\tx\"");
	assert_cell("a=1", "a=1");
	assert_cell("\x1b[31m\xff", "\xef\xbf\xbd[31m\xef\xbf\xbd");
}

/* Splits RFC 4180: the cell at @at, unquoted, into @cell; returns what follows its separator. */
static const char *next_cell(const char *at, char *cell, size_t size, bool *last)
{
	size_t used = 0;
	bool quoted = *at == '"';

	at += quoted;
	for (; *at; at++) {
		if (quoted && *at == '"') {
			if (at[1] != '"') {
				at++;
				break;
			}
			at++;
		} else if (!quoted && (*at == ',' || *at == '\r')) {
			break;
		}
		assert_true(used + 1 < size);
		cell[used++] = *at;
	}
	cell[used] = '\0';
	*last = *at == '\r';
	if (*last)
		assert_int_equal(at[1], '\n');
	else
		assert_int_equal(*at, ',');
	return at + (*last ? 2 : 1);
}

/* The number of cells of the line at @at; the one under @index goes into @cell. */
static size_t read_line(const char **at, size_t index, char *cell, size_t size)
{
	char other[512];
	bool last = false;
	size_t n;

	for (n = 0; !last; n++)
		*at = next_cell(*at, n == index ? cell : other, n == index ? size : sizeof(other),
				&last);
	return n;
}

static void test_rows(void **state)
{
	struct record *rec = sample_record(2, true);
	size_t n, columns;
	char *text, cell[512];
	const char *at;

	(void)state;
	metric_table(&n);
	rec->rounds[0].cpu.total_seconds = 1.0 / 3;
	rec->rounds[1].work.lost = 1204;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_csv, 80, false);
	at = text;
	assert_non_null(strstr(at, "scenario,side,target,pair,position,started_at,valid,"));
	columns = read_line(&at, 10, cell, sizeof(cell));
	assert_int_equal(columns, n + 12);
	assert_string_equal(cell, "cpu.total_seconds");
	assert_int_equal(read_line(&at, 10, cell, sizeof(cell)), columns);
	assert_string_equal(cell, "0.333333333333333");
	assert_int_equal(read_line(&at, columns - 1, cell, sizeof(cell)), columns);
	assert_string_equal(cell, "B, pair 1: of 140,000 lines 1,204 lost (0.86 %), bound 0.1 %");
	assert_int_equal(read_line(&at, 6, cell, sizeof(cell)), columns);
	assert_string_equal(cell, "true");
	assert_int_equal(read_line(&at, 7, cell, sizeof(cell)), columns);
	assert_string_equal(cell, ""); /* no exit code */
	assert_int_equal(*at, '\0');
	free(text);
	record_free(rec);
}

static void test_planted(void **state)
{
	static const char *const strings[] = {PLANTED, "=cmd|'/c calc'!A1", "a,b\r\nc"};
	char cell[512];

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct record *rec = sample_planted(strings[i]);
		char *text = sample_report(rec, &report_csv, 80, false);
		const char *at = text;
		size_t columns = read_line(&at, 2, cell, sizeof(cell));

		sample_assert_harmless(text, "\r\n");
		assert_int_equal(read_line(&at, 2, cell, sizeof(cell)), columns);
		assert_int_equal(read_line(&at, 1, cell, sizeof(cell)), columns);
		assert_string_equal(cell, "B");
		assert_int_equal(*at, '\0');
		free(text);
		record_free(rec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_planted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
