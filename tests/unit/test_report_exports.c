/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* benchfmt, hyperfine and bencher on records that hold what is hard for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "sample_report.h"

static char *made(const struct record *rec, const struct report_format *format,
		  enum report_side side, struct error *err)
{
	struct report_options options = {.side = side};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int failed = format->write(rec, &options, out, err);

	fclose(out);
	if (!failed)
		return text;
	free(text);
	return NULL;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void assert_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("'%s' is not in:\n%.2000s", wanted, text);
}

static json_t *parsed(const char *text)
{
	json_error_t err;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &err);

	if (!root)
		fail_msg("line %d: %s", err.line, err.text);
	return root;
}

static double number(json_t *root, const char *first, const char *second)
{
	json_t *value = json_object_get(json_object_get(root, first), second);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void test_benchfmt(void **state)
{
	struct record *rec = sample_commands(3);
	struct error err;
	char *text = made(rec, &report_benchfmt, REPORT_SIDE_ANY, &err);

	(void)state;
	assert_int_equal(count(text, "\nBenchmarkBasic\t1\t10 sec/op\t"), 6);
	assert_has(text, "\nscenario: basic\ncpu: Some CPU\ntarget: kubectl\nBenchmark");
	assert_has(text, "\ntarget: curl\nBenchmark");
	assert_has(text, "Unit cpu.total-sec better=lower\n");
	assert_has(text, "\t33554432 memory.rss_peak-bytes\t");
	assert_null(strstr(text, "nan"));
	free(text);
	text = made(rec, &report_benchfmt, REPORT_SIDE_B, &err);
	assert_int_equal(count(text, "\nBenchmark"), 3);
	assert_null(strstr(text, "target:"));
	free(text);
	/* Of a scenario, the window is no result. */
	rec->scenario.driver = strdup("kubelogs");
	text = made(rec, &report_benchfmt, REPORT_SIDE_ANY, &err);
	assert_null(strstr(text, "sec/op"));
	free(text);
	record_free(rec);
}

/* A name is one word that is read as nothing else. */
static void test_names(void **state)
{
	static const struct {
		const char *name, *line;
	} cases[] = {
		{"kubelogs/basic", "BenchmarkKubelogs_basic\t1\t"},
		{"my bench-8", "BenchmarkMy_bench_8\t1\t"},
		{"4k", "Benchmark_4k\t1\t"},
		{"\xc3\xa9t\xc3\xa9\n1 1 ns/op", "Benchmark___t___1_1_ns_op\t1\t"},
		{"", "BenchmarkRun\t1\t"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record *rec = sample_record(1, false);
		struct error err;
		char *text;

		sample_replace(&rec->scenario.name, cases[i].name);
		text = made(rec, &report_benchfmt, REPORT_SIDE_ANY, &err);
		assert_has(text, cases[i].line);
		assert_int_equal(count(text, "\nBenchmark"), 1);
		free(text);
		record_free(rec);
	}
}

static void test_hyperfine(void **state)
{
	struct record *rec = sample_commands(2);
	struct error err;
	json_t *root, *first;
	char *text;

	(void)state;
	rec->rounds[0].window_seconds = 1;
	rec->rounds[2].window_seconds = 2;
	rec->rounds[2].exit_code = RECORD_NONE;
	text = made(rec, &report_hyperfine, REPORT_SIDE_ANY, &err);
	root = parsed(text);
	assert_int_equal(json_array_size(json_object_get(root, "results")), 2);
	first = json_array_get(json_object_get(root, "results"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "command")),
			    "kubectl 'logs -f'");
	assert_true(json_number_value(json_object_get(first, "mean")) == 1.5);
	assert_true(fabs(json_number_value(json_object_get(first, "stddev")) - sqrt(0.5)) < 1e-12);
	assert_true(json_is_null(json_array_get(json_object_get(first, "exit_codes"), 1)));
	assert_int_equal(json_array_size(json_object_get(first, "memory_usage_byte")), 2);
	json_decref(root);
	free(text);
	/* One round has no deviation, and what is not known of each is left out. */
	record_invalid(&rec->rounds[2], "not this one");
	rec->rounds[0].memory.rss_peak_bytes = RECORD_NONE;
	text = made(rec, &report_hyperfine, REPORT_SIDE_A, &err);
	root = parsed(text);
	first = json_array_get(json_object_get(root, "results"), 0);
	assert_int_equal(json_array_size(json_object_get(root, "results")), 1);
	assert_int_equal(json_array_size(json_object_get(first, "times")), 1);
	assert_true(json_is_null(json_object_get(first, "stddev")));
	assert_null(json_object_get(first, "memory_usage_byte"));
	json_decref(root);
	free(text);
	record_free(rec);
}

static void test_bencher(void **state)
{
	struct record *rec = sample_commands(3);
	struct error err;
	char *text = made(rec, &report_bencher, REPORT_SIDE_ANY, &err);
	json_t *root = parsed(text), *side;

	(void)state;
	assert_int_equal(json_object_size(root), 2);
	side = json_object_get(root, "basic: kubectl");
	assert_true(number(side, "latency", "value") == 10e9);
	assert_true(number(side, "cpu-total-seconds", "lower_value") == 1);
	assert_true(fabs(number(side, "cpu-total-seconds", "upper_value") - 1.2) < 1e-12);
	assert_null(json_object_get(side, "throughput"));
	json_decref(root);
	free(text);
	rec->scenario.driver = strdup("kubelogs");
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].has_work = true;
	text = made(rec, &report_bencher, REPORT_SIDE_B, &err);
	root = parsed(text);
	assert_int_equal(json_object_size(root), 1);
	side = json_object_get(root, "basic: curl");
	assert_true(number(side, "throughput", "value") == 14000);
	assert_null(json_object_get(side, "latency"));
	json_decref(root);
	free(text);
	record_free(rec);
}

