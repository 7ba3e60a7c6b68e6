/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Functions that one side spends more in, by the stacks of both at equal work. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/insight_list.h"
#include "report/summary.h"
#include "util/utf8.h"

#define MAX_NAMED 3
/* Of the difference of all stacks: a function with less explains nothing, */
#define LEAST_SHARE 0.10
/* and one with so much is the place to look into. */
#define PLACE_SHARE 0.75
/* Of waiting less: who waits for the threads that wait, as main() does, has a part of its own. */
#define PLACE_SHARE_WAITING 0.5
/* Of all that a side spends; and of that what the other one does. */
#define ALL_SHARE  0.90
#define SOME_SHARE 0.10
/* What names of frames without a function begin with (profile_frame_name()). */
#define UNKNOWN    "[unknown] ("
#define NAME_BYTES 100
/* Beside what is timed exactly. */
#define SELF_WEIGHT          0.99
#define PLACE_WEIGHT         0.98
#define PLACE_WEIGHT_WAITING 0.40

struct functions {
	const struct insight_target *target;
	const struct flame *flame;
	struct flame_function *list;
	size_t n;
	double whole; /* difference of all stacks, in the direction of the target's, above 0 */
};

/* How much more of it the side has that needs more; 0 where that is noise. */
static double gain(const struct functions *functions, const struct flame_value values[SIDES])
{
	struct flame_change change = flame_change_of(&values[SIDE_A], &values[SIDE_B]);
	double delta = functions->target->more == SIDE_B ? change.delta : -change.delta;

	return change.is_noise || !(delta > 0) ? 0 : delta;
}

static int compare_self(const void *a, const void *b, void *state)
{
	const struct flame_function *x = a, *y = b;
	double by = gain(state, y->self) - gain(state, x->self);

	return by > 0 ? 1 : by < 0 ? -1 : x->name < y->name ? -1 : x->name > y->name;
}

/* A name as long as a sentence allows, not cut within a character; returns @buf. */
static char *put_name(char buf[NAME_BYTES + 4], const char *name)
{
	size_t used = 0;
	uint32_t code;

	while (name[used]) {
		size_t n = utf8_decode(name + used, &code);

		n = n ? n : 1;
		if (used + n > NAME_BYTES)
			break;
		used += n;
	}
	memcpy(buf, name, used);
	strcpy(buf + used, name[used] ? "…" : "");
	return buf;
}

static const char *name_of(const struct functions *functions, const struct flame_function *function)
{
	return functions->flame->names->list[function->name].text;
}

/* Those that are hotter by themselves. */
static void add_hotter(struct insights *list, struct functions *functions)
{
	char named[MAX_NAMED * (NAME_BYTES + 64)] = "", name[NAME_BYTES + 4], seconds[32];
	double most = 0;
	size_t used = 0;

	qsort_r(functions->list, functions->n, sizeof(*functions->list), compare_self, functions);
	for (size_t i = 0; i < functions->n && i < MAX_NAMED; i++) {
		double more = gain(functions, functions->list[i].self);

		if (!(more >= LEAST_SHARE * functions->whole))
			break;
		most = i ? most : more;
		summary_value(seconds, sizeof(seconds), METRIC_SECONDS, more);
		used += (size_t)snprintf(named + used, sizeof(named) - used, "%s%s (+%s, %.0f %%)",
					 i ? ", " : "",
					 put_name(name, name_of(functions, &functions->list[i])),
					 seconds, 100 * more / functions->whole);
	}
	if (used)
		insights_add(
			list, "cause", NULL, functions->target->more == SIDE_B ? most : -most,
			SELF_WEIGHT * fmin(1, most / functions->whole),
			"hottest differing functions, by their own CPU time and at equal work: %s "
			"of %s",
			named, functions->target->extra);
}

/* Where both sides spend next to all, as in main(), it says nothing of the difference; one that
 * spends little at all has no say in that. */
static bool is_all(const struct functions *functions, const struct flame_node *node)
{
	const struct flame_value *all = functions->flame->nodes[0].total;
	enum side more = functions->target->more, less = more == SIDE_A ? SIDE_B : SIDE_A;

	if (node->total[more].seconds < ALL_SHARE * all[more].seconds)
		return false;
	return all[less].seconds < SOME_SHARE * all[more].seconds ||
	       node->total[less].seconds >= ALL_SHARE * all[less].seconds;
}

