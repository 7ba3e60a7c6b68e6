/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names summed up over all stacks. */
#include <stdlib.h>

#include "report/flame_spread.h"
#include "report/flame_values.h"

struct totals {
	const struct flame *flame;
	struct flame_function *functions;
	struct spread self, total;
	uint32_t *seen; /* by name: the row, counted from 1, in which it was met last */
};

/* No code, but what perfbpf says of it. */
static bool is_function(const struct flame_name *name)
{
	return name->kind != PROFILE_FRAME_MARK;
}

static void add_row(struct totals *totals, size_t i, enum side side, double seconds, double samples)
{
	const struct flame *flame = totals->flame;
	bool is_self = true;

	for (uint32_t at = flame->rows[i].node; at != FLAME_NONE; at = flame->nodes[at].parent) {
		uint32_t name = flame->nodes[at].name;

		if (!is_function(&flame->names->list[name]))
			continue;
		if (is_self) {
			spread_add(&totals->self, name, seconds, samples);
			totals->functions[name].self[side].samples += samples;
		}
		is_self = false;
		if (totals->seen[name] == i + 1)
			continue;
		totals->seen[name] = (uint32_t)(i + 1);
		spread_add(&totals->total, name, seconds, samples);
		totals->functions[name].total[side].samples += samples;
	}
}

static int add_side(struct totals *totals, enum side side, const double *scales)
{
	const struct flame *flame = totals->flame;
	const struct profile *profile = flame->rec->profile;
	double scale = side == SIDE_B ? flame_work_scale(flame) : 1;
	uint32_t round = FLAME_NONE;
	int rc = -1;

	if (!spread_init(&totals->self, flame->names->n) &&
	    !spread_init(&totals->total, flame->names->n))
		rc = 0;
	for (size_t i = 0; i < flame->n_rows && !rc; i++) {
		const struct profile_row *row = &profile->rows[flame->rows[i].row];

		if (flame->rec->rounds[row->round].side != side)
			continue;
		if (row->round != round) {
			spread_end_round(&totals->self);
			spread_end_round(&totals->total);
		}
		round = row->round;
		add_row(totals, i, side, row->seconds * scales[row->round], (double)row->samples);
	}
	if (!rc) {
		spread_end_round(&totals->self);
		spread_end_round(&totals->total);
	}
	for (uint32_t i = 0; i < flame->names->n && !rc; i++) {
		struct flame_function *function = &totals->functions[i];

		spread_value(&totals->self, i, flame->rounds[side], scale, &function->self[side]);
		spread_value(&totals->total, i, flame->rounds[side], scale, &function->total[side]);
	}
	spread_clear(&totals->self);
	spread_clear(&totals->total);
	return rc;
}

/* Takes out what is no function, or has no sample. */
static size_t compact(struct flame_function *functions, const struct flame_names *names)
{
	size_t n = 0;

	for (uint32_t i = 0; i < names->n; i++) {
		struct flame_function function = functions[i];

		function.name = i;
		if (is_function(&names->list[i]) &&
		    function.total[SIDE_A].samples + function.total[SIDE_B].samples > 0)
			functions[n++] = function;
	}
	return n;
}

struct flame_function *flame_functions(const struct flame *flame, size_t *n)
{
	bool exact;
	double *scales = flame_scales(flame->rec, flame->options.kind, &exact);
	struct totals totals = {
		.flame = flame,
		.functions = calloc(flame->names->n + 1, sizeof(*totals.functions)),
		.seen = calloc(flame->names->n + 1, sizeof(*totals.seen)),
	};
	int rc = scales && totals.functions && totals.seen ? 0 : -1;

	for (int side = 0; side < SIDES && !rc; side++)
		rc = add_side(&totals, (enum side)side, scales);
	free(scales);
	free(totals.seen);
	if (rc) {
		free(totals.functions);
		return NULL;
	}
	*n = compact(totals.functions, flame->names);
	return totals.functions;
}
