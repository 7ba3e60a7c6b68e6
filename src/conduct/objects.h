/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that code was mapped from, as long as the run lasts: told apart by build id, or by path
 * where they have none. They are opened when a stack first leads into them; then a file descriptor
 * of each is kept, so that it can be read when its process and its container are gone, but nothing
 * of its content.
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
	struct elf_build_id build_id; /* as it was told, by which it is found */
	struct elf_build_id file_id;  /* as it has it itself */
	int32_t pid;                  /* of a process that has mapped it, and where */
	uint64_t start, end;
	bool tried;            /* to open it */
	int fd;                /* -1: not yet, or it cannot be */
	struct elf_file *file; /* NULL: at rest, or it cannot be read */
	struct symbols *symbols;
	/* What was found out of it */
	bool has_address;
	uint64_t offset, address; /* of where its code is mapped from, most often */
	size_t n_rows;
	bool rows_refused;       /* they cannot be had */
	uint64_t gaps[CFI_GAPS]; /* rules of its CFI that rows cannot hold, by why */
};

struct objects;

/* NULL without memory. Raises the process's limit of open files as far as it may and makes sense.
 */
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
/* Opens it; NULL: it cannot be read. Until objects_rest(). */
struct elf_file *objects_file(struct object *object);
/* The address, as its symbols have it, of the byte at @offset; @offset itself where it cannot be
 * read, so that addresses stay places in the file. */
uint64_t objects_address(struct object *object, uint64_t offset);
/* Its rows come into @tables, where they can; else frame pointers are said to be all there is. */
void objects_load(struct objects *objects, uint32_t index, struct tables *tables);
/* Its symbols; NULL: it cannot be read. Until objects_rest(). */
struct symbols *objects_symbols(struct object *object, bool inlines);
/* Its content, and its symbols, take no memory until they are wanted again. */
void objects_rest(struct object *object);
void objects_rest_all(struct objects *objects);
/* Rules that rows cannot hold, of all files that were loaded. */
uint64_t objects_gaps(const struct objects *objects, enum cfi_gap why);

#endif
