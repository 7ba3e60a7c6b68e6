/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tables of a profile as rows of text: one for each column of stacks.json.gz. Writing,
 * reading and checking all walk them, so that they cannot disagree. Used inside record/ only.
 */
#ifndef PERFBPF_RECORD_PROFILE_TABLE_H
#define PERFBPF_RECORD_PROFILE_TABLE_H

#include <stdlib.h>

#include "record/profile.h"

enum column_kind {
	COLUMN_STRING,  /* char * */
	COLUMN_INDEX,   /* uint32_t: an element of another table, PROFILE_NONE is null */
	COLUMN_NUMBER,  /* uint32_t */
	COLUMN_COUNT,   /* uint64_t */
	COLUMN_ADDRESS, /* uint64_t, a string in hexadecimal: JSON's numbers end at 2^53 */
	COLUMN_WORD,    /* uint8_t or an enum: an element of a list of words */
	COLUMN_FLAG,    /* bool, 0 or 1 */
	COLUMN_SECONDS, /* double */
};

enum profile_words {
	WORDS_KINDS,
	WORDS_FRAME_KINDS,
	WORDS_REASONS,
	WORDS_ENDS,
	PROFILE_WORDS,
};

struct column {
	const char *key;
	enum column_kind kind;
	bool nullable;
	size_t offset; /* in the struct of its table */
	size_t size;   /* of the field */
	size_t of;     /* COLUMN_INDEX: offset of the other table's count in struct profile */
	enum profile_words words;
};

struct profile_table {
	const char *key;
	size_t size;        /* of an element */
	size_t list, count; /* offsets in struct profile */
	const struct column *columns;
	size_t n_columns;
};

#define PROFILE_TABLES 5
extern const struct profile_table profile_tables[PROFILE_TABLES];

/* The words of the file, in the order of the program's enums. */
const char *profile_words_key(enum profile_words words);
size_t profile_words_count(enum profile_words words);
const char *profile_word(enum profile_words words, size_t i);

static inline size_t *profile_count(const struct profile_table *table, struct profile *profile)
{
	return (size_t *)(void *)((char *)profile + table->count);
}

static inline size_t profile_count_in(const struct profile *profile, size_t offset)
{
	return *(const size_t *)(const void *)((const char *)profile + offset);
}

static inline void *profile_list(const struct profile_table *table, const struct profile *profile)
{
	return *(void *const *)(const void *)((const char *)profile + table->list);
}

/* Room for one more of @n elements: lists grow by doubling. -1 without memory. */
static inline int profile_grow(void **list, size_t n, size_t size)
{
	void *longer;

	if (n & (n - 1) || n == 1)
		return 0; /* the last doubling made room for 2, or for up to the next power of two
			   */
	if (n >= PROFILE_NONE / 2)
		return -1;
	longer = reallocarray(*list, n ? 2 * n : 2, size);
	if (!longer)
		return -1;
	*list = longer;
	return 0;
}

#endif
