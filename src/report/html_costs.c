/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html: the table of metrics, with B/A and its interval drawn on one axis. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "report/costs.h"
#include "report/html.h"

#define AXIS_WIDTH  200
#define AXIS_PAD    14
#define ROW_HEIGHT  22
#define HEAD_HEIGHT 20
/* The axis reaches as far as the headline rows do, within these. */
#define LEAST_REACH 1.1
#define MOST_REACH  8.5

/* A common axis of ln(B/A), as far to the left as to the right. */
struct axis {
	double reach;
};

static double reach_of(const struct record_comparison *c)
{
	const double values[] = {c->ratio, c->ci_low, c->ci_high};
	double reach = 0;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i] > 0 && isfinite(values[i]))
			reach = fmax(reach, fabs(log(values[i])));
	return reach;
}

static struct axis find_axis(const struct html *html)
{
	const struct record *rec = html->rec;
	double reach = log(LEAST_REACH);

	for (size_t i = 0; i < rec->n_comparison; i++)
		if (summary_row(rec, &rec->comparison[i], false).shown)
			reach = fmax(reach, reach_of(&rec->comparison[i]));
	if (rec->statistics.margin > 0 && rec->statistics.margin < 1)
		reach = fmax(reach, -1.5 * log1p(-rec->statistics.margin));
	return (struct axis){fmin(reach * 1.08, log(MOST_REACH))};
}

static double x_of(const struct axis *axis, double ratio)
{
	double at = log(ratio) / axis->reach;

	return AXIS_WIDTH / 2.0 + fmax(-1, fmin(1, at)) * (AXIS_WIDTH / 2.0 - AXIS_PAD);
}

static bool is_beyond(const struct axis *axis, double ratio)
{
	return fabs(log(ratio)) > axis->reach * (1 + 1e-9);
}

/* At most two marks on each side of 1: the largest round number within reach, and about its root.
 */
static size_t find_marks(const struct axis *axis, double marks[2])
{
	static const double steps[] = {1.02, 1.05, 1.1, 1.2, 1.5, 2, 3, 4, 5, 8, 10, 16};
	size_t n = sizeof(steps) / sizeof(steps[0]), last = n;

	for (size_t i = 0; i < n; i++)
		if (log(steps[i]) <= axis->reach)
			last = i;
	if (last == n)
		return 0;
	marks[0] = steps[last];
	for (size_t i = last; i-- > 0;)
		if (log(steps[i]) <= log(steps[last]) * 0.55 &&
		    log(steps[i]) >= axis->reach * 0.35) {
			marks[1] = steps[i];
			return 2;
		}
	return 1;
}

static void put_margin(const struct html *html, const struct axis *axis, int height)
{
	double margin = html->rec->statistics.margin, left, right;

	if (margin > 0 && margin < 1) {
		left = x_of(axis, 1 - margin);
		right = x_of(axis, 1 + margin);
		fprintf(html->out,
			"<rect class=\"margin\" x=\"%.1f\" width=\"%.1f\" height=\"%d\"/>", left,
			right - left, height);
	}
	fprintf(html->out, "<path class=\"one\" d=\"M%.1f 0v%d\"/>", AXIS_WIDTH / 2.0, height);
}

static void put_mark(FILE *out, const struct axis *axis, double ratio)
{
	fprintf(out, "<text x=\"%.1f\" y=\"12\">%.*g\xc3\x97</text>", x_of(axis, ratio),
		ratio < 1 ? 2 : 3, ratio);
}

static void put_axis(const struct html *html, const struct axis *axis)
{
	double marks[2];
	size_t n = find_marks(axis, marks);

	fprintf(html->out,
		"<svg class=\"axis\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"aria-hidden=\"true\">",
		AXIS_WIDTH, HEAD_HEIGHT, AXIS_WIDTH, HEAD_HEIGHT);
	put_mark(html->out, axis, 1);
	for (size_t i = 0; i < n; i++) {
		put_mark(html->out, axis, marks[i]);
		put_mark(html->out, axis, 1 / marks[i]);
	}
	fputs("</svg>", html->out);
}

/* An arrow at the edge that it points beyond. */
static void put_edge(FILE *out, const struct axis *axis, double ratio)
{
	double x = x_of(axis, ratio), tip = ratio < 1 ? -6 : 6;

	if (is_beyond(axis, ratio))
		fprintf(out, "<path class=\"edge\" d=\"M%.1f %dl%g 4.5l%g 4.5z\"/>", x,
			ROW_HEIGHT / 2 - 4, tip, -tip);
}

