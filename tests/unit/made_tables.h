/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables by which the kernel walks, in memory of the test's. */
#ifndef PERFBPF_TESTS_UNIT_MADE_TABLES_H
#define PERFBPF_TESTS_UNIT_MADE_TABLES_H

#include <stdlib.h>

#include "measure/tables.h"

struct made_tables {
	struct table_memory memory;
	struct pb_row *rows;
	struct pb_mapping *mappings;
	int n_open;   /* parts that have not been closed */
	bool refuses; /* to open any */
};

static inline void *made_open(void *context, enum table_part part, uint32_t first, uint32_t n)
{
	struct made_tables *made = context;

	if (!n || first + n > (part == TABLE_ROWS ? made->memory.n_rows : PB_MAPPINGS))
		abort();
	if (made->refuses)
		return NULL;
	made->n_open++;
	return part == TABLE_ROWS ? (void *)&made->rows[first] : (void *)&made->mappings[first];
}

static inline void made_close(void *context, enum table_part part, void *elements, uint32_t n)
{
	(void)part;
	(void)elements;
	(void)n;
	((struct made_tables *)context)->n_open--;
}

static inline struct made_tables *made_tables_new(uint32_t n_rows)
{
	struct made_tables *made = calloc(1, sizeof(*made));

	made->rows = calloc(n_rows, sizeof(*made->rows));
	made->mappings = calloc(PB_MAPPINGS, sizeof(*made->mappings));
	made->memory = (struct table_memory){
		.n_rows = n_rows,
		.objects = calloc(PB_OBJECTS, sizeof(struct pb_object)),
		.spaces = calloc(PB_SPACES, sizeof(struct pb_space)),
		.open = made_open,
		.close = made_close,
		.context = made,
	};
	return made;
}

static inline void made_tables_free(struct made_tables *made)
{
	free(made->rows);
	free(made->mappings);
	free(made->memory.objects);
	free(made->memory.spaces);
	free(made);
}

#endif
