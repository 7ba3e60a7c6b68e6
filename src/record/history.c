/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline.h"
#include "record/compare.h"
#include "record/metric.h"
#include "stats/change.h"
#include "stats/stats.h"

#define CONFIDENCE 0.95

static void clear_point(struct history_point *point)
{
	free(point->path);
	free(point->started_at);
	free(point->version);
}

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < history->n_series; i++) {
		struct history_series *series = &history->series[i];

		for (size_t j = 0; j < series->n_points; j++)
			clear_point(&series->points[j]);
		free(series->points);
		free(series->scenario);
		free(series->target);
	}
	free(history->series);
	free(history);
}

static struct history_series *find_series(struct history *history, const char *scenario,
					  const char *target, const char *metric)
{
	struct history_series *list, *series;

	for (size_t i = 0; i < history->n_series; i++) {
		series = &history->series[i];
		if (series->metric == metric && !strcmp(series->scenario, scenario) &&
		    !strcmp(series->target, target))
			return series;
	}
	list = reallocarray(history->series, history->n_series + 1, sizeof(*list));
	if (!list)
		return NULL;
	history->series = list;
	series = &list[history->n_series];
	*series = (struct history_series){
		.scenario = strdup(scenario), .target = strdup(target), .metric = metric};
	history->n_series++;
	return series->scenario && series->target ? series : NULL;
}

/* 0 also where the string is not there to be copied. */
static int copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to ? 0 : -1;
}

static int add_point(struct history_series *series, const struct record *rec,
		     const struct record_target *target, const char *path, double *values, size_t n)
{
	struct history_point *list =
		reallocarray(series->points, series->n_points + 1, sizeof(*list));
	struct history_point *point;

	if (!list)
		return -1;
	series->points = list;
	point = &list[series->n_points++];
	*point = (struct history_point){
		.valid = !record_unfit(rec),
		.median = stats_median(values, n),
		.low = NAN,
		.high = NAN,
		.n = (int64_t)n,
		.change = NAN,
		.change_p = NAN,
	};
	stats_median_interval(values, n, CONFIDENCE, &point->low, &point->high);
	return copy(&point->path, path) || copy(&point->started_at, rec->rounds[0].started_at) ||
			       copy(&point->version, target->version)
		       ? -1
		       : 0;
}

static size_t values_of(const struct record *rec, enum side side, const struct metric *metric,
			double *values)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_rounds; i++) {
		double value = rec->rounds[i].side == side && !rec->rounds[i].aborted_by
				       ? metric->get(&rec->rounds[i])
				       : NAN;

		if (isfinite(value))
			values[n++] = value;
	}
	return n;
}

/* A target against itself is two series. */
static char *label_of(const struct record *rec, const struct record_target *target)
{
	const char *name = target->name ? target->name : target->side == SIDE_A ? "A" : "B";
	const char *suffix = "";
	char *label;

	for (size_t i = 0; i < rec->n_targets; i++)
		if (&rec->targets[i] != target && rec->targets[i].name && target->name &&
		    !strcmp(rec->targets[i].name, target->name))
			suffix = target->side == SIDE_A ? " (A)" : " (B)";
	return asprintf(&label, "%s%s", name, suffix) < 0 ? NULL : label;
}

static bool is_wanted(const struct history_options *options, const char *target)
{
	for (size_t i = 0; i < options->n_targets; i++)
		if (target && !strcmp(options->targets[i], target))
			return true;
	return !options->n_targets;
}

static int add_target(struct history *history, const struct record *rec,
		      const struct record_target *target, const char *path,
		      const char *const *metrics, size_t n_metrics)
{
	double *values = calloc(rec->n_rounds + 1, sizeof(*values));
	char *label = label_of(rec, target);
	int rc = values && label ? 0 : -1;

	for (size_t i = 0; !rc && i < n_metrics; i++) {
		const struct metric *metric = metric_find(metrics[i]);
		size_t n = metric ? values_of(rec, target->side, metric, values) : 0;
		struct history_series *series;

		if (!n)
			continue;
		series = find_series(history, rec->scenario.name ? rec->scenario.name : "?", label,
				     metric->name);
		rc = series ? add_point(series, rec, target, path, values, n) : -1;
	}
	free(values);
	free(label);
	return rc;
}

int history_add(struct history *history, const struct record *rec, const char *path,
		const struct history_options *options)
{
	const char *standard[COMPARE_MAX_GATES];
	const char *const *metrics = options->n_metrics ? options->metrics : standard;
	size_t n = options->n_metrics ? options->n_metrics : compare_default_gates(rec, standard);
	int rc = 0;

	for (size_t i = 0; !rc && i < rec->n_targets; i++)
		if (is_wanted(options, rec->targets[i].name))
			rc = add_target(history, rec, &rec->targets[i], path, metrics, n);
	return rc;
}

/* RFC 3339 in UTC, which is in the order of time as it is written. */
static int compare_points(const void *a, const void *b)
{
	const struct history_point *x = a, *y = b;
	int order = strcmp(x->started_at ? x->started_at : "", y->started_at ? y->started_at : "");

	return order ? order : strcmp(x->path, y->path);
}

static int compare_series(const void *a, const void *b)
{
	const struct history_series *x = a, *y = b;
	int order = strcmp(x->scenario, y->scenario);

	if (!order)
		order = strcmp(x->target, y->target);
	if (order)
		return order;
	/* Both point into the table of metrics. */
	return (metric_find(x->metric) > metric_find(y->metric)) -
	       (metric_find(x->metric) < metric_find(y->metric));
}

/* @values are those of the valid points @which. */
static void mark(struct history_series *series, const double *values, const size_t *which, size_t n,
		 const struct stats_change *changes, size_t n_changes)
{
	for (size_t i = 0; i < n_changes; i++) {
		size_t from = i ? changes[i - 1].at : 0;
		size_t to = i + 1 < n_changes ? changes[i + 1].at : n;
		double before = stats_median(values + from, changes[i].at - from);
		double behind = stats_median(values + changes[i].at, to - changes[i].at);
		struct history_point *point = &series->points[which[changes[i].at]];

		point->change = before > 0 ? behind / before - 1 : NAN;
		point->change_p = changes[i].p;
	}
}

static int find_changes(struct history_series *series)
{
	size_t n = 0, room = series->n_points + 1;
	struct stats_change *changes = calloc(room, sizeof(*changes));
	double *values = calloc(room, sizeof(*values));
	size_t *which = calloc(room, sizeof(*which));
	int found = -1;

	for (size_t i = 0; values && which && i < series->n_points; i++)
		if (series->points[i].valid) {
			values[n] = series->points[i].median;
			which[n++] = i;
		}
	if (values && which && changes)
		found = stats_changes(values, n, changes);
	if (found > 0)
		mark(series, values, which, n, changes, (size_t)found);
	free(changes);
	free(values);
	free(which);
	return found < 0 ? -1 : 0;
}

int history_finish(struct history *history)
{
	if (history->n_series)
		qsort(history->series, history->n_series, sizeof(*history->series), compare_series);
	for (size_t i = 0; i < history->n_series; i++) {
		struct history_series *series = &history->series[i];

		qsort(series->points, series->n_points, sizeof(*series->points), compare_points);
		if (find_changes(series))
			return -1;
	}
	return 0;
}
