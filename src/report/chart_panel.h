/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parts that several charts have. All that draw give -1 without memory. Panels in a row begin
 * at chart->y and leave it as it is: who puts them side by side moves it on.
 */
#ifndef PERFBPF_REPORT_CHART_PANEL_H
#define PERFBPF_REPORT_CHART_PANEL_H

#include "report/chart.h"
#include "report/chart_data.h"

#define CHART_ROW_HEIGHT 232 /* of a row of small panels, with what is around them */

/* The title, what was run, and which mark is whose; moves chart->y. */
void chart_head(struct chart *chart, const struct record *rec, const char *title);
/* The sentences that say what lines, bars and boxes show of the rounds. */
void chart_note_lines(struct chart *chart, const struct record *rec);
void chart_note_bars(struct chart *chart, const struct record *rec);
void chart_note_boxes(struct chart *chart, const struct record *rec);

struct chart_over_time {
	const char *title; /* "CPU over time" */
	enum metric_kind kind;
	const char *per; /* "/s" after the unit, "" for none */
	chart_series *series;
};
bool chart_has_series(const struct record *rec, chart_series *series);
/* Over the whole width, with phases and faults shaded; moves chart->y. */
int chart_put_over_time(struct chart *chart, const struct record *rec,
			const struct chart_over_time *panel);

/* Names sides where their lines end; what would meet is moved apart. NAN: the side has none. */
void chart_put_tags(struct chart *chart, double x[SIDES], double y[SIDES]);

/* Where a small panel is in its row: the @column-th of @columns. */
struct chart_cell {
	int column, columns;
};
/* Its plot, with room for the numbers at its axes. */
void chart_cell_place(struct chart_plot *plot, const struct chart *chart, struct chart_cell cell);
/* A bar for each side from 0 to the median, and the range of the rounds. */
int chart_put_bars(struct chart *chart, const struct record *rec, struct chart_cell cell,
		   const char *title, const struct chart_measure *measure);
/* A box for each side over its rounds, whiskers by Tukey, with the rounds where they are few. */
int chart_put_boxes(struct chart *chart, const struct record *rec, struct chart_cell cell,
		    const char *title, const struct chart_measure *measure);

/* "12.3 MiB", "41.2 %", "14.1 k/s". */
char *chart_value(char *buf, size_t size, const struct chart_measure *measure, double value);
/* Writes "average CPU: A 41.2 % (38.0 % to 44.1 %), B …. "; nothing of what is not known. */
int chart_describe(FILE *out, const struct record *rec, const struct chart_measure *measure);
/* Does a round know it? */
bool chart_has_measure(const struct record *rec, const struct chart_measure *measure);

#endif
