/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What load drivers tell, by side, phase, kind and producer; and what was asked of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/load.h"
#include "record/threshold.h"
#include "report/builder.h"

#define MANY_ROWS 20

static const char *letter_of(enum side side)
{
	return side == SIDE_A ? "A" : "B";
}

/* --- what was asked for -------------------------------------------------------------- */

static void add_threshold(const struct builder *b, const struct record_threshold *threshold)
{
	bool is_gate = threshold_is_gate(threshold->level);

	if (b->summary->two_sided)
		section_cell(b->out, letter_of(threshold->side));
	section_label(b->out, threshold->metric);
	section_label(b->out, threshold->expression);
	section_cell(b->out, threshold->level ? threshold->level : "");
	section_value(b->out, summary_kind(threshold->unit), threshold->value);
	section_cell(b->out, threshold->passed ? "holds" : is_gate ? "FAILS" : "does not hold");
}

void builder_add_thresholds(const struct builder *b)
{
	section_begin(b->out, "Thresholds");
	if (b->summary->two_sided)
		section_column(b->out, "side", false);
	section_column(b->out, "metric", false);
	section_column(b->out, "threshold", false);
	section_column(b->out, "level", false);
	section_column(b->out, "value", true);
	section_column(b->out, "", false);
	for (size_t i = 0; i < b->rec->n_thresholds; i++)
		add_threshold(b, &b->rec->thresholds[i]);
	for (size_t i = 0; i < b->rec->n_thresholds; i++)
		if (b->rec->thresholds[i].text)
			section_note(b->out, "%s, %s: %s", letter_of(b->rec->thresholds[i].side),
				     b->rec->thresholds[i].metric ? b->rec->thresholds[i].metric
								  : "?",
				     b->rec->thresholds[i].text);
	section_end(b->out);
}

/* Rounds as people count them; a broken record may hold any number. */
static void add_round_cells(const struct builder *b, const struct record_round *round)
{
	if (b->summary->two_sided)
		section_cell(b->out, letter_of(round->side));
	if (round->pair == RECORD_NONE || round->pair == INT64_MAX)
		section_cell(b->out, "-");
	else
		section_integer(b->out, round->pair + 1);
}

static void round_columns(const struct builder *b)
{
	if (b->summary->two_sided)
		section_column(b->out, "side", false);
	section_column(b->out, "round", true);
}

void builder_add_endurance(const struct builder *b)
{
	section_begin(b->out, "Endurance");
	round_columns(b);
	section_column(b->out, "", false);
	section_column(b->out, "verdict", false);
	for (size_t i = 0; i < b->rec->n_rounds; i++)
		for (size_t j = 0; j < b->rec->rounds[i].n_endurance; j++) {
			const struct record_endurance *e = &b->rec->rounds[i].endurance[j];

			add_round_cells(b, &b->rec->rounds[i]);
			section_cell(b->out, e->name);
			section_cell(b->out, e->text ? e->text : e->verdict);
		}
	section_end(b->out);
}

/* --- the load ------------------------------------------------------------------------ */

/* Of all rounds; the counts of a side that has no load are not known. */
static struct record_work work_of(const struct builder *b, size_t side)
{
	struct record_work sum = {.operations = RECORD_NONE,
				  .errors = RECORD_NONE,
				  .dropped = RECORD_NONE,
				  .rows = RECORD_NONE,
				  .rows_expected = RECORD_NONE,
				  .lost = RECORD_NONE,
				  .duplicated = RECORD_NONE};

	for (size_t i = 0; i < b->rec->n_rounds; i++) {
		const struct record_round *round = &b->rec->rounds[i];

		if (round->side != side || !record_has_operations(round))
			continue;
		record_add_count(&sum.operations, round->work.operations);
		record_add_count(&sum.errors, round->work.errors);
		record_add_count(&sum.dropped, round->work.dropped);
		record_add_count(&sum.rows, round->work.rows);
		record_add_count(&sum.rows_expected, round->work.rows_expected);
		record_add_count(&sum.lost, round->work.lost);
		record_add_count(&sum.duplicated, round->work.duplicated);
	}
	return sum;
}

static void add_totals(const struct builder *b)
{
	static const struct count_row rows[] = {
#define ROW(label, member, always)                                                                 \
	{label, offsetof(struct record_work, member), METRIC_COUNT, always}
		ROW("good answers", operations, true),
		ROW("errors", errors, true),
		ROW("never sent", dropped, false),
		ROW("rows", rows, false),
		ROW("rows that should have come", rows_expected, false),
		ROW("messages lost", lost, false),
		ROW("messages doubled", duplicated, false),
#undef ROW
	};
	struct record_work sums[SIDES] = {work_of(b, SIDE_A), work_of(b, SIDE_B)};
	const void *groups[SIDES] = {&sums[SIDE_A], &sums[SIDE_B]};

	section_begin(b->out, "Load, all rounds");
	builder_side_columns(b, false);
	builder_add_counts(b, rows, sizeof(rows) / sizeof(rows[0]), groups);
	if (sums[SIDE_A].operations != RECORD_NONE || sums[SIDE_B].operations != RECORD_NONE) {
		section_cell(b->out, "success rate");
		for (size_t side = 0; side < sides_of(b); side++)
			section_value(b->out, METRIC_RATIO,
				      record_success(sums[side].operations, sums[side].errors));
	}
	section_end(b->out);
}

