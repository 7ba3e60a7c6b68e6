/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the names of one address people know it by. Pure. */
#ifndef PERFBPF_SYMBOL_ALIAS_H
#define PERFBPF_SYMBOL_ALIAS_H

#include <stdbool.h>

struct alias {
	const char *name;
	bool is_function; /* and no mere label of an assembler file */
	bool is_sized;    /* Go's runtime.text is no function, though it claims to be one */
	bool is_global;   /* or weak: libc's write is weak, its global name is __write */
};

/*
 * A function before a label, one with a size before one without, a global name before a local one,
 * then the one with fewer leading underscores, the shorter, the first by bytes. What lies beyond
 * 256 bytes is not looked at.
 */
bool alias_is_better(const struct alias *a, const struct alias *b);

#endif
