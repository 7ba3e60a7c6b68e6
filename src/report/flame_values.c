/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/flame_values.h"

#include <math.h>
#include <stdlib.h>

#include "report/flame_spread.h"
#include "stats/stats.h"

/* Longer than this is no account of time, whatever the file says. */
#define MAX_SECONDS 1e12
/* A difference of so many standard errors is one. */
#define NOISE_ERRORS 2

static const struct record_stacks *stacks_of(const struct record_round *round,
					     enum profile_kind kind)
{
	if (!round->has_profile)
		return NULL;
	if (kind == PROFILE_ONCPU)
		return round->profile.has_oncpu ? &round->profile.oncpu : NULL;
	return round->profile.has_offcpu ? &round->profile.offcpu : NULL;
}

double *flame_scales(const struct record *rec, enum profile_kind kind, bool *exact)
{
	double *scales = calloc(rec->n_rounds + 1, sizeof(*scales));
	const struct profile *profile = rec->profile;

	if (!scales)
		return NULL;
	for (size_t i = 0; i < profile->n_rows; i++)
		if (profile->rows[i].kind == kind && profile->rows[i].round < rec->n_rounds)
			scales[profile->rows[i].round] += profile->rows[i].seconds;
	*exact = true;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		const struct record_stacks *stacks = stacks_of(&rec->rounds[i], kind);

		if (!(scales[i] > 0)) {
			scales[i] = 1; /* nothing to scale */
		} else if (stacks && stacks->exact_seconds > 0 &&
			   stacks->exact_seconds <= MAX_SECONDS &&
			   isfinite(stacks->exact_seconds / scales[i])) {
			scales[i] = stacks->exact_seconds / scales[i];
		} else {
			scales[i] = 1;
			*exact = false;
		}
	}
	return scales;
}

/* Rounds of a side that were sampled: those without one sample too. */
static void count_rounds(struct flame *flame)
{
	const struct record *rec = flame->rec;
	uint32_t last = FLAME_NONE;

	for (size_t i = 0; i < rec->n_rounds; i++)
		if (stacks_of(&rec->rounds[i], flame->options.kind))
			flame->rounds[rec->rounds[i].side]++;
	for (size_t i = 0; i < flame->n_rows; i++) {
		uint32_t round = rec->profile->rows[flame->rows[i].row].round;

		if (round != last && !stacks_of(&rec->rounds[round], flame->options.kind))
			flame->rounds[rec->rounds[round].side]++;
		last = round;
	}
}

/* The median over a side's rounds, NAN where there is none above 0. */
static double median_work(const struct record *rec, enum side side,
			  double (*get)(const struct record_round *round))
{
	double *values = calloc(rec->n_rounds + 1, sizeof(*values)), median = NAN;
	size_t n = 0;

	for (size_t i = 0; values && i < rec->n_rounds; i++)
		if (rec->rounds[i].side == side && get(&rec->rounds[i]) > 0)
			values[n++] = get(&rec->rounds[i]);
	if (n)
		median = stats_median(values, n);
	free(values);
	return median;
}

static double lines_of(const struct record_round *round)
{
	return round->has_work ? (double)round->work.lines : NAN;
}

static double served_of(const struct record_round *round)
{
	return round->has_requests ? (double)round->requests.served : NAN;
}

static double sent_of(const struct record_round *round)
{
	return round->has_requests ? (double)round->requests.sent : NAN;
}

static double one_of(const struct record_round *round)
{
	(void)round;
	return 1;
}

/* The first kind of work that both sides did. */
static void find_work(struct flame *flame)
{
	static const struct {
		const char *unit;
		double (*get)(const struct record_round *round);
	} kinds[] = {{"lines", lines_of},
		     {"requests", served_of},
		     {"requests", sent_of},
		     {"rounds", one_of}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		flame->work_unit = kinds[i].unit;
		for (int side = 0; side < SIDES; side++)
			flame->work[side] = median_work(flame->rec, (enum side)side, kinds[i].get);
		if (flame->work[SIDE_A] > 0 && flame->work[SIDE_B] > 0)
			return;
	}
	flame->work[SIDE_A] = flame->work[SIDE_B] = 1; /* one side only, or no memory */
}

