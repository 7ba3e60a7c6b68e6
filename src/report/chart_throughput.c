/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>

#include "record/load.h"
#include "report/chart_panel.h"
#include "report/charts.h"

static double per_second(const struct record_round *round, int64_t value)
{
	return value == RECORD_NONE || !(round->window_seconds > 0)
		       ? NAN
		       : (double)value / round->window_seconds;
}

static double get_lines(const struct record_round *round)
{
	return round->has_work ? per_second(round, round->work.lines) : NAN;
}

static double get_operations(const struct record_round *round)
{
	return round->has_work ? per_second(round, record_completed(&round->work)) : NAN;
}

static double get_work_bytes(const struct record_round *round)
{
	return round->has_work ? per_second(round, round->work.bytes) : NAN;
}

static double get_sent(const struct record_round *round)
{
	return per_second(round, round->network.tx_bytes);
}

static double get_received(const struct record_round *round)
{
	return per_second(round, round->network.rx_bytes);
}

static const struct chart_measure operations = {"operations", METRIC_COUNT, "/s", get_operations};
static const struct chart_measure lines = {"lines", METRIC_COUNT, "/s", get_lines};
static const struct chart_measure work_bytes = {"bytes of lines", METRIC_BYTES, "/s",
						get_work_bytes};
static const struct chart_measure sent = {"sent over sockets", METRIC_BYTES, "/s", get_sent};
static const struct chart_measure received = {"received over sockets", METRIC_BYTES, "/s",
					      get_received};

/* More than 0 in some round. */
static bool has_any(const struct record *rec, const struct chart_measure *measure)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (measure->get(&rec->rounds[i]) > 0)
			return true;
	return false;
}

/* What is counted as work: operations, else lines; NULL: the run counts neither. */
static const struct chart_measure *work_of(const struct record *rec)
{
	return has_any(rec, &operations) ? &operations : has_any(rec, &lines) ? &lines : NULL;
}

static const struct chart_measure *sockets_of(const struct record *rec)
{
	double in = 0, out = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		in = fmax(in, get_received(&rec->rounds[i]));
		out = fmax(out, get_sent(&rec->rounds[i]));
	}
	return in <= 0 && out <= 0 ? NULL : in >= out ? &received : &sent;
}

static bool has_throughput(const struct record *rec)
{
	return work_of(rec) || sockets_of(rec);
}

static int describe_throughput(const struct record *rec, FILE *out)
{
	const struct chart_measure *work = work_of(rec), *sockets = sockets_of(rec);

	if (work && chart_describe(out, rec, work))
		return -1;
	return sockets && chart_describe(out, rec, sockets) ? -1 : 0;
}

static int put_over_time(const struct record *rec, struct chart *chart,
			 const struct chart_measure *measure)
{
	struct chart_over_time panel = {.kind = measure->kind, .per = "/s"};

	if (measure == &operations || measure == &lines) {
		panel.title = measure == &lines ? "Lines over time" : "Operations over time";
		panel.series = measure == &lines ? chart_series_lines : chart_series_operations;
	} else {
		panel.title = measure == &sent ? "Sent over sockets" : "Received over sockets";
		panel.series = measure == &sent ? chart_series_sent : chart_series_received;
	}
	return chart_put_over_time(chart, rec, &panel);
}

static int draw_throughput(const struct record *rec, struct chart *chart)
{
	const struct chart_measure *work = work_of(rec), *sockets = sockets_of(rec);
	const struct chart_measure *first = work ? work : sockets;
	struct chart_cell cell = {0, 3};
	int rc = put_over_time(rec, chart, first);

	if (work) {
		rc |= chart_put_bars(chart, rec, cell, work == &lines ? "Lines" : "Operations",
				     work);
		cell.column++;
	}
	rc |= chart_put_boxes(chart, rec, cell, "Over the rounds", first);
	cell.column++;
	if (sockets)
		rc |= chart_put_bars(
			chart, rec, cell,
			sockets == &sent ? "Sent over sockets" : "Received over sockets", sockets);
	else if (has_any(rec, &work_bytes))
		rc |= chart_put_bars(chart, rec, cell, "Bytes of lines", &work_bytes);
	chart->y += CHART_ROW_HEIGHT;
	if (work == &operations)
		chart_note(chart, "Operations that were answered well.");
	if (work == &lines)
		chart_note(chart, "Lines that came out of the target.");
	chart_note_lines(chart, rec);
	chart_note_bars(chart, rec);
	chart_note_boxes(chart, rec);
	return rc ? -1 : 0;
}

const struct chart_kind chart_throughput = {
	.name = "throughput_comparison",
	.title = "Throughput",
	.has_data = has_throughput,
	.describe = describe_throughput,
	.draw = draw_throughput,
};
