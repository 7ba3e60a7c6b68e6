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

/* Shared with the programs. */
struct table_memory {
	struct pb_row *rows;
	uint32_t n_rows;
	struct pb_object *objects;   /* PB_OBJECTS */
	struct pb_mapping *mappings; /* PB_MAPPINGS */
	struct pb_space *spaces;     /* PB_SPACES; 0 is none */
};

struct tables;

/* NULL without memory. */
struct tables *tables_new(const struct table_memory *memory);
void tables_free(struct tables *tables);

/*
 * The rows of @object, whose pc 0 is at @base; none: it is walked by frame pointers. 0; -ENOSPC
 * where they are more than there is room for at all, or room is only there after the next
 * tables_settle(); -ENOMEM.
 */
int tables_load(struct tables *tables, uint32_t object, uint64_t base, const struct pb_row *rows,
		size_t n);
/* Is it there now? It may have had to make room. */
bool tables_has(const struct tables *tables, uint32_t object);
/* The rule of @object at @address (of its symbols); *@by_fp: it has none, its code keeps frame
 * pointers. Only of one that is there. */
uint32_t tables_rule(const struct tables *tables, uint32_t object, uint64_t address, bool *by_fp);

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
