/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of one file's addresses. Nothing of the file is trusted. */
#ifndef PERFBPF_SYMBOL_SYMBOLS_H
#define PERFBPF_SYMBOL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_file.h"

struct symbols;

struct symbols_options {
	bool inlines; /* functions that were inlined, by DWARF: much slower */
	/* Folders with debug files (NAME below them, .build-id/xx/yyy.debug); NULL: /usr/lib/debug
	 */
	const char *debug_root;
};

/*
 * Reads the function symbols of @file: .symtab and .dynsym of itself, and where its .symtab was
 * stripped, those of its debug file (by build id, then by .gnu_debuglink with its CRC, beside @path
 * and below the debug root; a debug file with another build id is not taken), of .gnu_debugdata,
 * and of Go's .gopclntab. On x86-64, stubs of the procedure linkage table are "NAME@plt".
 * @path: where the file was, used for its debug file only, may be NULL; of "/proc/PID/root/…" that
 * root is looked at too. @file must stay open as long as the symbols live. @options may be NULL.
 * NULL without memory; a file without any symbol gives a table without any.
 */
struct symbols *symbols_open(struct elf_file *file, const char *path,
			     const struct symbols_options *options);
/* NULL is fine. */
void symbols_close(struct symbols *symbols);

struct symbol_frame {
	const char *function; /* demangled; lives as long as the table */
	const char *source;   /* of the code line, where DWARF was asked for; NULL: not known */
	unsigned int line;    /* 0: not known */
	bool inlined;         /* into the next one of the list */
	uint64_t address; /* where the function begins; of an inlined one, that which holds it */
};

#define SYMBOL_MAX_FRAMES 16

/*
 * What is at @address: the innermost inlined function first, the one that holds its code last.
 * 0: not known (or no memory for its name). A symbol with a size names only what it covers, so
 * that in a stripped file what lies between exported functions stays unknown; those without a
 * size reach to the next one, or to the end of their section. Of several symbols at one address one
 * with a size is taken, of those a global or weak one, then the one with fewer leading underscores,
 * then the shorter.
 */
size_t symbols_find(struct symbols *symbols, uint64_t address,
		    struct symbol_frame frames[SYMBOL_MAX_FRAMES]);
/* How many functions have names, and where the best of them came from: "debug file", "symtab",
 * "minidebuginfo", "gopclntab", "dynsym", "none". */
size_t symbols_count(const struct symbols *symbols);
const char *symbols_source(const struct symbols *symbols);

#endif
