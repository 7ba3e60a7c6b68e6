/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Series of runs for machines. */
#include <inttypes.h>
#include <math.h>

#include "record/json_put.h"
#include "record/metric.h"
#include "report/escape.h"
#include "report/history.h"

static void put_text(FILE *out, const char *s)
{
	escape_csv(out, s);
	putc(',', out);
}

static void put_real(FILE *out, double value, char end)
{
	if (isfinite(value))
		fprintf(out, "%.15g", value);
	putc(end, out);
}

void history_csv(const struct history *history, FILE *out)
{
	fputs("scenario,target,metric,unit,started_at,run,version,valid,rounds,median,low,high,"
	      "change,change_p\r\n",
	      out);
	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		for (size_t j = 0; j < series->n_points; j++) {
			const struct history_point *point = &series->points[j];

			put_text(out, series->scenario);
			put_text(out, series->target);
			put_text(out, series->metric);
			put_text(out, metric_find(series->metric)->unit);
			put_text(out, point->started_at);
			put_text(out, point->path);
			put_text(out, point->version);
			fprintf(out, "%s,%" PRId64 ",", point->valid ? "true" : "false", point->n);
			put_real(out, point->median, ',');
			put_real(out, point->low, ',');
			put_real(out, point->high, ',');
			put_real(out, point->change, ',');
			put_real(out, point->change_p, '\r');
			putc('\n', out);
		}
	}
}

static void put_key(FILE *out, const char *key, const char *value)
{
	fprintf(out, "\"%s\": ", key);
	json_put_string(out, value);
	fputs(", ", out);
}

static void put_number(FILE *out, const char *key, double value, const char *end)
{
	fprintf(out, "\"%s\": ", key);
	json_put_real(out, value);
	fputs(end, out);
}

static void put_point(FILE *out, const struct history_point *point)
{
	fputs("        {", out);
	put_key(out, "started_at", point->started_at);
	put_key(out, "run", point->path);
	put_key(out, "version", point->version);
	fprintf(out, "\"valid\": %s, \"rounds\": %" PRId64 ", ", point->valid ? "true" : "false",
		point->n);
	put_number(out, "median", point->median, ", ");
	put_number(out, "low", point->low, ", ");
	put_number(out, "high", point->high, ", ");
	put_number(out, "change", point->change, ", ");
	put_number(out, "change_p", point->change_p, "}");
}

void history_json(const struct history *history, FILE *out)
{
	fputs("{\n  \"schema\": \"perfbpf.history/1\",\n  \"series\": [", out);
	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];
		const struct metric *metric = metric_find(series->metric);

		fprintf(out, "%s\n    {", i ? "," : "");
		put_key(out, "scenario", series->scenario);
		put_key(out, "target", series->target);
		put_key(out, "metric", series->metric);
		put_key(out, "unit", metric->unit);
		put_key(out, "better", metric->lower_is_better ? "lower" : "higher");
		fputs("\"points\": [", out);
		for (size_t j = 0; j < series->n_points; j++) {
			fputs(j ? ",\n" : "\n", out);
			put_point(out, &series->points[j]);
		}
		fputs("\n    ]}", out);
	}
	fputs("\n  ]\n}\n", out);
}
