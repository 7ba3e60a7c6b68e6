/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where symbols are that were stripped from a file: internal to symbols. */
#ifndef PERFBPF_SYMBOL_SYMBOLS_DEBUG_H
#define PERFBPF_SYMBOL_SYMBOLS_DEBUG_H

#include "symbol/elf_file.h"

/*
 * The debug file of @file, which was at @path (may be NULL): by build id below @root, then by
 * .gnu_debuglink. A path "/proc/PID/root/…" is that of a process's own root: below it, and
 * in its debug root, is looked too. NULL: there is none. To be closed.
 */
struct elf_file *symbols_debug_file(struct elf_file *file, const char *path, const char *root);
/* The ELF file in .gnu_debugdata, decompressed; NULL: there is none, or it is broken. To be
 * closed. */
struct elf_file *symbols_minidebuginfo(struct elf_file *file);

#endif
