/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/metric.h"
#include "report/escape.h"
#include "sample_chart.h"
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

#define SERIES_COLUMNS 20

static void test_series(void **state)
{
	static const char *const first[] = {"2025-01-01 12:00:00.100",
					    "kubectl",
					    "basic",
					    "3.3333",
					    "1",
					    "1",
					    "",
					    "1400",
					    "0.1",
					    "A",
					    "0",
					    "0",
					    "true",
					    "steady",
					    "100",
					    "200",
					    "14000",
					    "",
					    "",
					    ""};
	struct record *rec = sample_record(1, false);
	struct record_round_phase *phase = record_add_phase(&rec->rounds[0], "steady");
	char *text, cell[512];

	(void)state;
	phase->started_at = 0;
	phase->duration_seconds = 0.2;
	rec->rounds[0].series.cpu_utilization[1] = NAN;
	rec->rounds[0].series.lines_per_second[1] = NAN;
	rec->rounds[0].series.rss_bytes[1] = 1e30;
	text = sample_report(rec, &report_csv_series, 0, false);
	for (size_t column = 0; column < SERIES_COLUMNS; column++) {
		const char *at = text;

		assert_int_equal(read_line(&at, 8, cell, sizeof(cell)), SERIES_COLUMNS);
		assert_string_equal(cell, "duration_seconds");
		assert_int_equal(read_line(&at, column, cell, sizeof(cell)), SERIES_COLUMNS);
		assert_string_equal(cell, first[column]);
		/* What is not known is empty, and does not count. */
		assert_int_equal(read_line(&at, column, cell, sizeof(cell)), SERIES_COLUMNS);
		if (column == 3)
			assert_string_equal(cell, "");
		if (column == 4)
			assert_string_equal(cell, "9.5367431640625e+23");
		if (column == 7)
			assert_string_equal(cell, "1400");
		if (column == 13)
			assert_string_equal(cell, "steady");
		read_line(&at, column, cell, sizeof(cell));
		if (column == 7)
			assert_string_equal(cell, "5600");
		if (column == 13)
			assert_string_equal(cell, "");
		assert_int_equal(*at, '\0');
	}
	free(text);
	record_free(rec);
}

static void test_series_p95(void **state)
{
	struct record *rec = sample_record(1, false);
	struct record_series *series = &rec->rounds[0].series;
	char *text, cell[512];
	const char *at;

	(void)state;
	series->response_p95_interval_seconds = 0.2;
	series->n_response_p95_seconds = 1;
	series->response_p95_seconds = sample_series(1, 0.0125);
	sample_replace(&rec->rounds[0].started_at, "yesterday");
	at = text = sample_report(rec, &report_csv_series, 0, false);
	for (size_t i = 0; i < 4; i++) {
		read_line(&at, SERIES_COLUMNS - 1, cell, sizeof(cell));
		assert_string_equal(cell, i == 0 ? "response_p95_seconds" : i == 2 ? "0.0125" : "");
	}
	at = strchr(text, '\n') + 1;
	assert_int_equal(*at, ','); /* when is not known */
	free(text);
	record_free(rec);
}

static void test_series_planted(void **state)
{
	static const struct {
		const char *given, *read;
	} strings[] = {
		{PLANTED, NULL},          {"=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"},
		{"a,b\r\nc", "a,b\r\nc"}, {"say \"no\"", "say \"no\""},
		{"-1+2", "'-1+2"},
	};
	char cell[512];

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct record *rec = sample_planted(strings[i].given);
		char *text;
		const char *at;

		record_add_phase(&rec->rounds[0], strings[i].given)->started_at = 0;
		rec->rounds[0].phases[0].duration_seconds = 1;
		at = text = sample_report(rec, &report_csv_series, 0, false);
		sample_assert_harmless(text, "\r\n");
		read_line(&at, 1, cell, sizeof(cell));
		for (size_t column = 1; column <= 2; column++) {
			assert_int_equal(read_line(&at, column, cell, sizeof(cell)),
					 SERIES_COLUMNS);
			if (strings[i].read)
				assert_string_equal(cell, strings[i].read);
		}
		free(text);
		record_free(rec);
	}
}

#define LOAD_COLUMNS 24

