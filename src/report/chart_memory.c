/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>

#include "report/chart_use.h"
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

static const struct chart_use use = {
	.over_time = {"Memory over time", METRIC_BYTES, "", chart_series_rss},
	.average = {"average memory", METRIC_BYTES, "", get_average},
	.maximum = {"maximum memory", METRIC_BYTES, "", get_peak},
	.maximum_title = "Maximum",
	.note = "Resident set (RSS) of the whole process tree.",
};

static bool has_memory(const struct record *rec)
{
	return chart_use_has_data(rec, &use);
}

static int describe_memory(const struct record *rec, FILE *out)
{
	return chart_use_describe(rec, &use, out);
}

static int draw_memory(const struct record *rec, struct chart *chart)
{
	return chart_use_draw(chart, rec, &use);
}

const struct chart_kind chart_memory = {
	.name = "memory_comparison",
	.title = "Memory",
	.has_data = has_memory,
	.describe = describe_memory,
	.draw = draw_memory,
};
