/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room that is handed out in pieces, against a map of what is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "measure/extents.h"

static void in_turn(void **state)
{
	struct extents extents;

	(void)state;
	assert_int_equal(extents_init(&extents, 10), 0);
	assert_int_equal(extents_largest(&extents), 10);
	assert_int_equal(extents_take(&extents, 4), 0);
	assert_int_equal(extents_take(&extents, 6), 4);
	assert_int_equal(extents_largest(&extents), 0);
	assert_int_equal(extents_take(&extents, 1), -ENOSPC);
	assert_int_equal(extents_give(&extents, (struct extent){0, 4}), 0);
	assert_int_equal(extents_take(&extents, 5), -ENOSPC);
	assert_int_equal(extents_take(&extents, 1), 0);
	assert_int_equal(extents_take(&extents, 3), 1);
	extents_clear(&extents);
}

/* Neighbours on one side, on the other, on both, on none. */
static void neighbours_become_one(void **state)
{
	struct extents extents;

	(void)state;
	extents_init(&extents, 70);
	for (int i = 0; i < 7; i++)
		extents_take(&extents, 10);
	assert_int_equal(extents.n, 0);
	extents_give(&extents, (struct extent){10, 10});
	extents_give(&extents, (struct extent){50, 10});
	assert_int_equal(extents.n, 2);
	extents_give(&extents, (struct extent){20, 10});
	extents_give(&extents, (struct extent){40, 10});
	assert_int_equal(extents.n, 2);
	assert_int_equal(extents_largest(&extents), 20);
	extents_give(&extents, (struct extent){30, 10});
	assert_int_equal(extents.n, 1);
	assert_int_equal(extents_largest(&extents), 50);
	extents_give(&extents, (struct extent){0, 10});
	extents_give(&extents, (struct extent){60, 10});
	assert_int_equal(extents.n, 1);
	assert_int_equal(extents_take(&extents, 70), 0);
	extents_clear(&extents);
}

static void as_large_as_can_be(void **state)
{
	struct extents extents;

	(void)state;
	extents_init(&extents, UINT32_MAX);
	assert_int_equal(extents_take(&extents, UINT32_MAX - 1), 0);
	assert_int_equal(extents_take(&extents, 1), (int64_t)UINT32_MAX - 1);
	extents_give(&extents, (struct extent){0, UINT32_MAX - 1});
	extents_give(&extents, (struct extent){UINT32_MAX - 1, 1});
	assert_int_equal(extents_largest(&extents), UINT32_MAX);
	extents_clear(&extents);
	extents_init(&extents, 0);
	assert_int_equal(extents_take(&extents, 1), -ENOSPC);
	extents_clear(&extents);
}

/* --- the model ---------------------------------------------------------------------------- */

#define ROOM 300

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* Where the first @n free ones lie together; ROOM: nowhere. */
static uint32_t first_fit(const bool *taken, uint32_t n)
{
	uint32_t run = 0;

	for (uint32_t at = 0; at < ROOM; at++) {
		run = taken[at] ? 0 : run + 1;
		if (run == n)
			return at + 1 - n;
	}
	return ROOM;
}

static uint32_t longest_free(const bool *taken)
{
	uint32_t run = 0, longest = 0;

	for (uint32_t at = 0; at < ROOM; at++) {
		run = taken[at] ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void assert_same(const struct extents *extents, const bool *taken)
{
	bool is_free[ROOM] = {false};
	uint32_t end = 0;

	for (size_t i = 0; i < extents->n; i++) {
		struct extent extent = extents->free[i];

		assert_true(extent.n > 0);
		/* Neighbours would be one. */
		assert_true(!i || extent.first > end);
		end = extent.first + extent.n;
		assert_true(end <= ROOM);
		memset(is_free + extent.first, true, extent.n);
	}
	for (uint32_t at = 0; at < ROOM; at++)
		assert_int_equal(is_free[at], !taken[at]);
	assert_int_equal(extents_largest(extents), longest_free(taken));
}

static void at_random(void **state)
{
	struct extent held[ROOM];
	bool taken[ROOM] = {false};
	struct extents extents;
	uint64_t seed = 7;
	size_t n = 0;

	(void)state;
	extents_init(&extents, ROOM);
	for (int i = 0; i < 20000; i++) {
		if (random_next(&seed) % 2) {
			uint32_t wanted = 1 + (uint32_t)random_next(&seed) % 20;
			uint32_t expected = first_fit(taken, wanted);
			int64_t first = extents_take(&extents, wanted);

			assert_int_equal(first, expected == ROOM ? -ENOSPC : (int64_t)expected);
			if (first < 0)
				continue;
			memset(taken + first, true, wanted);
			held[n++] = (struct extent){(uint32_t)first, wanted};
		} else if (n) {
			size_t which = random_next(&seed) % n;

			assert_int_equal(extents_give(&extents, held[which]), 0);
			memset(taken + held[which].first, false, held[which].n);
			held[which] = held[--n];
		}
		assert_same(&extents, taken);
	}
	while (n)
		extents_give(&extents, held[--n]);
	assert_int_equal(extents.n, 1);
	assert_int_equal(extents_largest(&extents), ROOM);
	extents_clear(&extents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_turn),
		cmocka_unit_test(neighbours_become_one),
		cmocka_unit_test(as_large_as_can_be),
		cmocka_unit_test(at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
