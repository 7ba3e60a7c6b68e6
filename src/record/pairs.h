/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rounds by side and by pair. Used inside record/ only. */
#ifndef PERFBPF_RECORD_PAIRS_H
#define PERFBPF_RECORD_PAIRS_H

#include "record/record.h"

/* Both rounds are whole: one that a threshold has ended did not have the time for its work. */
struct pair {
	struct record_round *a, *b; /* never NULL */
};

struct pairs {
	size_t n;
	struct pair *pairs; /* borrowed rounds, in the order of A's; to be freed */
	size_t n_rounds[SIDES];
	bool two_sided; /* two targets, or rounds of both */
};

/* -1 without memory. */
int pairs_collect(struct record *rec, struct pairs *pairs);

/* validity.c: gives every round that cannot be compared its reasons; see compare.h. */
void validity_check(struct record *rec, const struct pairs *pairs, double work_bound);
/* "A" or "B", and the pair as people count; for reasons. */
const char *validity_side(enum side side);
int64_t validity_pair(const struct record_round *round);
void validity_invalidate_pair(const struct pair *pair, const char *reason);

/* validity_load.c: the same for rounds of drivers that ask. Thresholds of @rec say where there may
 * be errors. */
void validity_check_operations(const struct record *rec, struct record_round *round, double bound);
void validity_check_operations_of_pair(const struct pair *pair, double bound);

#endif
