/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>

#include "report/chart_panel.h"
#include "report/charts.h"

static double get_average(const struct record_round *round)
{
	return round->memory.rss_avg_bytes;
}

static double get_peak(const struct record_round *round)
{
	int64_t peak = round->memory.rss_peak_bytes;

	return peak == RECORD_NONE ? NAN : (double)peak;
}

static const struct chart_measure average = {"average memory", METRIC_BYTES, "", get_average};
static const struct chart_measure maximum = {"maximum memory", METRIC_BYTES, "", get_peak};

static bool has_memory(const struct record *rec)
{
	return chart_has_measure(rec, &average) || chart_has_measure(rec, &maximum) ||
	       chart_has_series(rec, chart_series_rss);
}

static int describe_memory(const struct record *rec, FILE *out)
{
	return chart_describe(out, rec, &average) || chart_describe(out, rec, &maximum) ? -1 : 0;
}

static int draw_memory(const struct record *rec, struct chart *chart)
{
	static const struct chart_over_time over_time = {"Memory over time", METRIC_BYTES, "",
							 chart_series_rss};
	int rc = chart_put_over_time(chart, rec, &over_time);

	rc |= chart_put_bars(chart, rec, (struct chart_cell){0, 3}, "Average", &average);
	rc |= chart_put_bars(chart, rec, (struct chart_cell){1, 3}, "Maximum", &maximum);
	rc |= chart_put_boxes(chart, rec, (struct chart_cell){2, 3}, "Average, over the rounds",
			      &average);
	chart->y += CHART_ROW_HEIGHT;
	chart_note(chart, "Resident set (RSS) of the whole process tree.");
	chart_note_lines(chart, rec);
	chart_note_bars(chart, rec);
	chart_note_boxes(chart, rec);
	return rc ? -1 : 0;
}

const struct chart_kind chart_memory = {
	.name = "memory_comparison",
	.title = "Memory",
	.has_data = has_memory,
	.describe = describe_memory,
	.draw = draw_memory,
};
