/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart_use.h"

bool chart_use_has_data(const struct record *rec, const struct chart_use *use)
{
	return chart_has_measure(rec, &use->average) || chart_has_measure(rec, &use->maximum) ||
	       chart_has_series(rec, use->over_time.series);
}

int chart_use_describe(const struct record *rec, const struct chart_use *use, FILE *out)
{
	return chart_describe(out, rec, &use->average) || chart_describe(out, rec, &use->maximum)
		       ? -1
		       : 0;
}

int chart_use_draw(struct chart *chart, const struct record *rec, const struct chart_use *use)
{
	int rc = chart_put_over_time(chart, rec, &use->over_time);

	rc |= chart_put_bars(chart, rec, (struct chart_cell){0, 3}, "Average", &use->average);
	rc |= chart_put_bars(chart, rec, (struct chart_cell){1, 3}, use->maximum_title,
			     &use->maximum);
	rc |= chart_put_boxes(chart, rec, (struct chart_cell){2, 3}, "Average, over the rounds",
			      &use->average);
	chart->y += CHART_ROW_HEIGHT;
	chart_note(chart, use->note);
	chart_note_lines(chart, rec);
	chart_note_bars(chart, rec);
	chart_note_boxes(chart, rec);
	return rc ? -1 : 0;
}
