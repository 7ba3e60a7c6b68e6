/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What limited each phase, as most rounds of a side have it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/builder.h"

#define MANY_PHASES 64

const char *builder_phase_name(const struct builder *b, size_t phase)
{
	for (size_t i = 0; i < b->rec->n_rounds; i++)
		if (phase < b->rec->rounds[i].n_phases)
			return b->rec->rounds[i].phases[phase].name;
	return NULL;
}

size_t builder_phases(const struct builder *b)
{
	size_t phases = 0;

	for (size_t i = 0; i < b->rec->n_rounds; i++)
		if (b->rec->rounds[i].n_phases > phases)
			phases = b->rec->rounds[i].n_phases;
	return phases < MANY_PHASES ? phases : MANY_PHASES;
}

/* How many rounds of the side have this phase with this limit (NULL: none). */
static size_t count_limited(const struct builder *b, size_t side, size_t phase, const char *limit)
{
	size_t n = 0;

	for (size_t i = 0; i < b->rec->n_rounds; i++) {
		const struct record_round *round = &b->rec->rounds[i];
		const char *found;

		if (round->side != side || phase >= round->n_phases)
			continue;
		found = round->phases[phase].limited_by;
		n += limit ? found && !strcmp(found, limit) : !found;
	}
	return n;
}

/* The limit of most rounds; of those alike the first. NULL: of none. */
static const struct record_round_phase *common_limit(const struct builder *b, size_t side,
						     size_t phase, size_t *count)
{
	const struct record_round_phase *common = NULL;

	*count = 0;
	for (size_t i = 0; i < b->rec->n_rounds; i++) {
		const struct record_round *round = &b->rec->rounds[i];
		size_t n;

		if (round->side != side || phase >= round->n_phases ||
		    !round->phases[phase].limited_by)
			continue;
		n = count_limited(b, side, phase, round->phases[phase].limited_by);
		if (n <= *count)
			continue;
		*count = n;
		common = &round->phases[phase];
	}
	return common;
}

static void add_limit(const struct builder *b, size_t side, size_t phase, bool name_phase)
{
	size_t none = count_limited(b, side, phase, NULL), n, others;
	const struct record_round_phase *limit = common_limit(b, side, phase, &n);
	char *title = summary_side_title(b->summary, (enum side)side), *which = NULL;
	const char *name = builder_phase_name(b, phase);
	char rounds[64] = "";

	if (name_phase && asprintf(&which, ", phase %s", name ? name : "?") < 0)
		which = NULL;
	others = b->summary->sides[side].rounds - n;
	if (limit && others)
		snprintf(rounds, sizeof(rounds), " (in %zu of %zu rounds)", n, n + others);
	if (limit)
		section_note(b->out, "%s%s: %s%s", title ? title : "?", which ? which : "",
			     limit->limit ? limit->limit : limit->limited_by, rounds);
	else if (none)
		section_note(b->out, "%s%s: no evidence that anything was short",
			     title ? title : "?", which ? which : "");
	free(title);
	free(which);
}

void builder_add_limits(const struct builder *b)
{
	size_t phases = builder_phases(b);

	section_begin(b->out, "What limited the run");
	for (size_t side = 0; side < sides_of(b); side++)
		for (size_t phase = 0; phase < phases; phase++)
			add_limit(b, side, phase, phases > 1);
	section_end(b->out);
}
