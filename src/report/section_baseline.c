/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The run against an earlier one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/baseline.h"
#include "report/builder.h"

static bool is_verdict(const struct record_regression *row, const char *verdict)
{
	return row->verdict && !strcmp(row->verdict, verdict);
}

/* What no gate is on is worth a row where it has changed. */
static bool is_shown(const struct builder *b, const struct record_regression *row)
{
	return b->all || row->gate || is_verdict(row, "regressed") || is_verdict(row, "improved");
}

static void add_ratio(const struct builder *b, const struct record_regression *row)
{
	char ratio[32];

	section_cell(b->out, summary_ratio(ratio, sizeof(ratio), row->ratio));
	if (isnan(row->ci_low) || isnan(row->ci_high))
		section_cell(b->out, "-");
	else
		section_cellf(b->out, "%.3g\u2013%.3g", row->ci_low, row->ci_high);
}

static void add_p(const struct builder *b, double p)
{
	if (isnan(p))
		section_cell(b->out, "-");
	else
		section_cellf(b->out, "%.2g", p);
}

static void add_row(const struct builder *b, const struct record_regression *row)
{
	const struct metric *metric = metric_find(row->metric);
	enum metric_kind kind = metric ? metric->kind : summary_kind(row->unit);

	if (b->summary->two_sided)
		section_cell(b->out, row->side == SIDE_A ? "A" : "B");
	section_label(b->out, metric ? metric->label : row->metric ? row->metric : "?");
	section_value(b->out, kind, row->base_median);
	section_value(b->out, kind, row->new_median);
	add_ratio(b, row);
	add_p(b, row->gate ? row->p_adjusted : row->p);
	if (is_verdict(row, "regressed"))
		section_cellf(b->out, "%s, %s%s", row->gate ? "REGRESSED" : "regressed",
			      row->severity ? row->severity : "?", row->gate ? "" : " (no gate)");
	else
		section_cellf(b->out, "%s%s", row->verdict ? row->verdict : "?",
			      row->gate ? "" : " (no gate)");
}

static void add_origin(const struct builder *b, const struct record_baseline *baseline)
{
	section_note(b->out,
		     "Earlier run: %s%s%s%s%s; p by Mann-Whitney, of gated metrics by Holm; rows "
		     "without "
		     "a gate are exploratory.",
		     baseline->path ? baseline->path : "?", baseline->started_at ? ", of " : "",
		     baseline->started_at ? baseline->started_at : "",
		     baseline->version ? ", by perfbpf " : "",
		     baseline->version ? baseline->version : "");
	if (!baseline->comparable)
		section_note(b->out,
			     "NOT COMPARABLE: host, scenario or the way of measuring are not the "
			     "same, so all of it is "
			     "exploratory, and no regression fails the run "
			     "(--accept-differences).");
	for (size_t i = 0; i < baseline->n_differences; i++)
		section_note(b->out, "Not the same: %s",
			     baseline->differences[i] ? baseline->differences[i] : "?");
}

void builder_add_baseline(const struct builder *b)
{
	const struct record_baseline *baseline = &b->rec->baseline;

	if (!b->rec->has_baseline)
		return;
	section_begin(b->out, SECTION_BASELINE);
	if (b->summary->two_sided)
		section_column(b->out, "", false);
	section_column(b->out, "metric", false);
	section_column(b->out, "earlier", true);
	section_column(b->out, "now", true);
	section_column(b->out, "now/earlier", true);
	section_column(b->out, "95 % interval", true);
	section_column(b->out, "p", true);
	section_column(b->out, "", false);
	for (size_t i = 0; i < baseline->n_rows; i++)
		if (is_shown(b, &baseline->rows[i]))
			add_row(b, &baseline->rows[i]);
	for (size_t i = 0; i < baseline->n_rows; i++)
		if (baseline->rows[i].gate && !is_verdict(&baseline->rows[i], "unchanged") &&
		    baseline->rows[i].text)
			section_note(b->out, "%s.", baseline->rows[i].text);
	add_origin(b, baseline);
	section_end(b->out);
}
