/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/suggest.h"

#include <string.h>

/* Longer words are no typing errors of a name. */
#define MAX_LENGTH 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Edit distance with transpositions of neighbours (optimal string alignment), by
 * three rows: a transposition looks two rows back.
 */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][MAX_LENGTH + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *free_row = before;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t cost = a[i - 1] != b[j - 1];

			row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = free_row;
	}
	return above[b_length];
}

const char *suggest_nearest(const char *word, const char *const *names, size_t n)
{
	size_t length = strlen(word);
	/* A third of the letters may be wrong, but not all of them. */
	size_t nearest = least((length + 2) / 3, length ? length - 1 : 0) + 1;
	const char *found = NULL;

	if (length > MAX_LENGTH)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t name_length = strlen(names[i]), d;

		if (name_length > MAX_LENGTH)
			continue;
		d = distance(word, length, names[i], name_length);
		if (d < nearest) {
			nearest = d;
			found = names[i];
		}
	}
	return found;
}
