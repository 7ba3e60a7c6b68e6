/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "drive/kubelogs/content.h"
#include "util/random.h"
#include "drive/kubelogs/source.h"

#define INTENDED 1732000000000000000ULL

static struct content *content;

static int set_up(void **state)
{
	(void)state;
	content = content_new(1);
	return !content;
}

static int tear_down(void **state)
{
	(void)state;
	content_free(content);
	return 0;
}

/* Calls @check with each message. */
static void for_all(void (*check)(int kind, const struct message *message))
{
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++)
		for (int i = 0; i < CONTENT_POOL; i++)
			check(kind, &content->messages[kind][i]);
}

static void check_form(int kind, const struct message *message)
{
	char line[CONTENT_LINE_MAX];
	size_t length = content_write_line(line, message, 3, 1234567, INTENDED);

	(void)kind;
	assert_in_range(length, 80, 260);
	assert_int_equal(line[length - 1], '\n');
	assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
	for (size_t i = 0; i + 1 < length; i++)
		assert_in_range((unsigned char)line[i], ' ', '~');
	/* No slot was left unfilled. */
	assert_null(memchr(line, '<', length));
	line[length - 1] = '\0';
	assert_non_null(strstr(line, level_name(message->level)));
}

static void lines_are_whole_and_of_a_natural_length(void **state)
{
	(void)state;
	for_all(check_form);
}

static void the_largest_numbers_fit(void **state)
{
	char line[CONTENT_LINE_MAX + 1];
	uint32_t longest = 0;

	(void)state;
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++)
		for (int i = 0; i < CONTENT_POOL; i++)
			if (content->messages[kind][i].length > longest)
				longest = content->messages[kind][i].length;
	assert_true(longest + 80 < CONTENT_LINE_MAX);
	assert_true(content_write_line(line, &content->messages[8][0], UINT32_MAX, UINT64_MAX,
				       UINT64_MAX) < CONTENT_LINE_MAX);
}

static void check_json(int kind, const struct message *message)
{
	char line[CONTENT_LINE_MAX];
	size_t length = content_write_line(line, message, 17, 42, INTENDED);
	const char *level;
	json_error_t problem;
	json_t *json;

	if (!message->is_json) {
		assert_int_not_equal(kind, 8);
		assert_memory_equal(line, "pb#17/42/1732000000000000000# ", 30);
		return;
	}
	json = json_loadb(line, length, 0, &problem);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "stamp")),
			    "pb#17/42/1732000000000000000#");
	level = json_string_value(json_object_get(json, "level"));
	assert_string_equal(level, level_name(message->level));
	json_decref(json);
}

static void json_lines_are_json(void **state)
{
	(void)state;
	for_all(check_json);
}

static void each_flavour_has_its_mix_of_levels(void **state)
{
	(void)state;
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++) {
		const struct flavour *flavour = flavour_of(kind);
		int levels[LEVELS] = {0}, sum = 0;

		for (int i = 0; i < CONTENT_POOL; i++)
			levels[content->messages[kind][i].level]++;
		for (int level = 0; level < LEVELS; level++) {
			int wanted = flavour->percent[level] * CONTENT_POOL;

			sum += flavour->percent[level];
			assert_in_range(levels[level] * 100, wanted > 100 ? wanted - 100 : 0,
					wanted + 100);
		}
		assert_int_equal(sum, 100);
	}
	assert_int_equal(flavour_of(7)->percent[LEVEL_ERROR], 40);
}

/* The shipped scenarios' filters, built by hand: they are what is promised to match. */
static char error[] = "ERROR", warn[] = "WARN", user[] = "user", auth[] = "auth",
	    payment[] = "payment", json_regex[] = "^\\{.*\\}$",
	    complex_regex[] = "(ERROR|WARN).*(user|auth|payment)|(user|auth|payment).*(ERROR|WARN)",
	    digits_regex[] = "(auth|user).*(login|[0-9]+)";
static char *error_word[] = {error}, *levels[] = {error, warn}, *things[] = {user, auth, payment};
static struct filter_clause error_clause[] = {{1, error_word}};
static struct filter_clause complex_clauses[] = {{2, levels}, {3, things}};
static const struct filter filters[] = {
	{.n_clauses = 1, .clauses = error_clause},
	{.n_clauses = 2, .clauses = complex_clauses},
	{.regex = json_regex},
	{.regex = complex_regex},
	{.regex = digits_regex},
};

static size_t count_wanted(const struct filter *filter)
{
	size_t wanted = 0;
	struct error err;

	assert_int_equal(content_set_filter(content, filter, &err), 0);
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++)
		for (int i = 0; i < CONTENT_POOL; i++)
			wanted += content->messages[kind][i].is_wanted;
	return wanted;
}

static void the_shipped_filters_want_a_fair_share(void **state)
{
	const size_t all = SCHEDULE_KINDS * CONTENT_POOL;
	size_t complex, json;

	(void)state;
	assert_in_range(count_wanted(&filters[0]), all / 20, all / 5);
	complex = count_wanted(&filters[1]);
	assert_in_range(complex, all / 20, all / 3);
	json = count_wanted(&filters[2]);
	assert_in_range(json, CONTENT_POOL, 2 * CONTENT_POOL);
	/* Both ways to say it mean the same. */
	assert_int_equal(count_wanted(&filters[3]), complex);
	assert_false(content->all_wanted);
	assert_int_equal(count_wanted(&(struct filter){0}), all);
	assert_true(content->all_wanted);
}

