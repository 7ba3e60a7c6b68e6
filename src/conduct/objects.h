/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that code was mapped from, as long as the run lasts: told apart by build id, or, where none
 * is told, by path and inode. They are opened when a stack first leads into them; then a file
 * descriptor of each is kept, so that it can be read when its process and its container are gone,
 * but nothing of its content. What is opened is proven to be what was mapped; what cannot be, is
 * not read at all.
 */
#ifndef PERFBPF_CONDUCT_OBJECTS_H
#define PERFBPF_CONDUCT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conduct/process_file.h"
#include "measure/tables.h"
#include "symbol/cfi.h"
#include "symbol/elf_file.h"
#include "symbol/symbols.h"

/* In which file system, and where; number 0: not known. */
struct object_inode {
	uint32_t major, minor;
	uint64_t number, generation;
};

struct object {
	struct objects *all;
	uint32_t index;
	char *path;
	/* Was it told without a build id? Then it is found by path and inode. */
	bool by_inode;
	struct object_inode inode;
	struct elf_build_id build_id; /* as it was told, or else as it has it */
	struct elf_build_id file_id;  /* as it has it itself */
	int32_t pid;                  /* of a process that has mapped it, and where */
	uint64_t start;
	bool tried;            /* to open it */
	int why_not;           /* it cannot be opened: errno */
	uint32_t tries;        /* of opening it by a later sight */
	bool is_replaced;      /* by one that could be opened */
	bool is_missed;        /* a stack ended there for that */
	bool is_told;          /* that it is missed */
	int fd;                /* -1: not yet, or it cannot be */
	bool is_no_elf;        /* it could be opened, but it is none */
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

/*
 * How the files of processes are opened, where they cannot be by their paths: as
 * process_file_mapped() does, which is what it is without this.
 */
typedef int (*objects_open_fn)(void *context, const struct mapped_file *file);
void objects_open_by(struct objects *objects, objects_open_fn fn, void *context);

/* Where it was seen. @build_id may be of size 0; without an inode, too, it is never opened. */
struct object_sight {
	const char *path;
	struct elf_build_id build_id;
	struct object_inode inode;
	int32_t pid;
	uint64_t start;
};

/*
 * The number of the file, which stays the same; PB_OBJECT_ANON for what is no file ("//anon",
 * "[heap]", "/memfd:…" without a build id, …), and, counted, where there are too many of them. One
 * that could not be opened, but can be by this sight, gets another number: for its mappings so far
 * nobody knew where its code is.
 */
uint32_t objects_add(struct objects *objects, const struct object_sight *sight);
/* NULL for PB_OBJECT_ANON. */
struct object *objects_at(const struct objects *objects, uint32_t index);
/* Opens it; NULL: it cannot be read. Until objects_rest(). */
struct elf_file *objects_file(struct object *object);
/* The address, as its symbols have it, of the byte at @offset; @offset itself where it cannot be
 * read, so that addresses stay places in the file. */
uint64_t objects_address(struct object *object, uint64_t offset);
/*
 * A stack leads there: its rows come into @tables, where they can. Frame pointers are said to be
 * all there is where the file has no CFI; where it cannot be opened, it stays unloaded.
 */
void objects_load(struct objects *objects, uint32_t index, struct tables *tables);
/* The same before any stack has led there: nothing is missed if it cannot be opened. */
void objects_prepare(struct objects *objects, uint32_t index, struct tables *tables);
/* Its symbols; NULL: it cannot be read. Until objects_rest(). */
struct symbols *objects_symbols(struct object *object, bool inlines);
/* Its content, and its symbols, take no memory until they are wanted again. */
void objects_rest(struct object *object);
void objects_rest_all(struct objects *objects);
/* Those that there were too many of, by their sights. */
uint64_t objects_lost(const struct objects *objects);
/* Rules that rows cannot hold, of all files that were loaded. */
uint64_t objects_gaps(const struct objects *objects, enum cfi_gap why);

#endif
