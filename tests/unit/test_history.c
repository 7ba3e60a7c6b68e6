/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "record/history.h"
#include "report/history.h"
#include "sample_record.h"

static const char *const cpu[] = {"cpu.total_seconds"};
static const char *const two_metrics[] = {"memory.rss_peak_bytes", "cpu.total_seconds"};

/* Run @i of @level seconds, give and take 1 %. */
static void add(struct history *history, int i, double level, bool two_sided,
		const struct history_options *options)
{
	struct record *rec = sample_record(6, two_sided);
	char text[64];

	for (size_t j = 0; j < rec->n_rounds; j++)
		rec->rounds[j].cpu.total_seconds =
			level * (1 + 0.002 * ((i * 7 + (int)j) % 11 - 5));
	snprintf(text, sizeof(text), "2026-01-%02dT00:00:00.000Z", i + 1);
	free(rec->rounds[0].started_at);
	rec->rounds[0].started_at = strdup(text);
	rec->verdict.valid = i != 5;
	snprintf(text, sizeof(text), "runs/%d", i);
	assert_int_equal(history_add(history, rec, text, options), 0);
	record_free(rec);
}

/* Backwards, as no folder is in the order of time for sure. */
static struct history *make(int n, int step, const struct history_options *options)
{
	struct history *history = history_new();

	for (int i = n - 1; i >= 0; i--)
		add(history, i, i < step ? 1 : 1.1, false, options);
	assert_int_equal(history_finish(history), 0);
	return history;
}

static void test_order_and_change(void **context)
{
	struct history_options options = {.n_metrics = 1, .metrics = cpu};
	struct history *history = make(24, 15, &options);
	const struct history_series *series = &history->series[0];

	(void)context;
	assert_int_equal(history->n_series, 1);
	assert_string_equal(series->scenario, "basic");
	assert_string_equal(series->target, "kubectl");
	assert_int_equal(series->n_points, 24);
	for (size_t i = 0; i < 24; i++) {
		const struct history_point *point = &series->points[i];

		assert_string_equal(point->version, "1.2.3");
		assert_true(i == 0 ||
			    strcmp(point->started_at, series->points[i - 1].started_at) > 0);
		assert_int_equal(!isnan(point->change_p), i == 15);
		assert_int_equal(point->valid, i != 5);
		assert_int_equal(point->n, 6);
		assert_true(point->low <= point->median && point->median <= point->high);
	}
	assert_true(fabs(series->points[15].change - 0.1) < 0.01);
	history_free(history);
	history = make(24, 0, &options);
	for (size_t i = 0; i < 24; i++)
		assert_true(isnan(history->series[0].points[i].change_p));
	history_free(history);
}

static void test_filters(void **context)
{
	static const char *const curl[] = {"curl"};
	struct history_options options = {.n_metrics = 2, .metrics = two_metrics};
	struct history *history = history_new();

	(void)context;
	add(history, 0, 1, true, &options);
	options.n_targets = 1;
	options.targets = curl;
	add(history, 1, 1, true, &options);
	assert_int_equal(history_finish(history), 0);
	/* By target, and in the order of the table of metrics. */
	assert_int_equal(history->n_series, 4);
	assert_string_equal(history->series[0].target, "curl");
	assert_string_equal(history->series[0].metric, "cpu.total_seconds");
	assert_int_equal(history->series[0].n_points, 2);
	assert_string_equal(history->series[3].metric, "memory.rss_peak_bytes");
	assert_int_equal(history->series[3].n_points, 1);
	history_free(history);
	history_free(NULL);
}

static void test_a_target_against_itself(void **context)
{
	const struct history_options options = {.n_metrics = 1, .metrics = cpu};
	struct history *history = history_new();
	struct record *rec = sample_record(2, true);

	(void)context;
	free(rec->targets[1].name);
	rec->targets[1].name = strdup("kubectl");
	assert_int_equal(history_add(history, rec, "a", &options), 0);
	assert_int_equal(history->n_series, 2);
	assert_string_equal(history->series[1].target, "kubectl (B)");
	record_free(rec);
	history_free(history);
}

static void check_line(const double *values, size_t n, size_t columns, bool utf8,
		       const char *expected)
{
	char *line = history_sparkline(values, n, columns, utf8);

	assert_string_equal(line, expected);
	free(line);
}

static void test_sparkline(void **context)
{
	static const double values[] = {1, 2, 3, 4, 5, 6, 7, 8}, same[] = {3, 3, 3};

	(void)context;
	check_line(values, 8, 80, false, "_.:-=+*#");
	check_line(values, 8, 80, true, "▁▂▃▄▅▆▇█");
	check_line(values, 8, 4, false, "_:+#");
	check_line(same, 3, 80, false, "___");
	check_line(same, 0, 80, false, "");
}

static char *print(const struct history *history, int format)
{
	const struct history_style style = {.all = true};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (format == 0)
		assert_int_equal(history_text(history, &style, out), 0);
	else if (format == 1)
		history_csv(history, out);
	else
		history_json(history, out);
	fclose(out);
	return text;
}

static void check_json(const char *text, const char *name)
{
	json_t *root = json_loads(text, 0, NULL);
	json_t *series = json_array_get(json_object_get(root, "series"), 0);
	json_t *point = json_array_get(json_object_get(series, "points"), 0);

	assert_string_equal(json_string_value(json_object_get(series, "target")), name);
	assert_string_equal(json_string_value(json_object_get(point, "version")), name);
	assert_true(json_real_value(json_object_get(point, "median")) > 1);
	assert_true(json_is_null(json_object_get(point, "change")));
	json_decref(root);
}

/* What came from outside steers neither terminal nor spreadsheet, and breaks no JSON. */
static void test_hostile_names(void **context)
{
	static const char name[] = "=cmd|\"x\"\x1b[31m\n,\xff";
	const struct history_options options = {.n_metrics = 1, .metrics = cpu};
	struct history *history = history_new();
	struct record *rec = sample_record(6, false);

	(void)context;
	free(rec->targets[0].name);
	rec->targets[0].name = strdup(name);
	free(rec->targets[0].version);
	rec->targets[0].version = strdup(name);
	assert_int_equal(history_add(history, rec, name, &options), 0);
	assert_int_equal(history_finish(history), 0);
	for (int format = 0; format < 3; format++) {
		char *text = print(history, format);

		assert_null(strchr(text, '\x1b'));
		assert_null(strchr(text, '\xff'));
		if (format == 1)
			assert_null(strstr(text, ",=cmd"));
		if (format == 2)
			check_json(text, "=cmd|\"x\"\x1b[31m\n,\xef\xbf\xbd");
		free(text);
	}
	record_free(rec);
	history_free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_change),        cmocka_unit_test(test_filters),
		cmocka_unit_test(test_a_target_against_itself), cmocka_unit_test(test_sparkline),
		cmocka_unit_test(test_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
