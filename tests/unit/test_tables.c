/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows and mappings in tables that programs read all the time: what makes room, and that nothing is
 * used again while somebody may still be reading it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "made_tables.h"

#define ROWS 100

struct fixture {
	struct made_tables *made;
	struct tables *tables;
	uint32_t sweep;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->made = made_tables_new(ROWS);
	fixture->tables = tables_new(&fixture->made->memory, 0);
	*state = fixture;
	return fixture->tables ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	tables_free(fixture->tables);
	assert_int_equal(fixture->made->n_open, 0);
	made_tables_free(fixture->made);
	free(fixture);
	return 0;
}

static void settle(struct fixture *fixture)
{
	tables_settle(fixture->tables, ++fixture->sweep);
	assert_int_equal(fixture->made->n_open, 0);
}

/* @n rows at 0, 16, 32, … whose rules tell the object and the row. */
static int load(struct fixture *fixture, uint32_t object, size_t n)
{
	struct pb_row rows[ROWS + 1];

	for (uint32_t i = 0; i < n; i++)
		rows[i] = (struct pb_row){.pc = 16 * i, .rule = object << 16 | i};
	return tables_load(fixture->tables, object, 0x1000, rows, n);
}

static void assert_rows(struct fixture *fixture, uint32_t object, uint32_t n)
{
	bool by_fp;

	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(tables_rule(fixture->tables, object, 0x1000 + 16 * i, &by_fp),
				 object << 16 | i);
		assert_int_equal(tables_rule(fixture->tables, object, 0x100f + 16 * i, &by_fp),
				 object << 16 | i);
		assert_false(by_fp);
	}
}

static void rules(void **state)
{
	struct fixture *fixture = *state;
	struct pb_row rows[] = {{16, 7}, {32, 8}, {48, PB_CFA_NONE}};
	bool by_fp = true;

	assert_false(tables_has(fixture->tables, 3));
	assert_int_equal(tables_load(fixture->tables, 3, 0x1000, rows, 3), 0);
	assert_true(tables_has(fixture->tables, 3));
	assert_false(tables_has(fixture->tables, 4));
	assert_int_equal(tables_rule(fixture->tables, 3, 0x100f, &by_fp), PB_CFA_NONE);
	assert_false(by_fp);
	assert_int_equal(tables_rule(fixture->tables, 3, 0x1010, &by_fp), 7);
	assert_int_equal(tables_rule(fixture->tables, 3, 0x101f, &by_fp), 7);
	assert_int_equal(tables_rule(fixture->tables, 3, 0x1020, &by_fp), 8);
	assert_int_equal(tables_rule(fixture->tables, 3, 0x103f, &by_fp), PB_CFA_NONE);
	assert_int_equal(tables_rule(fixture->tables, 3, 0x200000000, &by_fp), PB_CFA_NONE);
	/* By frame pointers. */
	assert_int_equal(tables_load(fixture->tables, 4, 0, NULL, 0), 0);
	assert_true(tables_has(fixture->tables, 4));
	tables_rule(fixture->tables, 4, 0x1010, &by_fp);
	assert_true(by_fp);
	assert_int_equal(load(fixture, PB_OBJECT_ANON, 1), -ENOSPC);
	assert_int_equal(load(fixture, PB_OBJECTS, 1), -ENOSPC);
	assert_false(tables_has(fixture->tables, PB_OBJECTS));
}

static void an_address_far_off_is_not_in_it(void **state)
{
	struct fixture *fixture = *state;
	bool by_fp;

	load(fixture, 1, 3);
	/* 4 GiB behind a row, and before the first. */
	assert_int_equal(tables_rule(fixture->tables, 1, 0x100001010, &by_fp), PB_CFA_NONE);
	assert_int_equal(tables_rule(fixture->tables, 1, 0xfff, &by_fp), PB_CFA_NONE);
}

