/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Both sides over the seconds of the window, with what the scenario did when. */
#include <math.h>
#include <stdlib.h>

#include "report/chart_panel.h"

#define TIME_HEIGHT 190
#define STRIP       16
/* Least room between two tags at the right. */
#define TAG_ROOM 14
#define LETTER   6.8

bool chart_has_series(const struct record *rec, chart_series *series)
{
	return chart_series_end(rec, series) > 0;
}

/* A name above what it is of, as much of it as there is room for. */
static void put_name(struct chart *chart, const char *class, double from, double to, double y,
		     const char *name)
{
	int columns = (int)((to - from - 4) / LETTER);
	char cut[128];

	if (columns >= 2)
		chart_text(chart, class, CHART_START, from + 3, y,
			   chart_cut(cut, sizeof(cut), name, columns));
}

static bool is_inside(const struct chart_plot *plot, double from, double to)
{
	return from < plot->x.high && to > 0;
}

static void put_phases(struct chart *chart, const struct chart_plot *plot,
		       const struct record_round *round, double y)
{
	for (size_t i = 0; i < round->n_phases; i++) {
		const struct record_round_phase *phase = &round->phases[i];
		double end = phase->started_at + phase->duration_seconds;
		double from = chart_axis_place(&plot->x, phase->started_at);
		double to = chart_axis_place(&plot->x, end);

		if (!is_inside(plot, phase->started_at, end))
			continue;
		if (i % 2)
			chart_rect(chart, "phase", from, plot->top, to - from, plot->height);
		chart_rule(chart, "edge", from, y - STRIP + 4, from, plot->top + plot->height);
		put_name(chart, "note", from, to, y, phase->name);
	}
}

/* Names that would meet are left out after the first: the text reports have them all. */
static void put_faults(struct chart *chart, const struct chart_plot *plot,
		       const struct record_round *round, double y)
{
	double free_from = 0;

	for (size_t i = 0; i < round->n_faults; i++) {
		const struct record_fault *fault = &round->faults[i];
		double end = isnan(fault->ended_at) ? round->window_seconds : fault->ended_at;
		double from = chart_axis_place(&plot->x, fault->applied_at), to;
		double right = plot->left + plot->width;
		char name[128];

		if (isnan(from) || isnan(end) || !is_inside(plot, fault->applied_at, end))
			continue;
		to = fmax(chart_axis_place(&plot->x, end), from + 2);
		chart_rect(chart, "fault", from, plot->top, to - from, plot->height);
		if (from < free_from)
			continue;
		chart_cut(name, sizeof(name), fault->name ? fault->name : fault->kind, 40);
		/* Beside its begin; where that is too far right, up to its end. */
		if (from + chart_text_width(name, 11) < right)
			chart_text(chart, "fault-name", CHART_START, from, y, name);
		else
			chart_text(chart, "fault-name", CHART_END, right, y, name);
		free_from = from + chart_text_width(name, 11) + 8;
	}
}

void chart_put_tags(struct chart *chart, double x[SIDES], double y[SIDES])
{
	double middle;

	if (fabs(y[SIDE_A] - y[SIDE_B]) < TAG_ROOM && fabs(x[SIDE_A] - x[SIDE_B]) < TAG_ROOM) {
		middle = (y[SIDE_A] + y[SIDE_B]) / 2;
		y[SIDE_A] = y[SIDE_A] <= y[SIDE_B] ? middle - 7 : middle + 7;
		y[SIDE_B] = 2 * middle - y[SIDE_A];
	}
	for (int side = 0; side < SIDES; side++)
		if (!isnan(x[side]))
			chart_text(chart, side == SIDE_A ? "tag a" : "tag b", CHART_START,
				   x[side] + 7, y[side] + 4, side == SIDE_A ? "A" : "B");
}

/* At the last known value of each side. */
static void put_tags(struct chart *chart, const struct chart_plot *plot,
		     const struct chart_track tracks[SIDES])
{
	double x[SIDES] = {NAN, NAN}, y[SIDES] = {NAN, NAN};

	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < tracks[side].n; i++)
			if (!isnan(tracks[side].median[i])) {
				x[side] = chart_axis_place(&plot->x, tracks[side].seconds[i]);
				y[side] = chart_axis_place(&plot->y, tracks[side].median[i]);
			}
	chart_put_tags(chart, x, y);
}

/* When the last known moment ends. */
static double last_moment(const struct chart_track tracks[SIDES])
{
	double last = 0;

	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < tracks[side].n; i++)
			if (!isnan(tracks[side].median[i]))
				last = fmax(last, tracks[side].seconds[i] +
							  tracks[side].width_seconds / 2);
	return last;
}

static double highest(const struct chart_track tracks[SIDES])
{
	double high = 0;

	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < tracks[side].n; i++)
			high = fmax(high, tracks[side].high[i]);
	return high;
}

static void put_tracks(struct chart *chart, const struct record *rec,
		       const struct chart_over_time *panel, const struct chart_track tracks[SIDES])
{
	const struct record_round *round = chart_phased_round(rec);
	double strips =
		!round ? 0 : (round->n_phases > 1 ? STRIP : 0) + (round->n_faults ? STRIP : 0);
	struct chart_plot plot = {.left = CHART_EDGE + 40,
				  .top = chart->y + 32 + strips,
				  .width = CHART_WIDTH - 2 * CHART_EDGE - 40 - 22,
				  .height = TIME_HEIGHT};
	char title[160];

	chart_axis_time(&plot.x, last_moment(tracks));
	chart_axis_linear(&plot.y, panel->kind, 0, highest(tracks), 5);
	chart_plot_place(&plot);
	snprintf(title, sizeof(title), "%s%s%s%s", panel->title,
		 *plot.y.unit || *panel->per ? ", " : "", plot.y.unit,
		 *plot.y.unit || !*panel->per ? panel->per : "1/s");
	chart_plot_title(chart, &plot, strips, title);
	if (round && round->n_phases > 1)
		put_phases(chart, &plot, round, plot.top - 5 - (round->n_faults ? STRIP : 0));
	chart_grid_y(chart, &plot);
	chart_grid_x(chart, &plot);
	if (round)
		put_faults(chart, &plot, round, plot.top - 5);
	for (int side = 0; side < SIDES; side++)
		if (tracks[side].rounds > 1)
			chart_band(chart, &plot, (enum side)side, tracks[side].seconds,
				   tracks[side].low, tracks[side].high, tracks[side].n);
	for (int side = 0; side < SIDES; side++)
		if (tracks[side].n)
			chart_line(chart, &plot, (enum side)side, tracks[side].seconds,
				   tracks[side].median, tracks[side].n);
	put_tags(chart, &plot, tracks);
	chart_textf(chart, "tick", CHART_END, plot.left + plot.width, plot.top + plot.height + 30,
		    "%s from the opening of the window", plot.x.unit);
	chart->y = plot.top + plot.height + 40;
}

int chart_put_over_time(struct chart *chart, const struct record *rec,
			const struct chart_over_time *panel)
{
	double end = chart_series_end(rec, panel->series);
	struct chart_track tracks[SIDES];
	int rc = chart_track_take(&tracks[SIDE_A], rec, SIDE_A, panel->series, end);

	rc |= chart_track_take(&tracks[SIDE_B], rec, SIDE_B, panel->series, end);
	if (!rc && end > 0)
		put_tracks(chart, rec, panel, tracks);
	chart_track_clear(&tracks[SIDE_A]);
	chart_track_clear(&tracks[SIDE_B]);
	return rc ? -1 : 0;
}
