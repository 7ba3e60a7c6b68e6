/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/stacks.h"

#include <stdlib.h>
#include <string.h>

void stacks_clear(struct stacks *stacks)
{
	free(stacks->frames);
	free(stacks->stacks);
	free(stacks->rows);
	hash_index_clear(&stacks->by_frames);
	hash_index_clear(&stacks->by_row);
	*stacks = (struct stacks){0};
}

static size_t bytes_of(const struct stacks *stacks)
{
	return stacks->frames_room * sizeof(*stacks->frames) +
	       stacks->stacks_room * sizeof(*stacks->stacks) +
	       stacks->rows_room * sizeof(*stacks->rows);
}

/* Room for @n more elements of @size behind the @used ones; false where the bound is reached. */
static bool grow(const struct stacks *stacks, void **list, size_t used, size_t *room, size_t n,
		 size_t size)
{
	size_t wanted = *room ? *room : 1024;
	void *larger;

	if (used + n <= *room)
		return true;
	while (wanted < used + n)
		wanted *= 2;
	if (bytes_of(stacks) + (wanted - *room) * size > STACKS_MAX_BYTES)
		return false;
	larger = reallocarray(*list, wanted, size);
	if (!larger)
		return false;
	*list = larger;
	*room = wanted;
	return true;
}

struct wanted_stack {
	const struct stack_frame *frames;
	uint16_t n, n_kernel;
};

static bool same_stack(const void *table, uint32_t at, const void *key)
{
	const struct stacks *stacks = table;
	const struct wanted_stack *wanted = key;
	const struct stack *stack = &stacks->stacks[at];

	return stack->n == wanted->n && stack->n_kernel == wanted->n_kernel &&
	       (!wanted->n || !memcmp(&stacks->frames[stack->first], wanted->frames,
				      wanted->n * sizeof(*wanted->frames)));
}

uint32_t stacks_put(struct stacks *stacks, const struct stack_frame *frames, uint16_t n,
		    uint16_t n_kernel)
{
	struct wanted_stack wanted = {frames, n, n_kernel};
	uint32_t hash = hash_u64(n), at;

	for (uint16_t i = 0; i < n; i++)
		hash = hash_mix(hash, frames[i].address ^ (uint64_t)frames[i].object << 40);
	at = hash_index_find(&stacks->by_frames, hash, same_stack, stacks, &wanted);
	if (at != HASH_INDEX_NONE)
		return at;
	at = (uint32_t)stacks->n_stacks;
	if (!grow(stacks, (void **)&stacks->frames, stacks->n_frames, &stacks->frames_room, n,
		  sizeof(*stacks->frames)) ||
	    !grow(stacks, (void **)&stacks->stacks, stacks->n_stacks, &stacks->stacks_room, 1,
		  sizeof(*stacks->stacks)) ||
	    hash_index_add(&stacks->by_frames, hash, at))
		return HASH_INDEX_NONE;
	if (n)
		memcpy(&stacks->frames[stacks->n_frames], frames, n * sizeof(*frames));
	stacks->stacks[at] = (struct stack){(uint32_t)stacks->n_frames, n, n_kernel};
	stacks->n_frames += n;
	stacks->n_stacks++;
	return at;
}

static bool same_row(const void *table, uint32_t at, const void *key)
{
	const struct stack_row *row = &((const struct stacks *)table)->rows[at], *wanted = key;

	return row->process == wanted->process && row->stack == wanted->stack &&
	       row->phase == wanted->phase && row->source == wanted->source &&
	       row->reason == wanted->reason && row->end == wanted->end &&
	       row->by_fp == wanted->by_fp;
}

void stacks_count(struct stacks *stacks, const struct stack_row *row)
{
	uint32_t hash = hash_mix(hash_u64(row->process), (uint64_t)row->stack << 32 | row->phase);
	uint32_t at;

	hash = hash_mix(hash, (uint64_t)row->source << 24 | (uint64_t)row->reason << 16 |
				      (uint64_t)row->end << 8 | row->by_fp);
	at = hash_index_find(&stacks->by_row, hash, same_row, stacks, row);
	if (at != HASH_INDEX_NONE) {
		stacks->rows[at].samples += row->samples;
		stacks->rows[at].weight_ns += row->weight_ns;
		return;
	}
	if (!grow(stacks, (void **)&stacks->rows, stacks->n_rows, &stacks->rows_room, 1,
		  sizeof(*stacks->rows)) ||
	    hash_index_add(&stacks->by_row, hash, (uint32_t)stacks->n_rows)) {
		stacks->lost += row->samples;
		return;
	}
	stacks->rows[stacks->n_rows++] = *row;
}
