/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static char *level_words[] = {(char *)"ERROR", (char *)"WARN"};
static char *topic_words[] = {(char *)"user", (char *)"auth", (char *)"payment"};
static char *error_word[] = {(char *)"ERROR"};
static char *rate_word[] = {(char *)"rate"};

static struct filter_clause level_and_topic[] = {{2, level_words}, {3, topic_words}};
static struct filter_clause levels[] = {{2, level_words}};
static struct filter_clause one_and_topic[] = {{1, error_word}, {3, topic_words}};
static struct filter_clause three[] = {{2, level_words}, {1, rate_word}, {3, topic_words}};
static struct filter_clause error_only[] = {{1, error_word}};

static void check_texts(const struct filter *filter, const char *regex, const char *words)
{
	char *got_regex = filter_regex(filter), *got_words = filter_words(filter);

	assert_string_equal(got_regex, regex);
	assert_string_equal(got_words, words);
	free(got_regex);
	free(got_words);
}

static void texts(void **state)
{
	const struct filter both = {.n_clauses = 2, .clauses = level_and_topic};
	const struct filter one = {.n_clauses = 1, .clauses = levels};
	const struct filter word = {.n_clauses = 1, .clauses = error_only};
	const struct filter mixed = {.n_clauses = 2, .clauses = one_and_topic};
	char text[] = "^\\{.*\\}$";
	const struct filter regex = {.regex = text};

	(void)state;
	check_texts(&both, "(ERROR|WARN).*(user|auth|payment)|(user|auth|payment).*(ERROR|WARN)",
		    "(ERROR || WARN) && (user || auth || payment)");
	check_texts(&one, "ERROR|WARN", "ERROR || WARN");
	check_texts(&word, "ERROR", "ERROR");
	check_texts(&mixed, "ERROR.*(user|auth|payment)|(user|auth|payment).*ERROR",
		    "ERROR && (user || auth || payment)");
	check_texts(&regex, "^\\{.*\\}$", "^\\{.*\\}$");
}

static void nothing_wanted(void **state)
{
	const struct filter none = {0};
	struct filter_matcher *matcher = filter_matcher_new(&none, NULL);

	(void)state;
	assert_true(filter_is_empty(&none));
	assert_null(filter_regex(&none));
	assert_null(filter_words(&none));
	assert_true(filter_matches(matcher, "", 0));
	assert_true(filter_matches(matcher, "anything", 8));
	filter_matcher_free(matcher);
	filter_matcher_free(NULL);
}

static void three_have_six_orders(void **state)
{
	const struct filter filter = {.n_clauses = 3, .clauses = three};
	char *regex = filter_regex(&filter);

	(void)state;
	assert_string_equal(regex, "(ERROR|WARN).*rate.*(user|auth|payment)|"
				   "(ERROR|WARN).*(user|auth|payment).*rate|"
				   "rate.*(ERROR|WARN).*(user|auth|payment)|"
				   "rate.*(user|auth|payment).*(ERROR|WARN)|"
				   "(user|auth|payment).*(ERROR|WARN).*rate|"
				   "(user|auth|payment).*rate.*(ERROR|WARN)");
	free(regex);
}

static void special_letters_are_escaped(void **state)
{
	char dotted[] = "a.b|c";
	char *words[] = {dotted};
	struct filter_clause clause = {1, words};
	const struct filter filter = {.n_clauses = 1, .clauses = &clause};
	char *regex = filter_regex(&filter);

	(void)state;
	assert_string_equal(regex, "a\\.b\\|c");
	free(regex);
}

static bool matches(const struct filter *filter, const char *message)
{
	struct filter_matcher *matcher = filter_matcher_new(filter, NULL);
	bool result;

	assert_non_null(matcher);
	result = filter_matches(matcher, message, strlen(message));
	filter_matcher_free(matcher);
	return result;
}

static void words_match(void **state)
{
	const struct filter both = {.n_clauses = 2, .clauses = level_and_topic};

	(void)state;
	assert_true(matches(&both, "ERROR for user 7"));
	assert_true(matches(&both, "payment: WARN"));
	assert_true(matches(&both, "xERRORxauthx"));
	assert_false(matches(&both, "ERROR alone"));
	assert_false(matches(&both, "only a user"));
	assert_false(matches(&both, "error for user"));
	assert_false(matches(&both, ""));
}

