/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>

#include "report/html.h"
#include "report/html_series.h"
#include "sample_load.h"
#include "sample_flame.h"
#include "sample_gates.h"
#include "sample_report.h"

#define MAX_DEPTH 64

static char *report_of(const struct record *rec)
{
	return sample_report(rec, &report_html, 0, true);
}

static bool is_void(const char *name)
{
	static const char *const names[] = {"meta", "link", "input", "path", "rect", "circle"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Name of the tag at @at, after '<' or "</". */
static const char *name_at(const char *at, char name[32])
{
	size_t n = 0;

	for (; isalnum((unsigned char)*at) && n < 31; at++)
		name[n++] = *at;
	name[n] = '\0';
	return at;
}

/* Behind the tag: quotes may hold '>'. */
static const char *end_of_tag(const char *at)
{
	for (char quote = '\0'; *at; at++)
		if (quote ? *at == quote : *at == '"')
			quote = quote ? '\0' : *at;
		else if (!quote && *at == '>')
			return at + 1;
	fail_msg("a tag does not end");
	return at;
}

/* What is begun is ended, in its order; only what has no end in HTML, or in SVG ends itself, has
 * none. */
static void assert_well_formed(const char *text)
{
	char stack[MAX_DEPTH][32], name[32];
	size_t depth = 0;

	assert_memory_equal(text, "<!DOCTYPE html>", 15);
	for (const char *at = strchr(text + 1, '<'); at; at = strchr(at, '<')) {
		bool ends = at[1] == '/';
		const char *end;

		if (!isalpha((unsigned char)at[ends ? 2 : 1]))
			fail_msg("a bare '<': %.40s", at);
		name_at(at + (ends ? 2 : 1), name);
		end = end_of_tag(at);
		if (ends) {
			assert_true(depth > 0);
			assert_string_equal(stack[--depth], name);
		} else if (end[-2] != '/' && !is_void(name)) {
			assert_true(depth < MAX_DEPTH);
			strcpy(stack[depth++], name);
		}
		at = end;
		/* Of these only their own end is markup. */
		if (!ends && (!strcmp(name, "script") || !strcmp(name, "style")))
			at = strstr(at, name[1] == 'c' ? "</script>" : "</style>");
		assert_non_null(at);
	}
	assert_int_equal(depth, 0);
}

static void assert_holds(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("it does not hold: %s", what);
}

static void test_report(void **state)
{
	static const char *const parts[] = {
		"Content-Security-Policy\" content=\"default-src 'none';",
		"<title>kubectl against curl - perfbpf</title>",
		"id=\"verdict\"",
		"class=\"sentence\">curl used 0.41x the CPU time of kubectl",
		"id=\"cost\"",
		"CPU time</th><td class=\"n\">",
		"class=\"interval\"",
		"id=\"time\"",
		"<h3>CPU use</h3>",
		"<h3>Resident set</h3>",
		"<h3>Lines per second</h3>",
		"id=\"rounds\"",
		"class=\"box\"",
		"id=\"details\"",
		"id=\"processes\"",
		"id=\"observer\"",
		"id=\"again\"",
		"<pre tabindex=\"0\">perfbpf run</pre>",
		"<dt>seed</dt><dd>42</dd>",
		"<pre tabindex=\"0\">curl &#39;logs -f&#39;</pre>",
	};
	struct record *rec = sample_record(8, true);
	const char *at;
	char *text;

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = report_of(rec);
	assert_well_formed(text);
	at = text;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		at = strstr(at, parts[i]); /* in this order */
		if (!at)
			fail_msg("not there, or not in its place: %s", parts[i]);
	}
	free(text);
	record_free(rec);
}

/* Nothing is asked of a network: there is no place to put an address. */
static void test_self_contained(void **state)
{
	static const char *const never[] = {" src=", "@import", "url(", "<link rel=\"stylesheet",
					    "sourceMappingURL"};
	struct record *rec = sample_record(1, true);
	char *text = report_of(rec);

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strstr(text, never[i]))
			fail_msg("there is %s", never[i]);
	free(text);
	record_free(rec);
}

