/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the CPU time went, by functions, and what the samples are worth. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/builder.h"
#include "report/flame.h"

#define HOTTEST 10

struct hot {
	const struct builder *b;
	const struct flame *flame;
	const struct flame_function *functions;
	size_t n;
	enum side side;
	bool is_total; /* with what the functions call */
};

static const struct flame_value *value_of(const struct flame_function *function, enum side side,
					  bool is_total)
{
	return is_total ? &function->total[side] : &function->self[side];
}

static int compare_functions(const void *a, const void *b, void *state)
{
	const struct hot *hot = state;
	const struct flame_function *x = hot->functions + *(const size_t *)a;
	const struct flame_function *y = hot->functions + *(const size_t *)b;
	double seconds_x = value_of(x, hot->side, hot->is_total)->seconds;
	double seconds_y = value_of(y, hot->side, hot->is_total)->seconds;

	if (seconds_x != seconds_y)
		return seconds_x > seconds_y ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void put_module(const struct hot *hot, const struct flame_name *name)
{
	const struct profile *profile = hot->b->rec->profile;
	const char *path, *last;

	if (name->module == PROFILE_NONE) {
		section_cell(hot->b->out, name->kind == PROFILE_FRAME_JIT ? "JIT" : "-");
		return;
	}
	path = profile->modules[name->module].path;
	last = strrchr(path, '/');
	section_label(hot->b->out, last && last[1] ? last + 1 : path);
}

/* True where it is within the noise. */
static bool put_change(const struct hot *hot, const struct flame_function *function)
{
	const struct flame_value *a = value_of(function, SIDE_A, hot->is_total);
	const struct flame_value *b = value_of(function, SIDE_B, hot->is_total);
	struct flame_change change = flame_change_of(a, b);

	if (change.is_noise)
		section_cell(hot->b->out, "~");
	else if (isinf(change.relative))
		section_cell(hot->b->out, "only B");
	else if (!(b->seconds > 0))
		section_cell(hot->b->out, "only A");
	else if (change.relative >= 1)
		section_cellf(hot->b->out, "%.2fx", 1 + change.relative);
	else
		section_cellf(hot->b->out, "%+.0f %%", 100 * change.relative);
	return change.is_noise;
}

static bool put_function(const struct hot *hot, const struct flame_function *function)
{
	const struct flame_name *name = &hot->flame->names->list[function->name];
	double scale = hot->side == SIDE_B ? flame_work_scale(hot->flame) : 1;
	double seconds = value_of(function, hot->side, hot->is_total)->seconds;
	double all = hot->flame->nodes[0].total[hot->side].seconds;

	section_label(hot->b->out, name->text);
	put_module(hot, name);
	section_value(hot->b->out, METRIC_RATIO, all > 0 ? seconds / all : NAN);
	section_value(hot->b->out, METRIC_SECONDS, scale > 0 ? seconds / scale : NAN);
	return hot->flame->options.side == FLAME_DIFF && put_change(hot, function);
}

/* In an average round, the most expensive first. */
static void add_hottest(const struct hot *hot)
{
	const char *kind =
		hot->flame->options.kind == PROFILE_ONCPU ? "CPU time" : "time off the CPU";
	size_t *order = calloc(hot->n + 1, sizeof(*order));
	struct sections *out = hot->b->out;
	bool any_noise = false;

	section_begin(out, "Functions%s by %s%s, average round", builder_of_side(hot->b, hot->side),
		      hot->is_total ? "" : "their own ", kind);
	section_column(out, "function", false);
	section_column(out, "in", false);
	section_column(out, "share", true);
	section_column(out, kind, true);
	if (hot->flame->options.side == FLAME_DIFF)
		section_column(out, "B for A's work", true);
	for (size_t i = 0; order && i < hot->n; i++)
		order[i] = i;
	if (order)
		qsort_r(order, hot->n, sizeof(*order), compare_functions, (void *)hot);
	else
		out->failed = true;
	for (size_t i = 0; order && i < hot->n && i < HOTTEST; i++) {
		const struct flame_function *function = &hot->functions[order[i]];

		if (value_of(function, hot->side, hot->is_total)->seconds > 0)
			any_noise |= put_function(hot, function);
	}
	if (any_noise)
		section_note(out, "~: within the noise between rounds.");
	section_end(out);
	free(order);
}

static void add_functions(const struct builder *b, const struct flame *flame)
{
	struct hot hot = {.b = b, .flame = flame};
	struct flame_function *functions = flame_functions(flame, &hot.n);

	hot.functions = functions;
	if (!functions)
		b->out->failed = true;
	for (int side = 0; functions && side < SIDES; side++) {
		if (flame->options.side != FLAME_DIFF && (int)flame->options.side != side)
			continue;
		hot.side = (enum side)side;
		/* Off the CPU all of it is the scheduler's own: only callers tell something. */
		hot.is_total = false;
		if (flame->options.kind == PROFILE_ONCPU)
			add_hottest(&hot);
		hot.is_total = true;
		add_hottest(&hot);
	}
	free(functions);
}

/* Both sides beside each other where both have stacks of a kind, on-CPU rather than off-CPU. */
static bool choose(const struct record *rec, struct flame_options *options)
{
	static const enum flame_side sides[] = {FLAME_DIFF, FLAME_A, FLAME_B};

	for (int kind = 0; kind < PROFILE_KINDS; kind++)
		for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
			if (flame_has(rec, sides[i], (enum profile_kind)kind)) {
				*options = (struct flame_options){sides[i], (enum profile_kind)kind,
								  NULL};
				return true;
			}
	return false;
}

static void add_row(const struct builder *b, const char *label, enum metric_kind kind,
		    const double values[SIDES])
{
	if (isnan(values[SIDE_A]) && isnan(values[SIDE_B]))
		return;
	section_cell(b->out, label);
	for (size_t side = 0; side < sides_of(b); side++)
		section_value(b->out, kind, values[side]);
}

static void add_kind(const struct builder *b, enum profile_kind kind,
		     const struct record_stacks stacks[SIDES])
{
	static const char *const labels[PROFILE_KINDS][3] = {
		{"on-CPU samples", "CPU time, from samples", "CPU time, exact"},
		{"off-CPU samples", "off the CPU, from samples", "off the CPU, exact"},
	};
	const double samples[SIDES] = {as_real(stacks[SIDE_A].samples),
				       as_real(stacks[SIDE_B].samples)};
	const double sampled[SIDES] = {stacks[SIDE_A].sampled_seconds,
				       stacks[SIDE_B].sampled_seconds};
	const double exact[SIDES] = {stacks[SIDE_A].exact_seconds, stacks[SIDE_B].exact_seconds};

	add_row(b, labels[kind][0], METRIC_COUNT, samples);
	add_row(b, labels[kind][1], METRIC_SECONDS, sampled);
	add_row(b, labels[kind][2], METRIC_SECONDS, exact);
}

/* Why stacks were cut off, the samples of each cause. */
static void note_truncated(const struct builder *b, enum profile_kind kind, size_t side)
{
	const struct record *rec = b->rec;
	int64_t counts[PROFILE_ENDS] = {0};
	char text[512] = "", number[32];
	size_t used = 0;

	for (size_t i = 0; rec->profile && i < rec->profile->n_rows; i++) {
		const struct profile_row *row = &rec->profile->rows[i];

		if (row->kind == kind && row->round < rec->n_rounds &&
		    (size_t)rec->rounds[row->round].side == side &&
		    profile_end_is_truncated((enum profile_end)row->end) &&
		    __builtin_add_overflow(counts[row->end], (int64_t)row->samples,
					   &counts[row->end]))
			counts[row->end] = INT64_MAX;
	}
	for (int end = 0; end < PROFILE_ENDS; end++)
		if (counts[end] > 0)
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s %s", used ? ", " : "",
				summary_integer(number, sizeof(number), counts[end]),
				profile_end_name((enum profile_end)end));
	if (used)
		section_note(b->out, "%s%s, truncated: %s.", flame_kind_title(kind),
			     builder_of_side(b, side), text);
}