double flame_work_scale(const struct flame *flame)
{
	if (flame->options.side != FLAME_DIFF)
		return 1;
	return flame->work[SIDE_A] / flame->work[SIDE_B];
}

static void add_samples(struct flame *flame, enum side side, uint32_t node,
			const struct profile_row *row, double seconds)
{
	double samples = (double)row->samples;

	flame->nodes[node].self_samples[side] += samples;
	flame->nodes[node].self_seconds[side] += seconds;
	for (; node != FLAME_NONE; node = flame->nodes[node].parent) {
		flame->nodes[node].total[side].samples += samples;
		flame->nodes[node].total[side].sampled_seconds += row->seconds;
	}
}

static void add_side(struct flame *flame, enum side side, const double *scales,
		     struct spread *spread)
{
	const struct profile *profile = flame->rec->profile;
	uint32_t round = FLAME_NONE;

	for (size_t i = 0; i < flame->n_rows; i++) {
		const struct profile_row *row = &profile->rows[flame->rows[i].row];
		double seconds = row->seconds * scales[row->round];

		if (flame->rec->rounds[row->round].side != side)
			continue;
		if (row->round != round)
			spread_end_round(spread);
		round = row->round;
		add_samples(flame, side, flame->rows[i].node, row, seconds);
		for (uint32_t at = flame->rows[i].node; at != FLAME_NONE;
		     at = flame->nodes[at].parent)
			spread_add(spread, at, seconds, (double)row->samples);
	}
	spread_end_round(spread);
}

static int fill_side(struct flame *flame, enum side side, const double *scales)
{
	double scale = side == SIDE_B ? flame_work_scale(flame) : 1;
	double rounds = (double)(flame->rounds[side] ? flame->rounds[side] : 1);
	struct spread spread;

	if (spread_init(&spread, flame->n_nodes))
		return -1;
	add_side(flame, side, scales, &spread);
	for (uint32_t i = 0; i < flame->n_nodes; i++) {
		spread_value(&spread, i, flame->rounds[side], scale, &flame->nodes[i].total[side]);
		flame->nodes[i].self_seconds[side] *= scale / rounds;
	}
	spread_clear(&spread);
	return 0;
}

/* Children come after their parents: from the last one up, each has its own when its parent needs
 * it. */
static void fill_widths(struct flame *flame)
{
	for (size_t i = flame->n_nodes; i-- > 0;) {
		struct flame_node *node = &flame->nodes[i];

		node->width += fmax(node->self_seconds[SIDE_A], node->self_seconds[SIDE_B]);
		if (node->parent != FLAME_NONE)
			flame->nodes[node->parent].width += node->width;
	}
}

int flame_fill(struct flame *flame)
{
	double *scales = flame_scales(flame->rec, flame->options.kind, &flame->exact);
	int rc = scales ? 0 : -1;

	count_rounds(flame);
	find_work(flame);
	for (int side = 0; side < SIDES && !rc; side++)
		rc = fill_side(flame, (enum side)side, scales);
	free(scales);
	fill_widths(flame);
	return rc;
}

struct flame_change flame_change_of(const struct flame_value *a, const struct flame_value *b)
{
	struct flame_change change = {.delta = b->seconds - a->seconds};
	double larger = fmax(a->seconds, b->seconds);

	change.relative = a->seconds > 0   ? change.delta / a->seconds
			  : b->seconds > 0 ? INFINITY
					   : 0;
	change.step = larger > 0 ? change.delta / larger : 0;
	change.is_noise = fabs(change.delta) <= NOISE_ERRORS * sqrt(a->variance + b->variance);
	return change;
}