static void room_comes_after_two_settlings(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, 1, 60), 0);
	settle(fixture);
	assert_int_equal(load(fixture, 2, 60), -ENOSPC);
	/* It is forgotten at once, and its rows stay as they are. */
	assert_false(tables_has(fixture->tables, 1));
	assert_int_equal(tables_evicted(fixture->tables), 1);
	assert_int_equal(load(fixture, 2, 60), -ENOSPC);
	assert_int_equal(fixture->made->rows[0].rule, 1 << 16);
	settle(fixture);
	assert_int_equal(load(fixture, 2, 60), -ENOSPC);
	assert_int_equal(fixture->made->rows[0].rule, 1 << 16);
	settle(fixture);
	assert_int_equal(load(fixture, 2, 60), 0);
	assert_rows(fixture, 2, 60);
	assert_int_equal(tables_evicted(fixture->tables), 1);
}

static void the_one_that_was_used_last_stays(void **state)
{
	struct fixture *fixture = *state;
	bool by_fp;

	for (uint32_t object = 1; object <= 4; object++)
		assert_int_equal(load(fixture, object, 25), 0);
	settle(fixture);
	/* By the kernel, and by a walk that goes on. */
	fixture->made->memory.objects[1].used_at = fixture->sweep;
	settle(fixture);
	tables_rule(fixture->tables, 3, 0x1000, &by_fp);
	settle(fixture);
	fixture->made->memory.objects[4].used_at = fixture->sweep;
	assert_int_equal(load(fixture, 5, 25), -ENOSPC);
	assert_false(tables_has(fixture->tables, 2));
	assert_int_equal(tables_evicted(fixture->tables), 1);
	assert_int_equal(load(fixture, 5, 50), -ENOSPC);
	assert_false(tables_has(fixture->tables, 1));
	assert_true(tables_has(fixture->tables, 3));
	assert_true(tables_has(fixture->tables, 4));
	settle(fixture);
	settle(fixture);
	assert_int_equal(load(fixture, 5, 50), 0);
	assert_rows(fixture, 3, 25);
	assert_rows(fixture, 4, 25);
	assert_rows(fixture, 5, 50);
}

/* Files of one working set do not take turns. */
static void what_was_used_lately_is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct tables *tables = tables_new(&fixture->made->memory, 3);

	tables_free(fixture->tables);
	fixture->tables = tables;
	settle(fixture);
	assert_int_equal(load(fixture, 1, 60), 0);
	for (int i = 0; i < 2; i++) {
		settle(fixture);
		assert_int_equal(load(fixture, 2, 60), -ENOSPC);
		assert_true(tables_has(tables, 1));
	}
	settle(fixture);
	assert_int_equal(load(fixture, 2, 60), -ENOSPC);
	assert_false(tables_has(tables, 1));
	assert_int_equal(tables_evicted(tables), 1);
}

/* The marks go around after 2^32. */
static void marks_go_around(void **state)
{
	struct fixture *fixture = *state;

	fixture->sweep = UINT32_MAX - 2;
	settle(fixture);
	assert_int_equal(load(fixture, 1, 50), 0); /* used at -2 */
	settle(fixture);
	settle(fixture);
	assert_int_equal(load(fixture, 2, 50), 0); /* used at 0 */
	settle(fixture);
	assert_int_equal(load(fixture, 3, 50), -ENOSPC);
	assert_false(tables_has(fixture->tables, 1));
	assert_true(tables_has(fixture->tables, 2));
}

static void more_than_there_is_room_for(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, 1, 60), 0);
	assert_int_equal(load(fixture, 2, ROWS + 1), -ENOSPC);
	assert_false(tables_make_room(fixture->tables, 2, SIZE_MAX));
	assert_false(tables_make_room(fixture->tables, 2, UINT64_C(1) << 32));
	/* For that nobody has to go. */
	assert_true(tables_has(fixture->tables, 1));
	assert_int_equal(tables_evicted(fixture->tables), 0);
	assert_true(tables_make_room(fixture->tables, 2, 40));
	assert_false(tables_make_room(fixture->tables, 2, 41));
	assert_false(tables_has(fixture->tables, 1));
	settle(fixture);
	settle(fixture);
	assert_int_equal(load(fixture, 2, ROWS), 0);
}

