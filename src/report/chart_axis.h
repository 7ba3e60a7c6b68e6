/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Axes of charts: which numbers stand at them, in which unit, and where on the page a value
 * is. Pure. Steps are 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph
 * labels").
 */
#ifndef PERFBPF_REPORT_CHART_AXIS_H
#define PERFBPF_REPORT_CHART_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#include "record/metric.h"

#define CHART_MAX_TICKS 16
#define CHART_LABEL     24

struct chart_axis {
	double low, high; /* values at both ends; low < high, both finite */
	bool log;
	double from, to;  /* where they are on the page; from > to where it goes up */
	const char *unit; /* of the labels: "MiB"; "" where there is none, or each has its own */
	size_t n;
	double ticks[CHART_MAX_TICKS];
	char labels[CHART_MAX_TICKS][CHART_LABEL];
};

/*
 * From @low to @high, both moved outward to a tick; about @ticks of them (at most 10). Whatever
 * comes makes an axis: what is not finite counts as 0, and where both ends are one there is
 * room above.
 */
void chart_axis_linear(struct chart_axis *axis, enum metric_kind kind, double low, double high,
		       int ticks);
/* Logarithmic, the ends as they are; of values that are not positive 1 to 10. */
void chart_axis_log(struct chart_axis *axis, enum metric_kind kind, double low, double high);
/* Seconds, minutes or hours from 0 to @seconds, which need not be at a tick. */
void chart_axis_time(struct chart_axis *axis, double seconds);
/* The place of @value, never beyond the ends; NAN for NAN. */
double chart_axis_place(const struct chart_axis *axis, double value);

#endif
