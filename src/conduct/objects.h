/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that code was mapped from, as long as the run lasts: told apart by build id, or by path
 * where they have none. They are opened when a stack first leads into them.
 */
#ifndef PERFBPF_CONDUCT_OBJECTS_H
#define PERFBPF_CONDUCT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/tables.h"
#include "symbol/cfi.h"
#include "symbol/elf_file.h"
#include "symbol/symbols.h"

struct object {
	char *path;
	struct elf_build_id build_id;
	int32_t pid; /* of a process that has mapped it, and where */
	uint64_t start, end;
	bool tried;              /* to open it */
	struct elf_file *file;   /* NULL: not yet, or it cannot be read */
	bool rows_refused;       /* they cannot be had, or do not fit */
	uint64_t gaps[CFI_GAPS]; /* rules of its CFI that rows cannot hold, by why */
	struct symbols *symbols;
};

struct objects;

/* NULL without memory. */
struct objects *objects_new(void);
void objects_free(struct objects *objects);

/* Where it was seen. @build_id may be of size 0. */
struct object_sight {
	const char *path;
	struct elf_build_id build_id;
	int32_t pid;
	uint64_t start, end;
};

/*
 * The number of the file, which stays the same; PB_OBJECT_ANON for what is no file ("//anon",
 * "[heap]", …), and where there are too many of them.
 */
uint32_t objects_add(struct objects *objects, const struct object_sight *sight);
/* NULL for PB_OBJECT_ANON. */
struct object *objects_at(const struct objects *objects, uint32_t index);
/* Opens it where that was not tried yet. NULL: it cannot be read. */
struct elf_file *objects_file(struct object *object);
/* Its rows come into @tables, where they can; else frame pointers are said to be all there is. */
void objects_load(struct objects *objects, uint32_t index, struct tables *tables);
/* Its symbols; NULL: it cannot be read. */
struct symbols *objects_symbols(struct object *object, bool inlines);
/* Rules that rows cannot hold, of all files that were loaded. */
uint64_t objects_gaps(const struct objects *objects, enum cfi_gap why);

#endif
