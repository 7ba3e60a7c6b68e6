/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* test_charts DIR ROUNDS SIDES TICKS writes a run.json of which all charts can be drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "report/chart.h"
#include "report/chart_data.h"
#include "report/charts.h"
#include "sample_chart.h"
#include "sample_report.h"

static char *draw(const struct record *rec, const char *name)
{
	struct report_options options = {.part = name};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	if (report_charts.write(rec, &options, out, &err))
		fail_msg("%s: %s", name, err.text);
	fclose(out);
	return text;
}

/* Elements that are opened are closed in order, and no place is a number that there is not. */
static void assert_well_formed(const char *svg)
{
	static const char *const none[] = {"nan", "inf", "(null)"};
	char open[16][16];
	size_t depth = 0;

	for (size_t i = 0; i < 3; i++)
		if (strstr(svg, none[i]))
			fail_msg("%.80s", strstr(svg, none[i]) - 40);
	for (const char *c = strchr(svg, '<'); c; c = strchr(c + 1, '<')) {
		const char *end = strchr(c, '>');
		char name[16] = "";

		if (c[1] == '?')
			continue;
		if (!strncmp(c, "<![CDATA[", 9)) {
			c = strstr(c, "]]>");
			continue;
		}
		assert_non_null(end);
		sscanf(c + 1 + (c[1] == '/'), "%15[a-z]", name);
		if (c[1] == '/') {
			assert_true(depth > 0);
			assert_string_equal(open[--depth], name);
		} else if (end[-1] != '/') {
			assert_true(depth < 16);
			memcpy(open[depth++], name, sizeof(name));
		}
	}
	assert_int_equal(depth, 0);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *c = strstr(text, what); c; c = strstr(c + 1, what))
		n++;
	return n;
}

static size_t draw_all(const struct record *rec)
{
	struct report_options options = {.all_metrics = true};
	struct report_file file;
	size_t n;

	for (n = 0; report_file(&report_charts, rec, &options, n, &file); n++) {
		char *text = draw(rec, file.options.part);

		assert_well_formed(text);
		assert_true(strlen(text) < 200000);
		free(text);
	}
	return n;
}

static void test_names(void **state)
{
	static const char *const names[] = {"cpu_comparison.svg", "memory_comparison.svg",
					    "performance_summary.svg", "throughput_comparison.svg",
					    "latency_distribution.svg"};
	struct record *rec = sample_chart_record(6, 2, 100);
	struct report_options options = {.all_metrics = true};
	struct report_file file;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(report_file(&report_charts, rec, &options, i, &file));
		assert_string_equal(file.name, names[i]);
	}
	assert_false(report_file(&report_charts, rec, &options, 5, &file));
	record_free(rec);
}

static void test_all(void **state)
{
	static const size_t shapes[][3] = {{1, 1, 1},   {1, 2, 2},   {2, 1, 30},  {3, 2, 100},
					   {8, 2, 500}, {70, 2, 50}, {5, 2, 5000}};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct record *rec = sample_chart_record(shapes[i][0], shapes[i][1], shapes[i][2]);

		assert_int_equal(draw_all(rec), 5);
		record_free(rec);
	}
}

static void test_what_is_seen(void **state)
{
	struct record *rec = sample_chart_record(6, 2, 100);
	char *text = draw(rec, "cpu_comparison");

	(void)state;
	assert_int_equal(count(text, "<path class=\"line a\""), 1);
	assert_int_equal(count(text, "<path class=\"line b\""), 1);
	assert_int_equal(count(text, "<path class=\"band"), 2);
	assert_int_equal(count(text, "class=\"fault\""), 1);
	assert_int_equal(count(text, ">leader killed<"), 1);
	assert_int_equal(count(text, ">peak load<"), 1);
	assert_int_equal(count(text, "<rect class=\"bar"), 4);
	assert_int_equal(count(text, "<rect class=\"box"), 2);
	assert_non_null(strstr(text, "<desc id=\"desc\">A is kubectl, B is curl. average CPU: A "));
	assert_non_null(strstr(text, "prefers-color-scheme: dark"));
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "href"));
	free(text);
	record_free(rec);
}

