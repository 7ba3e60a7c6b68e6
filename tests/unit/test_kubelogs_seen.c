/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drive/kubelogs/seen.h"

static void numbers_are_remembered_within_bounds(void **state)
{
	struct seen seen = {0};
	const uint64_t far = 5 * SEEN_WINDOW + 3;

	(void)state;
	assert_int_equal(seen_mark(&seen, 1000), SEEN_NEW);
	assert_int_equal(seen_mark(&seen, 999), SEEN_LATE);
	assert_int_equal(seen_mark(&seen, 999), SEEN_AGAIN);
	assert_int_equal(seen_mark(&seen, 1000), SEEN_AGAIN);
	assert_int_equal(seen_mark(&seen, 1000 + SEEN_WINDOW - 1), SEEN_NEW);
	assert_int_equal(seen_mark(&seen, 1000), SEEN_AGAIN);
	assert_int_equal(seen_mark(&seen, 1001), SEEN_LATE);
	/* A leap forgets what came before. */
	assert_int_equal(seen_mark(&seen, far), SEEN_NEW);
	for (uint64_t i = 1; i < SEEN_WINDOW; i++)
		assert_int_equal(seen_mark(&seen, far - i), SEEN_LATE);
	assert_int_equal(seen_mark(&seen, far - SEEN_WINDOW), SEEN_AGAIN);
	assert_int_equal(seen_mark(&seen, UINT64_MAX - 1), SEEN_NEW);
	seen_free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_remembered_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
