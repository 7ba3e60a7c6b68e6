/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.html: the rounds beside each other, as box plots of the headline metrics and as CPU
 * against memory. A box is from quartile to quartile with the median in it; whiskers reach
 * to the farthest round within 1.5 times the box's length (Tukey 1977), and each round is a dot.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "report/chart_data.h"
#include "report/html.h"
#include "stats/stats.h"

#define BOX_WIDTH 320
#define BOX_PAD   8
#define BOX_LANE  26
#define BOX_FOOT  16
/* More dots are a smear. */
#define MOST_DOTS  120
#define MOST_BOXES 18
#define WHISKER    1.5

/* A metric over the rounds of a side. */
struct spread {
	size_t n;
	double *sorted;
	double q1, median, q3, low, high;
};

static int find_spread(struct spread *spread, const struct record *rec, const struct metric *metric,
		       size_t side)
{
	double reach;

	*spread = (struct spread){.sorted = calloc(rec->n_rounds + 1, sizeof(double))};
	if (!spread->sorted)
		return -1;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		double value =
			(size_t)rec->rounds[i].side == side ? metric->get(&rec->rounds[i]) : NAN;

		if (isfinite(value))
			spread->sorted[spread->n++] = value;
	}
	if (!spread->n)
		return 0;
	qsort(spread->sorted, spread->n, sizeof(double), chart_compare);
	spread->q1 = chart_quantile(spread->sorted, spread->n, 0.25);
	spread->median = chart_quantile(spread->sorted, spread->n, 0.5);
	spread->q3 = chart_quantile(spread->sorted, spread->n, 0.75);
	reach = WHISKER * (spread->q3 - spread->q1);
	spread->low = spread->q1;
	spread->high = spread->q3;
	for (size_t i = 0; i < spread->n; i++) {
		if (spread->sorted[i] >= spread->q1 - reach)
			spread->low = fmin(spread->low, spread->sorted[i]);
		if (spread->sorted[i] <= spread->q3 + reach)
			spread->high = fmax(spread->high, spread->sorted[i]);
	}
	return 0;
}

struct scale {
	double from, to;
};

static double x_of(const struct scale *scale, double value)
{
	return BOX_PAD +
	       (value - scale->from) / (scale->to - scale->from) * (BOX_WIDTH - 2.0 * BOX_PAD);
}

static void put_box(FILE *out, const struct scale *scale, const struct spread *spread, size_t side,
		    enum metric_kind kind)
{
	double y = BOX_LANE * ((double)side + 0.5), q1 = x_of(scale, spread->q1),
	       q3 = x_of(scale, spread->q3), median = x_of(scale, spread->median);

	fprintf(out, "<g class=\"side %c\"><title>%c: median ", side == SIDE_A ? 'a' : 'b',
		html_letter(side));
	html_value(out, kind, spread->median);
	fputs(", quartiles ", out);
	html_value(out, kind, spread->q1);
	fputs(" and ", out);
	html_value(out, kind, spread->q3);
	fprintf(out, ", %zu rounds</title>", spread->n);
	fprintf(out, "<path class=\"whisker\" d=\"M%.1f %gH%.1fM%.1f %gv8M%.1f %gv8\"/>",
		x_of(scale, spread->low), y, x_of(scale, spread->high), x_of(scale, spread->low),
		y - 4, x_of(scale, spread->high), y - 4);
	fprintf(out, "<rect x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"14\" rx=\"2\"/>", q1, y - 7,
		fmax(q3 - q1, 1));
	for (size_t i = 0; spread->n <= MOST_DOTS && i < spread->n; i++)
		fprintf(out, "<circle cx=\"%.1f\" cy=\"%g\" r=\"2\"/>",
			x_of(scale, spread->sorted[i]), y);
	fprintf(out, "<path class=\"median\" d=\"M%.1f %gv16\"/></g>\n", median, y - 8);
}

static void put_plot(const struct html *html, const char *label, enum metric_kind kind,
		     const struct spread spreads[SIDES], const struct scale *scale)
{
	int lanes = BOX_LANE * (int)html_sides(html);
	FILE *out = html->out;

	fputs("<figure class=\"box\"><figcaption>", out);
	html_text(out, label);
	fprintf(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
		BOX_WIDTH, lanes + BOX_FOOT);
	html_text(out, label);
	for (size_t side = 0; side < html_sides(html); side++) {
		fprintf(out, ", %c ", html_letter(side));
		html_value(out, kind, spreads[side].n ? spreads[side].median : NAN);
	}
	fputs("\">\n", out);
	fprintf(out, "<path class=\"base\" d=\"M%d %d.5H%d\"/>", BOX_PAD, lanes,
		BOX_WIDTH - BOX_PAD);
	for (size_t side = 0; side < html_sides(html); side++)
		if (spreads[side].n)
			put_box(out, scale, &spreads[side], side, kind);
	fprintf(out, "<text x=\"%d\" y=\"%d\">", BOX_PAD, lanes + 13);
	html_value(out, kind, scale->from);
	fprintf(out, "</text><text class=\"end\" x=\"%d\" y=\"%d\">", BOX_WIDTH - BOX_PAD,
		lanes + 13);
	html_value(out, kind, scale->to);
	fputs("</text></svg></figure>\n", out);
}

