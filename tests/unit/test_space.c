/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is mapped where, against a model that knows it page by page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/space.h"

static struct space_mapping mapping_of(uint64_t start, uint64_t end, uint64_t offset,
				       uint32_t object)
{
	return (struct space_mapping){
		.start = start, .end = end, .offset = offset, .object = object};
}

static int map(struct space *space, uint64_t start, uint64_t end, uint64_t offset, uint32_t object)
{
	struct space_mapping mapping = mapping_of(start, end, offset, object);

	return space_map(space, &mapping);
}

static void assert_mapping(const struct space *space, size_t at, uint64_t start, uint64_t end,
			   uint64_t offset, uint32_t object)
{
	assert_true(at < space->n);
	assert_int_equal(space->list[at].start, start);
	assert_int_equal(space->list[at].end, end);
	assert_int_equal(space->list[at].offset, offset);
	assert_int_equal(space->list[at].object, object);
}

static void an_empty_one(void **state)
{
	struct space *space = space_new();

	(void)state;
	assert_null(space_find(space, 0));
	assert_null(space_find(space, UINT64_MAX));
	assert_int_equal(map(space, 10, 10, 0, 1), 0);
	assert_int_equal(map(space, 11, 10, 0, 1), 0);
	assert_int_equal(space->n, 0);
	assert_true(space_unref(space));
	assert_false(space_unref(NULL));
}

static void edges(void **state)
{
	struct space *space = space_new();

	(void)state;
	assert_int_equal(map(space, 0, 1, 0, 1), 0);
	assert_int_equal(map(space, UINT64_MAX - 1, UINT64_MAX, 0, 2), 0);
	assert_int_equal(space_find(space, 0)->object, 1);
	assert_null(space_find(space, 1));
	assert_null(space_find(space, UINT64_MAX - 2));
	assert_int_equal(space_find(space, UINT64_MAX - 1)->object, 2);
	assert_null(space_find(space, UINT64_MAX));
	assert_int_equal(map(space, 0, UINT64_MAX, 0, 3), 0);
	assert_int_equal(space->n, 1);
	space_unref(space);
}

/* The rest behind keeps its place in the file, and its bias. */
static void one_is_cut_into_two(void **state)
{
	struct space *space = space_new();
	struct space_mapping large = mapping_of(100, 200, 1000, 1);

	(void)state;
	large.has_bias = true;
	large.bias = 77;
	assert_int_equal(space_map(space, &large), 0);
	assert_int_equal(map(space, 120, 150, 5, 2), 0);
	assert_int_equal(space->n, 3);
	assert_mapping(space, 0, 100, 120, 1000, 1);
	assert_mapping(space, 1, 120, 150, 5, 2);
	assert_mapping(space, 2, 150, 200, 1050, 1);
	assert_true(space->list[2].has_bias);
	assert_int_equal(space->list[2].bias, 77);
	assert_false(space->list[1].has_bias);
	/* Over the end of one, all of another, and the beginning of a third. */
	assert_int_equal(map(space, 110, 160, 9, 3), 0);
	assert_int_equal(space->n, 3);
	assert_mapping(space, 0, 100, 110, 1000, 1);
	assert_mapping(space, 1, 110, 160, 9, 3);
	assert_mapping(space, 2, 160, 200, 1060, 1);
	space_unref(space);
}

static void what_is_there_already(void **state)
{
	struct space *space = space_new();
	struct space_mapping mapping;

	(void)state;
	map(space, 100, 200, 1000, 1);
	map(space, 200, 300, 0, 0);
	mapping = mapping_of(100, 200, 1000, 1);
	assert_true(space_has(space, &mapping));
	mapping = mapping_of(150, 160, 1050, 1);
	assert_true(space_has(space, &mapping));
	mapping.offset = 1000;
	assert_false(space_has(space, &mapping));
	mapping = mapping_of(150, 160, 1050, 2);
	assert_false(space_has(space, &mapping));
	mapping = mapping_of(150, 201, 1050, 1);
	assert_false(space_has(space, &mapping));
	mapping = mapping_of(99, 150, 999, 1);
	assert_false(space_has(space, &mapping));
	/* In no file, there are no places. */
	mapping = mapping_of(210, 220, 12345, 0);
	assert_true(space_has(space, &mapping));
	mapping = mapping_of(300, 301, 0, 0);
	assert_false(space_has(space, &mapping));
	space_unref(space);
}

