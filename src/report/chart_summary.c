/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All in one: the seeds' score, CPU against memory, and what B takes of what A takes. */
#include <math.h>
#include <stdlib.h>

#include "report/chart_panel.h"
#include "report/charts.h"
#include "report/summary.h"

#define ROW_HEIGHT  20
#define MANY_RATIOS 20
#define RATIO_LEFT  210 /* room for the names of metrics */
#define RATIO_RIGHT 150 /* and for the figures */
#define MANY_POINTS 2000
#define PLOT_HEIGHT 150

static double get_cpu(const struct record_round *round)
{
	return round->cpu.utilization_avg;
}

static double get_memory(const struct record_round *round)
{
	return round->memory.rss_avg_bytes;
}

static double get_score(const struct record_round *round)
{
	return metric_find("score.composite")->get(round);
}

static const struct chart_measure score = {"score", METRIC_COUNT, "", get_score};

static bool has_summary(const struct record *rec)
{
	return chart_has_measure(rec, &score);
}

static int describe_summary(const struct record *rec, FILE *out)
{
	if (rec->verdict.text)
		fprintf(out, "%s. ", rec->verdict.text);
	return chart_describe(out, rec, &score);
}

static double largest(const struct record *rec, double (*get)(const struct record_round *round))
{
	double most = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		double value = get(&rec->rounds[i]);

		if (isfinite(value))
			most = fmax(most, value);
	}
	return most;
}

struct place {
	double x, y; /* NAN: nowhere */
};

/* Its letter would stand on the other's. */
static bool is_beside(struct place a, struct place b)
{
	return fabs(a.x - b.x) < 14 && fabs(a.y - b.y) < 14;
}

/* The medians of a side, with its letter above, or below where it is at @other, and where that is.
 */
static int put_centre(struct chart *chart, const struct record *rec, const struct chart_plot *plot,
		      enum side side, struct place other, struct place *at)
{
	struct chart_sample cpu, memory;
	int rc = chart_sample_take(&cpu, rec, side, get_cpu);

	rc |= chart_sample_take(&memory, rec, side, get_memory);
	if (!rc && cpu.n && memory.n) {
		*at = (struct place){chart_axis_place(&plot->x, cpu.median),
				     chart_axis_place(&plot->y, memory.median)};
		chart_mark(chart, side, "", at->x, at->y, 5);
		chart_text(chart, side == SIDE_A ? "tag a" : "tag b", CHART_MIDDLE, at->x,
			   at->y + (is_beside(*at, other) ? 18 : -10), side == SIDE_A ? "A" : "B");
	}
	chart_sample_clear(&cpu);
	chart_sample_clear(&memory);
	return rc;
}

static int put_scatter(struct chart *chart, const struct record *rec)
{
	struct chart_plot plot = {
		.left = 354, .top = chart->y + 40, .width = 468, .height = PLOT_HEIGHT};
	struct place a = {NAN, NAN}, b = {NAN, NAN};
	char title[120];
	size_t step = rec->n_rounds / MANY_POINTS + 1;
	int rc;

	chart_axis_linear(&plot.x, METRIC_RATIO, 0, largest(rec, get_cpu), 6);
	chart_axis_linear(&plot.y, METRIC_BYTES, 0, largest(rec, get_memory), 4);
	chart_plot_place(&plot);
	snprintf(title, sizeof(title), "Average memory, %s, against average CPU, %%", plot.y.unit);
	chart_plot_title(chart, &plot, 8, title);
	chart_grid_y(chart, &plot);
	chart_grid_x(chart, &plot);
	for (size_t i = 0; i < rec->n_rounds; i += step)
		chart_mark(chart, rec->rounds[i].side, "dot",
			   chart_axis_place(&plot.x, get_cpu(&rec->rounds[i])),
			   chart_axis_place(&plot.y, get_memory(&rec->rounds[i])), 2.5);
	rc = put_centre(chart, rec, &plot, SIDE_A, b, &a);
	return put_centre(chart, rec, &plot, SIDE_B, a, &b) || rc ? -1 : 0;
}

/* Ratios that can be drawn, and how far they reach. */
struct ratios {
	size_t n, left_out;
	const struct record_comparison *rows[MANY_RATIOS];
	const char *labels[MANY_RATIOS];
	double low, high;
	bool intervals;
};

static void widen(struct ratios *ratios, double value)
{
	if (!(value > 0) || !isfinite(value))
		return;
	ratios->low = fmin(ratios->low, value);
	ratios->high = fmax(ratios->high, value);
}

static void find_ratios(struct ratios *ratios, const struct record *rec)
{
	*ratios = (struct ratios){.low = 1, .high = 1};
	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *c = &rec->comparison[i];
		struct summary_row row = summary_row(rec, c, false);

		if (!row.shown || !(c->ratio > 0) || !isfinite(c->ratio) ||
		    metric_is_score(c->metric))
			continue;
		if (ratios->n == MANY_RATIOS) {
			ratios->left_out++;
			continue;
		}
		ratios->labels[ratios->n] = row.label;
		ratios->rows[ratios->n++] = c;
		widen(ratios, c->ratio);
		widen(ratios, c->ci_low);
		widen(ratios, c->ci_high);
		ratios->intervals |= c->ci_low > 0 && c->ci_high > 0;
	}
	/* What is far off is cut at the edge: the figures say where it is. */
	ratios->low = fmax(ratios->low * 0.95, 1e-3);
	ratios->high = fmin(ratios->high * 1.05, 1e3);
}

