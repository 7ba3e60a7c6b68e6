/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/hash_index.h"

#include <stdlib.h>

#define FIRST_ROOM 64

uint32_t hash_u64(uint64_t value)
{
	value ^= value >> 32;
	value *= 0x9e3779b97f4a7c15ULL; /* 2^64 over the golden ratio */
	value ^= value >> 29;
	value *= 0xbf58476d1ce4e5b9ULL; /* of splitmix64 */
	return (uint32_t)(value >> 32);
}

uint32_t hash_string(const char *s)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	if (!s)
		return 0;
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ULL;
	return hash_u64(hash);
}

uint32_t hash_index_find(const struct hash_index *index, uint32_t hash, hash_same *same,
			 const void *table, const void *key)
{
	size_t i;

	if (!index->room)
		return HASH_INDEX_NONE;
	for (i = hash & (index->room - 1); index->slots[i].at != HASH_INDEX_NONE;
	     i = (i + 1) & (index->room - 1))
		if (index->slots[i].hash == hash && same(table, index->slots[i].at, key))
			return index->slots[i].at;
	return HASH_INDEX_NONE;
}

static void put(struct hash_index *index, struct hash_slot slot)
{
	size_t i = slot.hash & (index->room - 1);

	while (index->slots[i].at != HASH_INDEX_NONE)
		i = (i + 1) & (index->room - 1);
	index->slots[i] = slot;
}

static int grow(struct hash_index *index)
{
	struct hash_index larger = {.n = index->n,
				    .room = index->room ? 2 * index->room : FIRST_ROOM};

	larger.slots = malloc(larger.room * sizeof(*larger.slots));
	if (!larger.slots)
		return -1;
	for (size_t i = 0; i < larger.room; i++)
		larger.slots[i].at = HASH_INDEX_NONE;
	for (size_t i = 0; i < index->room; i++)
		if (index->slots[i].at != HASH_INDEX_NONE)
			put(&larger, index->slots[i]);
	free(index->slots);
	*index = larger;
	return 0;
}

int hash_index_add(struct hash_index *index, uint32_t hash, uint32_t at)
{
	/* At most two thirds full: chains stay short. */
	if (3 * (index->n + 1) > 2 * index->room && grow(index))
		return -1;
	put(index, (struct hash_slot){hash, at});
	index->n++;
	return 0;
}

void hash_index_clear(struct hash_index *index)
{
	free(index->slots);
	*index = (struct hash_index){0};
}
