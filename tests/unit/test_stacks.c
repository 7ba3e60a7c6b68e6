/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A round's stacks: each once, none mistaken for another, and no more memory than is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/stacks.h"

static uint32_t put(struct stacks *stacks, uint64_t address, uint32_t object)
{
	struct stack_frame frame = {.address = address, .object = object};

	return stacks_put(stacks, &frame, 1, 0);
}

static struct stack_row row_of(uint32_t stack)
{
	return (struct stack_row){.process = 1, .stack = stack, .samples = 1, .weight_ns = 10};
}

static void the_same_and_others(void **state)
{
	struct stack_frame frames[] = {{.address = 1, .object = 1},
				       {.address = 2, .object = 1},
				       {.address = 3, .object = STACKS_OBJECT_KERNEL}};
	struct stacks stacks = {0};

	(void)state;
	assert_int_equal(stacks_put(&stacks, frames, 3, 1), 0);
	assert_int_equal(stacks_put(&stacks, frames, 3, 1), 0);
	/* A part of it, another part of it the kernel's, another order, another file. */
	assert_int_equal(stacks_put(&stacks, frames, 2, 1), 1);
	assert_int_equal(stacks_put(&stacks, frames, 3, 2), 2);
	frames[0].address = 2;
	frames[1].address = 1;
	assert_int_equal(stacks_put(&stacks, frames, 3, 1), 3);
	frames[0].object = 2;
	assert_int_equal(stacks_put(&stacks, frames, 3, 1), 4);
	assert_int_equal(stacks_put(&stacks, frames, 3, 1), 4);
	assert_int_equal(stacks.n_stacks, 5);
	assert_int_equal(stacks.n_frames, 14);
	assert_int_equal(stacks.stacks[2].n_kernel, 2);
	assert_int_equal(stacks.frames[stacks.stacks[3].first].address, 2);
	stacks_clear(&stacks);
	assert_int_equal(stacks.n_stacks, 0);
	stacks_clear(&stacks);
}

/* Of a thread of the kernel that could not be walked, say. */
static void no_frames_at_all(void **state)
{
	struct stacks stacks = {0};

	(void)state;
	assert_int_equal(stacks_put(&stacks, NULL, 0, 0), 0);
	assert_int_equal(stacks_put(&stacks, NULL, 0, 0), 0);
	assert_int_equal(put(&stacks, 1, 1), 1);
	assert_int_equal(stacks_put(&stacks, NULL, 0, 0), 0);
	stacks_clear(&stacks);
}

/* The number of the file is mixed with the address's high bits: these hash alike. */
static void two_that_hash_alike(void **state)
{
	struct stacks stacks = {0};

	(void)state;
	assert_int_equal(put(&stacks, 0x1234, 1), 0);
	assert_int_equal(put(&stacks, 0x1234 ^ UINT64_C(3) << 40, 2), 1);
	assert_int_equal(put(&stacks, 0x1234, 1), 0);
	assert_int_equal(put(&stacks, 0x1234 ^ UINT64_C(3) << 40, 2), 1);
	stacks_clear(&stacks);
}

/* So many that by chance some ten pairs have the same 32 bits. */
static void many(void **state)
{
	enum { MANY = 300000 };
	struct stacks stacks = {0};

	(void)state;
	for (int turn = 0; turn < 2; turn++)
		for (uint32_t i = 0; i < MANY; i++)
			assert_int_equal(put(&stacks, 0x400000 + 4 * i, 1 + i % 7), i);
	assert_int_equal(stacks.n_stacks, MANY);
	stacks_clear(&stacks);
}

static void rows_are_added_up(void **state)
{
	struct stacks stacks = {0};
	struct stack_row row;

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		for (int field = 0; field < 8; field++) {
			row = row_of(3);
			row.process += field == 1;
			row.stack += field == 2;
			row.phase += field == 3;
			row.source = field == 4;
			row.reason = field == 5;
			row.end = field == 6;
			row.by_fp = field == 7;
			stacks_count(&stacks, &row);
		}
	}
	assert_int_equal(stacks.n_rows, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(stacks.rows[i].samples, 3);
		assert_int_equal(stacks.rows[i].weight_ns, 30);
	}
	row = row_of(3);
	row.samples = 5;
	row.weight_ns = 1000;
	stacks_count(&stacks, &row);
	assert_int_equal(stacks.n_rows, 8);
	assert_int_equal(stacks.rows[0].samples, 8);
	assert_int_equal(stacks.rows[0].weight_ns, 1030);
	assert_int_equal(stacks.lost, 0);
	stacks_clear(&stacks);
}

static size_t bytes_of(const struct stacks *stacks)
{
	return stacks->frames_room * sizeof(*stacks->frames) +
	       stacks->stacks_room * sizeof(*stacks->stacks) +
	       stacks->rows_room * sizeof(*stacks->rows);
}

/* What came before stays, and is still counted. */
static void no_more_than_is_allowed(void **state)
{
	enum { DEEP = PB_KERNEL_FRAMES + PB_USER_FRAMES };
	struct stack_frame frames[DEEP] = {{0}};
	struct stacks stacks = {0};
	struct stack_row row;
	uint32_t n = 0;
	uint64_t rows;

	(void)state;
	for (;; n++) {
		frames[0].address = n;
		if (stacks_put(&stacks, frames, DEEP, PB_KERNEL_FRAMES) == HASH_INDEX_NONE)
			break;
	}
	assert_in_range(n, 10000, STACKS_MAX_BYTES / sizeof(frames));
	assert_true(bytes_of(&stacks) <= STACKS_MAX_BYTES);
	frames[0].address = 77;
	assert_int_equal(stacks_put(&stacks, frames, DEEP, PB_KERNEL_FRAMES), 77);
	/* Rows have what is left. */
	for (row = row_of(0); !stacks.lost; row.process++)
		stacks_count(&stacks, &row);
	rows = stacks.n_rows;
	assert_int_equal(stacks.lost, 1);
	assert_true(bytes_of(&stacks) <= STACKS_MAX_BYTES);
	row.samples = 9;
	stacks_count(&stacks, &row);
	assert_int_equal(stacks.lost, 10);
	row.process = 1;
	stacks_count(&stacks, &row);
	assert_int_equal(stacks.lost, 10);
	assert_int_equal(stacks.n_rows, rows);
	assert_int_equal(stacks.rows[0].samples, 10);
	stacks_clear(&stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_and_others), cmocka_unit_test(no_frames_at_all),
		cmocka_unit_test(two_that_hash_alike), cmocka_unit_test(many),
		cmocka_unit_test(rows_are_added_up),   cmocka_unit_test(no_more_than_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
