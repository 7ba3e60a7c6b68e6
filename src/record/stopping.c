/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/stopping.h"

#include <math.h>
#include <string.h>

#include "record/compare.h"
#include "record/ratios.h"
#include "stats/paired.h"

static int expect(const struct stopping *stopping, const struct ratios *ratios, int done)
{
	size_t least = stats_min_pairs(COMPARE_CONFIDENCE);
	size_t pairs;

	/* The spread of a few pairs says next to nothing. */
	if (ratios->n < least && done < (int)least)
		pairs = least;
	else
		pairs = stats_pairs_for_width(ratios->d, ratios->n,
					      ratios_of_share(ratios, stopping->until_width),
					      COMPARE_CONFIDENCE);
	if (!pairs || pairs >= (size_t)stopping->max_pairs)
		return stopping->max_pairs;
	/* It is not reached yet, whatever the spread would have it. */
	if ((int)pairs <= done)
		return done + 1;
	return (int)pairs > stopping->min_pairs ? (int)pairs : stopping->min_pairs;
}

static void judge(const struct stopping *stopping, const struct ratios *ratios, int done,
		  struct stopping_state *state)
{
	struct stats_interval interval;

	memset(state, 0, sizeof(*state));
	state->width = NAN;
	state->expected_pairs = stopping->min_pairs;
	if (isnan(stopping->until_width)) {
		state->is_over = done >= stopping->min_pairs;
		return;
	}
	interval = stats_signed_rank_interval(ratios->d, ratios->n, COMPARE_CONFIDENCE);
	state->width = ratios_share(ratios, (interval.high - interval.low) / 2);
	state->is_reached = state->width <= stopping->until_width;
	state->is_over =
		done >= stopping->max_pairs || (done >= stopping->min_pairs && state->is_reached);
	if (state->is_over)
		state->expected_pairs = done;
	else if (!state->is_reached)
		state->expected_pairs = expect(stopping, ratios, done);
}

void stopping_judge(const struct stopping *stopping, const double *ln_ratios, size_t n, int done,
		    struct stopping_state *state)
{
	/* They are looked at only. */
	const struct ratios ratios = {.n = n, .d = (double *)ln_ratios, .scale = NAN};

	judge(stopping, &ratios, done, state);
}

int stopping_look(const struct stopping *stopping, const struct record *rec, const char *metric,
		  int done, struct stopping_state *state)
{
	const struct metric *row = metric ? metric_find(metric) : NULL;
	struct ratios ratios;

	if (!row || isnan(stopping->until_width)) {
		stopping_judge(stopping, NULL, 0, done, state);
		return 0;
	}
	if (ratios_collect(rec, row, &ratios)) {
		ratios_clear(&ratios);
		return -1;
	}
	judge(stopping, &ratios, done, state);
	ratios_clear(&ratios);
	return 0;
}

int stopping_fewest(size_t n_gates)
{
	int pairs = (int)stats_min_pairs(COMPARE_CONFIDENCE);

	while ((double)n_gates * ldexp(2, -pairs) >= COMPARE_SIGNIFICANT)
		pairs++;
	return pairs;
}
