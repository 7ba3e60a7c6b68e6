/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/flame_spread.h"

#include <math.h>
#include <stdlib.h>

int spread_init(struct spread *spread, size_t n)
{
	*spread = (struct spread){
		.n = n,
		.items = calloc(n + 1, sizeof(*spread->items)),
		.touched = calloc(n + 1, sizeof(*spread->touched)),
	};
	if (spread->items && spread->touched)
		return 0;
	spread_clear(spread);
	return -1;
}

void spread_clear(struct spread *spread)
{
	free(spread->items);
	free(spread->touched);
	*spread = (struct spread){0};
}

void spread_add(struct spread *spread, uint32_t item, double seconds, double samples)
{
	struct spread_item *at = &spread->items[item];

	if (!at->is_touched)
		spread->touched[spread->n_touched++] = item;
	at->is_touched = true;
	at->now += seconds;
	if (samples > 0)
		at->poisson += seconds * seconds / samples;
}

void spread_end_round(struct spread *spread)
{
	for (size_t i = 0; i < spread->n_touched; i++) {
		struct spread_item *at = &spread->items[spread->touched[i]];

		at->sum += at->now;
		at->squares += at->now * at->now;
		at->now = 0;
		at->is_touched = false;
	}
	spread->n_touched = 0;
}

/*
 * Two or three rounds can agree by chance, so the rounds alone would call much a difference that is
 * none: their spread is never taken for less than that of counting samples.
 */
void spread_value(const struct spread *spread, uint32_t item, size_t rounds, double scale,
		  struct flame_value *value)
{
	const struct spread_item *at = &spread->items[item];
	double n = (double)(rounds ? rounds : 1), mean = at->sum / n, between = NAN;

	if (rounds > 1)
		between = fmax(at->squares - n * mean * mean, 0) / (n - 1);
	value->seconds = mean * scale;
	value->deviation = sqrt(between) * scale;
	value->variance = fmax(between / n, at->poisson / (n * n)) * scale * scale;
}