/* A against A, and names that are longer than Bencher takes. */
static void test_same_names(void **state)
{
	struct record *rec = sample_commands(1);
	char *text, longest[3001] = {0};
	struct error err;
	json_t *root;

	(void)state;
	sample_replace(&rec->targets[1].name, "kubectl");
	text = made(rec, &report_benchfmt, REPORT_SIDE_ANY, &err);
	assert_has(text, "\ntarget: kubectl (A)\n");
	assert_has(text, "\ntarget: kubectl (B)\n");
	free(text);
	memset(longest, 'x', sizeof(longest) - 1);
	sample_replace(&rec->targets[0].name, longest);
	sample_replace(&rec->targets[1].name, longest);
	text = made(rec, &report_bencher, REPORT_SIDE_ANY, &err);
	root = parsed(text);
	assert_int_equal(json_object_size(root), 2);
	json_decref(root);
	free(text);
	record_free(rec);
}

static void test_refused(void **state)
{
	static const struct report_format *const formats[] = {&report_benchfmt, &report_hyperfine,
							      &report_bencher};
	struct record *rec = sample_commands(1);
	struct error err;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_null(made(rec, formats[i], REPORT_SIDE_DIFF, &err));
		assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	}
	record_invalid(&rec->rounds[1], "not this one");
	for (size_t i = 0; i < 3; i++) {
		char *text = made(rec, formats[i], REPORT_SIDE_ANY, &err);

		assert_non_null(text); /* of A */
		free(text);
		assert_null(made(rec, formats[i], REPORT_SIDE_B, &err));
		assert_int_equal(err.exit_code, EXIT_CODE_INVALID);
		assert_has(err.text, "valid rounds only");
	}
	rec->scenario.driver = strdup("http");
	assert_null(made(rec, &report_hyperfine, REPORT_SIDE_ANY, &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_has(err.text, "one of a scenario");
	record_free(rec);
}

static void test_planted(void **state)
{
	struct record *rec = sample_planted(PLANTED);
	struct error err;
	char *text;

	(void)state;
	free(rec->scenario.driver);
	rec->scenario.driver = NULL;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].validity.valid = true;
	text = made(rec, &report_benchfmt, REPORT_SIDE_ANY, &err);
	sample_assert_harmless(text, "\n\t");
	free(text);
	text = made(rec, &report_hyperfine, REPORT_SIDE_ANY, &err);
	sample_assert_harmless(text, "\n");
	json_decref(parsed(text));
	free(text);
	text = made(rec, &report_bencher, REPORT_SIDE_ANY, &err);
	sample_assert_harmless(text, "\n");
	json_decref(parsed(text));
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_benchfmt),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_hyperfine),  cmocka_unit_test(test_bencher),
		cmocka_unit_test(test_same_names), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_planted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