/* Any stamp, for any message and filter: wanted or not does not depend on it. */
static void stamps_change_no_match(void **state)
{
	uint64_t random = 5;

	(void)state;
	for (size_t f = 0; f < sizeof(filters) / sizeof(filters[0]); f++) {
		struct error err;
		struct filter_matcher *matcher = filter_matcher_new(&filters[f], &err);

		assert_non_null(matcher);
		assert_int_equal(content_set_filter(content, &filters[f], &err), 0);
		for (int i = 0; i < 20000; i++) {
			const struct message *message =
				&content->messages[random_below(&random, SCHEDULE_KINDS)]
						  [random_below(&random, CONTENT_POOL)];
			char line[CONTENT_LINE_MAX];
			size_t length = content_write_line(
				line, message, random_below(&random, 2500),
				random_next(&random) >> random_below(&random, 64),
				random_next(&random) >> 1);

			assert_int_equal(filter_matches(matcher, line, length - 1),
					 message->is_wanted);
		}
		filter_matcher_free(matcher);
	}
}

static void a_filter_for_digits_of_the_stamp_is_refused(void **state)
{
	char seven[] = "7", *digits[] = {seven};
	struct filter_clause clause = {1, digits};
	struct filter filter = {.n_clauses = 1, .clauses = &clause};
	struct error err = {0};

	(void)state;
	assert_int_equal(content_set_filter(content, &filter, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_non_null(strstr(err.text, "stamps"));
}

static void a_stamp_is_read_back(void **state)
{
	static const uint64_t numbers[] = {0, 9, 10, 99, 100, 12345, 1ULL << 32, UINT64_MAX};
	char line[CONTENT_LINE_MAX];
	uint64_t seq, intended;
	uint32_t pod;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t length = content_write_line(line, &content->messages[0][0], (uint32_t)i,
						   numbers[i], UINT64_MAX - numbers[i]);

		assert_true(content_read_stamp(line, length, &pod, &seq, &intended));
		assert_int_equal(pod, i);
		assert_true(seq == numbers[i]);
		assert_true(intended == UINT64_MAX - numbers[i]);
	}
}

static void what_is_no_stamp_is_not_read(void **state)
{
	static const char *const texts[] = {
		"",
		"p",
		"pb#",
		"pb#1",
		"pb#1/",
		"pb#1/2",
		"pb#1/2/",
		"pb#1/2/3",
		"pb#/2/3#",
		"pb#1//3#",
		"pb#1/2/#",
		"pb#-1/2/3#",
		"pb# 1/2/3#",
		"pb#a/2/3#",
		"pb#4294967296/2/3#",
		"pb#1,2,3#",
		"PB#1/2/3#",
		"pb#1/2/3/4#x",
		"pb#1/18446744073709551616/3#",
		"pb#1/2/99999999999999999999999#",
	};
	uint64_t seq, intended;
	uint32_t pod;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(content_read_stamp(texts[i], strlen(texts[i]), &pod, &seq, &intended));
}

static void a_seed_gives_the_same_texts_again(void **state)
{
	struct content *same = content_new(1), *other = content_new(2);
	int differing = 0;

	(void)state;
	assert_non_null(same);
	assert_non_null(other);
	for (int kind = 0; kind < SCHEDULE_KINDS; kind++)
		for (int i = 0; i < CONTENT_POOL; i++) {
			const struct message *a = &content->messages[kind][i],
					     *b = &same->messages[kind][i],
					     *c = &other->messages[kind][i];

			assert_int_equal(a->length, b->length);
			assert_memory_equal(a->text, b->text, a->length);
			differing += a->length != c->length || memcmp(a->text, c->text, a->length);
		}
	assert_true(differing > SCHEDULE_KINDS * CONTENT_POOL * 9 / 10);
	content_free(same);
	content_free(other);
}

static void pods_have_names(void **state)
{
	struct schedule_config config = {.deployments = 12, .replicas = 3, .rate = 100};
	static const char *const wrong[] = {
		"",
		"perf-generator-01",
		"perf-generator-01-x-0000",
		"perf-generator-1-x-00000",
		"perf-generator-00-x-00000",
		"perf-generator-13-x-00000",
		"perf-generator-01-x-00003",
		"perf-generator-01-x-000000",
		"perf-generator-01-x-00000/log",
		"perf-generator- 1-x-00000",
	};
	struct source source;
	struct error err;
	uint32_t found;

	(void)state;
	assert_int_equal(source_open(&source, "perf-test", &config, 0, 0, &err), 0);
	for (uint32_t pod = 0; pod < source.n_pods; pod++) {
		char name[SOURCE_NAME_MAX];

		source_pod_name(&source, pod, name);
		assert_true(source_pod_find(&source, name, &found));
		assert_int_equal(found, pod);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(source_pod_find(&source, wrong[i], &found));
	source_close(&source);
	assert_int_equal(source_open(&source, "Perf Test", &config, 0, 0, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_whole_and_of_a_natural_length),
		cmocka_unit_test(the_largest_numbers_fit),
		cmocka_unit_test(json_lines_are_json),
		cmocka_unit_test(each_flavour_has_its_mix_of_levels),
		cmocka_unit_test(the_shipped_filters_want_a_fair_share),
		cmocka_unit_test(stamps_change_no_match),
		cmocka_unit_test(a_filter_for_digits_of_the_stamp_is_refused),
		cmocka_unit_test(a_stamp_is_read_back),
		cmocka_unit_test(what_is_no_stamp_is_not_read),
		cmocka_unit_test(a_seed_gives_the_same_texts_again),
		cmocka_unit_test(pods_have_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
