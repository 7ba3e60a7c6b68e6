/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of docs/ that come from tables of the program are those of the program.
 * `test_docs exit-codes`, `test_docs run-json`, `test_docs schema`, `test_docs formats`
 * and `test_docs keys NAME`
 * (scenario, target or that of a driver) print them. Runs in the root of the repository, or finds
 * it in PERFBPF_SOURCE_DIR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/driver.h"
#include "record/record.h"
#include "record/shape.h"
#include "report/report.h"
#include "scenario/schema_doc.h"
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

static void test_schema(void **state)
{
	char *text = doc("run.schema.json"), *schema = printed(record_print_schema);

	(void)state;
	if (strcmp(text, schema) != 0)
		fail_msg("docs/run.schema.json is not that of record/shape.c; make docs");
	free(text);
	free(schema);
}

static void print_formats(FILE *out)
{
	size_t n;
	const struct report_format *const *formats = report_formats(&n);

	fputs("| format | file of a run | else | what it is |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < n; i++) {
		const char *file = formats[i]->file_name, *own = formats[i]->own_name;

		/* run.json is written before all reports. */
		if (formats[i] == &report_json)
			file = "run.json";
		fprintf(out, "| %s | %s%s%s | ", formats[i]->name, file ? "`" : "",
			file ? file : "", file ? "`" : "");
		if (!file && own)
			fprintf(out, "`%s`", own);
		else if (!file)
			fprintf(out, "`report.%s`", formats[i]->name);
		fprintf(out, " | %s |\n", formats[i]->description);
	}
}

static void test_formats(void **state)
{
	char *text = doc("formats.md"), *table = printed(print_formats);
	const char *found = strstr(text, table);

	(void)state;
	if (!found || found[strlen(table)] == '|')
		fail_msg("the table of docs/formats.md is not that of report/report.c; make docs");
	free(text);
	free(table);
}

/* NULL: there are no such keys in this build. */
static const struct yaml_schema *keys_of(const char *name)
{
	if (!strcmp(name, "scenario"))
		return &scenario_keys;
	return strcmp(name, "target") ? driver_schema_of(name) : &target_keys;
}

static void print_keys(const char *name, FILE *out)
{
	schema_print_markdown(keys_of(name), driver_find(name) ? name : NULL, out);
}

static void assert_has_keys(const char *text, const char *name)
{
	char *table = NULL;
	const char *found;
	size_t size;
	FILE *out = open_memstream(&table, &size);

	fprintf(out, "<!-- keys %s -->\n", name);
	print_keys(name, out);
	fclose(out);
	found = strstr(text, table);
	if (!found || found[size] == '|')
		fail_msg("the keys of '%s' in docs/scenarios.md are not those of the program; "
			 "make docs (behind a line '<!-- keys %s -->')",
			 name, name);
	free(table);
}

static void test_keys(void **state)
{
	char *text = doc("scenarios.md");

	(void)state;
	assert_has_keys(text, "scenario");
	assert_has_keys(text, "target");
	for (size_t i = 0; driver_at(i); i++)
		assert_has_keys(text, driver_at(i)->name);
	free(text);
}

/* The text of the block of YAML in @doc that begins with the comment @name; to be freed. */
static char *yaml_block(const char *doc, const char *name)
{
	char begin[100];
	const char *at, *end;

	snprintf(begin, sizeof(begin), "```yaml\n# %s\n", name);
	at = strstr(doc, begin);
	assert_non_null(at);
	at += strlen("```yaml\n");
	end = strstr(at, "```");
	assert_non_null(end);
	return strndup(at, (size_t)(end - at));
}

/* What the example shows can be run. */
static void test_example(void **state)
{
	char *text = doc("scenarios.md"), *block = yaml_block(text, "my/redis.yaml");
	struct error err = {.text = ""};
	struct scenario *scenario =
		scenario_load_memory("redis.yaml", block, strlen(block), driver_schema_of, &err);
	struct target *target;

	(void)state;
	assert_string_equal(err.text, "");
	assert_int_equal(scenario->n_components, 1);
	assert_int_equal(scenario->n_thresholds, 2);
	free(block);
	block = yaml_block(text, "my/plain.yaml");
	target = target_load_memory("plain.yaml", block, strlen(block), &err);
	assert_string_equal(err.text, "");
	assert_string_equal(target->driver, scenario->driver);
	target_free(target);
	scenario_free(scenario);
	free(block);
	free(text);
}

