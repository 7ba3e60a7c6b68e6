/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What charts show of a record: one value a round, and the rounds' series put together. Pure. */
#ifndef PERFBPF_REPORT_CHART_DATA_H
#define PERFBPF_REPORT_CHART_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "record/metric.h"
#include "record/record.h"

/* Most points of a line: more are closer than a pixel. */
#define CHART_MAX_POINTS 400

/* Only a broken record holds more: units can no longer be made of it. Such values are left out. */
#define CHART_HUGE 1e200

/* A number that each round has one of. */
struct chart_measure {
	const char *label; /* "average CPU", in sentences */
	enum metric_kind kind;
	const char *per;                                 /* "/s" after the unit, "" for none */
	double (*get)(const struct record_round *round); /* NAN: not known */
};

/* The values of a side, ascending; all rounds count, as they do in the tables. */
struct chart_sample {
	size_t n;
	double *values;
	double low, q1, median, q3, high; /* NAN where n is 0 */
};

/* -1 without memory. chart_sample_clear() takes what failed. */
int chart_sample_take(struct chart_sample *sample, const struct record *rec, enum side side,
		      double (*get)(const struct record_round *round));
/* Sorts the values that stand there, and finds the rest. */
void chart_sample_sort(struct chart_sample *sample);
void chart_sample_clear(struct chart_sample *sample);
/* The quantile @q of ascending values, between two of them in proportion; NAN of none. */
double chart_quantile(const double *sorted, size_t n, double q);
/* Of two doubles, for qsort(). */
int chart_compare(const void *a, const void *b);

/* Values over time of a round: NULL where it has none. */
typedef const double *chart_series(const struct record_series *series, size_t *n,
				   double *interval_seconds);
chart_series chart_series_cpu, chart_series_rss, chart_series_sent, chart_series_received,
	chart_series_lines, chart_series_operations, chart_series_p95;

/*
 * A side over time: at each moment what its rounds had, each averaged over the moment. The
 * band is the middle half of the rounds where there are at least CHART_QUARTILES, else from
 * the least to the most. NAN at moments that less than half of the rounds know.
 */
#define CHART_QUARTILES 5
struct chart_track {
	size_t n;
	size_t rounds;        /* that have such a series */
	double width_seconds; /* of a moment */
	double *seconds;      /* the middle of the moment, from the opening of the window */
	double *median, *low, *high;
};

/* How long the longest series of both sides is; 0 without one. */
double chart_series_end(const struct record *rec, chart_series *series);
/* Up to @end_seconds; n is 0 where the side has no such series. -1 without memory. */
int chart_track_take(struct chart_track *track, const struct record *rec, enum side side,
		     chart_series *series, double end_seconds);
void chart_track_clear(struct chart_track *track);

/* The round whose phases and faults stand for all: the first that has any; NULL: none has. */
const struct record_round *chart_phased_round(const struct record *rec);
/* A side's name as its target is called; "A" or "B" without one. */
const char *chart_side_name(const struct record *rec, enum side side);
bool chart_has_side(const struct record *rec, enum side side);
size_t chart_rounds(const struct record *rec, enum side side);

#endif
