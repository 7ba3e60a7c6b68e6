/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What charts are drawn with: one SVG file without a script, readable in light, dark, printed,
 * without colours and by those who cannot see it. Lengths are pixels. Texts may come from
 * outside: they are escaped here, once. Used by chart*.c only.
 */
#ifndef PERFBPF_REPORT_CHART_H
#define PERFBPF_REPORT_CHART_H

#include <stddef.h>
#include <stdio.h>

#include "record/record.h"
#include "report/chart_axis.h"

#define CHART_WIDTH 860
#define CHART_EDGE  20

struct chart {
	FILE *out; /* into the buffer */
	char *text;
	size_t size;
	double y; /* what comes next begins here */
};

/* A plot: its area without what is written around it, and its axes. */
struct chart_plot {
	double left, top, width, height;
	struct chart_axis x, y;
};

enum chart_anchor {
	CHART_START,
	CHART_MIDDLE,
	CHART_END,
};

/* -1 without memory. */
int chart_open(struct chart *chart);
/* Writes the file, with the title and a description in words, and frees. -1 without memory. */
int chart_close(struct chart *chart, FILE *out, const char *title, const char *description);

/* Pixels that @text takes at most at @size. */
double chart_text_width(const char *text, double size);
/* @text with at most @columns of a terminal, cut with "…". */
char *chart_cut(char *buf, size_t size, const char *text, int columns);

void chart_text(struct chart *chart, const char *class, enum chart_anchor anchor, double x,
		double y, const char *text);
void chart_textf(struct chart *chart, const char *class, enum chart_anchor anchor, double x,
		 double y, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Lines of small text over the whole width, at chart->y. */
void chart_note(struct chart *chart, const char *text);
void chart_rule(struct chart *chart, const char *class, double x1, double y1, double x2, double y2);
void chart_rect(struct chart *chart, const char *class, double x, double y, double width,
		double height);
/* A circle for A, a square for B, of radius @r; nothing where a place is NAN. */
void chart_mark(struct chart *chart, enum side side, const char *class, double x, double y,
		double r);
/* "a" or "b", the class of a side's colour. */
const char *chart_side_class(enum side side);

/* Sets where the plot's axes are on the page. */
void chart_plot_place(struct chart_plot *plot);
/* Lines and numbers at the ticks, and the base line. */
void chart_grid_x(struct chart *chart, const struct chart_plot *plot);
void chart_grid_y(struct chart *chart, const struct chart_plot *plot);
/* The plot's title above it, @above pixels higher than without. */
void chart_plot_title(struct chart *chart, const struct chart_plot *plot, double above,
		      const char *text);
/* A line through the values, broken where one is NAN. */
void chart_line(struct chart *chart, const struct chart_plot *plot, enum side side, const double *x,
		const double *y, size_t n);
/* The area between two lines, broken likewise. */
void chart_band(struct chart *chart, const struct chart_plot *plot, enum side side, const double *x,
		const double *low, const double *high, size_t n);

extern const char chart_style[];

#endif
