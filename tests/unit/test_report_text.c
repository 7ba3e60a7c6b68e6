/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/table.h"
#include "report/costs.h"
#include "sample_report.h"
#include "util/utf8.h"

static size_t columns_of(const char *line, size_t bytes)
{
	size_t columns = 0, length;
	uint32_t code;

	for (size_t i = 0; i < bytes; i += length) {
		length = utf8_decode(line + i, &code);
		assert_true(length > 0);
		columns += (size_t)utf8_columns(code);
	}
	return columns;
}

static void assert_within(const char *text, size_t width)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t bytes = strcspn(line, "\n");

		if (columns_of(line, bytes) > width)
			fail_msg("over %zu columns: %.*s", width, (int)bytes, line);
	}
}

/* The words of two columns, for a comparison with a plain drawing. */
static void test_table(void **state)
{
	static const struct table_column columns[] = {{"name", false}, {"value", true}};
	static const char wide[] = "name                       value\n"
				   "a\\x0ab                         1\n"
				   "a long one that is cut \xe2\x82\xac  12.5 s\n";
	static const char narrow[] = "name          value\n"
				     "a\\x0ab            1\n"
				     "a long one\xe2\x80\xa6  12.5 s\n";
	struct text_style style = {0};
	struct table *table = table_new(columns, 2);
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	table_add(table, "a\nb");
	table_addf(table, "%d", 1);
	table_add(table, "a long one that is cut \xe2\x82\xac");
	table_add(table, "12.5 s");
	for (int i = 0; i < 2; i++) {
		style.width = i ? 19 : 0;
		out = open_memstream(&text, &size);
		assert_int_equal(table_print(table, out, &style), 0);
		fclose(out);
		assert_string_equal(text, i ? narrow : wide);
		free(text);
	}
	table_free(table);
	assert_int_equal(table_print(NULL, stdout, &style), -1);
	table_add(NULL, "");
	table_free(NULL);
}

static void test_paragraph(void **state)
{
	struct text_style style = {.width = 20};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	paragraph_print(out, &style, 2, "words that need more than one line averyveryverylongword");
	paragraph_print(out, &style, 2, "");
	paragraph_printf(out, &style, 4, "%s", "\t");
	fclose(out);
	assert_string_equal(text, "words that need more\n"
				  "  than one line\n"
				  "  averyveryverylongw\n"
				  "  ord\n"
				  "\n"
				  "\\x09\n");
	free(text);
}

static void test_report(void **state)
{
	static const char *const lines[] = {
		"kubectl (A) against curl (B)\nno conclusion: curl used 0.41x the CPU time of "
		"kubectl for the same 140,000\n  lines (3 pairs);",
		"scenario basic (driver kubelogs), window 10.0 s, seed 42\n",
		"                       A: median (range)   B: median (range)    B/A\n",
		"CPU time              1.10 s (1.00\xe2\x80\x93"
		"1.20)    451 ms (410\xe2\x80\x93"
		"492)  0.41x\n",
		"minor faults                      56,076              56,076  1.00x\n",
		"            A kubectl   B curl\n",
		"delivered     420,000  420,000\n",
		"tool         1  990 ms   8.00 MiB  /usr/bin/tool\n",
		"probes, of one CPU      0.04 %    0.04 %\n",
		"No event was lost.\n",
		"on_switch    60,000   4.20 ms    70.0 ns\n",
		"6 of 6 rounds valid.\n",
		"valid.\nno conclusion: curl used 0.41x the CPU time of kubectl for the same "
		"140,000\n",
	};
	struct record *rec = sample_record(3, true);
	char *text;

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_text, 80, false);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("\"%s\" is not in:\n%s", lines[i], text);
	assert_null(strstr(text, "wall time"));       /* set by the driver */
	assert_null(strstr(text, "involuntary"));     /* only with --all */
	assert_null(strstr(text, "over all rounds")); /* only where some are invalid */
	assert_within(text, 80);
	free(text);
	text = sample_report(rec, &report_text, 80, true);
	assert_non_null(strstr(text, "involuntary switches"));
	assert_within(text, 80);
	free(text);
	record_free(rec);
}