/* Nothing is known: no chart, a reason, and the Markdown says which are not there. */
static void test_nothing(void **state)
{
	struct report_options options = {.has_charts = true};
	struct record *rec = record_new();
	struct error err;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(draw_all(rec), 0);
	assert_int_equal(report_charts.write(rec, &options, out, &err), -1);
	assert_non_null(strstr(err.text, "nothing to draw"));
	assert_int_equal(report_markdown.write(rec, &options, out, &err), 0);
	fclose(out);
	assert_non_null(strstr(text, "Not drawn, since nothing of it was measured: cpu_comparison, "
				     "memory_comparison, performance_summary, "
				     "throughput_comparison, latency_distribution.\n"));
	free(text);
	record_free(rec);
}

static void test_markdown(void **state)
{
	struct report_options options = {.has_charts = true};
	struct record *rec = sample_chart_record(3, 2, 30);
	char *text = NULL, *without = sample_report(rec, &report_markdown, 0, true);
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct error err;

	(void)state;
	assert_int_equal(report_markdown.write(rec, &options, out, &err), 0);
	fclose(out);
	assert_int_equal(count(text, ".svg)\n"), 5);
	assert_non_null(strstr(text, "![CPU: average CPU: A 7"));
	assert_true(strstr(text, "\n**") < strstr(text, "## Charts"));
	assert_null(strstr(without, ".svg"));
	free(text);
	free(without);
	record_free(rec);
}

static void test_planted(void **state)
{
	static const char *const strings[] = {PLANTED, "]]></style><script>alert(1)</script>",
					      "\" onload=\"x", "![x](y)"};

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct record *rec = sample_chart_record(3, 2, 30);
		size_t n;
		const struct chart_kind *const *kinds = chart_kinds(&n);

		sample_replace(&rec->scenario.name, strings[i]);
		for (size_t side = 0; side < SIDES; side++)
			sample_replace(&rec->targets[side].name, strings[i]);
		for (size_t j = 0; j < rec->n_rounds; j++) {
			sample_replace(&rec->rounds[j].phases[0].name, strings[i]);
			sample_replace(&rec->rounds[j].faults[0].name, strings[i]);
		}
		record_compare(rec, &(struct compare_options){.work_bound = 0.001});
		for (size_t j = 0; j < n; j++) {
			char *text = draw(rec, kinds[j]->name);

			assert_well_formed(text);
			sample_assert_harmless(text, "\n");
			assert_null(strstr(text, "<script"));
			assert_null(strstr(text, "\" onload=\"x"));
			assert_int_equal(count(text, "]]>"), 1);
			free(text);
		}
		record_free(rec);
	}
}

/* Gaps are gaps, and what a broken record holds does not leave the page. */
static void test_hard_values(void **state)
{
	static const double values[] = {NAN, 0, -1, 1e308, INFINITY, 1e-320};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct record *rec = sample_chart_record(2, 2, 50);

		for (size_t j = 0; j < rec->n_rounds; j++) {
			struct record_round *round = &rec->rounds[j];

			round->series.cpu_utilization[20] = values[i];
			round->series.rss_bytes[0] = values[i];
			round->cpu.utilization_avg = values[i];
			round->memory.rss_peak_bytes = RECORD_NONE;
			round->window_seconds = values[i];
			round->phases[1].duration_seconds = values[i];
			round->faults[0].applied_at = values[i];
			round->series.interval_seconds = i ? 0.1 : values[i];
			round->latency[1].max_seconds = values[i];
			round->latency[1].bucket_counts[3] = values[i];
		}
		draw_all(rec);
		record_free(rec);
	}
}

