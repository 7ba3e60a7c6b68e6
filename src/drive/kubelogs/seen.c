/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/seen.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void clear_bits(struct seen *seen, uint64_t from, uint64_t to)
{
	if (to - from >= SEEN_WINDOW) {
		memset(seen->bits, 0, SEEN_WINDOW / 8);
		return;
	}
	for (; from < to; from++)
		seen->bits[from % SEEN_WINDOW / 64] &= ~(1ULL << (from % 64));
}

/* Sets the bit; was it set? */
static bool test_and_set(struct seen *seen, uint64_t number)
{
	uint64_t *word = &seen->bits[number % SEEN_WINDOW / 64], bit = 1ULL << (number % 64);
	bool was_set = *word & bit;

	*word |= bit;
	return was_set;
}

enum seen_mark seen_mark(struct seen *seen, uint64_t number)
{
	if (!seen->bits) {
		/* The kernel gives pages of it as they are touched. Without memory only order is
		 * known. */
		seen->bits = calloc(SEEN_WINDOW / 64, sizeof(*seen->bits));
		if (!seen->next)
			seen->next = number;
	}
	if (number >= seen->next) {
		if (seen->bits) {
			clear_bits(seen, seen->next, number + 1);
			test_and_set(seen, number);
		}
		seen->next = number + 1;
		return SEEN_NEW;
	}
	if (!seen->bits || seen->next - number > SEEN_WINDOW)
		return SEEN_AGAIN;
	return test_and_set(seen, number) ? SEEN_AGAIN : SEEN_LATE;
}

void seen_free(struct seen *seen)
{
	free(seen->bits);
	seen->bits = NULL;
	seen->next = 0;
}
