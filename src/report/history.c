/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/metric.h"
#include "report/summary.h"
#include "report/table.h"
#include "stats/stats.h"
#include "stats/trend.h"

#define MANY_RUNS    10
#define MANY_COLUMNS 7
#define LINE_COLUMNS 72
#define SPARK_LEVELS 8
#define SPARK_INDENT 2

static const char *const blocks[SPARK_LEVELS] = {"\u2581", "\u2582", "\u2583", "\u2584",
						 "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const marks[SPARK_LEVELS] = {"_", ".", ":", "-", "=", "+", "*", "#"};

static size_t level_of(double value, double min, double max)
{
	double share = max > min ? (value - min) / (max - min) : 0;

	return (size_t)fmin(share * SPARK_LEVELS, SPARK_LEVELS - 1);
}

char *history_sparkline(const double *values, size_t n, size_t columns, bool utf8)
{
	size_t shown = n > columns ? columns : n, size = 0;
	double *levels = calloc(shown + 1, sizeof(*levels));
	char *text = NULL;
	FILE *out = levels ? open_memstream(&text, &size) : NULL;

	if (out && n > shown)
		stats_block_medians(values, n, levels, shown);
	for (size_t i = 0; out && i < shown && n <= shown; i++)
		levels[i] = values[i];
	for (size_t i = 0; out && i < shown; i++) {
		size_t level =
			level_of(levels[i], stats_min(levels, shown), stats_max(levels, shown));

		fputs(utf8 ? blocks[level] : marks[level], out);
	}
	free(levels);
	if (!out || fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool has_changed(const struct history_point *point)
{
	return !isnan(point->change_p);
}

/* Those that are worth a row, where there are many. */
static bool is_shown(const struct history_series *series, size_t i,
		     const struct history_style *style)
{
	return style->all || i + MANY_RUNS >= series->n_points || has_changed(&series->points[i]);
}

static void add_mark(struct table *table, const struct history_point *point)
{
	if (!point->valid)
		table_add(table, "INVALID, not judged");
	else if (!has_changed(point))
		table_add(table, "");
	else if (isnan(point->change))
		table_addf(table, "CHANGED from here on (p %.2g)", point->change_p);
	else
		table_addf(table, "CHANGED from here on: %+.3g %% (p %.2g)", 100 * point->change,
			   point->change_p);
}

/* Of commands nobody knows one. */
static bool has_version(const struct history_series *series)
{
	for (size_t i = 0; i < series->n_points; i++)
		if (series->points[i].version)
			return true;
	return false;
}

static void add_row(struct table *table, const struct history_point *point, enum metric_kind kind,
		    bool with_version)
{
	char low[32], high[32], median[32];

	table_add(table, point->started_at ? point->started_at : "-");
	if (with_version)
		table_add(table, point->version ? point->version : "-");
	table_add(table, summary_value(median, sizeof(median), kind, point->median));
	if (isnan(point->low))
		table_add(table, "-");
	else
		table_addf(table, "%s\u2013%s", summary_value(low, sizeof(low), kind, point->low),
			   summary_value(high, sizeof(high), kind, point->high));
	table_addf(table, "%lld", (long long)point->n);
	add_mark(table, point);
	table_add(table, point->path);
}

static int print_runs(const struct history_series *series, const struct history_style *style,
		      const struct text_style *text, FILE *out)
{
	const bool with_version = has_version(series);
	struct table_column columns[MANY_COLUMNS] = {{"run", false}, {"version", false}};
	const struct table_column numbers[] = {{"median", true},
					       {"95 % interval", true},
					       {"rounds", true},
					       {"", false},
					       {"folder", false}};
	const size_t first = with_version ? 2 : 1, n = sizeof(numbers) / sizeof(numbers[0]);
	struct table *table;
	enum metric_kind kind = metric_find(series->metric)->kind;
	size_t hidden = 0;
	int rc;

	memcpy(&columns[first], numbers, sizeof(numbers));
	table = table_new(columns, first + n);
	for (size_t i = 0; i < series->n_points; i++) {
		if (is_shown(series, i, style))
			add_row(table, &series->points[i], kind, with_version);
		else
			hidden++;
	}
	rc = table ? table_print(table, out, text) : -1;
	table_free(table);
	if (hidden)
		paragraph_printf(out, text, 2, "and %zu earlier run%s (--all)", hidden,
				 hidden == 1 ? "" : "s");
	return rc;
}

static int print_sparkline(const struct history_series *series, const struct history_style *style,
			   FILE *out)
{
	double *values = calloc(series->n_points + 1, sizeof(*values));
	size_t n = 0, columns = style->width > SPARK_INDENT + 8
					? (size_t)(style->width - SPARK_INDENT)
					: LINE_COLUMNS;
	char *line;

	for (size_t i = 0; values && i < series->n_points; i++)
		if (series->points[i].valid)
			values[n++] = series->points[i].median;
	line = values ? history_sparkline(values, n, columns, style->utf8) : NULL;
	free(values);
	if (!line)
		return -1;
	if (*line)
		fprintf(out, "%*s%s\n", SPARK_INDENT, "", line);
	free(line);
	return 0;
}

static void print_heading(const struct history_series *series, const struct text_style *text,
			  FILE *out)
{
	const struct metric *metric = metric_find(series->metric);
	char *title;

	if (asprintf(&title, "%s, %s: %s (%s), %zu run%s, %s is better", series->scenario,
		     series->target, metric->label, metric->name, series->n_points,
		     series->n_points == 1 ? "" : "s",
		     metric->lower_is_better ? "lower" : "higher") < 0)
		return;
	heading_print(out, text, title);
	free(title);
}

int history_text(const struct history *history, const struct history_style *style, FILE *out)
{
	const struct text_style text = {.width = style->width, .colour = style->colour};

	for (size_t i = 0; i < history->n_series; i++) {
		const struct history_series *series = &history->series[i];

		print_heading(series, &text, out);
		if (print_sparkline(series, style, out) || print_runs(series, style, &text, out))
			return -1;
	}
	return 0;
}