static void test_gap(void **state)
{
	struct chart_plot plot = {.width = 100, .height = 100};
	const double x[] = {0, 1, 2, 3, 4}, y[] = {1, 2, NAN, 3, NAN};
	struct chart chart;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	chart_axis_linear(&plot.x, METRIC_COUNT, 0, 5, 5);
	chart_axis_linear(&plot.y, METRIC_COUNT, 0, 5, 5);
	chart_plot_place(&plot);
	assert_int_equal(chart_open(&chart), 0);
	chart_line(&chart, &plot, SIDE_A, x, y, 5);
	assert_int_equal(chart_close(&chart, out, "t", "d"), 0);
	fclose(out);
	assert_non_null(strstr(text, "d=\"M0.0 80.0L20.0 60.0M60.0 40.0h0\""));
	free(text);
}

static void test_track(void **state)
{
	struct record *rec = sample_chart_record(4, 1, 10);
	struct chart_track track;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 10; j++)
			rec->rounds[i].series.cpu_utilization[j] = (double)(i + 1);
		/* Two rounds of four know the seventh tick, one the eighth. */
		rec->rounds[i].series.n = i == 0 ? 10 : i == 1 ? 7 : 6;
	}
	assert_float_equal(chart_series_end(rec, chart_series_cpu), 1, 1e-9);
	assert_int_equal(chart_track_take(&track, rec, SIDE_A, chart_series_cpu, 1), 0);
	assert_int_equal(track.n, 10);
	assert_float_equal(track.median[0], 2.5, 1e-9);
	assert_float_equal(track.low[0], 1, 1e-9);
	assert_float_equal(track.high[0], 4, 1e-9);
	assert_float_equal(track.seconds[0], 0.05, 1e-9);
	assert_float_equal(track.median[6], 1.5, 1e-9);
	assert_true(isnan(track.median[7]));
	chart_track_clear(&track);
	assert_int_equal(chart_track_take(&track, rec, SIDE_B, chart_series_cpu, 1), 0);
	assert_int_equal(track.n, 0);
	chart_track_clear(&track);
	record_free(rec);
}

/* Numpy's default (type 7) of 1, 2, 4, 8: quartiles 1.75 and 5, median 3. */
static void test_quantile(void **state)
{
	static const double values[] = {1, 2, 4, 8};

	(void)state;
	assert_float_equal(chart_quantile(values, 4, 0.25), 1.75, 1e-12);
	assert_float_equal(chart_quantile(values, 4, 0.5), 3, 1e-12);
	assert_float_equal(chart_quantile(values, 4, 0.75), 5, 1e-12);
	assert_float_equal(chart_quantile(values, 1, 0.75), 1, 1e-12);
	assert_true(isnan(chart_quantile(values, 0, 0.5)));
}

static void test_cut(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(chart_cut(buf, sizeof(buf), "kubectl", 7), "kubectl");
	assert_string_equal(chart_cut(buf, sizeof(buf), "kubectl", 5), "kube…");
	assert_string_equal(chart_cut(buf, sizeof(buf), "äöü€ß", 4), "äöü…");
	assert_string_equal(chart_cut(buf, sizeof(buf), NULL, 4), "");
	assert_string_equal(chart_cut(buf, 8, "kubectl logs", 40), "kube…");
}

static int write_sample(char **argv)
{
	struct record *rec = sample_chart_record(
		strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	struct error err;
	int fd, rc;

	mkdir(argv[1], 0755);
	fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	rc = fd < 0 ? -1 : record_write(rec, fd, argv[1], &err);
	record_free(rec);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),        cmocka_unit_test(test_all),
		cmocka_unit_test(test_what_is_seen), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_markdown),     cmocka_unit_test(test_planted),
		cmocka_unit_test(test_hard_values),  cmocka_unit_test(test_gap),
		cmocka_unit_test(test_track),        cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_cut),
	};

	return argc == 5 ? write_sample(argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