/* A table of which each way to write a key is known. */
struct sample {
	bool yes;
	int number, choice;
	double count;
	uint64_t time_ns, bytes;
	char *word;
	size_t n;
	struct sample *more;
};

static void sample_defaults(void *object)
{
	struct sample *sample = object;

	sample->number = 3;
	sample->time_ns = 1500000000;
	sample->bytes = 65536;
	sample->word = strdup("a|b");
}

static const char *const sample_choices[] = {"none", "some", NULL};

static const struct yaml_field inner_fields[] = {
	{.key = "yes", .type = YAML_BOOL, .offset = offsetof(struct sample, yes), .help = "or no"},
};

static const struct yaml_schema inner_schema = {
	.name = "an inner", .size = sizeof(struct sample), .fields = inner_fields, .n_fields = 1};

static const struct yaml_field sample_fields[] = {
	{.key = "number",
	 .type = YAML_INT,
	 .offset = offsetof(struct sample, number),
	 .min = 1,
	 .max = 9,
	 .help = "n"},
	{.key = "count",
	 .type = YAML_COUNT,
	 .offset = offsetof(struct sample, count),
	 .required = true,
	 .help = "c"},
	{.key = "choice",
	 .type = YAML_ENUM,
	 .offset = offsetof(struct sample, choice),
	 .choices = sample_choices,
	 .help = "e"},
	{.key = "time",
	 .type = YAML_DURATION,
	 .offset = offsetof(struct sample, time_ns),
	 .min = 0.001,
	 .max = 3600,
	 .help = "t"},
	{.key = "bytes",
	 .type = YAML_SIZE,
	 .offset = offsetof(struct sample, bytes),
	 .min = 1048576,
	 .help = "b"},
	{.key = "word", .type = YAML_STRING, .offset = offsetof(struct sample, word)},
	{.key = "more",
	 .type = YAML_MAPS,
	 .offset = offsetof(struct sample, more),
	 .count_offset = offsetof(struct sample, n),
	 .nested = &inner_schema,
	 .help = "m"},
};

static void test_schema_printed(void **state)
{
	const struct yaml_schema schema = {.name = "a sample",
					   .size = sizeof(struct sample),
					   .fields = sample_fields,
					   .n_fields =
						   sizeof(sample_fields) / sizeof(sample_fields[0]),
					   .defaults = sample_defaults};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	schema_print_markdown(&schema, "s", out);
	fclose(out);
	assert_string_equal(text, "| key | value | without it | meaning |\n|---|---|---|---|\n"
				  "| `s.number` | whole number, 1 to 9 | 3 | n |\n"
				  "| `s.count` | count | required | c |\n"
				  "| `s.choice` | one of none, some | none | e |\n"
				  "| `s.time` | duration, 1ms to 1h | 1.5s | t |\n"
				  "| `s.bytes` | size, at least 1MiB | 64KiB | b |\n"
				  "| `s.word` | text | a\\|b |  |\n"
				  "| `s.more` | list of mappings | | m |\n"
				  "| `s.more[].yes` | true or false | | or no |\n");
	free(text);
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
		cmocka_unit_test(test_exit_codes), cmocka_unit_test(test_run_json),
		cmocka_unit_test(test_keys),       cmocka_unit_test(test_schema_printed),
		cmocka_unit_test(test_example),    cmocka_unit_test(test_grouped),
		cmocka_unit_test(test_utf8),       cmocka_unit_test(test_schema),
		cmocka_unit_test(test_formats),
	};

	if (argc == 2 && !strcmp(argv[1], "exit-codes")) {
		exit_code_print_markdown(stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "run-json")) {
		record_print_markdown(stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "schema")) {
		record_print_schema(stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "formats")) {
		print_formats(stdout);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "keys")) {
		if (!keys_of(argv[2]))
			return 1;
		print_keys(argv[2], stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
