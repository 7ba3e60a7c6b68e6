/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much pairs of rounds differ by themselves, and what difference can be seen through it. Pure.
 */
#ifndef PERFBPF_RECORD_NOISE_H
#define PERFBPF_RECORD_NOISE_H

#include "record/metric.h"
#include "record/record.h"

#define NOISE_EFFECTS 4
/* Relative differences that somebody may want to see: 1 %, 2 %, 5 %, 10 %. */
extern const double noise_effects[NOISE_EFFECTS];

struct noise {
	size_t n;       /* pairs that know both sides */
	size_t without; /* pairs that do not */
	/* A value is zero: all is of B - A, over the larger side's median, as the verdict is. */
	bool by_difference;
	double spread;     /* standard deviation of ln(B/A); NAN: n < 2, or of zero */
	double detectable; /* what n pairs show with power 0.8 at 5 %, relative; NAN likewise */
	/* NAN where the spread is, or where the medians are zero. Pairs that show each of
	 * noise_effects so: (2.8 spread / ln(1 + effect))^2, as stats_detectable() has it, and no
	 * less than there are to be for any verdict. */
	double pairs[NOISE_EFFECTS];
};

/* -1 without memory. */
int noise_of(const struct record *rec, const struct metric *metric, struct noise *out);
/* Have both sides the same command line, as far as the record tells? */
bool noise_is_same_side(const struct record *rec);
/*
 * Shares of the machine's CPU time in the windows, the median of all rounds; NAN: not known. Of
 * others: who is neither the sides nor the driver nor perfbpf. Stolen: of the sides' threads.
 */
double noise_of_others(const struct record *rec);
double noise_stolen(const struct record *rec);

#endif
