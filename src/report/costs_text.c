/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of costs on a terminal. */
#include <stdlib.h>

#include "report/costs.h"
#include "report/section.h"

struct costs_text {
	const struct record *rec;
	const struct summary *summary;
	FILE *out;
	const struct text_style *style;
	bool all;
};

/* The columns of the table of costs, as far as there is something for them. */
struct cost_columns {
	bool ranges, intervals, detectable;
	size_t n;
	struct table_column columns[7];
};

static void cost_column(struct cost_columns *costs, const char *title, bool right)
{
	costs->columns[costs->n++] = (struct table_column){title, right};
}

static void choose_cost_columns(const struct costs_text *text, struct cost_columns *costs,
				bool ranges)
{
	bool two = text->summary->two_sided;

	*costs = (struct cost_columns){
		.ranges = ranges,
		.intervals = two && costs_have_intervals(text->rec),
		.detectable = two && text->all,
	};
	cost_column(costs, "", false);
	if (!two) {
		cost_column(costs, "median (range)", true);
		return;
	}
	cost_column(costs, ranges ? "A: median (range)" : "A: median", true);
	cost_column(costs, ranges ? "B: median (range)" : "B: median", true);
	cost_column(costs, "B/A", true);
	if (costs->intervals) {
		cost_column(costs, "interval", true);
		cost_column(costs, "verdict", false);
	}
	if (costs->detectable)
		cost_column(costs, "could show", true);
}

static void add_median(const struct cost_columns *costs, struct table *table, enum metric_kind kind,
		       double median, double min, double max)
{
	char cell[SUMMARY_CELL_MAX];

	if (costs->ranges)
		summary_cell(cell, kind, median, min, max);
	else
		summary_value(cell, sizeof(cell), kind, median);
	table_add(table, cell);
}

static void add_cost_row(const struct costs_text *text, const struct cost_columns *costs,
			 struct table *table, const struct record_comparison *c)
{
	struct summary_row row = summary_row(text->rec, c, text->all);
	char cell[COSTS_CELL_MAX];

	if (!row.shown)
		return;
	table_add(table, row.label);
	add_median(costs, table, row.kind, c->a_median, c->a_min, c->a_max);
	if (!text->summary->two_sided)
		return;
	add_median(costs, table, row.kind, c->b_median, c->b_min, c->b_max);
	table_add(table, summary_ratio(cell, sizeof(cell), c->ratio));
	if (costs->intervals) {
		table_add(table, costs_interval(cell, text->rec, c));
		table_add(table, costs_verdict(c));
	}
	if (costs->detectable)
		table_add(table, costs_detectable(cell, c));
}

static struct table *cost_table(const struct costs_text *text, struct cost_columns *costs,
				bool ranges)
{
	struct table *table;

	choose_cost_columns(text, costs, ranges);
	table = table_new(costs->columns, costs->n);
	for (size_t i = 0; i < text->rec->n_comparison; i++)
		add_cost_row(text, costs, table, &text->rec->comparison[i]);
	return table;
}

static int print_cost_notes(const struct costs_text *text)
{
	char *percentiles = sections_percentile_note(text->rec, text->all);
	char *notes[COSTS_MAX_NOTES];
	int n = costs_notes(text->rec, notes);

	if (percentiles)
		paragraph_print(text->out, text->style, 2, percentiles);
	free(percentiles);
	for (int i = 0; i < n; i++) {
		paragraph_print(text->out, text->style, 2, notes[i]);
		free(notes[i]);
	}
	return n < 0 ? -1 : 0;
}

int costs_print(const struct record *rec, const struct summary *summary, FILE *out,
		const struct text_style *style, bool all)
{
	const struct costs_text view = {rec, summary, out, style, all}, *text = &view;
	struct cost_columns costs;
	struct table *table = cost_table(text, &costs, true);
	size_t width = (size_t)style->width;
	int failed;

	/* What the pairs say goes before how far the rounds lie apart. */
	if (costs.intervals && width && table_width(table) > width) {
		table_free(table);
		table = cost_table(text, &costs, false);
	}
	heading_print(out, style, "What it cost");
	if (summary->invalid)
		paragraph_print(out, style, 0, "The medians are over all rounds, valid or not.");
	failed = table_print(table, out, style);
	table_free(table);
	return failed ? -1 : print_cost_notes(text);
}