static void test_planted(void **state)
{
	struct record *rec = sample_planted(PLANTED "</script><!--\xe2\x80\xa8");
	char *text;

	(void)state;
	record_add_fault(&rec->rounds[0], PLANTED "</script><!--\xe2\x80\xa8", "signal");
	rec->rounds[0].faults[0].applied_at = 1;
	rec->rounds[0].faults[0].ended_at = 2;
	text = report_of(rec);
	sample_assert_harmless(text, "\n\t");
	assert_well_formed(text);
	assert_null(strstr(text, "<script>\"'"));
	assert_null(strstr(text, "<!--"));
	/* As text, and as JSON. */
	assert_holds(text, "&lt;script&gt;&quot;&#39;`|\xef\xbf\xbd\xef\xbf\xbd[31m");
	assert_holds(text, "\"name\":\"\\u003cscript\\u003e\\\"'`|");
	assert_holds(text, "\\u003c/script\\u003e\\u003c!--\xef\xbf\xbd\",\"from\":1,\"to\":2}");
	free(text);
	record_free(rec);
}

/* One side, nothing at all, what a load has, and stacks. */
static void test_others(void **state)
{
	struct record *records[] = {sample_record(1, false), record_new(), sample_loaded(2, true),
				    sample_stacks()};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		char *text = report_of(records[i]);

		assert_well_formed(text);
		sample_assert_harmless(text, "\n\t");
		if (i == 3)
			assert_holds(text, "class=\"packed\">\nH4sIA");
		else
			assert_null(strstr(text, "class=\"packed\""));
		free(text);
		record_free(records[i]);
	}
}

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) < 1e-9))
		fail_msg("%g is not %g", a, b);
}

static const double *get_cpu(const struct record_round *round, size_t *n, double *interval)
{
	*n = round->series.n;
	*interval = round->series.interval_seconds;
	return round->series.cpu_utilization;
}

/* Rounds of @ticks, each of value 1 but one of 9 and one that is not known. */
static struct record *record_of_ticks(size_t pairs, size_t ticks, size_t spike)
{
	struct record *rec = sample_record(pairs, true);

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_series *series = &rec->rounds[i].series;
		double *values = calloc(ticks, sizeof(*values));

		for (size_t j = 0; j < ticks; j++)
			values[j] = j == spike ? 9 : j == 1 ? NAN : 1;
		free(series->cpu_utilization);
		series->cpu_utilization = values;
		series->n = ticks;
	}
	return rec;
}

static void free_of_ticks(struct record *rec)
{
	/* The other arrays are shorter. */
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].series.n = 3;
	record_free(rec);
}

static void test_whole_series(void **state)
{
	struct record *rec = record_of_ticks(2, 1000, 500);
	struct html_series *series = html_series_new(rec, get_cpu);

	(void)state;
	assert_false(series->is_thinned);
	assert_false(series->is_banded);
	assert_int_equal(series->n, 1000);
	assert_int_equal(series->n_lines, 4);
	assert_true(series->lines[3].y[500] == 9 && isnan(series->lines[3].y[1]));
	assert_true(series->median[SIDE_B][500] == 9 && isnan(series->median[SIDE_B][1]));
	assert_true(series->least == 1 && series->most == 9);
	html_series_free(series);
	free_of_ticks(rec);
}

/* A spike of one tick in an hour is seen, and where it was. */
static void test_thinned(void **state)
{
	struct record *rec = record_of_ticks(2, 36000, 20000);
	struct html_series *series = html_series_new(rec, get_cpu);
	size_t at = 20000 * HTML_MAX_POINTS / 36000, high = 0;

	(void)state;
	assert_true(series->is_thinned);
	assert_int_equal(series->n, HTML_MAX_POINTS);
	assert_near(series->step, 3.6);
	for (size_t i = 0; i < series->n; i++) {
		if (series->lines[0].y[i] != 9) {
			assert_true(series->lines[0].y[i] == 1);
			continue;
		}
		high++;
		assert_int_equal(i / 2, at / 2);
	}
	assert_int_equal(high, 1);
	assert_near(series->median[SIDE_A][at], 1 + 8.0 / 36);
	html_series_free(series);
	free_of_ticks(rec);
}

static void test_banded(void **state)
{
	struct record *rec = record_of_ticks(21, 100, 50);
	struct html_series *series;

	(void)state;
	/* Rounds of A are 1, 2 ... 21 at a place. */
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].series.cpu_utilization[10] = (double)(rec->rounds[i].pair + 1);
	series = html_series_new(rec, get_cpu);
	assert_true(series->is_banded);
	assert_int_equal(series->n_lines, 0);
	assert_near(series->low[SIDE_A][10], 3);
	assert_near(series->median[SIDE_A][10], 11);
	assert_near(series->high[SIDE_A][10], 19);
	html_series_free(series);
	free_of_ticks(rec);
}