static void assert_lines(const char *text, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strstr(text, lines[i]))
			fail_msg("\"%s\" is not in:\n%s", lines[i], text);
}

/* Ranges leave room for what the pairs say where a terminal is too narrow for both. */
static void test_verdicts(void **state)
{
	static const char *const wide[] = {
		"(A) against curl (B)\ncurl used 0.41x the CPU time of kubectl for the same "
		"140,000 lines",
		"  B: median (range)    B/A     interval  verdict\n",
		"(413\xe2\x80\x93"
		"781)  0.41x  0.409\xe2\x80\x93"
		"0.413  B lower\n",
		"1.00x  0.997\xe2\x80\x93"
		"1.007  equivalent\n",
		"  2 (0\xe2\x80\x93"
		"4)      -     +1 to +3  B higher\n",
		"  ?\n",
		"Gates, corrected for one another (Holm): CPU time; RSS, peak; delivery, p99. All "
		"other",
		"The smallest difference that these pairs could show: CPU time 0.46 %; RSS, peak "
		"0.77 %;",
		"Far out, and kept: delivery, p99 (1 round).\n",
		"20 of 20 rounds valid.\ncurl used 0.41x the CPU time",
	};
	static const char *const narrow[] = {
		"A: median  B: median    B/A     interval  verdict\n",
		"CPU time                 1.45 s     598 ms  0.41x  0.409\xe2\x80\x93"
		"0.413  B lower\n",
	};
	struct record *rec = sample_compared();
	char *text;

	(void)state;
	text = sample_report(rec, &report_text, 110, false);
	assert_lines(text, wide, sizeof(wide) / sizeof(wide[0]));
	assert_within(text, 110);
	free(text);
	text = sample_report(rec, &report_text, 80, false);
	assert_lines(text, narrow, sizeof(narrow) / sizeof(narrow[0]));
	assert_within(text, 80);
	free(text);
	text = sample_report(rec, &report_text, 120, true);
	assert_non_null(strstr(text, "  verdict     could show\n"));
	assert_within(text, 120);
	free(text);
	record_free(rec);
}

/* "A: B" in the notes under the costs, however they are wrapped. */
static bool has_note(const struct record *rec, const char *part)
{
	char *notes[COSTS_MAX_NOTES];
	int n = costs_notes(rec, notes);
	bool found = false;

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		found |= strstr(notes[i], part) != NULL;
		free(notes[i]);
	}
	return found;
}

static void compare_again(struct record *rec)
{
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
}

/* What too few pairs, too many gates, and a run that is not whole take away. */
static void test_cost_notes(void **state)
{
	struct record *rec = sample_record(6, true);
	char cell[COSTS_CELL_MAX];

	(void)state;
	compare_again(rec);
	assert_true(has_note(rec, "not after that correction: CPU time (p 0.094)"));
	assert_true(
		has_note(rec, "inconclusive: with 3 gates a conclusion takes 7 pairs or more."));
	assert_true(has_note(rec, "these pairs could show: CPU time "));
	/* A row that one pair does not know. */
	rec->rounds[0].memory.rss_avg_bytes = NAN;
	compare_again(rec);
	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *row = &rec->comparison[i];

		if (!strcmp(row->metric, "memory.rss_avg_bytes"))
			assert_string_equal(costs_interval(cell, rec, row), "5 pairs");
		else if (!strcmp(row->metric, "cpu.total_seconds"))
			assert_null(strstr(costs_interval(cell, rec, row), "pair"));
	}
	rec->complete = false;
	assert_false(has_note(rec, "could show"));
	record_free(rec);
	rec = sample_record(5, true);
	compare_again(rec);
	assert_false(has_note(rec, "could show"));
	assert_string_equal(costs_detectable(cell, &rec->comparison[1]), "-");
	record_free(rec);
	rec = sample_record(10, true);
	compare_again(rec);
	assert_false(has_note(rec, "not after that correction"));
	record_free(rec);
}

static void test_one_side(void **state)
{
	struct record *rec = sample_record(1, false);
	char *text;

	(void)state;
	rec->complete = false;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_text, 80, false);
	assert_ptr_equal(strstr(text, "kubectl\n"), text);
	assert_non_null(strstr(text, "\nCPU time                      1.00 s\n"));
	assert_non_null(strstr(text, "The run did not come to its end"));
	assert_null(strstr(text, "B/A"));
	assert_within(text, 80);
	free(text);
	record_free(rec);
}