static bool is_different(const struct record_comparison *c)
{
	return !strcmp(c->verdict, "B_lower") || !strcmp(c->verdict, "B_higher");
}

static const char *class_of(const struct record *rec, const struct record_comparison *c)
{
	if (!c->verdict)
		return "none";
	/* Neither is better, unless a gate was asked for. */
	if (is_different(c) && c->exploratory && !compare_has_direction(rec, c->metric))
		return "different";
	if (!strcmp(c->verdict, "B_lower"))
		return c->lower_is_better ? "better" : "worse";
	if (!strcmp(c->verdict, "B_higher"))
		return c->lower_is_better ? "worse" : "better";
	return !strcmp(c->verdict, "equivalent") ? "same" : "open";
}

static void put_interval(const struct html *html, const struct axis *axis,
			 const struct record_comparison *c)
{
	FILE *out = html->out;
	char ratio[32], low[32], high[32];
	bool has_interval = c->ci_low > 0 && isfinite(c->ci_high);

	if (!(c->ratio > 0) || !isfinite(c->ratio))
		return;
	fprintf(out,
		"<svg class=\"%s\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"B/A %s",
		class_of(html->rec, c), AXIS_WIDTH, ROW_HEIGHT, AXIS_WIDTH, ROW_HEIGHT,
		summary_ratio(ratio, sizeof(ratio), c->ratio));
	if (has_interval)
		fprintf(out, ", interval %s to %s", summary_ratio(low, sizeof(low), c->ci_low),
			summary_ratio(high, sizeof(high), c->ci_high));
	fputs("\">", out);
	put_margin(html, axis, ROW_HEIGHT);
	if (has_interval) {
		fprintf(out, "<path class=\"interval\" d=\"M%.1f %dH%.1f\"/>",
			x_of(axis, c->ci_low), ROW_HEIGHT / 2, x_of(axis, c->ci_high));
		put_edge(out, axis, c->ci_low);
		put_edge(out, axis, c->ci_high);
	}
	if (is_beyond(axis, c->ratio))
		put_edge(out, axis, c->ratio);
	else
		fprintf(out, "<circle cx=\"%.1f\" cy=\"%d\" r=\"4\"/>", x_of(axis, c->ratio),
			ROW_HEIGHT / 2);
	fputs("</svg>", out);
}

static void put_verdict(const struct html *html, const struct record_comparison *c)
{
	FILE *out = html->out;
	const char *class = class_of(html->rec, c);
	char pairs[32];

	fprintf(out, "<td class=\"verdict %s\">%s", class, costs_verdict(c));
	if (!strcmp(class, "better") || !strcmp(class, "worse"))
		fprintf(out, " <small>B is %s</small>", class);
	else if (!strcmp(class, "open"))
		fputs(" <small>inconclusive</small>", out);
	if (!strcmp(class, "open") && c->pairs_needed > 0)
		fprintf(out, " <small>(about %s pairs would tell)</small>",
			summary_integer(pairs, sizeof(pairs), c->pairs_needed));
	fputs("</td>", out);
}

/* B/A, and its interval less loudly. */
static void put_ratio(const struct html *html, const struct record_comparison *c)
{
	FILE *out = html->out;
	char ratio[32], interval[COSTS_CELL_MAX];

	fputs("<td class=\"n\">", out);
	html_text(out, summary_ratio(ratio, sizeof(ratio), c->ratio));
	costs_interval(interval, html->rec, c);
	/* Where all pairs are alike there is none. */
	if (strcmp(interval, "-") != 0 && (c->difference_low != 0 || c->difference_high != 0)) {
		fputs(" <small>(", out);
		html_text(out, interval);
		fputs(")</small>", out);
	}
	fputs("</td>", out);
}

/* The median, and the range of the rounds less loudly. */
static void put_median(FILE *out, enum metric_kind kind, double median, double min, double max)
{
	char cell[SUMMARY_CELL_MAX], *range;

	summary_cell(cell, kind, median, min, max);
	range = strstr(cell, " (");
	if (range)
		*range++ = '\0';
	fputs("<td class=\"n\">", out);
	html_text(out, cell);
	if (range) {
		fputs(" <small>", out);
		html_text(out, range);
		fputs("</small>", out);
	}
	fputs("</td>", out);
}