static void bounds_are_kept(void **state)
{
	const struct filter word = {.n_clauses = 1, .clauses = error_only};
	char text[] = "^\\{.*\\}$";
	const struct filter regex = {.regex = text};
	struct filter_matcher *words = filter_matcher_new(&word, NULL);
	struct filter_matcher *compiled = filter_matcher_new(&regex, NULL);

	(void)state;
	/* What lies behind the message is another one. */
	assert_false(filter_matches(words, "ERROR", 4));
	assert_true(filter_matches(words, "ERROR+", 5));
	assert_true(filter_matches(compiled, "{\"a\":1} tail", 7));
	assert_false(filter_matches(compiled, "{\"a\":1} tail", 8));
	assert_false(filter_matches(compiled, "{\"a\":1}", 6));
	assert_false(filter_matches(compiled, "x{}", 3));
	filter_matcher_free(words);
	filter_matcher_free(compiled);
}

static void long_messages(void **state)
{
	char text[] = "^\\{.*\\}$";
	const struct filter regex = {.regex = text};
	struct filter_matcher *matcher = filter_matcher_new(&regex, NULL);

	(void)state;
	for (size_t length = 4094; length < 4099; length++) {
		char *message = malloc(length);

		memset(message, 'x', length);
		message[0] = '{';
		message[length - 1] = '}';
		assert_true(filter_matches(matcher, message, length));
		assert_false(filter_matches(matcher, message, length - 1));
		free(message);
	}
	filter_matcher_free(matcher);
}

static void broken_regex(void **state)
{
	char text[] = "(a";
	const struct filter filter = {.regex = text};
	struct error err;

	(void)state;
	assert_null(filter_matcher_new(&filter, &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_non_null(strstr(err.text, "'(a' is no extended regular expression"));
}

/* A message of parts of the words, so that they meet and overlap. */
static void random_message(char *message, size_t n, unsigned int *seed)
{
	static const char *const parts[] = {"ERRO", "R",   "er",   "ror", "rate",  "te", " ",
					    "W",    "ARN", "user", "us",  "error", "at"};

	*message = '\0';
	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 1103515245U + 12345U;
		strcat(message, parts[(*seed >> 16) % ARRAY_SIZE(parts)]);
	}
}

/* Tools that know only regexes must keep the lines that those with words keep. */
static void regex_means_the_words(void **state)
{
	static char *low[] = {(char *)"error", (char *)"WARN"};
	static char *overlapping[] = {(char *)"rate", (char *)"ruser"};
	struct filter_clause clauses[] = {{2, low}, {2, overlapping}};
	const struct filter filter = {.n_clauses = 2, .clauses = clauses};
	char *text = filter_regex(&filter);
	const struct filter as_regex = {.regex = text};
	struct filter_matcher *words = filter_matcher_new(&filter, NULL);
	struct filter_matcher *regex = filter_matcher_new(&as_regex, NULL);
	unsigned int seed = 1;
	int kept = 0;

	(void)state;
	assert_true(filter_matches(words, "errorate", 8));
	assert_true(filter_matches(regex, "errorate", 8));
	for (int i = 0; i < 20000; i++) {
		char message[128];
		bool expected;

		random_message(message, (size_t)(i % 12), &seed);
		expected = filter_matches(words, message, strlen(message));
		if (filter_matches(regex, message, strlen(message)) != expected)
			fail_msg("'%s' differs for %s", message, text);
		kept += expected;
	}
	assert_true(kept > 500 && kept < 19500);
	filter_matcher_free(words);
	filter_matcher_free(regex);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(nothing_wanted),
		cmocka_unit_test(three_have_six_orders),
		cmocka_unit_test(special_letters_are_escaped),
		cmocka_unit_test(words_match),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(long_messages),
		cmocka_unit_test(broken_regex),
		cmocka_unit_test(regex_means_the_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