/*
 * Down the tree as long as one child has most of the difference, to the last function of the
 * program's own with a name: into the kernel all ways look alike. FLAME_NONE: no such way.
 */
static uint32_t find_place(const struct functions *functions)
{
	const struct flame *flame = functions->flame;
	double least = functions->target->kind == INSIGHT_CPU ? PLACE_SHARE : PLACE_SHARE_WAITING;
	uint32_t place = FLAME_NONE, at = 0;

	for (uint32_t next = at; next != FLAME_NONE; at = next) {
		const struct flame_node *node = &flame->nodes[at];
		const struct flame_name *name = &flame->names->list[node->name];

		if (at && !name->is_process && name->kind != PROFILE_FRAME_KERNEL &&
		    name->kind != PROFILE_FRAME_MARK && !is_all(functions, node) &&
		    strncmp(name->text, UNKNOWN, strlen(UNKNOWN)) != 0)
			place = at;
		next = FLAME_NONE;
		for (uint32_t i = 0; i < node->n && next == FLAME_NONE; i++) {
			uint32_t child = flame->children[node->first + i];

			if (gain(functions, flame->nodes[child].total) >= least * functions->whole)
				next = child;
		}
	}
	return place;
}

static void add_place(struct insights *list, const struct functions *functions)
{
	const struct insight_target *target = functions->target;
	uint32_t place = find_place(functions);
	char name[NAME_BYTES + 4], seconds[32];
	double more, share;

	if (place == FLAME_NONE)
		return;
	more = gain(functions, functions->flame->nodes[place].total);
	share = more / functions->whole;
	summary_value(seconds, sizeof(seconds), METRIC_SECONDS, more);
	put_name(name, functions->flame->names->list[functions->flame->nodes[place].name].text);
	if (target->kind == INSIGHT_CPU)
		insights_add(list, "cause", NULL, target->more == SIDE_B ? more : -more,
			     PLACE_WEIGHT * fmin(1, share),
			     "%.0f %% of %s, by the stacks, is spent in %s and what it calls (+%s)",
			     100 * share, target->extra, name, seconds);
	else
		insights_add(
			list, "cause", NULL, target->more == SIDE_B ? more : -more,
			PLACE_WEIGHT_WAITING * fmin(1, share),
			"%s goes along with more time off the CPU in %s and what it calls: +%s, "
			"all threads together",
			target->extra, name, seconds);
}

static void add_of_flame(struct insights *list, const struct insight_target *target,
			 const struct flame *flame)
{
	struct functions functions = {.target = target, .flame = flame};
	const struct flame_value *all = flame->nodes[0].total;

	functions.whole = gain(&functions, all);
	if (!(functions.whole > 0))
		return;
	functions.list = flame_functions(flame, &functions.n);
	if (!functions.list) {
		list->failed = true;
		return;
	}
	if (target->kind == INSIGHT_CPU)
		add_hotter(list, &functions);
	add_place(list, &functions);
	free(functions.list);
}

/* Was it looked for in each round? */
static bool was_sampled(const struct insights *list, enum side side, enum profile_kind kind)
{
	for (size_t i = 0; i < list->n_rounds[side]; i++) {
		const struct record_round *round = list->rounds[side][i];

		if (!round->has_profile || (kind == PROFILE_ONCPU ? !round->profile.has_oncpu
								  : !round->profile.has_offcpu))
			return false;
	}
	return true;
}

void insights_add_functions(struct insights *list, const struct insight_target *target)
{
	struct flame_options options = {
		FLAME_DIFF, target->kind == INSIGHT_CPU ? PROFILE_ONCPU : PROFILE_OFFCPU, NULL};
	enum side less = target->more == SIDE_A ? SIDE_B : SIDE_A;
	struct flame_names *names;
	struct flame *flame;
	struct error err;

	/* The side with less may have ended before a sample was taken: all of it is in the other.
	 */
	if (!flame_has(list->rec, FLAME_DIFF, options.kind) &&
	    was_sampled(list, less, options.kind))
		options.side = target->more == SIDE_A ? FLAME_A : FLAME_B;
	if (!flame_has(list->rec, options.side, options.kind))
		return;
	names = flame_names_new(list->rec->profile);
	flame = names ? flame_new(list->rec, names, &options, &err) : NULL;
	if (flame)
		add_of_flame(list, target, flame);
	else
		list->failed = true;
	flame_free(flame);
	flame_names_free(names);
}
