/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Functions that were inlined, and code lines, by DWARF: internal to symbols. */
#ifndef PERFBPF_SYMBOL_SYMBOLS_INLINE_H
#define PERFBPF_SYMBOL_SYMBOLS_INLINE_H

#include "symbol/symbols.h"

struct inlines;

/* Whether @file has DWARF at all. */
bool inlines_present(struct elf_file *file);
/* By the DWARF of @file, which stays open. NULL: it has none that can be read, or no memory. */
struct inlines *inlines_open(struct elf_file *file);
void inlines_close(struct inlines *inlines);

/*
 * What is at @address, like symbols_find(); the last frame is the function that holds the
 * code, of which the caller knows address and perhaps a better name. Of more than SYMBOL_MAX_FRAMES
 * the outermost that were inlined are left out. 0: DWARF says nothing of it.
 */
size_t inlines_find(struct inlines *inlines, uint64_t address,
		    struct symbol_frame frames[SYMBOL_MAX_FRAMES]);

#endif
