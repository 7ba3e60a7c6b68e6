/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html: what changed over the time of a round, with phases and faults. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/html_series.h"
#include "stats/stats.h"

#define FIGURE_ROWS 20

#define GET_SERIES(name, member)                                                                   \
	static const double *name(const struct record_round *round, size_t *n, double *interval)   \
	{                                                                                          \
		*n = round->series.n;                                                              \
		*interval = round->series.interval_seconds;                                        \
		return round->series.member;                                                       \
	}
GET_SERIES(get_cpu, cpu_utilization)
GET_SERIES(get_rss, rss_bytes)
GET_SERIES(get_tx, tx_bytes_per_second)
GET_SERIES(get_rx, rx_bytes_per_second)
GET_SERIES(get_lines, lines_per_second)
GET_SERIES(get_operations, operations_per_second)
GET_SERIES(get_errors, errors_per_second)

static const double *get_p95(const struct record_round *round, size_t *n, double *interval)
{
	*n = round->series.n_response_p95_seconds;
	*interval = round->series.response_p95_interval_seconds;
	return round->series.response_p95_seconds;
}

static const struct chart {
	const char *title, *unit; /* the unit as the script knows it */
	enum metric_kind kind;
	bool always; /* also where nothing but 0 was seen */
	html_series_get *get;
} charts[] = {
	{"CPU use", "ratio", METRIC_RATIO, true, get_cpu},
	{"Resident set", "bytes", METRIC_BYTES, true, get_rss},
	{"Lines per second", "count", METRIC_COUNT, true, get_lines},
	{"Operations per second", "count", METRIC_COUNT, true, get_operations},
	{"Response, p95", "seconds", METRIC_SECONDS, true, get_p95},
	{"Errors per second", "count", METRIC_COUNT, false, get_errors},
	{"Sent per second", "bytes", METRIC_BYTES, false, get_tx},
	{"Received per second", "bytes", METRIC_BYTES, false, get_rx},
};

static void put_sides(FILE *out, const char *key, double *const lines[SIDES], size_t n)
{
	fprintf(out, ",\n\"%s\":[", key);
	for (size_t side = 0; side < SIDES; side++) {
		fputs(side ? ",\n" : "", out);
		if (lines[side])
			html_json_numbers(out, lines[side], n);
		else
			fputs("null", out);
	}
	putc(']', out);
}

static void put_data(FILE *out, const struct chart *chart, const struct html_series *series)
{
	fprintf(out,
		"<script type=\"application/json\">{\"kind\":\"time\",\"unit\":\"%s\","
		"\"step\":%.9g,\"n\":%zu,\"thinned\":%s,\n\"rounds\":[",
		chart->unit, series->step, series->n, series->is_thinned ? "true" : "false");
	for (size_t i = 0; i < series->n_lines; i++) {
		fprintf(out, "%s{\"side\":%d,\"pair\":%" PRId64 ",\"y\":", i ? ",\n" : "",
			(int)series->lines[i].side, series->lines[i].pair + 1);
		html_json_numbers(out, series->lines[i].y, series->n);
		putc('}', out);
	}
	putc(']', out);
	put_sides(out, "median", series->median, series->n);
	put_sides(out, "low", series->low, series->n);
	put_sides(out, "high", series->high, series->n);
	fputs("}</script>\n", out);
}

/* Means of about twenty stretches of the medians. */
static void put_figures(const struct html *html, const struct chart *chart,
			const struct html_series *series)
{
	size_t width = (series->n + FIGURE_ROWS - 1) / FIGURE_ROWS;
	FILE *out = html->out;

	html_figures_begin(out, chart->title);
	html_head_cell(out, "from", true);
	html_head_cell(out, "to", true);
	html_side_head(html);
	html_table_body(out);
	for (size_t at = 0; at < series->n; at += width) {
		size_t end = at + width < series->n ? at + width : series->n;

		fputs("<tr>", out);
		html_cell_value(out, METRIC_SECONDS, (double)at * series->step);
		html_cell_value(out, METRIC_SECONDS, (double)end * series->step);
		for (size_t side = 0; side < html_sides(html); side++) {
			double sum = 0, n = 0;

			for (size_t i = at; series->median[side] && i < end; i++)
				if (isfinite(series->median[side][i])) {
					sum += series->median[side][i];
					n++;
				}
			html_cell_value(out, chart->kind, n > 0 ? sum / n : NAN);
		}
		fputs("</tr>\n", out);
	}
	html_figures_end(out);
}

static void put_caption(const struct html *html, const struct chart *chart,
			const struct html_series *series)
{
	FILE *out = html->out;

	fprintf(out, "<figure class=\"chart\"><figcaption><h3>%s</h3><p class=\"readout\"></p>",
		chart->title);
	fprintf(out,
		"</figcaption>\n<div class=\"plot\" role=\"img\" tabindex=\"0\" aria-label=\"%s "
		"over time, ",
		chart->title);
	html_value(out, chart->kind, series->least);
	fputs(" to ", out);
	html_value(out, chart->kind, series->most);
	fputs("; its figures are in the table below.\"></div>\n", out);
}

static void put_remark(FILE *out, const struct html_series *series)
{
	fputs("<p class=\"remark\">Thinned for the eye: ", out);
	if (series->is_banded)
		fputs("each point is a mean over ", out);
	else
		fputs("of a round the smallest and the largest value are drawn of each ", out);
	html_value(out, METRIC_SECONDS, series->step * (series->is_banded ? 1 : 2));
	fputs("; every tick is in run.json.</p>\n", out);
}