/* A named number of a side; the first of the struct is its name, the second the number. */
struct named {
	char *name;
	int64_t count;
};
_Static_assert(sizeof(struct named) == sizeof(struct record_error) &&
		       sizeof(struct named) == sizeof(struct record_count),
	       "errors and counts are named numbers");

static const struct named *find_named(const struct named *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].name && !strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

/* What A has, most first, and then what only B has. */
static void add_named(const struct builder *b, const struct named *const lists[SIDES],
		      const size_t n[SIDES])
{
	size_t shown = 0, left = 0;

	for (size_t side = 0; side < sides_of(b); side++)
		for (size_t i = 0; i < n[side]; i++) {
			const char *name = lists[side][i].name;

			if (!name || (side == SIDE_B && find_named(lists[SIDE_A], n[SIDE_A], name)))
				continue;
			if (!b->all && shown == MANY_ROWS) {
				left++;
				continue;
			}
			shown++;
			section_label(b->out, name);
			for (size_t other = 0; other < sides_of(b); other++) {
				const struct named *found =
					find_named(lists[other], n[other], name);

				section_integer(b->out, found ? found->count : 0);
			}
		}
	if (left)
		section_note(b->out, "and %zu more (--all)", left);
}

static void add_errors(const struct builder *b)
{
	const struct named *errors[SIDES], *counts[SIDES];
	size_t n_errors[SIDES], n_counts[SIDES];

	for (size_t side = 0; side < SIDES; side++) {
		errors[side] = (const struct named *)(const void *)sum_of(b, side)->errors;
		n_errors[side] = sum_of(b, side)->n_errors;
		counts[side] = (const struct named *)(const void *)sum_of(b, side)->counts;
		n_counts[side] = sum_of(b, side)->n_counts;
	}
	section_begin(b->out, "Errors by kind, all rounds");
	builder_side_columns(b, false);
	add_named(b, errors, n_errors);
	section_end(b->out);
	section_begin(b->out, "What else the driver counted, all rounds");
	builder_side_columns(b, false);
	add_named(b, counts, n_counts);
	section_end(b->out);
}

static void load_columns(const struct builder *b, const char *first)
{
	section_column(b->out, first, false);
	section_column(b->out, "operations", true);
	section_column(b->out, "a second", true);
	section_column(b->out, "success", true);
	section_column(b->out, "response p50", true);
	section_column(b->out, "p95", true);
	section_column(b->out, "p99", true);
	section_column(b->out, "service p99", true);
}

static void add_load_row(const struct builder *b, const char *name, const struct record_load *load)
{
	section_label(b->out, name);
	section_integer(b->out, load->operations);
	section_value(b->out, METRIC_COUNT, load->rate_per_second);
	section_value(b->out, METRIC_RATIO, record_success(load->operations, load->errors));
	section_value(b->out, METRIC_SECONDS, load->response.p50_seconds);
	section_value(b->out, METRIC_SECONDS, load->response.p95_seconds);
	section_value(b->out, METRIC_SECONDS, load->response.p99_seconds);
	section_value(b->out, METRIC_SECONDS, load->service.p99_seconds);
}

static void add_phases(const struct builder *b, size_t side)
{
	const struct record_round *sum = sum_of(b, side);

	section_begin(b->out, "Load by phase%s, all rounds", builder_of_side(b, side));
	load_columns(b, "phase");
	for (size_t i = 0; i < sum->n_phases; i++)
		if (sum->phases[i].has_load)
			add_load_row(b, sum->phases[i].name, &sum->phases[i].load);
	for (size_t i = 0; i < sum->n_phases; i++)
		if (sum->phases[i].has_load && sum->phases[i].load.dropped > 0)
			section_note(b->out, "%s: %lld were never sent, as every user was busy",
				     sum->phases[i].name ? sum->phases[i].name : "?",
				     (long long)sum->phases[i].load.dropped);
	section_end(b->out);
}

static void add_producers(const struct builder *b, size_t side)
{
	const struct record_round *sum = sum_of(b, side);
	size_t shown = b->all || sum->n_producers <= MANY_ROWS ? sum->n_producers : MANY_ROWS;

	section_begin(b->out, "Producers%s, all rounds", builder_of_side(b, side));
	load_columns(b, "producer");
	for (size_t i = 0; i < shown; i++)
		add_load_row(b, sum->producers[i].name, &sum->producers[i].load);
	if (shown < sum->n_producers)
		section_note(b->out, "and %zu more (--all)", sum->n_producers - shown);
	section_end(b->out);
}

