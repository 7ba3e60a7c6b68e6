/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room in a table, handed out in pieces: first fit. Pure. */
#ifndef PERFBPF_MEASURE_EXTENTS_H
#define PERFBPF_MEASURE_EXTENTS_H

#include <stddef.h>
#include <stdint.h>

struct extent {
	uint32_t first, n;
};

struct extents {
	size_t n, capacity;
	struct extent *free; /* ascending; neighbours are one */
};

/* All of @n elements is free. 0, -ENOMEM. */
int extents_init(struct extents *extents, uint32_t n);
void extents_clear(struct extents *extents);
/* Room for @n > 0 elements: its first one, or -ENOSPC. */
int64_t extents_take(struct extents *extents, uint32_t n);
/* The most elements that can be taken at once. */
uint32_t extents_largest(const struct extents *extents);
/* Gives it back. 0, or -ENOMEM: then it is lost. */
int extents_give(struct extents *extents, struct extent extent);

#endif