/* Room in pieces: more have to go until one is large enough. */
static void room_that_lies_in_pieces(void **state)
{
	struct fixture *fixture = *state;
	int turns = 0;

	for (uint32_t object = 1; object <= 10; object++) {
		assert_int_equal(load(fixture, object, 10), 0);
		fixture->made->memory.objects[object].used_at = object % 2 ? 0 : UINT32_MAX;
	}
	/* Used before the others: 2, 4, 6, 8, 10, no two of which lie together. */
	while (load(fixture, 11, 20) && ++turns < 20)
		settle(fixture);
	assert_true(turns < 10);
	assert_rows(fixture, 11, 20);
	assert_true(tables_evicted(fixture->tables) < 10);
}

static void memory_that_cannot_be_had(void **state)
{
	struct fixture *fixture = *state;
	struct space_mapping list[] = {{.start = 1, .end = 2, .object = 1}};
	struct space space = {.refs = 1, .n = 1, .list = list};
	bool by_fp;

	fixture->made->refuses = true;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(load(fixture, 1, 60), -ENOMEM);
		assert_int_equal(tables_publish(fixture->tables, &space), -ENOMEM);
	}
	assert_false(tables_has(fixture->tables, 1));
	assert_int_equal(space.table, 0);
	fixture->made->refuses = false;
	assert_int_equal(load(fixture, 1, ROWS), 0);
	fixture->made->refuses = true;
	assert_int_equal(tables_rule(fixture->tables, 1, 0x1000, &by_fp), PB_CFA_NONE);
	fixture->made->refuses = false;
	assert_rows(fixture, 1, ROWS);
}

/* They are written a part at a time. */
static void rows_of_a_large_file(void **state)
{
	enum { MANY = 200000 };
	struct made_tables *made = made_tables_new(MANY);
	struct tables *tables = tables_new(&made->memory, 0);
	struct pb_row *rows = calloc(MANY, sizeof(*rows));
	bool by_fp;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		rows[i] = (struct pb_row){.pc = 4 * i, .rule = i};
	assert_int_equal(tables_load(tables, 1, 0, rows, MANY), 0);
	assert_memory_equal(made->rows, rows, MANY * sizeof(*rows));
	for (uint32_t i = 0; i < MANY; i += 1001)
		assert_int_equal(tables_rule(tables, 1, 4 * i + 3, &by_fp), i);
	free(rows);
	tables_free(tables);
	made_tables_free(made);
}

static void spaces(void **state)
{
	struct fixture *fixture = *state;
	struct space_mapping list[] = {
		{.start = 10, .end = 20, .object = 3, .bias = 5, .offset = 77},
		{.start = 30, .end = 40, .object = 4, .bias = 6},
	};
	struct space first = {.refs = 1, .n = 2, .list = list}, second = first, none = {.refs = 1};
	const struct made_tables *made = fixture->made;
	const struct pb_space *told;

	assert_int_equal(tables_publish(fixture->tables, &none), 0);
	assert_int_equal(none.table, 0);
	assert_int_equal(tables_publish(fixture->tables, &first), 0);
	assert_int_equal(first.table, 1);
	told = &made->memory.spaces[1];
	assert_int_equal(told->n, 2);
	assert_int_equal(made->mappings[told->first].start, 10);
	assert_int_equal(made->mappings[told->first].end, 20);
	assert_int_equal(made->mappings[told->first].bias, 5);
	assert_int_equal(made->mappings[told->first].object, 3);
	assert_int_equal(made->mappings[told->first + 1].object, 4);
	tables_retire(fixture->tables, first.table);
	tables_retire(fixture->tables, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tables_publish(fixture->tables, &second), 0);
		assert_int_not_equal(second.table, 1);
		assert_int_not_equal(made->memory.spaces[second.table].first, told->first);
		tables_retire(fixture->tables, second.table);
		settle(fixture);
	}
	/* The first one, or the one after it. */
	assert_int_equal(tables_publish(fixture->tables, &second), 0);
	assert_in_range(second.table, 1, 2);
}