/* Beyond the end of most rounds there is no median; the few that went on are lines of their own. */
static void test_unequal_lengths(void **state)
{
	struct record *rec = record_of_ticks(3, 100, 50);
	struct html_series *series;

	(void)state;
	for (size_t i = 2; i < rec->n_rounds; i++)
		rec->rounds[i].series.n = 60;
	series = html_series_new(rec, get_cpu);
	assert_int_equal(series->n, 100);
	assert_true(isnan(series->median[SIDE_A][60]) && series->median[SIDE_A][59] == 1);
	assert_true(isnan(series->lines[2].y[60]) && series->lines[0].y[99] == 1);
	html_series_free(series);
	free_of_ticks(rec);
}

/* Of a comparison with an earlier run that comes first, the run itself after it, and the table
 * once.
 */
static void test_baseline(void **state)
{
	const struct report_options options = {.only_baseline = true};
	struct record *rec = sample_record(8, true);
	char *text = NULL;
	const char *at;
	size_t size;
	struct error err;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	sample_regression(rec, "cpu.total_seconds", "regressed", "major", "slower");
	sample_regression(rec, "wall_seconds", "improved", NULL, "faster");
	sample_regression(rec, "memory.rss_peak_bytes", "inconclusive", NULL, "open");
	sample_replace(&rec->baseline.path, "ear<lier");
	assert_int_equal(report_html.write(rec, &options, out, &err), 0);
	fclose(out);
	assert_well_formed(text);
	assert_holds(text, "<title>Against an earlier run: ");
	assert_holds(text, "<li class=\"bad\">regressed</li>");
	assert_holds(text, "<p class=\"sentence\">1 of 3 gates regressed against ear&lt;lier");
	at = strstr(text, "<section class=\"part wide\"><h3>Against the earlier run</h3>");
	assert_non_null(at);
	assert_true(at < strstr(text, "id=\"cost\""));
	assert_null(strstr(at + 40, "<h3>Against the earlier run</h3>"));
	free(text);
	record_free(rec);
}

/* A command line is its own block below its reason, and names no folder of perfbpf. */
static void test_command(void **state)
{
	struct record *rec = sample_record(2, true);
	char *text;

	(void)state;
	sample_replace(&rec->argv[0], "/opt/far/perfbpf");
	rec->insights = calloc(1, sizeof(*rec->insights));
	rec->insights[rec->n_insights++] = (struct record_insight){
		.kind = strdup("next"),
		.value = NAN,
		.text = strdup("more of it: $ perfbpf run --freq 999 --vs 'a < b'"),
	};
	text = report_of(rec);
	assert_well_formed(text);
	assert_holds(text, "<li>more of it:<pre tabindex=\"0\">perfbpf run --freq 999 --vs "
			   "&#39;a &lt; b&#39;</pre></li>");
	assert_holds(text, "<pre tabindex=\"0\">perfbpf run</pre>");
	assert_null(strstr(text, "/opt/far"));
	free(text);
	record_free(rec);
}

/* perfbpf's own part of the CPU time is told where it is not the same on both sides. */
static void test_own_cost(void **state)
{
	static const double parts[][SIDES] = {{0.01, 0.5}, {0.5, 0.5}, {0.01, 0.04}};
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct record *rec = sample_record(8, true);

		for (size_t j = 0; j < rec->n_rounds; j++)
			rec->rounds[j].observer.probe_seconds =
				parts[i][rec->rounds[j].side] * rec->rounds[j].cpu.total_seconds;
		record_compare(rec, &(struct compare_options){.work_bound = 0.001});
		text = report_of(rec);
		if (!i)
			assert_holds(text, "ran as long as 1 % of A&#39;s CPU time and 50 % of "
					   "B&#39;s.</li>");
		else
			assert_null(strstr(text, "Measuring is part of these CPU times"));
		free(text);
		record_free(rec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),       cmocka_unit_test(test_self_contained),
		cmocka_unit_test(test_planted),      cmocka_unit_test(test_others),
		cmocka_unit_test(test_whole_series), cmocka_unit_test(test_thinned),
		cmocka_unit_test(test_banded),       cmocka_unit_test(test_unequal_lengths),
		cmocka_unit_test(test_baseline),     cmocka_unit_test(test_command),
		cmocka_unit_test(test_own_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
