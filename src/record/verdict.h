/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a comparison says. Used inside record/ only. */
#ifndef PERFBPF_RECORD_VERDICT_H
#define PERFBPF_RECORD_VERDICT_H

#include "record/compare.h"
#include "record/pairs.h"

/* More is no plan, but a way of saying that it will not be settled. */
#define VERDICT_MANY_PAIRS 1000

/* The values of both sides in the pairs that know them, and room for as many differences. */
struct pair_values {
	double *a, *b, *d;
	size_t n;
};

/*
 * Fills in the row's ratio, difference, intervals, p, MDE and verdict. Where each value is above 0
 * the ratio is judged, by d = ln(b/a); else the difference, against @margin of the larger median.
 */
void verdict_of_row(struct record_comparison *row, const struct pair_values *values,
		    const struct record_statistics *how);

/*
 * Which rows a gate is on (the others are exploratory), their p by Holm, and the primary one, into
 * rec->statistics. -1 without memory.
 */
int verdict_gates(struct record *rec, const struct compare_options *options, bool two_sided);
/* How many rows have a p by Holm. */
size_t verdict_n_gated(const struct record *rec);

const struct record_comparison *verdict_row(const struct record *rec, const char *metric);
/* The better side by the primary row, where its interval has a direction and p by Holm is below
 * COMPARE_SIGNIFICANT; else -1. Of a record that is valid. */
int verdict_winner(const struct record *rec);
/* Of a comparison that is not valid no row claims anything. */
void verdict_withdraw(struct record *rec);

/* Does the target's own speed say how much it does? */
bool verdict_is_closed_loop(const struct record *rec);

/* sentence.c: what can be quoted, after verdict.winner is set. To be freed; NULL without memory. */
char *sentence_of_two(const struct record *rec);
char *sentence_of_one(const struct record *rec, const struct pairs *pairs);

#endif