/* The cells of @line (0: the header) below @columns, each followed by '|'. */
static void assert_load_line(const char *text, size_t line, const size_t *columns, size_t n,
			     const char *wanted)
{
	char cell[512], all[1024] = "";

	for (size_t i = 0; i < n; i++) {
		const char *at = text;

		for (size_t j = 0; j <= line; j++)
			assert_int_equal(read_line(&at, columns[i], cell, sizeof(cell)),
					 LOAD_COLUMNS);
		strcat(strcat(all, cell), "|");
	}
	assert_string_equal(all, wanted);
}

static char *load_report(const struct record *rec, const char *part)
{
	struct report_options options = {.part = part};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	assert_int_equal(report_csv_load.write(rec, &options, out, &err), 0);
	fclose(out);
	return text;
}

static void test_load(void **state)
{
	static const size_t counts[] = {0, 1, 2, 3, 8, 9, 10, 22, 23};
	static const size_t times[] = {4, 11, 18, 20};
	struct record *rec = sample_chart_record(2, 2, 100);
	struct report_options options = {.all_metrics = true};
	struct report_file file;
	char *text;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		round->work.operations = 900;
		round->work.errors = 100;
		round->work.bytes = 90000;
		round->n_kinds = 1;
		round->kinds = calloc(1, sizeof(*round->kinds));
		round->kinds[0] =
			(struct record_kind){strdup("GET /a,b"), 400, 100, 20000, RECORD_NONE};
		round->n_errors = 1;
		round->errors = calloc(1, sizeof(*round->errors));
		round->errors[0] = (struct record_error){strdup("=timeout"), 100};
	}
	assert_true(report_file(&report_csv_load, rec, &options, 0, &file));
	assert_string_equal(file.name, "load_test_stats.csv");
	assert_true(report_file(&report_csv_load, rec, &options, 1, &file));
	assert_string_equal(file.name, "load_test_failures.csv");
	assert_false(report_file(&report_csv_load, rec, &options, 2, &file));
	text = load_report(rec, "stats");
	assert_load_line(text, 0, counts, 9,
			 "Type|Name|Request Count|Failure Count|Average Content Size|Requests/s|"
			 "Failures/s|side|tool|");
	assert_load_line(text, 0, times, 4, "Median Response Time|50%|99%|99.99%|");
	assert_load_line(text, 1, counts, 9, "kubelogs|GET /a,b|1000|200|50|50|10|A|kubectl|");
	assert_load_line(text, 1, times, 4, "||||"); /* nobody timed this kind */
	assert_load_line(text, 2, counts, 9, "|Aggregated|2000|200|100|100|10|A|kubectl|");
	assert_load_line(text, 4, counts, 9, "|Aggregated|2000|200|100|100|10|B|curl|");
	free(text);
	text = load_report(rec, "failures");
	assert_string_equal(text, "Method,Name,Error,Occurrences,side,tool\r\n"
				  "kubelogs,basic,\"'=timeout\",200,A,kubectl\r\n"
				  "kubelogs,basic,\"'=timeout\",200,B,curl\r\n");
	free(text);
	record_free(rec);
	rec = sample_record(1, true);
	assert_false(report_file(&report_csv_load, rec, &options, 0, &file));
	record_free(rec);
}

/* The same quantiles as the histogram gives, in milliseconds, as far as it carries them. */
static void test_load_times(void **state)
{
	static const size_t columns[] = {4, 18, 20, 21};
	struct record *rec = sample_chart_record(1, 1, 100);
	const struct record_latency *latency = latency_find(&rec->rounds[0], "response");
	char *text = load_report(rec, "stats"), wanted[128];

	(void)state;
	snprintf(wanted, sizeof(wanted), "%.10g|%.10g||%.10g|",
		 latency_quantile(latency, 0.5) * 1e3, latency_quantile(latency, 0.99) * 1e3,
		 latency->max_seconds * 1e3);
	assert_load_line(text, 1, columns, 4, wanted);
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),      cmocka_unit_test(test_rows),
		cmocka_unit_test(test_planted),    cmocka_unit_test(test_series),
		cmocka_unit_test(test_series_p95), cmocka_unit_test(test_series_planted),
		cmocka_unit_test(test_load),       cmocka_unit_test(test_load_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