static void add_quality(const struct builder *b)
{
	struct record_stacks stacks[PROFILE_KINDS][SIDES];
	char quality[FLAME_QUALITY_MAX];

	section_begin(b->out, "Stacks, all rounds");
	builder_side_columns(b, false);
	for (int kind = 0; kind < PROFILE_KINDS; kind++) {
		for (int side = 0; side < SIDES; side++)
			stacks[kind][side] =
				flame_stacks_of(b->rec, (enum side)side, (enum profile_kind)kind);
		add_kind(b, (enum profile_kind)kind, stacks[kind]);
	}
	for (int kind = 0; kind < PROFILE_KINDS; kind++)
		for (size_t side = 0; side < sides_of(b); side++) {
			if (!(stacks[kind][side].samples > 0))
				continue;
			section_note(b->out, "%s%s: %s.", flame_kind_title((enum profile_kind)kind),
				     builder_of_side(b, side),
				     flame_quality(quality, &stacks[kind][side]));
			note_truncated(b, (enum profile_kind)kind, side);
		}
	section_end(b->out);
}

void builder_add_profile(const struct builder *b)
{
	struct flame_options options;
	struct flame_names *names;
	struct flame *flame;
	struct error err;

	add_quality(b);
	if (!choose(b->rec, &options))
		return;
	names = flame_names_new(b->rec->profile);
	flame = names ? flame_new(b->rec, names, &options, &err) : NULL;
	if (flame)
		add_functions(b, flame);
	else
		b->out->failed = true;
	flame_free(flame);
	flame_names_free(names);
}
