/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds what is in a table already: an open-addressing hash of indices. The table and the
 * comparison are the caller's. Zeroed is empty.
 */
#ifndef PERFBPF_UTIL_HASH_INDEX_H
#define PERFBPF_UTIL_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_INDEX_NONE UINT32_MAX

struct hash_index {
	size_t n, room; /* room: a power of two, or 0 */
	struct hash_slot {
		uint32_t hash;
		uint32_t at; /* HASH_INDEX_NONE: free */
	} * slots;
};

/* Is what lies at @at in @table what @key stands for? */
typedef bool hash_same(const void *table, uint32_t at, const void *key);

/* What @same finds among those added with @hash, HASH_INDEX_NONE: nothing. */
uint32_t hash_index_find(const struct hash_index *index, uint32_t hash, hash_same *same,
			 const void *table, const void *key);
/* 0, or -1 without memory: then the index is as it was. */
int hash_index_add(struct hash_index *index, uint32_t hash, uint32_t at);
void hash_index_clear(struct hash_index *index);

uint32_t hash_u64(uint64_t value);
/* NULL is another than "". */
uint32_t hash_string(const char *s);

static inline uint32_t hash_mix(uint32_t hash, uint64_t value)
{
	return hash_u64(value ^ (uint64_t)hash << 32 ^ hash);
}

#endif
