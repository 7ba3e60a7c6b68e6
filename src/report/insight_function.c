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
/* The innermost of several callers of one place. */
#define NAME_BYTES   100
#define SELF_WEIGHT  0.99
#define PLACE_WEIGHT 0.98

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

/* Those that are hotter by themselves. True: one of them is all there is to it. */
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

/* The most specific one of those that have, with what they call, most of the difference. */
static const struct flame_function *find_place(const struct functions *functions)
{
	const struct flame_function *place = NULL;
	double least = INFINITY;

	for (size_t i = 0; i < functions->n; i++) {
		const struct flame_function *function = &functions->list[i];
		double size =
			fmax(function->total[SIDE_A].seconds, function->total[SIDE_B].seconds);
		double more = gain(functions, function->total);

		if (!(more >= PLACE_SHARE * functions->whole) || more > 1.1 * functions->whole ||
		    !(size < least))
			continue;
		least = size;
		place = function;
	}
	return place;
}

static void add_place(struct insights *list, const struct functions *functions)
{
	const struct flame_function *place = find_place(functions);
	bool is_cpu = functions->target->kind == INSIGHT_CPU;
	char name[NAME_BYTES + 4], seconds[32];
	double more;

	/* One that does all of it by itself has been named. */
	if (!place || (is_cpu && gain(functions, place->self) >= PLACE_SHARE * functions->whole))
		return;
	more = gain(functions, place->total);
	summary_value(seconds, sizeof(seconds), METRIC_SECONDS, more);
	put_name(name, name_of(functions, place));
	if (is_cpu)
		insights_add(list, "cause", NULL, functions->target->more == SIDE_B ? more : -more,
			     PLACE_WEIGHT * fmin(1, more / functions->whole),
			     "%.0f %% of %s, by the stacks, is spent in %s and what it calls (+%s)",
			     100 * more / functions->whole, functions->target->extra, name,
			     seconds);
	else
		insights_add(
			list, "cause", NULL, functions->target->more == SIDE_B ? more : -more,
			PLACE_WEIGHT * 0.8 * fmin(1, more / functions->whole),
			"%s goes along with more time off the CPU in %s and what it calls: +%s, "
			"all threads together",
			functions->target->extra, name, seconds);
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

void insights_add_functions(struct insights *list, const struct insight_target *target)
{
	const struct flame_options options = {
		FLAME_DIFF, target->kind == INSIGHT_CPU ? PROFILE_ONCPU : PROFILE_OFFCPU, NULL};
	struct flame_names *names;
	struct flame *flame;
	struct error err;

	if (!flame_has(list->rec, FLAME_DIFF, options.kind))
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
