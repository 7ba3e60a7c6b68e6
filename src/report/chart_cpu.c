/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart_panel.h"
#include "report/charts.h"

static double get_average(const struct record_round *round)
{
	return round->cpu.utilization_avg;
}

static double get_peak(const struct record_round *round)
{
	return round->cpu.utilization_peak;
}

static const struct chart_measure average = {"average CPU", METRIC_RATIO, "", get_average};
static const struct chart_measure peak = {"maximum CPU", METRIC_RATIO, "", get_peak};

static bool has_cpu(const struct record *rec)
{
	return chart_has_measure(rec, &average) || chart_has_series(rec, chart_series_cpu);
}

static int describe_cpu(const struct record *rec, FILE *out)
{
	return chart_describe(out, rec, &average) || chart_describe(out, rec, &peak) ? -1 : 0;
}

static int draw_cpu(const struct record *rec, struct chart *chart)
{
	static const struct chart_over_time over_time = {"CPU over time", METRIC_RATIO, "",
							 chart_series_cpu};
	int rc = chart_put_over_time(chart, rec, &over_time);

	rc |= chart_put_bars(chart, rec, (struct chart_cell){0, 3}, "Average", &average);
	rc |= chart_put_bars(chart, rec, (struct chart_cell){1, 3}, "Maximum of a tick", &peak);
	rc |= chart_put_boxes(chart, rec, (struct chart_cell){2, 3}, "Average, over the rounds",
			      &average);
	chart->y += CHART_ROW_HEIGHT;
	chart_note(chart, "100 % is one core, used by the whole process tree.");
	chart_note_lines(chart, rec);
	chart_note_bars(chart, rec);
	chart_note_boxes(chart, rec);
	return rc ? -1 : 0;
}

const struct chart_kind chart_cpu = {
	.name = "cpu_comparison",
	.title = "CPU",
	.has_data = has_cpu,
	.describe = describe_cpu,
	.draw = draw_cpu,
};
