/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The symbols of one file as they are collected, then as spans of addresses that do not overlap:
 * internal to symbols.
 */
#ifndef PERFBPF_SYMBOL_SYMBOLS_TABLE_H
#define PERFBPF_SYMBOL_SYMBOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_file.h"

#define SYMBOL_GLOBAL 0x1 /* or weak */
#define SYMBOL_LABEL  0x2 /* of no type, as assembler files have them */
#define SYMBOL_PLT    0x4 /* a stub that jumps to the function of this name */

struct symbol {
	uint64_t address;
	const char *name; /* in a string table of the file, which stays open */
	uint32_t size;    /* 0: to the next symbol, or to the end of the section */
	uint32_t flags;
};

/* An executable section. */
struct text_range {
	uint64_t start, end;
};

struct span {
	uint64_t start;
	uint32_t size;
	uint32_t symbol;
};

struct symbol_table {
	size_t n_text, n_symbols, room, n_spans;
	size_t n_merged;         /* those that symbol_table_at() finds */
	struct text_range *text; /* ascending, without overlap */
	struct symbol *symbols;
	struct span *spans; /* ascending; built by symbol_table_build() */
	/* The addresses from the first span on, in n_blocks of 2^block_bits bytes: where in the
	   spans each block begins, and behind the last one their end. */
	size_t n_blocks;
	unsigned int block_bits;
	uint32_t *blocks;
};

/* A table without symbols that takes those in executable sections of @file, or, where it has no
 * sections, in its executable segments. -ENOMEM. */
int symbol_table_init(struct symbol_table *table, struct elf_file *file);
void symbol_table_clear(struct symbol_table *table);

/* Leaves out those that are outside of code, have no name or one that is for tools only (".L1",
 * "$x"). -ENOMEM. */
int symbol_table_add(struct symbol_table *table, const struct symbol *symbol);
/* Takes out the @n that were added first; before any merge. */
void symbol_table_drop(struct symbol_table *table, size_t n);
/* Sorts, and makes one of all those at the same address: the best name, the greatest size. */
void symbol_table_merge(struct symbol_table *table);
/* Merges, then makes spans; once, at the end. -ENOMEM. */
int symbol_table_build(struct symbol_table *table);

/* The symbol that begins at @address, of those that were there at the last merge; NULL: none. */
const struct symbol *symbol_table_at(const struct symbol_table *table, uint64_t address);
/* The symbol whose span holds @address, after symbol_table_build(); NULL: none. */
const struct symbol *symbol_table_find(const struct symbol_table *table, uint64_t address);

#endif