static void copies_are_their_own(void **state)
{
	struct space *space = space_new(), *copy;

	(void)state;
	map(space, 100, 200, 0, 1);
	space->table = 5;
	assert_ptr_equal(space_ref(space), space);
	copy = space_copy(space);
	assert_int_equal(copy->refs, 1);
	assert_int_equal(copy->table, 0);
	map(copy, 150, 160, 0, 2);
	assert_int_equal(copy->n, 3);
	assert_int_equal(space->n, 1);
	assert_false(space_unref(space));
	assert_true(space_unref(space));
	assert_true(space_unref(copy));
	space = space_new();
	copy = space_copy(space);
	assert_int_equal(copy->n, 0);
	space_unref(space);
	space_unref(copy);
}

/* The oldest ones stay, and what is there is found all the same. */
static void too_many(void **state)
{
	struct space *space = space_new();
	int failed = 0;

	(void)state;
	for (uint64_t i = 0; i < SPACE_MAX_MAPPINGS + 10; i++)
		failed += map(space, 2 * i, 2 * i + 1, 0, 1) == -E2BIG;
	assert_int_equal(failed, 10);
	assert_int_equal(space->n, SPACE_MAX_MAPPINGS);
	assert_non_null(space_find(space, 0));
	assert_null(space_find(space, 2 * SPACE_MAX_MAPPINGS));
	/* What takes the place of others has room. */
	assert_int_equal(map(space, 0, 1, 0, 2), 0);
	assert_int_equal(space_find(space, 0)->object, 2);
	assert_int_equal(map(space, 0, 2 * SPACE_MAX_MAPPINGS, 0, 3), 0);
	assert_int_equal(space->n, 1);
	/* One cut into two needs two more. */
	for (uint64_t i = 0; space->n + 2 <= SPACE_MAX_MAPPINGS; i++)
		assert_int_equal(map(space, 2 * i + 1, 2 * i + 2, 0, 1), 0);
	assert_int_equal(space->n, SPACE_MAX_MAPPINGS - 1);
	assert_int_equal(map(space, 2 * SPACE_MAX_MAPPINGS - 3, 2 * SPACE_MAX_MAPPINGS - 2, 0, 1),
			 -E2BIG);
	space_unref(space);
}

/* --- the model ---------------------------------------------------------------------------- */

#define PAGES 200

struct page {
	uint32_t object; /* 0: nothing is mapped */
	uint64_t offset;
};

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static void map_pages(struct page *pages, const struct space_mapping *mapping)
{
	for (uint64_t at = mapping->start; at < mapping->end; at++)
		pages[at] = (struct page){mapping->object, mapping->offset + at - mapping->start};
}

static void assert_same(const struct space *space, const struct page *pages)
{
	for (size_t i = 0; i < space->n; i++) {
		assert_true(space->list[i].start < space->list[i].end);
		assert_true(!i || space->list[i - 1].end <= space->list[i].start);
	}
	for (uint64_t at = 0; at < PAGES; at++) {
		const struct space_mapping *mapping = space_find(space, at);

		assert_int_equal(mapping != NULL, pages[at].object != 0);
		if (!mapping)
			continue;
		assert_true(mapping->start <= at && at < mapping->end);
		assert_int_equal(mapping->object, pages[at].object);
		assert_int_equal(mapping->offset + at - mapping->start, pages[at].offset);
	}
}

static bool has_pages(const struct page *pages, const struct space_mapping *mapping)
{
	for (uint64_t at = mapping->start; at < mapping->end; at++)
		if (pages[at].object != mapping->object ||
		    pages[at].offset != mapping->offset + at - mapping->start)
			return false;
	return true;
}

static void at_random(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (int turn = 0; turn < 60; turn++) {
		struct space *space = space_new();
		struct page pages[PAGES] = {{0}};

		for (int i = 0; i < 120; i++) {
			uint64_t start = random_next(&seed) % PAGES;
			uint64_t most = random_next(&seed) % 2 ? 8 : PAGES;
			uint64_t end = start + random_next(&seed) % (most + 1);
			struct space_mapping mapping =
				mapping_of(start, end < PAGES ? end : PAGES,
					   random_next(&seed) % 3 * 1000 + start,
					   1 + (uint32_t)random_next(&seed) % 3);

			/* What is there in several parts is not known to be. */
			if (start < mapping.end && space_has(space, &mapping))
				assert_true(has_pages(pages, &mapping));
			assert_int_equal(space_map(space, &mapping), 0);
			map_pages(pages, &mapping);
			assert_same(space, pages);
			if (start < mapping.end)
				assert_true(space_has(space, &mapping));
		}
		space_unref(space);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one),
		cmocka_unit_test(edges),
		cmocka_unit_test(one_is_cut_into_two),
		cmocka_unit_test(what_is_there_already),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(too_many),
		cmocka_unit_test(at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
