/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart_panel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/summary.h"

#define SMALL_HEIGHT 150
#define BAR_WIDTH    38
#define BOX_LEFT     18 /* of the middle, with the dots on its right */
#define MANY_DOTS    60
#define HEADROOM     1.1  /* for the figure above a bar */
#define LEAST_RANGE  0.02 /* of boxes, as a share of the largest value */
/* Whiskers reach so many boxes far (Tukey 1977). */
#define WHISKER 1.5

char *chart_value(char *buf, size_t size, const struct chart_measure *measure, double value)
{
	char number[48];

	summary_value(number, sizeof(number), measure->kind, value);
	/* The unit as it is written where there is more than ASCII. */
	if (measure->kind == METRIC_SECONDS && strlen(number) > 3 &&
	    !strcmp(number + strlen(number) - 3, " us"))
		strcpy(number + strlen(number) - 2, "µs");
	snprintf(buf, size, "%s%s", number, isnan(value) ? "" : measure->per);
	return buf;
}

bool chart_has_measure(const struct record *rec, const struct chart_measure *measure)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (isfinite(measure->get(&rec->rounds[i])))
			return true;
	return false;
}

int chart_describe(FILE *out, const struct record *rec, const struct chart_measure *measure)
{
	bool any = false;

	for (int side = 0; side < SIDES; side++) {
		struct chart_sample sample;
		char median[64], low[64], high[64];

		if (chart_sample_take(&sample, rec, (enum side)side, measure->get))
			return -1;
		if (sample.n) {
			fprintf(out, "%s%s %s %s", any ? "," : measure->label, any ? "" : ":",
				side == SIDE_A ? "A" : "B",
				chart_value(median, sizeof(median), measure, sample.median));
			if (sample.low < sample.high)
				fprintf(out, " (%s to %s)",
					chart_value(low, sizeof(low), measure, sample.low),
					chart_value(high, sizeof(high), measure, sample.high));
			any = true;
		}
		chart_sample_clear(&sample);
	}
	fputs(any ? ". " : "", out);
	return 0;
}

static void put_subtitle(struct chart *chart, const struct record *rec)
{
	size_t a = chart_rounds(rec, SIDE_A), b = chart_rounds(rec, SIDE_B);
	bool both = chart_has_side(rec, SIDE_B);
	char scenario[200], rounds[80];

	chart_cut(scenario, sizeof(scenario), rec->scenario.name, 60);
	if (both && a != b)
		snprintf(rounds, sizeof(rounds), "%zu rounds of A, %zu of B", a, b);
	else
		snprintf(rounds, sizeof(rounds), "%zu round%s%s", a, a == 1 ? "" : "s",
			 both ? " of each side" : "");
	/* Without a driver the name is of the way to run: "command", "attach". */
	chart_textf(chart, "note", CHART_START, CHART_EDGE, chart->y + 34, "%s%s%s%s",
		    rec->scenario.driver ? "scenario " : "", scenario, *scenario ? ", " : "",
		    rounds);
}

/* Names of sides begin alike where both are command lines: long ones have a line each. */
static void put_legend(struct chart *chart, const struct record *rec)
{
	const double room = CHART_WIDTH / 2.0 - CHART_EDGE - 40;
	bool wide = chart_text_width(chart_side_name(rec, SIDE_A), 12) > room ||
		    chart_text_width(chart_side_name(rec, SIDE_B), 12) > room;
	double x = CHART_EDGE, y = chart->y + 52;
	char name[400];

	for (int side = 0; side < SIDES; side++) {
		if (!chart_has_side(rec, (enum side)side))
			continue;
		chart_mark(chart, (enum side)side, "", x + 6, y, 5);
		chart_textf(chart, "legend", CHART_START, x + 17, y + 4, "%s %s",
			    side == SIDE_A ? "A" : "B",
			    chart_cut(name, sizeof(name), chart_side_name(rec, (enum side)side),
				      wide ? 100 : 50));
		if (wide && side == SIDE_A && chart_has_side(rec, SIDE_B))
			chart->y += 20;
		if (wide)
			y += 20;
		else
			x += 50 + chart_text_width(name, 12);
	}
}

void chart_head(struct chart *chart, const struct record *rec, const char *title)
{
	chart_text(chart, "title", CHART_START, CHART_EDGE, chart->y + 14, title);
	put_subtitle(chart, rec);
	put_legend(chart, rec);
	chart->y += 72;
}

static size_t most_rounds(const struct record *rec)
{
	size_t a = chart_rounds(rec, SIDE_A), b = chart_rounds(rec, SIDE_B);

	return a > b ? a : b;
}

