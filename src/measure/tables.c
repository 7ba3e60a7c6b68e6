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
	/* The rows that were looked at last, n_seen of them; NULL: none */
	const struct pb_row *seen;
	uint32_t first_seen, n_seen;
	uint32_t sweep, keep_sweeps;
	uint64_t evicted;
};

struct tables *tables_new(const struct table_memory *memory, uint32_t keep_sweeps)
{
	struct tables *tables = calloc(1, sizeof(*tables));

	if (!tables)
		return NULL;
	tables->memory = *memory;
	tables->keep_sweeps = keep_sweeps;
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

static void close_seen(struct tables *tables)
{
	if (tables->seen)
		tables->memory.close(tables->memory.context, TABLE_ROWS, (void *)tables->seen,
				     tables->n_seen);
	tables->seen = NULL;
}

void tables_free(struct tables *tables)
{
	if (!tables)
		return;
	close_seen(tables);
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
	if (tables->n_retired)
		memmove(tables->retired, tables->retired + tables->n_before,
			tables->n_retired * sizeof(*tables->retired));
	tables->n_before = tables->n_retired;
	tables->sweep = sweep;
	close_seen(tables);
}

/* Makes the file go whose rows have not been used for longest. False where there is none. */
static bool evict(struct tables *tables, uint32_t keep)
{
	struct pb_object *oldest = NULL;
	uint32_t longest = 0;

	for (uint32_t i = 1; i < PB_OBJECTS; i++) {
		struct pb_object *object = &tables->memory.objects[i];
		uint32_t since = tables->sweep - object->used_at;

		if (!object->n_rows || i == keep || since < tables->keep_sweeps ||
		    (oldest && since <= longest))
			continue;
		oldest = object;
		longest = since;
	}
	if (!oldest ||
	    retire(tables, (struct retired){.is_rows = true,
					    .extent = {oldest->first_row, oldest->n_rows}}))
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

bool tables_make_room(struct tables *tables, uint32_t object, size_t n)
{
	if (n > tables->memory.n_rows)
		return false;
	if (extents_largest(&tables->rows) >= n)
		return true;
	/* Not more than it takes: what is given up is room later. */
	while (retired_rows(tables) < n && evict(tables, object))
		;
	return false;
}

/* In parts: all rows of a large file at once would take as much room in this process again. */
#define ROWS_AT_ONCE (64 * 1024)

/* Writes the rows to where they are looked for. */
static int copy_rows(const struct tables *tables, uint32_t first, const struct pb_row *rows,
		     uint32_t n)
{
	const struct table_memory *memory = &tables->memory;

	for (uint32_t at = 0; at < n; at += ROWS_AT_ONCE) {
		uint32_t some = n - at < ROWS_AT_ONCE ? n - at : ROWS_AT_ONCE;
		struct pb_row *to = memory->open(memory->context, TABLE_ROWS, first + at, some);

		if (!to)
			return -ENOMEM;
		memcpy(to, rows + at, some * sizeof(*rows));
		memory->close(memory->context, TABLE_ROWS, to, some);
	}
	return 0;
}

static int write_rows(struct tables *tables, struct pb_object *object, const struct pb_row *rows,
		      uint32_t n)
{
	int64_t first = extents_take(&tables->rows, n);

	if (first < 0)
		return (int)first;
	if (copy_rows(tables, (uint32_t)first, rows, n)) {
		extents_give(&tables->rows, (struct extent){(uint32_t)first, n});
		return -ENOMEM;
	}
	object->first_row = (uint32_t)first;
	/* What is read first is written last. */
	__atomic_store_n(&object->n_rows, n, __ATOMIC_SEQ_CST);
	return 0;
}

int tables_load(struct tables *tables, uint32_t index, uint64_t base, const struct pb_row *rows,
		size_t n)
{
	struct pb_object *object;

	if (index == PB_OBJECT_ANON || index >= PB_OBJECTS ||
	    (n && !tables_make_room(tables, index, n)))
		return -ENOSPC;
	object = &tables->memory.objects[index];
	object->base = base;
	object->used_at = tables->sweep;
	if (n)
		return write_rows(tables, object, rows, (uint32_t)n);
	__atomic_store_n(&object->by_fp, 1, __ATOMIC_SEQ_CST);
	return 0;
}

bool tables_has(const struct tables *tables, uint32_t index)
{
	return index < PB_OBJECTS &&
	       (tables->memory.objects[index].n_rows || tables->memory.objects[index].by_fp);
}

/* Neighbours on a stack are mostly of the same file: its rows stay at hand. */
static const struct pb_row *see_rows(struct tables *tables, const struct pb_object *object)
{
	const struct table_memory *memory = &tables->memory;

	if (tables->seen && tables->first_seen == object->first_row &&
	    tables->n_seen == object->n_rows)
		return tables->seen;
	close_seen(tables);
	tables->first_seen = object->first_row;
	tables->n_seen = object->n_rows;
	if (object->n_rows)
		tables->seen = memory->open(memory->context, TABLE_ROWS, object->first_row,
					    object->n_rows);
	return tables->seen;
}

uint32_t tables_rule(struct tables *tables, uint32_t index, uint64_t address, bool *by_fp)
{
	struct pb_object *object = &tables->memory.objects[index];
	const struct pb_row *rows = see_rows(tables, object);
	uint32_t low = 0, high = rows ? object->n_rows : 0;
	uint64_t pc = address - object->base;

	object->used_at = tables->sweep;
	*by_fp = object->by_fp;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rows[middle].pc <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pc <= UINT32_MAX ? rows[low - 1].rule : PB_CFA_NONE;
}

/* Writes what is mapped to where it is looked for: to the elements from the returned one on. */
static int64_t write_mappings(struct tables *tables, const struct space *space)
{
	const struct table_memory *memory = &tables->memory;
	uint32_t n = (uint32_t)space->n;
	int64_t first = extents_take(&tables->mappings, n);
	struct pb_mapping *to;

	if (first < 0)
		return first;
	to = memory->open(memory->context, TABLE_MAPPINGS, (uint32_t)first, n);
	if (!to) {
		extents_give(&tables->mappings, (struct extent){(uint32_t)first, n});
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		to[i] = (struct pb_mapping){
			.start = space->list[i].start,
			.end = space->list[i].end,
			.bias = space->list[i].bias,
			.object = space->list[i].object,
		};
	memory->close(memory->context, TABLE_MAPPINGS, to, n);
	return first;
}

int tables_publish(struct tables *tables, struct space *space)
{
	uint32_t index;
	int64_t first;

	if (!space->n)
		return 0;
	if (!tables->n_free_spaces)
		return -ENOSPC;
	first = write_mappings(tables, space);
	if (first < 0)
		return (int)first;
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
		retire(tables,
		       (struct retired){.space = index, .extent = {space->first, space->n}});
}

uint64_t tables_evicted(const struct tables *tables)
{
	return tables->evicted;
}
