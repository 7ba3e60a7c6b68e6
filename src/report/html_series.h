/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Series of all rounds on one axis of time, thinned for the eye. Pure. */
#ifndef PERFBPF_REPORT_HTML_SERIES_H
#define PERFBPF_REPORT_HTML_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"

/* More points than that no screen shows. Even: two of them are the extremes of one stretch. */
#define HTML_MAX_POINTS 1000
/* With more rounds than that, a band stands for them. */
#define HTML_MAX_ROUNDS 40

/* One round's series: its values and how far they are apart; NULL where it has none. */
typedef const double *html_series_get(const struct record_round *round, size_t *n,
				      double *interval);

struct html_line {
	enum side side;
	int64_t pair;
	double *y;
};

struct html_series {
	double step; /* seconds that a point stands for; the first one from 0 */
	size_t n;    /* points of each line; 0: no round has anything */
	/*
	 * Points are more than a tick wide: of a round, two that follow each other are the smallest
	 * and the largest value of their stretch in the order in which they came; all else is of
	 * means.
	 */
	bool is_thinned;
	size_t n_lines; /* one for each round; none where is_banded */
	struct html_line *lines;
	bool is_banded;
	size_t rounds[SIDES]; /* that have the series */
	/* Over the rounds of a side; NAN where fewer than half of them have a value. The 10th and
	 * the 90th percentile only where is_banded. */
	double *median[SIDES], *low[SIDES], *high[SIDES];
	double least, most; /* of all ticks */
};

/* NULL without memory. */
struct html_series *html_series_new(const struct record *rec, html_series_get *get);
void html_series_free(struct html_series *series);

#endif