void chart_note_lines(struct chart *chart, const struct record *rec)
{
	const struct record_round *round = chart_phased_round(rec);
	size_t most = most_rounds(rec);

	if (most >= CHART_QUARTILES)
		chart_note(chart, "Lines are medians over the rounds, bands their middle half; a "
				  "line ends where half of the rounds have.");
	else if (most > 1)
		chart_note(chart, "Lines are medians over the rounds, bands from the least to the "
				  "most; a line ends where half of the rounds have.");
	if (round && round->n_faults)
		chart_note(chart, "Shaded in colour: faults.");
}

void chart_note_bars(struct chart *chart, const struct record *rec)
{
	size_t most = most_rounds(rec);

	if (most < 2)
		chart_note(chart, "One round: there is no telling how much another would differ.");
	else
		chart_note(chart,
			   "Bars are medians over the rounds, whiskers the least and the most.");
}

void chart_note_boxes(struct chart *chart, const struct record *rec)
{
	size_t most = most_rounds(rec);

	if (most >= CHART_QUARTILES)
		chart_note(chart, "Boxes are medians and quartiles of the rounds, their whiskers "
				  "the last round within 1.5 boxes; dots are rounds.");
	else if (most > 1)
		chart_note(chart, "Dots are rounds, the line beside them is their median.");
}

void chart_cell_place(struct chart_plot *plot, const struct chart *chart, struct chart_cell cell)
{
	double width = (CHART_WIDTH - 2.0 * CHART_EDGE) / cell.columns;

	plot->left = CHART_EDGE + cell.column * width + 40;
	plot->width = width - 58;
	plot->top = chart->y + 40;
	plot->height = SMALL_HEIGHT;
}

/* The middle of the @i-th of @n equal parts. */
static double slot(const struct chart_plot *plot, size_t i, size_t n)
{
	return plot->left + plot->width * ((double)i + 0.5) / (double)n;
}

static int take_both(struct chart_sample samples[SIDES], const struct record *rec,
		     const struct chart_measure *measure)
{
	int rc = chart_sample_take(&samples[SIDE_A], rec, SIDE_A, measure->get);

	return chart_sample_take(&samples[SIDE_B], rec, SIDE_B, measure->get) || rc ? -1 : 0;
}

/* "Average, % of one core", and "/s" or a unit where the numbers need one. */
static void put_title(struct chart *chart, const struct chart_plot *plot, const char *title,
		      const struct chart_measure *measure)
{
	char text[160];

	snprintf(text, sizeof(text), "%s%s%s%s", title, *plot->y.unit || *measure->per ? ", " : "",
		 plot->y.unit, measure->per);
	chart_plot_title(chart, plot, 8, text);
}

static void put_tag(struct chart *chart, const struct chart_plot *plot, enum side side, double x)
{
	chart_text(chart, side == SIDE_A ? "tag a" : "tag b", CHART_MIDDLE, x,
		   plot->top + plot->height + 16, side == SIDE_A ? "A" : "B");
}

static void put_bar(struct chart *chart, const struct chart_plot *plot, enum side side, double x,
		    const struct chart_sample *sample, const struct chart_measure *measure)
{
	double base = plot->top + plot->height, top = chart_axis_place(&plot->y, sample->median);
	double high = chart_axis_place(&plot->y, sample->high);
	double low = chart_axis_place(&plot->y, sample->low);
	char value[64];

	chart_rect(chart, side == SIDE_A ? "bar a" : "bar b", x - BAR_WIDTH / 2.0, top, BAR_WIDTH,
		   base - top);
	if (sample->low < sample->high) {
		chart_rule(chart, "range", x, low, x, high);
		chart_rule(chart, "range", x - 5, low, x + 5, low);
		chart_rule(chart, "range", x - 5, high, x + 5, high);
	}
	chart_text(chart, "value", CHART_MIDDLE, x, high - 5,
		   chart_value(value, sizeof(value), measure, sample->median));
	put_tag(chart, plot, side, x);
}

/* What a small panel is: the ends of its axis, and what stands in a side's part, whose middle is
 * @x. */
struct small_panel {
	void (*range)(const struct chart_sample samples[SIDES], double *low, double *high);
	void (*put)(struct chart *chart, const struct chart_plot *plot, enum side side, double x,
		    const struct chart_sample *sample, const struct chart_measure *measure);
};

