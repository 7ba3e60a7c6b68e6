/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Means over rounds of many things at once, with how far to trust them; used by flame*.c only.
 * Rounds come one after another, and only what has a value in a round costs anything in it.
 */
#ifndef PERFBPF_REPORT_FLAME_SPREAD_H
#define PERFBPF_REPORT_FLAME_SPREAD_H

#include "report/flame.h"

struct spread {
	size_t n, n_touched;
	struct spread_item {
		double sum, squares; /* over the rounds that have ended */
		double poisson;      /* variance of the sum that the samples alone would have */
		double now;          /* in this round */
		bool is_touched;
	} * items;
	uint32_t *touched;
};

/* -1 without memory. */
int spread_init(struct spread *spread, size_t n);
void spread_clear(struct spread *spread);
/* Adds @seconds in this round, for which @samples stand. */
void spread_add(struct spread *spread, uint32_t item, double seconds, double samples);
void spread_end_round(struct spread *spread);
/* Sets seconds, deviation and variance of @value, over @rounds, all multiplied with @scale. */
void spread_value(const struct spread *spread, uint32_t item, size_t rounds, double scale,
		  struct flame_value *value);

#endif