static void put_row(const struct html *html, const struct axis *axis,
		    const struct record_comparison *c)
{
	struct summary_row row = summary_row(html->rec, c, true);
	bool is_headline = summary_row(html->rec, c, false).shown;
	bool is_gated = !c->exploratory && c->verdict;
	FILE *out = html->out;

	fprintf(out, "<tr%s><th scope=\"row\"%s>", is_headline ? "" : " class=\"more\"",
		is_gated ? " class=\"gated\"" : "");
	html_text(out, row.label);
	fputs("</th>", out);
	put_median(out, row.kind, c->a_median, c->a_min, c->a_max);
	if (html->summary->two_sided) {
		put_median(out, row.kind, c->b_median, c->b_min, c->b_max);
		put_ratio(html, c);
		fputs("<td class=\"drawn\">", out);
		put_interval(html, axis, c);
		fputs("</td>", out);
		put_verdict(html, c);
	}
	fputs("</tr>\n", out);
}

static void put_head(const struct html *html, const struct axis *axis)
{
	FILE *out = html->out;

	html_table_begin(out, "What it cost: medians over the rounds");
	html_head_cell(out, "metric", false);
	html_side_head(html);
	if (html->summary->two_sided) {
		html_head_cell(out, "B/A", true);
		fputs("<th scope=\"col\" class=\"drawn\"><span class=\"unseen\">B/A drawn, with "
		      "its "
		      "interval</span>",
		      out);
		put_axis(html, axis);
		fputs("</th>", out);
		html_head_cell(out, "verdict", false);
	}
	html_table_body(out);
}

static void put_remark(FILE *out, const char *text)
{
	if (text) {
		fputs("<li>", out);
		html_text(out, text);
		fputs("</li>\n", out);
	}
}

static int put_reading(const struct html *html)
{
	char *note = sections_percentile_note(html->rec, true), *notes[COSTS_MAX_NOTES];
	int n = costs_notes(html->rec, notes);

	fputs("<ul class=\"notes\">", html->out);
	put_remark(html->out, "Median over the rounds, and their range.");
	if (costs_have_intervals(html->rec))
		put_remark(html->out, "Drawn: a dot for B/A and a bar for its interval, on one "
				      "logarithmic axis; shaded: the margin. Names of metrics that "
				      "a gate is on are bold.");
	for (int i = 0; i < n; i++) {
		put_remark(html->out, notes[i]);
		free(notes[i]);
	}
	put_remark(html->out, note);
	fputs("</ul>\n", html->out);
	free(note);
	return n < 0 ? -1 : 0;
}

/* What the drawing stands on, in numbers. */
static void put_statistics(const struct html *html)
{
	static const char *const columns[] = {"pairs", "B/A",        "low", "high",
					      "p",     "p, by Holm", "MDE", "outlying rounds"};
	const struct record *rec = html->rec;
	FILE *out = html->out;

	html_figures_begin(out, "Statistics of each metric");
	html_head_cell(out, "metric", false);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		html_head_cell(out, columns[i], true);
	html_table_body(out);
	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *c = &rec->comparison[i];
		const double ratios[] = {c->ratio, c->ci_low, c->ci_high};
		const double chances[] = {c->p, c->p_adjusted};
		char text[32];

		html_row(out, summary_row(rec, c, true).label);
		html_cell_integer(out, c->n);
		for (size_t j = 0; j < 3; j++) {
			snprintf(text, sizeof(text), "%.4g", ratios[j]);
			html_cell(out, isfinite(ratios[j]) ? text : "-", true);
		}
		for (size_t j = 0; j < 2; j++) {
			snprintf(text, sizeof(text), "%.3g", chances[j]);
			html_cell(out, isfinite(chances[j]) ? text : "-", true);
		}
		html_cell_value(out, METRIC_RATIO, c->mde);
		html_cell_integer(out, c->outliers);
		fputs("</tr>\n", out);
	}
	html_figures_end(out);
}

int html_put_costs(const struct html *html)
{
	const struct record *rec = html->rec;
	int rc;
	struct axis axis = find_axis(html);

	fputs("<section id=\"cost\"><h2>What it cost</h2>\n"
	      "<input type=\"checkbox\" id=\"all\"><label for=\"all\">All metrics</label>\n",
	      html->out);
	put_head(html, &axis);
	for (size_t i = 0; i < rec->n_comparison; i++)
		put_row(html, &axis, &rec->comparison[i]);
	html_table_end(html->out);
	rc = put_reading(html);
	if (html->summary->two_sided)
		put_statistics(html);
	fputs("</section>\n", html->out);
	return rc;
}