static void add_kinds(const struct builder *b, size_t side)
{
	const struct record_round *sum = sum_of(b, side);
	size_t shown = b->all || sum->n_kinds <= MANY_ROWS ? sum->n_kinds : MANY_ROWS;

	section_begin(b->out, "Requests by kind%s, all rounds", builder_of_side(b, side));
	section_column(b->out, "kind", false);
	section_column(b->out, "operations", true);
	section_column(b->out, "success", true);
	section_column(b->out, "rows", true);
	section_column(b->out, "bytes", true);
	/* One kind is all of them. */
	for (size_t i = 0; sum->n_kinds > 1 && i < shown; i++) {
		const struct record_kind *kind = &sum->kinds[i];

		section_label(b->out, kind->name);
		section_integer(b->out, kind->operations);
		section_value(b->out, METRIC_RATIO, record_success(kind->operations, kind->errors));
		section_integer(b->out, kind->rows);
		section_value(b->out, METRIC_BYTES, as_real(kind->bytes));
	}
	if (shown < sum->n_kinds)
		section_note(b->out, "and %zu more (--all)", sum->n_kinds - shown);
	section_end(b->out);
}

void builder_add_load(const struct builder *b)
{
	add_totals(b);
	add_errors(b);
	for (size_t side = 0; side < sides_of(b); side++) {
		add_phases(b, side);
		add_kinds(b, side);
		add_producers(b, side);
	}
}

/* --- faults -------------------------------------------------------------------------- */

static void add_fault_rows(const struct builder *b)
{
	for (size_t i = 0; i < b->rec->n_rounds; i++)
		for (size_t j = 0; j < b->rec->rounds[i].n_faults; j++) {
			const struct record_fault *fault = &b->rec->rounds[i].faults[j];

			add_round_cells(b, &b->rec->rounds[i]);
			section_label(b->out, fault->name);
			section_cell(b->out, fault->kind);
			section_value(b->out, METRIC_SECONDS, fault->applied_at);
			section_value(b->out, METRIC_SECONDS, fault->ended_at);
			section_cell(b->out, fault->verified ? "yes" : "NO");
			section_cell(b->out, fault->undone ? "yes" : "NO");
		}
}

static void add_recoveries(const struct builder *b)
{
	section_begin(b->out, "Recovery");
	round_columns(b);
	section_column(b->out, "fault", false);
	section_column(b->out, "last good", true);
	section_column(b->out, "outage", true);
	section_column(b->out, "p95 before", true);
	section_column(b->out, "p95 as before after", true);
	for (size_t i = 0; i < b->rec->n_rounds; i++)
		for (size_t j = 0; j < b->rec->rounds[i].n_recovery; j++) {
			const struct record_recovery *recovery = &b->rec->rounds[i].recovery[j];

			add_round_cells(b, &b->rec->rounds[i]);
			section_label(b->out, recovery->fault);
			section_value(b->out, METRIC_SECONDS, recovery->last_good_seconds);
			section_value(b->out, METRIC_SECONDS, recovery->outage_seconds);
			section_value(b->out, METRIC_SECONDS, recovery->normal_p95_seconds);
			section_value(b->out, METRIC_SECONDS, recovery->p95_normal_after_seconds);
		}
	section_end(b->out);
}

void builder_add_faults(const struct builder *b)
{
	section_begin(b->out, "Faults");
	round_columns(b);
	section_column(b->out, "fault", false);
	section_column(b->out, "kind", false);
	section_column(b->out, "began", true);
	section_column(b->out, "ended", true);
	section_column(b->out, "took effect", false);
	section_column(b->out, "undone", false);
	add_fault_rows(b);
	for (size_t i = 0; i < b->rec->n_rounds; i++)
		for (size_t j = 0; j < b->rec->rounds[i].n_faults; j++)
			if (b->rec->rounds[i].faults[j].error)
				section_note(b->out, "%s: %s",
					     b->rec->rounds[i].faults[j].name
						     ? b->rec->rounds[i].faults[j].name
						     : "?",
					     b->rec->rounds[i].faults[j].error);
	section_end(b->out);
	add_recoveries(b);
}

/* --- side metrics -------------------------------------------------------------------- */

void builder_add_side_metrics(const struct builder *b)
{
	static const char prefix[] = "side_metrics.";
	char cell[SUMMARY_CELL_MAX];

	section_begin(b->out, "Side metrics: median (range); nothing is judged by them");
	builder_side_columns(b, false);
	for (size_t i = 0; i < b->rec->n_comparison; i++) {
		const struct record_comparison *c = &b->rec->comparison[i];

		if (!c->metric || strncmp(c->metric, prefix, strlen(prefix)) != 0)
			continue;
		section_label(b->out, c->metric + strlen(prefix));
		section_cell(b->out,
			     summary_cell(cell, METRIC_COUNT, c->a_median, c->a_min, c->a_max));
		if (b->summary->two_sided)
			section_cell(b->out, summary_cell(cell, METRIC_COUNT, c->b_median, c->b_min,
							  c->b_max));
	}
	section_end(b->out);
}
