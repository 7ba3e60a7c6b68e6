/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct space *space_new(void)
{
	struct space *space = calloc(1, sizeof(*space));

	if (space)
		space->refs = 1;
	return space;
}

struct space *space_ref(struct space *space)
{
	space->refs++;
	return space;
}

bool space_unref(struct space *space)
{
	if (!space || --space->refs)
		return false;
	free(space->list);
	free(space);
	return true;
}

static int reserve(struct space *space, size_t n)
{
	size_t capacity = space->capacity ? space->capacity : 16;
	struct space_mapping *list;

	while (capacity < n)
		capacity *= 2;
	if (capacity == space->capacity)
		return 0;
	list = reallocarray(space->list, capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	space->list = list;
	space->capacity = capacity;
	return 0;
}

struct space *space_copy(const struct space *space)
{
	struct space *copy = space_new();

	if (!copy || !space->n)
		return copy;
	if (reserve(copy, space->n)) {
		space_unref(copy);
		return NULL;
	}
	memcpy(copy->list, space->list, space->n * sizeof(*space->list));
	copy->n = space->n;
	return copy;
}

/* The first mapping that ends above @address. */
static size_t first_above(const struct space *space, uint64_t address)
{
	size_t low = 0, high = space->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->list[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Puts @n of @with in place of @gone mappings from @at on. */
static void replace(struct space *space, size_t at, size_t gone, const struct space_mapping *with,
		    size_t n)
{
	memmove(&space->list[at + n], &space->list[at + gone],
		(space->n - at - gone) * sizeof(*space->list));
	memcpy(&space->list[at], with, n * sizeof(*with));
	space->n += n - gone;
}

int space_map(struct space *space, const struct space_mapping *mapping)
{
	size_t first = first_above(space, mapping->start), last = first, n = 0;
	struct space_mapping with[3];

	if (mapping->start >= mapping->end)
		return 0;
	/* At most one is cut into two. */
	if (reserve(space, space->n + 2))
		return -ENOMEM;
	while (last < space->n && space->list[last].start < mapping->end)
		last++;
	if (first < last && space->list[first].start < mapping->start) {
		with[n] = space->list[first];
		with[n++].end = mapping->start;
	}
	with[n++] = *mapping;
	if (first < last && space->list[last - 1].end > mapping->end) {
		with[n] = space->list[last - 1];
		with[n].offset += mapping->end - with[n].start;
		with[n++].start = mapping->end;
	}
	if (space->n - (last - first) + n > SPACE_MAX_MAPPINGS)
		return -E2BIG;
	replace(space, first, last - first, with, n);
	return 0;
}

struct space_mapping *space_find(const struct space *space, uint64_t address)
{
	size_t at = first_above(space, address);

	return at < space->n && space->list[at].start <= address ? &space->list[at] : NULL;
}

bool space_has(const struct space *space, const struct space_mapping *mapping)
{
	const struct space_mapping *known = space_find(space, mapping->start);

	return known && known->end >= mapping->end && known->object == mapping->object &&
	       (!known->object ||
		known->offset + (mapping->start - known->start) == mapping->offset);
}