/* Three digits. */
static void format_ratio(char buf[16], double ratio)
{
	snprintf(buf, 16,
		 ratio < 0.1 || ratio >= 1e4 ? "%.2g"
		 : ratio < 9.995             ? "%.2f"
					     : "%.0f",
		 ratio);
}

static void put_ratio(struct chart *chart, const struct chart_plot *plot, double y,
		      const char *label, const struct record_comparison *c)
{
	double x = chart_axis_place(&plot->x, c->ratio);
	bool known = c->ci_low > 0 && c->ci_high > 0;
	char cut[160], ratio[16], low[16], high[16];

	chart_text(chart, "legend", CHART_END, plot->left - 10, y + 4,
		   chart_cut(cut, sizeof(cut), label, 28));
	if (known) {
		double from = chart_axis_place(&plot->x, c->ci_low);
		double to = chart_axis_place(&plot->x, c->ci_high);

		chart_rule(chart, "range", from, y, to, y);
		chart_rule(chart, "range", from, y - 4, from, y + 4);
		chart_rule(chart, "range", to, y - 4, to, y + 4);
	}
	chart_mark(chart, SIDE_B, "", x, y, 3.6);
	format_ratio(ratio, c->ratio);
	format_ratio(low, c->ci_low);
	format_ratio(high, c->ci_high);
	chart_textf(chart, "number", CHART_START, plot->left + plot->width + 12, y + 4,
		    known ? "%s× (%s–%s)" : "%s×", ratio, low, high);
}

static void note_intervals(struct chart *chart, const struct record *rec)
{
	double confidence = rec->statistics.confidence, margin = rec->statistics.margin;
	char text[200], level[16] = "", equal[80] = "";

	if (confidence > 0 && confidence < 1)
		snprintf(level, sizeof(level), "%.3g %% ", confidence * 100);
	if (margin > 0 && margin < 1)
		snprintf(equal, sizeof(equal), " Shaded: ratios that count as equal (±%.3g %%).",
			 margin * 100);
	snprintf(text, sizeof(text),
		 "Whiskers are %sintervals of the ratio: one that holds 1 leaves it open which is "
		 "more.%s",
		 level, equal);
	chart_note(chart, text);
}

static void put_ratios(struct chart *chart, const struct record *rec)
{
	struct chart_plot plot;
	struct ratios ratios;
	char more[80];
	double one;

	find_ratios(&ratios, rec);
	if (!ratios.n)
		return;
	plot = (struct chart_plot){.left = RATIO_LEFT,
				   .top = chart->y + 30,
				   .width = CHART_WIDTH - RATIO_LEFT - RATIO_RIGHT,
				   .height = ROW_HEIGHT * (double)ratios.n + 4};
	chart_axis_log(&plot.x, METRIC_COUNT, ratios.low, ratios.high);
	chart_plot_place(&plot);
	chart_text(chart, "head", CHART_START, CHART_EDGE, plot.top - 12, "B as a multiple of A");
	if (ratios.intervals && rec->statistics.margin > 0)
		chart_rect(chart, "phase", chart_axis_place(&plot.x, 1 - rec->statistics.margin),
			   plot.top,
			   chart_axis_place(&plot.x, 1 + rec->statistics.margin) -
				   chart_axis_place(&plot.x, 1 - rec->statistics.margin),
			   plot.height);
	chart_grid_x(chart, &plot);
	one = chart_axis_place(&plot.x, 1);
	chart_rule(chart, "one", one, plot.top, one, plot.top + plot.height);
	for (size_t i = 0; i < ratios.n; i++)
		put_ratio(chart, &plot, plot.top + ROW_HEIGHT * ((double)i + 0.5) + 2,
			  ratios.labels[i], ratios.rows[i]);
	chart->y = plot.top + plot.height + 28;
	if (ratios.intervals)
		note_intervals(chart, rec);
	if (ratios.left_out) {
		snprintf(more, sizeof(more), "%zu more ratios are in the tables of the reports.",
			 ratios.left_out);
		chart_note(chart, more);
	}
}

static int draw_summary(const struct record *rec, struct chart *chart)
{
	int rc = chart_put_bars(chart, rec, (struct chart_cell){0, 3}, "Score (less is better)",
				&score);

	rc |= put_scatter(chart, rec);
	chart->y += CHART_ROW_HEIGHT;
	put_ratios(chart, rec);
	chart_note(chart,
		   "Score: average CPU in % of one core + average RSS in MiB / 10, wake's "
		   "arbitrary sum; it decides nothing. Small marks are rounds, large ones their "
		   "medians.");
	chart_note_bars(chart, rec);
	return rc ? -1 : 0;
}

const struct chart_kind chart_summary = {
	.name = "performance_summary",
	.title = "Performance summary",
	.has_data = has_summary,
	.describe = describe_summary,
	.draw = draw_summary,
};