static int put_chart(const struct html *html, const struct chart *chart, bool *thinned)
{
	struct html_series *series = html_series_new(html->rec, chart->get);
	bool shown;

	if (!series)
		return -1;
	shown = series->n && (chart->always || series->most > 0);
	if (shown) {
		put_caption(html, chart, series);
		if (html_has_library())
			put_data(html->out, chart, series);
		put_figures(html, chart, series);
		if (!*thinned && series->is_thinned) {
			put_remark(html->out, series);
			*thinned = true;
		}
		fputs("</figure>\n", html->out);
	}
	html_series_free(series);
	return 0;
}

/* When something of that name began or ended: the median over the rounds. */
typedef double span_time(const struct record_round *round, const char *name);

static double phase_begin(const struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_phases; i++)
		if (round->phases[i].name && !strcmp(round->phases[i].name, name))
			return round->phases[i].started_at;
	return NAN;
}

static double phase_end(const struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_phases; i++)
		if (round->phases[i].name && !strcmp(round->phases[i].name, name))
			return round->phases[i].started_at + round->phases[i].duration_seconds;
	return NAN;
}

static double fault_begin(const struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_faults; i++)
		if (round->faults[i].name && !strcmp(round->faults[i].name, name))
			return round->faults[i].applied_at;
	return NAN;
}

/* One that never ended lasts to the end. */
static double fault_end(const struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_faults; i++)
		if (round->faults[i].name && !strcmp(round->faults[i].name, name))
			return isnan(round->faults[i].applied_at) ? NAN
			       : isnan(round->faults[i].ended_at) ? round->window_seconds
								  : round->faults[i].ended_at;
	return NAN;
}

static double median_time(const struct record *rec, span_time *get, const char *name,
			  double *values)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		values[n] = get(&rec->rounds[i], name);
		n += isfinite(values[n]);
	}
	return stats_median(values, n);
}

static void put_span(FILE *out, bool *first, const char *kind, const char *name, double from,
		     double to)
{
	if (isnan(from) || isnan(to))
		return;
	fprintf(out, "%s{\"kind\":\"%s\",\"name\":", *first ? "" : ",\n", kind);
	html_json_string(out, name);
	fputs(",\"from\":", out);
	html_json_number(out, from);
	fputs(",\"to\":", out);
	html_json_number(out, to);
	putc('}', out);
	*first = false;
}

/* Names of the round that has most of them. */
static int put_spans(const struct html *html)
{
	const struct record *rec = html->rec;
	const struct record_round *phased = NULL, *faulted = NULL;
	double *values = calloc(rec->n_rounds + 1, sizeof(*values));
	FILE *out = html->out;
	bool first = true;

	if (!values)
		return -1;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		if (!phased || rec->rounds[i].n_phases > phased->n_phases)
			phased = &rec->rounds[i];
		if (!faulted || rec->rounds[i].n_faults > faulted->n_faults)
			faulted = &rec->rounds[i];
	}
	fputs("<script type=\"application/json\" id=\"spans\">[", out);
	/* One phase is the window itself. */
	for (size_t i = 0; phased && phased->n_phases > 1 && i < phased->n_phases; i++)
		if (phased->phases[i].name)
			put_span(out, &first, "phase", phased->phases[i].name,
				 median_time(rec, phase_begin, phased->phases[i].name, values),
				 median_time(rec, phase_end, phased->phases[i].name, values));
	for (size_t i = 0; faulted && i < faulted->n_faults; i++)
		if (faulted->faults[i].name)
			put_span(out, &first, "fault", faulted->faults[i].name,
				 median_time(rec, fault_begin, faulted->faults[i].name, values),
				 median_time(rec, fault_end, faulted->faults[i].name, values));
	fputs("]</script>\n", out);
	free(values);
	return 0;
}

/* Hidden until the script has something for them to do. */
static void put_controls(const struct html *html)
{
	FILE *out = html->out;

	fputs("<form class=\"controls\" hidden aria-label=\"What the charts show\">\n", out);
	for (size_t side = 0; side < html_sides(html); side++) {
		fprintf(out,
			"<label><input type=\"checkbox\" name=\"%c\" checked> "
			"<span class=\"swatch %c\"></span> %c ",
			html_letter(side), side == SIDE_A ? 'a' : 'b', html_letter(side));
		html_text(out, html->summary->sides[side].name);
		fputs("</label>\n", out);
	}
	fputs("<label><input type=\"checkbox\" name=\"median\" checked> median</label>\n"
	      "<label><span class=\"label\">rounds</span> <select name=\"pair\"></select></label>\n"
	      "<button type=\"button\" name=\"reset\">Whole time</button>\n"
	      "<span class=\"help\">Drag to zoom, double-click for the whole; by keys: arrows, + "
	      "and &minus;, Home.</span>\n</form>\n",
	      out);
}

static bool has_series(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (rec->rounds[i].series.n || rec->rounds[i].series.n_response_p95_seconds)
			return true;
	return false;
}

int html_put_times(const struct html *html)
{
	bool thinned = false; /* and that was said */
	int rc = 0;

	if (!has_series(html->rec))
		return 0;

	fputs("<section id=\"time\"><h2>Over time</h2>\n", html->out);
	put_controls(html);
	rc = put_spans(html);
	fputs("<div class=\"charts\">\n", html->out);
	for (size_t i = 0; !rc && i < sizeof(charts) / sizeof(charts[0]); i++)
		rc = put_chart(html, &charts[i], &thinned);
	fputs("</div></section>\n", html->out);
	return rc;
}