static void all_spaces_and_mappings(void **state)
{
	struct fixture *fixture = *state;
	struct space_mapping *list = calloc(PB_MAPPINGS, sizeof(*list));
	struct space space = {.refs = 1, .n = 1, .list = list};

	for (int i = 1; i < PB_SPACES; i++)
		assert_int_equal(tables_publish(fixture->tables, &space), 0);
	space.table = 0;
	assert_int_equal(tables_publish(fixture->tables, &space), -ENOSPC);
	assert_int_equal(space.table, 0);
	for (uint32_t i = 1; i < PB_SPACES; i++)
		tables_retire(fixture->tables, i);
	settle(fixture);
	assert_int_equal(tables_publish(fixture->tables, &space), -ENOSPC);
	settle(fixture);
	space.n = PB_MAPPINGS;
	assert_int_equal(tables_publish(fixture->tables, &space), 0);
	space.n = 1;
	assert_int_equal(tables_publish(fixture->tables, &space), -ENOSPC);
	free(list);
}

/* --- whatever comes ----------------------------------------------------------------------- */

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* Rows of what is there do not overlap, and are those that were loaded. */
static void assert_sound(struct fixture *fixture, const uint32_t *n_of, size_t n)
{
	const struct pb_object *objects = fixture->made->memory.objects;
	uint32_t owner[ROWS] = {0};

	for (uint32_t i = 1; i <= n; i++) {
		if (!tables_has(fixture->tables, i))
			continue;
		assert_int_equal(objects[i].n_rows, n_of[i]);
		for (uint32_t j = 0; j < n_of[i]; j++) {
			assert_int_equal(owner[objects[i].first_row + j], 0);
			owner[objects[i].first_row + j] = i;
			assert_int_equal(fixture->made->rows[objects[i].first_row + j].rule,
					 i << 16 | j);
		}
	}
}

/* The rows of @object, as it was seen, which has @number. */
static void assert_unchanged(const struct fixture *fixture, const struct pb_object *object,
			     uint32_t number)
{
	for (uint32_t i = 0; i < object->n_rows; i++)
		assert_int_equal(fixture->made->rows[object->first_row + i].rule, number << 16 | i);
}

/*
 * As a program would see it that has looked an object up and reads its rows until the settling
 * after the next: they stay as they are.
 */
static void what_was_seen_stays_until_then(void **state)
{
	enum { OBJECTS = 12 };
	struct fixture *fixture = *state;
	uint32_t n_of[OBJECTS + 1] = {0};
	struct pb_object seen[2][OBJECTS + 1] = {{{0}}};
	uint64_t seed = 11;
	size_t loaded = 0;

	for (int turn = 0; turn < 3000; turn++) {
		for (int i = 0; i < 3; i++) {
			uint32_t object = 1 + (uint32_t)random_next(&seed) % OBJECTS;
			bool by_fp;

			if (tables_has(fixture->tables, object)) {
				tables_rule(fixture->tables, object, 0x1000, &by_fp);
				continue;
			}
			/* All together twice what there is room for. */
			n_of[object] = 4 + 2 * object;
			loaded += !load(fixture, object, n_of[object]);
			assert_sound(fixture, n_of, OBJECTS);
		}
		for (uint32_t i = 1; i <= OBJECTS; i++) {
			assert_unchanged(fixture, &seen[0][i], i);
			assert_unchanged(fixture, &seen[1][i], i);
		}
		settle(fixture);
		memcpy(seen[1], seen[0], sizeof(seen[0]));
		for (uint32_t i = 1; i <= OBJECTS; i++)
			seen[0][i] = fixture->made->memory.objects[i];
	}
	assert_in_range(loaded, 300, 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_address_far_off_is_not_in_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(room_comes_after_two_settlings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_used_lately_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_one_that_was_used_last_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(marks_go_around, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_there_is_room_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(room_that_lies_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_that_cannot_be_had, set_up, tear_down),
		cmocka_unit_test(rows_of_a_large_file),
		cmocka_unit_test_setup_teardown(spaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_spaces_and_mappings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_seen_stays_until_then, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