static void test_commands(void **state)
{
	struct record *rec = sample_commands(2);
	char *text;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].exit_code = 2;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_text, 80, false);
	assert_non_null(strstr(text, "wall time"));
	assert_non_null(strstr(text, "curl ended with exit code 2\n"));
	assert_null(strstr(text, "Work:"));
	free(text);
	record_free(rec);
}

static void test_invalid(void **state)
{
	struct record *rec = sample_record(20, true);
	char *text;

	(void)state;
	for (size_t i = 1; i < rec->n_rounds; i += 2)
		rec->rounds[i].work.lost = 1204;
	rec->rounds[0].observer.losses.sockets = 3;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_text, 80, false);
	assert_non_null(
		strstr(text, "20 of 40 rounds not valid:\n"
			     "  - B, pair 1: of 140,000 lines 1,204 lost (0.86 %), bound 0.1 %\n"));
	assert_non_null(strstr(text, "  - and 10 more (--all)\n"));
	assert_non_null(strstr(text, "The medians are over all rounds, valid or not."));
	assert_non_null(strstr(text, "lost: sockets not followed"));
	assert_null(strstr(text, "No event was lost."));
	assert_non_null(strstr(text, "\ninvalid: B, pair 1: of 140,000"));
	free(text);
	record_free(rec);
}

/* Many processes are folded by name and cut after the largest. */
static void test_processes(void **state)
{
	struct record *rec = sample_record(1, false);
	struct record_round *round = &rec->rounds[0];
	char *text, name[16];

	(void)state;
	round->processes = reallocarray(round->processes, 1002, sizeof(*round->processes));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "worker-%d", i % 20);
		sample_process(&round->processes[round->n_processes++], name, 0.001);
	}
	text = sample_report(rec, &report_text, 80, false);
	assert_non_null(strstr(text, "worker-0      50  50.0 ms   8.00 MiB  /usr/bin/tool\n"));
	assert_non_null(strstr(text, "and 14 more, 700 ms of CPU time (--all)\n"));
	free(text);
	record_free(rec);
}

static void test_planted(void **state)
{
	static const int widths[] = {0, 1, 40, 80, 200};
	struct record *rec = sample_planted(PLANTED);

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		for (int all = 0; all < 2; all++) {
			char *text = sample_report(rec, &report_text, widths[i], all);

			sample_assert_harmless(text, "\n");
			if (widths[i])
				assert_within(text, widths[i] < 40 ? 40 : (size_t)widths[i]);
			if (!widths[i])
				assert_non_null(
					strstr(text, "<script>\"'`|\\x0a\\x1b[31m\\xff\\u202e"));
			free(text);
		}
	record_free(rec);
}

/* Long names of two columns a character, and numbers as large as they come. */
static void test_width(void **state)
{
	struct record *rec = sample_planted(
		"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87"
		"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87 xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	char *text;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		rec->rounds[i].cpu.total_seconds = 1e300;
		rec->rounds[i].network.rx_bytes = INT64_MAX;
		rec->rounds[i].work.lines = INT64_MAX;
		rec->rounds[i].observer.probe_events = INT64_MAX;
	}
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_text, 80, true);
	assert_within(text, 80);
	free(text);
	record_free(rec);
}

static void test_empty(void **state)
{
	struct record *rec = record_new();
	char *text = sample_report(rec, &report_text, 80, true);

	(void)state;
	assert_non_null(strstr(text, "no verdict was made"));
	assert_within(text, 80);
	free(text);
	record_free(rec);
}

static void test_formats(void **state)
{
	size_t n;
	const struct report_format *const *formats = report_formats(&n);

	(void)state;
	assert_true(n > 10);
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(report_find(formats[i]->name), formats[i]);
	assert_null(report_find("nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),      cmocka_unit_test(test_paragraph),
		cmocka_unit_test(test_report),     cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_cost_notes), cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_commands),   cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_processes),  cmocka_unit_test(test_planted),
		cmocka_unit_test(test_width),      cmocka_unit_test(test_empty),
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
