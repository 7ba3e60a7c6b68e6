/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What many runs were over time, as text, CSV and JSON. Pure. */
#ifndef PERFBPF_REPORT_HISTORY_H
#define PERFBPF_REPORT_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

#include "record/history.h"

struct history_style {
	bool colour;
	bool utf8; /* false: sparklines of ASCII characters */
	bool all;  /* every run of each series, not only the last ones and those that changed */
	int width; /* columns; 0: no bound */
};

/* For people: each series with a sparkline of all its runs, and a table. -1 without memory. */
int history_text(const struct history *history, const struct history_style *style, FILE *out);
/* One row for each run of each series, RFC 4180; what is not known is an empty cell. */
void history_csv(const struct history *history, FILE *out);
/* {"series": [{"scenario", "target", "metric", "unit", "better", "points": […]}]} */
void history_json(const struct history *history, FILE *out);
/*
 * @values as a line of at most @columns characters between the smallest and the largest; more
 * values than that as medians of stretches. To be freed; NULL without memory.
 */
char *history_sparkline(const double *values, size_t n, size_t columns, bool utf8);

#endif
