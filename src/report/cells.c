/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers of a summary as people read them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/summary.h"
#include "util/grouped.h"
#include "util/units.h"

#define TITLE_BYTES 24

char *summary_side_title(const struct summary *summary, enum side side)
{
	const char *letter = side == SIDE_A ? "A" : "B", *name = summary->sides[side].name;
	size_t word = strcspn(name, " "), bytes;
	const char *slash = memrchr(name, '/', word);
	char *title;

	if (!strcmp(name, letter))
		return strdup(name);
	/* A command line can be long, by its path to begin with; the report's first line has it
	 * whole. No character is cut. */
	if (slash && slash + 1 < name + word)
		name = slash + 1;
	bytes = strlen(name);
	if (bytes > TITLE_BYTES)
		for (bytes = TITLE_BYTES; bytes && ((unsigned char)name[bytes] & 0xc0) == 0x80;)
			bytes--;
	if (asprintf(&title, "%s %.*s%s", letter, (int)bytes, name, name[bytes] ? "..." : "") < 0)
		return NULL;
	return title;
}

static char *format_percent(char *buf, size_t size, double ratio)
{
	double percent = ratio * 100, magnitude = fabs(percent);
	int places = magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;

	snprintf(buf, size, "%.*f %%", percent == 0 ? 0 : places, percent);
	return buf;
}

/* Small counts are exact: 56,076 faults say more than 56.1 k. */
static char *format_whole(char *buf, size_t size, double count)
{
	if (fabs(count) >= 1e6)
		return format_count(buf, size, count);
	if (count == floor(count) || fabs(count) >= 1000)
		return format_grouped(buf, size, (int64_t)llround(count));
	snprintf(buf, size, "%.3g", count);
	return buf;
}

char *summary_value(char *buf, size_t size, enum metric_kind kind, double value)
{
	if (!isfinite(value)) {
		snprintf(buf, size, "-");
		return buf;
	}
	switch (kind) {
	case METRIC_SECONDS:
		return format_seconds(buf, size, value);
	case METRIC_BYTES:
		return format_bytes(buf, size, value);
	case METRIC_RATIO:
		return format_percent(buf, size, value);
	case METRIC_COUNT:
		break;
	}
	return format_whole(buf, size, value);
}

static const char *unit_of(const char *text)
{
	const char *blank = strchr(text, ' ');

	return blank ? blank : "";
}

char *summary_cell(char buf[SUMMARY_CELL_MAX], enum metric_kind kind, double median, double min,
		   double max)
{
	char mid[28], low[28], high[28];

	summary_value(mid, sizeof(mid), kind, median);
	summary_value(low, sizeof(low), kind, min);
	summary_value(high, sizeof(high), kind, max);
	if (isnan(median) || !strcmp(low, high)) {
		snprintf(buf, SUMMARY_CELL_MAX, "%s", mid);
		return buf;
	}
	/* One unit for all three is said once. */
	if (!strcmp(unit_of(mid), unit_of(low)) && !strcmp(unit_of(mid), unit_of(high))) {
		low[strcspn(low, " ")] = '\0';
		high[strcspn(high, " ")] = '\0';
	}
	snprintf(buf, SUMMARY_CELL_MAX, "%s (%s\xe2\x80\x93%s)", mid, low, high);
	return buf;
}

char *summary_ratio(char *buf, size_t size, double ratio)
{
	if (!isfinite(ratio))
		snprintf(buf, size, "-");
	else if (ratio > 0 && ratio < 0.0995)
		snprintf(buf, size, "%.2gx", ratio);
	else if (ratio < 1000)
		snprintf(buf, size, "%.*fx", ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0, ratio);
	else
		snprintf(buf, size, "%.1ex", ratio);
	return buf;
}

char *summary_integer(char *buf, size_t size, int64_t value)
{
	if (value != RECORD_NONE)
		return format_grouped(buf, size, value);
	snprintf(buf, size, "-");
	return buf;
}

enum metric_kind summary_kind(const char *unit)
{
	if (unit && !strcmp(unit, "s"))
		return METRIC_SECONDS;
	return unit && !strcmp(unit, "bytes") ? METRIC_BYTES : METRIC_COUNT;
}

struct summary_row summary_row(const struct record *rec, const struct record_comparison *comparison,
			       bool all_metrics)
{
	const struct metric *metric = metric_find(comparison->metric);
	struct summary_row row = {
		.label = comparison->metric ? comparison->metric : "?",
		.kind = summary_kind(comparison->unit),
		.shown = all_metrics,
	};

	if (!metric)
		return row;
	row.label = metric->label;
	row.kind = metric->kind;
	/* Where a driver sets the window, its length is no result. */
	if (metric->headline &&
	    !(rec && rec->scenario.driver && !strcmp(metric->name, "window_seconds")))
		row.shown = true;
	/* Of a program that neither answers nor asks it says nothing. */
	if (!all_metrics && !strcmp(metric->name, "requests.per_second") &&
	    !(comparison->a_max > 0) && !(comparison->b_max > 0))
		row.shown = false;
	return row;
}
