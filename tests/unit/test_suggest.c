/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "util/suggest.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const names[] = {"wake", "stern", "kubectl", "curl", "error_filter"};

static const char *nearest(const char *word)
{
	return suggest_nearest(word, names, ARRAY_SIZE(names));
}

static void near(void **state)
{
	(void)state;
	assert_string_equal(nearest("sterm"), "stern");    /* substituted */
	assert_string_equal(nearest("kubctl"), "kubectl"); /* left out */
	assert_string_equal(nearest("sternn"), "stern");   /* too much */
	assert_string_equal(nearest("wkae"), "wake");      /* swapped */
	assert_string_equal(nearest("cutl"), "curl");
	assert_string_equal(nearest("eror_fliter"), "error_filter");
	assert_string_equal(nearest("stern"), "stern");
	assert_ptr_equal(nearest("sterm"), names[1]);
}

static void far(void **state)
{
	char letters[200];

	(void)state;
	memset(letters, 'a', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = '\0';
	assert_null(nearest("postgres"));
	assert_null(nearest(""));
	assert_null(nearest("x"));
	assert_null(nearest(letters));
	assert_null(suggest_nearest("wake", names, 0));
}

static void swapped_is_one_change(void **state)
{
	/* With four letters two changes are allowed: "abdc" is one from the first, two from the
	 * second. */
	static const char *const swaps[] = {"abxx", "abcd"};

	(void)state;
	assert_string_equal(suggest_nearest("abdc", swaps, 2), "abcd");
}

static void first_of_equals(void **state)
{
	static const char *const equals[] = {"rates", "rater"};

	(void)state;
	assert_string_equal(suggest_nearest("ratex", equals, 2), "rates");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near),
		cmocka_unit_test(far),
		cmocka_unit_test(swapped_is_one_change),
		cmocka_unit_test(first_of_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
