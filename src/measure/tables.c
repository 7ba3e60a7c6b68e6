/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/extents.h"

/* Given up, and perhaps still being read. */
struct retired {
	bool is_rows;
	uint32_t space; /* index to be used again, 0: none */
	struct extent extent;
};

struct tables {
	struct table_memory memory;
	struct extents rows, mappings;
	size_t n_free_spaces;
	uint32_t *free_spaces;
	size_t n_retired, capacity;
	size_t n_before; /* of them, those from before the last settling */
	struct retired *retired;
	uint32_t sweep;
	uint64_t evicted;
};

struct tables *tables_new(const struct table_memory *memory)
{
	struct tables *tables = calloc(1, sizeof(*tables));

	if (!tables)
		return NULL;
	tables->memory = *memory;
	tables->free_spaces = calloc(PB_SPACES, sizeof(*tables->free_spaces));
	if (!tables->free_spaces || extents_init(&tables->rows, memory->n_rows) ||
	    extents_init(&tables->mappings, PB_MAPPINGS)) {
		tables_free(tables);
		return NULL;
	}
	/* The low ones first. */
	for (uint32_t index = PB_SPACES - 1; index > 0; index--)
		tables->free_spaces[tables->n_free_spaces++] = index;
	return tables;
}

void tables_free(struct tables *tables)
{
	if (!tables)
		return;
	extents_clear(&tables->rows);
	extents_clear(&tables->mappings);
	free(tables->free_spaces);
	free(tables->retired);
	free(tables);
}

static int retire(struct tables *tables, struct retired what)
{
	if (tables->n_retired == tables->capacity) {
		size_t capacity = tables->capacity ? tables->capacity * 2 : 64;
		struct retired *list = reallocarray(tables->retired, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		tables->retired = list;
		tables->capacity = capacity;
	}
	tables->retired[tables->n_retired++] = what;
	return 0;
}

void tables_settle(struct tables *tables, uint32_t sweep)
{
	for (size_t i = 0; i < tables->n_before; i++) {
		const struct retired *what = &tables->retired[i];

		if (what->extent.n)
			extents_give(what->is_rows ? &tables->rows : &tables->mappings,
				     what->extent);
		if (what->space)
			tables->free_spaces[tables->n_free_spaces++] = what->space;
	}
	tables->n_retired -= tables->n_before;
	memmove(tables->retired, tables->retired + tables->n_before,
		tables->n_retired * sizeof(*tables->retired));
	tables->n_before = tables->n_retired;
	tables->sweep = sweep;
}

/* Makes the file go whose rows have not been used for longest. False where there is none. */
static bool evict(struct tables *tables, uint32_t keep)
{
	struct pb_object *oldest = NULL;
	uint32_t longest = 0;

	for (uint32_t i = 1; i < PB_OBJECTS; i++) {
		struct pb_object *object = &tables->memory.objects[i];
		uint32_t since = tables->sweep - object->used_at;

		if (!object->n_rows || i == keep || (oldest && since <= longest))
			continue;
		oldest = object;
		longest = since;
	}
	if (!oldest || retire(tables, (struct retired){.is_rows = true,
						       .extent = {oldest->first_row,
								  oldest->n_rows}}))
		return false;
	__atomic_store_n(&oldest->n_rows, 0, __ATOMIC_SEQ_CST);
	tables->evicted++;
	return true;
}

/* How much will be free once what is given up is no longer read. */
static uint64_t retired_rows(const struct tables *tables)
{
	uint64_t n = 0;

	for (size_t i = 0; i < tables->n_retired; i++)
		if (tables->retired[i].is_rows)
			n += tables->retired[i].extent.n;
	return n;
}

int tables_load(struct tables *tables, uint32_t index, uint64_t base, const struct pb_row *rows,
		size_t n)
{
	struct pb_object *object;
	int64_t first = 0;

	if (index == PB_OBJECT_ANON || index >= PB_OBJECTS || n > tables->memory.n_rows)
		return -ENOSPC;
	object = &tables->memory.objects[index];
	object->base = base;
	object->used_at = tables->sweep;
	if (!n) {
		__atomic_store_n(&object->by_fp, 1, __ATOMIC_SEQ_CST);
		return 0;
	}
	first = extents_take(&tables->rows, (uint32_t)n);
	if (first < 0) {
		/* Not more than it takes: room comes with the next settling. */
		while (retired_rows(tables) < n && evict(tables, index))
			;
		return -ENOSPC;
	}
	memcpy(&tables->memory.rows[first], rows, n * sizeof(*rows));
	object->first_row = (uint32_t)first;
	/* What is read first is written last. */
	__atomic_store_n(&object->n_rows, (uint32_t)n, __ATOMIC_SEQ_CST);
	return 0;
}

bool tables_has(const struct tables *tables, uint32_t index)
{
	return index < PB_OBJECTS &&
	       (tables->memory.objects[index].n_rows || tables->memory.objects[index].by_fp);
}

uint32_t tables_rule(const struct tables *tables, uint32_t index, uint64_t address, bool *by_fp)
{
	const struct pb_object *object = &tables->memory.objects[index];
	const struct pb_row *rows = &tables->memory.rows[object->first_row];
	uint32_t pc = (uint32_t)(address - object->base), low = 0, high = object->n_rows;

	*by_fp = object->by_fp;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].pc <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? rows[low - 1].rule : PB_CFA_NONE;
}

int tables_publish(struct tables *tables, struct space *space)
{
	uint32_t index;
	int64_t first;

	if (!space->n)
		return 0;
	if (!tables->n_free_spaces)
		return -ENOSPC;
	first = extents_take(&tables->mappings, (uint32_t)space->n);
	if (first < 0)
		return -ENOSPC;
	for (size_t i = 0; i < space->n; i++)
		tables->memory.mappings[first + (int64_t)i] = (struct pb_mapping){
			.start = space->list[i].start,
			.end = space->list[i].end,
			.bias = space->list[i].bias,
			.object = space->list[i].object,
		};
	index = tables->free_spaces[--tables->n_free_spaces];
	tables->memory.spaces[index] =
		(struct pb_space){.first = (uint32_t)first, .n = (uint32_t)space->n};
	space->table = index;
	return 0;
}

void tables_retire(struct tables *tables, uint32_t index)
{
	struct pb_space *space = &tables->memory.spaces[index];

	if (index)
		retire(tables, (struct retired){.space = index,
						.extent = {space->first, space->n}});
}

uint64_t tables_evicted(const struct tables *tables)
{
	return tables->evicted;
}