static struct scale find_scale(const struct spread spreads[SIDES])
{
	struct scale scale = {NAN, NAN};

	for (size_t side = 0; side < SIDES; side++) {
		const struct spread *spread = &spreads[side];

		if (!spread->n)
			continue;
		scale.from = fmin(scale.from, spread->sorted[0]);
		scale.to = fmax(scale.to, spread->sorted[spread->n - 1]);
	}
	return scale;
}

static int put_metric(const struct html *html, const struct record_comparison *comparison,
		      size_t *shown)
{
	const struct metric *metric = metric_find(comparison->metric);
	struct spread spreads[SIDES] = {{0}};
	struct scale scale;
	int rc = 0;

	if (!metric || *shown >= MOST_BOXES || !summary_row(html->rec, comparison, false).shown)
		return 0;
	for (size_t side = 0; !rc && side < html_sides(html); side++)
		rc = find_spread(&spreads[side], html->rec, metric, side);
	scale = find_scale(spreads);
	/* What is the same in all rounds needs no picture. */
	if (!rc && scale.to > scale.from) {
		put_plot(html, metric->label, metric->kind, spreads, &scale);
		++*shown;
	}
	free(spreads[SIDE_A].sorted);
	free(spreads[SIDE_B].sorted);
	return rc;
}

static void put_point(FILE *out, const struct record_round *round, bool *first)
{
	double memory = round->memory.rss_peak_bytes == RECORD_NONE
				? NAN
				: (double)round->memory.rss_peak_bytes;

	if (!isfinite(round->cpu.total_seconds) || isnan(memory))
		return;
	fprintf(out, "%s{\"side\":%d,\"pair\":%" PRId64 ",\"x\":", *first ? "" : ",\n",
		(int)round->side, round->pair + 1);
	html_json_number(out, round->cpu.total_seconds);
	fputs(",\"y\":", out);
	html_json_number(out, memory);
	putc('}', out);
	*first = false;
}

static void put_scatter(const struct html *html)
{
	FILE *out = html->out;
	bool first = true;

	if (!html_has_library())
		return;
	fputs("<figure class=\"chart\"><figcaption><h3>CPU time against resident set</h3>"
	      "<p class=\"readout\"></p></figcaption>\n"
	      "<div class=\"plot\" role=\"img\" tabindex=\"0\" aria-label=\"CPU time against peak "
	      "resident set, a dot each round; the figures are in the table of rounds\"></div>\n"
	      "<script type=\"application/json\">{\"kind\":\"scatter\",\"points\":[",
	      out);
	for (size_t i = 0; i < html->rec->n_rounds; i++)
		put_point(out, &html->rec->rounds[i], &first);
	fputs("]}</script>\n"
	      "<p class=\"remark\">Across: CPU time of a round; up: its peak resident set. The "
	      "lower "
	      "left is the cheaper.</p></figure>\n",
	      out);
}

static void put_list(const struct html *html)
{
	FILE *out = html->out;

	fputs("<details class=\"figures\"><summary>Figures of each round</summary>\n", out);
	html_table_begin(out, "Figures of each round");
	html_head_cell(out, "round", false);
	html_head_cell(out, "began", false);
	html_head_cell(out, "window", true);
	html_head_cell(out, "CPU time", true);
	html_head_cell(out, "RSS, average", true);
	html_head_cell(out, "RSS, peak", true);
	html_head_cell(out, "valid", false);
	html_table_body(out);
	for (size_t i = 0; i < html->rec->n_rounds; i++) {
		const struct record_round *round = &html->rec->rounds[i];

		fputs("<tr><th scope=\"row\">", out);
		html_tag(out, round->side);
		fprintf(out, " %" PRId64 "</th>", round->pair + 1);
		html_cell(out, round->started_at, false);
		html_cell_value(out, METRIC_SECONDS, round->window_seconds);
		html_cell_value(out, METRIC_SECONDS, round->cpu.total_seconds);
		html_cell_value(out, METRIC_BYTES, round->memory.rss_avg_bytes);
		html_cell_value(out, METRIC_BYTES,
				round->memory.rss_peak_bytes == RECORD_NONE
					? NAN
					: (double)round->memory.rss_peak_bytes);
		html_cell(out, round->validity.valid ? "yes" : "no", false);
		fputs("</tr>\n", out);
	}
	html_figures_end(out);
}

int html_put_rounds(const struct html *html)
{
	size_t shown = 0;
	int rc = 0;

	if (!html->rec->n_rounds)
		return 0;
	fputs("<section id=\"rounds\"><h2>Round by round</h2>\n"
	      "<p class=\"remark\">Box: the middle half of the rounds, line: their median, dots: "
	      "rounds. Each has an axis of its own, which does not begin at 0.</p>\n"
	      "<div class=\"boxes\">\n",
	      html->out);
	for (size_t i = 0; !rc && i < html->rec->n_comparison; i++)
		rc = put_metric(html, &html->rec->comparison[i], &shown);
	fputs("</div>\n", html->out);
	put_scatter(html);
	put_list(html);
	fputs("</section>\n", html->out);
	return rc;
}