static int put_small_panel(struct chart *chart, const struct record *rec, struct chart_cell cell,
			   const char *title, const struct chart_measure *measure,
			   const struct small_panel *panel)
{
	struct chart_sample samples[SIDES];
	size_t n = chart_has_side(rec, SIDE_B) ? SIDES : 1;
	struct chart_plot plot;
	double low, high;
	int rc = take_both(samples, rec, measure);

	if (!rc && samples[SIDE_A].n + samples[SIDE_B].n) {
		panel->range(samples, &low, &high);
		chart_cell_place(&plot, chart, cell);
		chart_axis_linear(&plot.y, measure->kind, low, high, 4);
		chart_plot_place(&plot);
		put_title(chart, &plot, title, measure);
		chart_grid_y(chart, &plot);
		for (size_t i = 0; i < n; i++)
			if (samples[i].n)
				panel->put(chart, &plot, (enum side)i, slot(&plot, i, n),
					   &samples[i], measure);
		chart_rule(chart, "base", plot.left, plot.top + plot.height, plot.left + plot.width,
			   plot.top + plot.height);
	}
	chart_sample_clear(&samples[SIDE_A]);
	chart_sample_clear(&samples[SIDE_B]);
	return rc;
}

static void range_of_bars(const struct chart_sample samples[SIDES], double *low, double *high)
{
	*low = 0;
	*high = HEADROOM * fmax(samples[SIDE_A].high, samples[SIDE_B].high);
}

int chart_put_bars(struct chart *chart, const struct record *rec, struct chart_cell cell,
		   const char *title, const struct chart_measure *measure)
{
	static const struct small_panel bars = {range_of_bars, put_bar};

	return put_small_panel(chart, rec, cell, title, measure, &bars);
}

/* Beside each other by where they are in the order: the same record is always the same picture. */
static void put_dots(struct chart *chart, const struct chart_plot *plot, enum side side, double x,
		     const struct chart_sample *sample, double low, double high)
{
	bool all = sample->n <= MANY_DOTS;
	size_t drawn = 0;

	for (size_t i = 0; i < sample->n && drawn < 2 * MANY_DOTS; i++) {
		double value = sample->values[i];

		if (!all && value >= low && value <= high)
			continue;
		chart_mark(chart, side, "dot", x + 30 + (double)(i * 7 % 5) * 3.5,
			   chart_axis_place(&plot->y, value), 2.2);
		drawn++;
	}
}

/* With its rounds beside it, on the right. */
static void put_box(struct chart *chart, const struct chart_plot *plot, enum side side,
		    double middle, const struct chart_sample *sample,
		    const struct chart_measure *measure)
{
	const double x = middle - BOX_LEFT;
	const char *box = side == SIDE_A ? "box a" : "box b";
	double reach = WHISKER * (sample->q3 - sample->q1), low = sample->q1, high = sample->q3;
	double top = chart_axis_place(&plot->y, sample->q3);
	double bottom = chart_axis_place(&plot->y, sample->q1);
	double median = chart_axis_place(&plot->y, sample->median);

	(void)measure;
	for (size_t i = 0; i < sample->n; i++) {
		if (sample->values[i] >= sample->q1 - reach)
			low = fmin(low, sample->values[i]);
		if (sample->values[i] <= sample->q3 + reach)
			high = fmax(high, sample->values[i]);
	}
	/* Quartiles of fewer are made up: the rounds themselves say it all. */
	if (sample->n >= CHART_QUARTILES) {
		chart_rule(chart, box, x, chart_axis_place(&plot->y, high), x, top);
		chart_rule(chart, box, x, bottom, x, chart_axis_place(&plot->y, low));
		chart_rule(chart, box, x - 8, chart_axis_place(&plot->y, high), x + 8,
			   chart_axis_place(&plot->y, high));
		chart_rule(chart, box, x - 8, chart_axis_place(&plot->y, low), x + 8,
			   chart_axis_place(&plot->y, low));
		chart_rect(chart, box, x - BAR_WIDTH / 2.0, top, BAR_WIDTH, bottom - top);
	}
	chart_rule(chart, side == SIDE_A ? "middle a" : "middle b", x - BAR_WIDTH / 2.0, median,
		   x + BAR_WIDTH / 2.0, median);
	put_dots(chart, plot, side, x, sample, low, high);
	put_tag(chart, plot, side, x);
}

static void range_of_boxes(const struct chart_sample samples[SIDES], double *low, double *high)
{
	double more;

	*low = fmin(samples[SIDE_A].low, samples[SIDE_B].low);
	*high = fmax(samples[SIDE_A].high, samples[SIDE_B].high);
	more = (LEAST_RANGE * *high - (*high - *low)) / 2;
	/* Rounds that are all but alike look like that. */
	if (more > 0) {
		*low -= more;
		*high += more;
	}
	*low = *low < *high * 0.4 ? 0 : *low;
}

int chart_put_boxes(struct chart *chart, const struct record *rec, struct chart_cell cell,
		    const char *title, const struct chart_measure *measure)
{
	static const struct small_panel boxes = {range_of_boxes, put_box};

	return put_small_panel(chart, rec, cell, title, measure, &boxes);
}
