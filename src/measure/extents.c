/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/extents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int extents_init(struct extents *extents, uint32_t n)
{
	*extents = (struct extents){.n = 1, .capacity = 1};
	extents->free = malloc(sizeof(*extents->free));
	if (!extents->free)
		return -ENOMEM;
	extents->free[0] = (struct extent){0, n};
	return 0;
}

void extents_clear(struct extents *extents)
{
	free(extents->free);
	*extents = (struct extents){0};
}

static void drop(struct extents *extents, size_t at)
{
	extents->n--;
	memmove(&extents->free[at], &extents->free[at + 1],
		(extents->n - at) * sizeof(*extents->free));
}

int64_t extents_take(struct extents *extents, uint32_t n)
{
	for (size_t i = 0; i < extents->n; i++) {
		struct extent *extent = &extents->free[i];
		uint32_t first = extent->first;

		if (extent->n < n)
			continue;
		extent->first += n;
		extent->n -= n;
		if (!extent->n)
			drop(extents, i);
		return first;
	}
	return -ENOSPC;
}

uint32_t extents_largest(const struct extents *extents)
{
	uint32_t largest = 0;

	for (size_t i = 0; i < extents->n; i++)
		if (extents->free[i].n > largest)
			largest = extents->free[i].n;
	return largest;
}

static int insert(struct extents *extents, size_t at, struct extent extent)
{
	if (extents->n == extents->capacity) {
		size_t capacity = extents->capacity ? extents->capacity * 2 : 16;
		struct extent *list = reallocarray(extents->free, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		extents->free = list;
		extents->capacity = capacity;
	}
	memmove(&extents->free[at + 1], &extents->free[at],
		(extents->n - at) * sizeof(*extents->free));
	extents->free[at] = extent;
	extents->n++;
	return 0;
}

int extents_give(struct extents *extents, struct extent extent)
{
	struct extent *before, *after;
	size_t at = 0;

	while (at < extents->n && extents->free[at].first < extent.first)
		at++;
	before = at ? &extents->free[at - 1] : NULL;
	after = at < extents->n ? &extents->free[at] : NULL;
	if (before && before->first + before->n == extent.first) {
		before->n += extent.n;
		if (after && before->first + before->n == after->first) {
			before->n += after->n;
			drop(extents, at);
		}
		return 0;
	}
	if (after && extent.first + extent.n == after->first) {
		after->first = extent.first;
		after->n += extent.n;
		return 0;
	}
	return insert(extents, at, extent);
}
