/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart_use.h"
#include "report/charts.h"

static double get_average(const struct record_round *round)
{
	return round->cpu.utilization_avg;
}

static double get_peak(const struct record_round *round)
{
	return round->cpu.utilization_peak;
}

static const struct chart_use use = {
	.over_time = {"CPU over time", METRIC_RATIO, "", chart_series_cpu},
	.average = {"average CPU", METRIC_RATIO, "", get_average},
	.maximum = {"maximum CPU", METRIC_RATIO, "", get_peak},
	.maximum_title = "Maximum of a tick",
	.note = "100 % is one core, used by the whole process tree.",
};

static bool has_cpu(const struct record *rec)
{
	return chart_use_has_data(rec, &use);
}

static int describe_cpu(const struct record *rec, FILE *out)
{
	return chart_use_describe(rec, &use, out);
}

static int draw_cpu(const struct record *rec, struct chart *chart)
{
	return chart_use_draw(chart, rec, &use);
}

const struct chart_kind chart_cpu = {
	.name = "cpu_comparison",
	.title = "CPU",
	.has_data = has_cpu,
	.describe = describe_cpu,
	.draw = draw_cpu,
};
