/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* A tick may miss its end by rounding. */
#define SLACK 1e-6
/* Beyond it a number has more digits than an axis has room for. */
#define MANY 1e6
/* Beyond it, ends can no longer be divided by units and steps. */
#define HUGE_END 1e200

struct unit {
	const char *name;
	double size;
};

static const struct unit seconds[] = {{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}};
static const struct unit bytes[] = {
	{"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
static const struct unit counts[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
static const struct unit shares[] = {{"%", 0.01}};
static const struct unit times[] = {{"s", 1}, {"min", 60}, {"h", 3600}};

/* The largest unit of which @value has at least one. */
static const struct unit *unit_for(enum metric_kind kind, double value)
{
	const struct unit *units = kind == METRIC_SECONDS ? seconds
				   : kind == METRIC_BYTES ? bytes
				   : kind == METRIC_COUNT ? counts
							  : shares;
	size_t n = kind == METRIC_SECONDS ? ARRAY_SIZE(seconds)
		   : kind == METRIC_BYTES ? ARRAY_SIZE(bytes)
		   : kind == METRIC_COUNT ? ARRAY_SIZE(counts)
					  : ARRAY_SIZE(shares);
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (fabs(value) >= units[i].size * (1 - SLACK))
			best = i;
	return &units[best];
}

/* The smallest of 1, 2, 5 times a power of ten that is at least @step. */
static double nice_step(double step)
{
	double power = pow(10, floor(log10(step))), part = step / power;

	return power * (part <= 1 + SLACK ? 1 : part <= 2 + SLACK ? 2 : part <= 5 + SLACK ? 5 : 10);
}

static int decimals_of(double step)
{
	double digits = -floor(log10(step) + SLACK);

	return digits < 0 ? 0 : digits > 9 ? 9 : (int)digits;
}

static void add_tick(struct chart_axis *axis, double value, double in_unit, int decimals)
{
	char *label = axis->labels[axis->n];

	if (axis->n == CHART_MAX_TICKS)
		return;
	axis->ticks[axis->n++] = value;
	if (fabs(in_unit) >= MANY || decimals >= 9)
		snprintf(label, CHART_LABEL, "%.3g", in_unit);
	else
		snprintf(label, CHART_LABEL, "%.*f", decimals, in_unit);
}

/* Ends that can be divided: finite, apart, and not closer than doubles can tell. */
static void sane_ends(double *low, double *high)
{
	if (!isfinite(*low) || fabs(*low) > HUGE_END)
		*low = 0;
	if (!isfinite(*high) || fabs(*high) > HUGE_END)
		*high = *low > 0 ? *low : 0;
	if (*high < *low)
		*high = *low;
	if (*high - *low < fmax(fabs(*high) * 1e-9, 1e-200))
		*high = *low + (*low > 0 ? *low : 1);
}

void chart_axis_linear(struct chart_axis *axis, enum metric_kind kind, double low, double high,
		       int ticks)
{
	const struct unit *unit;
	double step, first, last;
	int decimals;

	sane_ends(&low, &high);
	unit = unit_for(kind, fmax(fabs(low), fabs(high)));
	/* Shares and counts of nothing at all need no more than a step. */
	step = nice_step((high - low) / unit->size / fmax(1, fmin(ticks, 10)));
	decimals = decimals_of(step);
	first = floor(low / unit->size / step + SLACK);
	last = ceil(high / unit->size / step - SLACK);
	axis->log = false;
	axis->unit = unit->name;
	axis->n = 0;
	axis->low = first * step * unit->size;
	axis->high = last * step * unit->size;
	for (double i = first; i <= last && axis->n < CHART_MAX_TICKS; i++)
		add_tick(axis, i * step * unit->size, i * step, decimals);
}

static void add_log_tick(struct chart_axis *axis, enum metric_kind kind, double value)
{
	const struct unit *unit = unit_for(kind, value);
	bool blank = *unit->name && kind != METRIC_COUNT;

	if (axis->n == CHART_MAX_TICKS)
		return;
	axis->ticks[axis->n] = value;
	snprintf(axis->labels[axis->n++], CHART_LABEL, "%.6g%s%s", value / unit->size,
		 blank ? " " : "", unit->name);
}

/* Where there is little between the ends, even steps show more than powers do. */
static void add_even_ticks(struct chart_axis *axis, enum metric_kind kind)
{
	double step = nice_step((axis->high - axis->low) / 6);

	for (double i = ceil(axis->low / step - SLACK);
	     i * step <= axis->high * (1 + SLACK) && axis->n < CHART_MAX_TICKS; i++)
		add_log_tick(axis, kind, i * step);
}

/* Powers of ten, and as many between them as there is room for. */
static void add_power_ticks(struct chart_axis *axis, enum metric_kind kind)
{
	static const double many[] = {1, 2, 3, 5, 7}, some[] = {1, 2, 5};
	double decades = log10(axis->high / axis->low), power = ceil(decades / 8);
	const double *parts = decades < 1.2 ? many : some;
	size_t n = decades < 1.2 ? ARRAY_SIZE(many) : decades < 3.2 ? ARRAY_SIZE(some) : 1;

	for (double e = floor(log10(axis->low)); e <= log10(axis->high) + SLACK; e += power)
		for (size_t i = 0; i < n; i++) {
			double value = pow(10, e) * parts[i];

			if (value >= axis->low * (1 - SLACK) && value <= axis->high * (1 + SLACK))
				add_log_tick(axis, kind, value);
		}
}

void chart_axis_log(struct chart_axis *axis, enum metric_kind kind, double low, double high)
{
	if (!isfinite(low) || !isfinite(high) || low < 1e-200 || high > 1e200 || high < low) {
		low = 1;
		high = 10;
	}
	if (high < low * 1.01) {
		low /= 1.1;
		high *= 1.1;
	}
	axis->low = low;
	axis->high = high;
	axis->log = true;
	axis->unit = "";
	axis->n = 0;
	if (high / low < 3)
		add_even_ticks(axis, kind);
	else
		add_power_ticks(axis, kind);
}

void chart_axis_time(struct chart_axis *axis, double end)
{
	const struct unit *unit = &times[end > 3 * 3600 ? 2 : end > 180 ? 1 : 0];
	double zero = 0, step;

	sane_ends(&zero, &end);
	step = nice_step(end / unit->size / 8);
	axis->log = false;
	axis->unit = unit->name;
	axis->n = 0;
	axis->low = 0;
	axis->high = end;
	for (double i = 0; i * step * unit->size <= end * (1 + SLACK); i++)
		add_tick(axis, i * step * unit->size, i * step, decimals_of(step));
}

double chart_axis_place(const struct chart_axis *axis, double value)
{
	double share;

	if (isnan(value))
		return NAN;
	value = fmin(fmax(value, axis->low), axis->high);
	share = axis->log ? log(value / axis->low) / log(axis->high / axis->low)
			  : (value - axis->low) / (axis->high - axis->low);
	return axis->from + share * (axis->to - axis->from);
}
