/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tables by which the kernel walks stacks: rows of CFI by file, and what is mapped where. Their
 * memory is bounded: files whose rows have not been used for longest make room, which is counted.
 * What is given up may still be read by a program that has just begun: it is used again
 * only after two calls of tables_settle(). Pure: the memory is the caller's.
 */
#ifndef PERFBPF_MEASURE_TABLES_H
#define PERFBPF_MEASURE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/space.h"
#include "perfbpf.h"

/* The large ones, of which only what is being looked at need take room in this process. */
enum table_part {
	TABLE_ROWS,     /* struct pb_row */
	TABLE_MAPPINGS, /* struct pb_mapping, PB_MAPPINGS of them */
};

/* Shared with the programs. */
struct table_memory {
	uint32_t n_rows;
	struct pb_object *objects; /* PB_OBJECTS */
	struct pb_space *spaces;   /* PB_SPACES; 0 is none */
	/* @n > 0 elements from @first on, until they are closed; NULL where they cannot be had. */
	void *(*open)(void *context, enum table_part part, uint32_t first, uint32_t n);
	void (*close)(void *context, enum table_part part, void *elements, uint32_t n);
	void *context;
};

struct tables;

/* A file is kept for @keep_sweeps settlings after its last use. NULL without memory. */
struct tables *tables_new(const struct table_memory *memory, uint32_t keep_sweeps);
void tables_free(struct tables *tables);

/*
 * Is there room for @n rows now? Where there is not, files make some, other than @object, so that
 * it is there after two calls of tables_settle(), or after some more where it lies in pieces.
 */
bool tables_make_room(struct tables *tables, uint32_t object, size_t n);
/*
 * The rows of @object, which is not there, and whose pc 0 is at @base; none: it is walked by frame
 * pointers. 0; -ENOSPC where they are more than there is room for at all, or, as of
 * tables_make_room(), now; -ENOMEM.
 */
int tables_load(struct tables *tables, uint32_t object, uint64_t base, const struct pb_row *rows,
		size_t n);
/* Is it there now? It may have had to make room. */
bool tables_has(const struct tables *tables, uint32_t object);
/* The rule of @object at @address (of its symbols); *@by_fp: it has none, its code keeps frame
 * pointers. Only of one that is there, which is used by that. */
uint32_t tables_rule(struct tables *tables, uint32_t object, uint64_t address, bool *by_fp);

/* Tells the kernel of @space, whose biases are known, and sets its table. 0; -ENOSPC; -ENOMEM. */
int tables_publish(struct tables *tables, struct space *space);
/* The kernel is to forget the table at @index; 0 is fine. */
void tables_retire(struct tables *tables, uint32_t index);

/*
 * What was given up before the last call is free from now on: nobody reads it any more. @sweep is
 * the mark of what is used from here on (pb_object.used_at).
 */
void tables_settle(struct tables *tables, uint32_t sweep);
/* Files that had to make room. */
uint64_t tables_evicted(const struct tables *tables);

#endif
