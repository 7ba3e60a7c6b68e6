/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which code a process has mapped where. Pure. */
#ifndef PERFBPF_MEASURE_SPACE_H
#define PERFBPF_MEASURE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More of them are not followed: the oldest ones stay. */
#define SPACE_MAX_MAPPINGS 16384

struct space_mapping {
	uint64_t start, end;
	uint64_t offset; /* in the file */
	uint32_t object; /* PB_OBJECT_ANON: in no file */
	bool has_bias;
	uint64_t bias; /* address in memory - address in the file's symbols */
};

/* Shared between a process and what it has forked, until one of them maps something. */
struct space {
	unsigned int refs;
	uint32_t table; /* where the kernel finds it, 0: it does not know it (as it is now) */
	size_t n, capacity;
	struct space_mapping *list; /* ascending, without overlaps */
};

/* An empty one with one reference; NULL without memory. */
struct space *space_new(void);
struct space *space_ref(struct space *space);
/* NULL is fine. Returns true where that was the last reference, and it is gone. */
bool space_unref(struct space *space);
/* A copy with one reference, in no table. NULL without memory. */
struct space *space_copy(const struct space *space);
/* Adds @mapping over whatever it overlaps. 0, -ENOMEM, or -E2BIG. */
int space_map(struct space *space, const struct space_mapping *mapping);
/* Is all of @mapping there already, as a part of one? To change what memory may be used for maps it
 * anew, which run-time compilers do all the time. */
bool space_has(const struct space *space, const struct space_mapping *mapping);
/* What holds @address, NULL: nothing that is known. */
struct space_mapping *space_find(const struct space *space, uint64_t address);

#endif
