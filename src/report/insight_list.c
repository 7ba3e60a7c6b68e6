/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/insight_list.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/metric.h"
#include "stats/stats.h"

/* Rounds of each side: of two alike, 4 and 4 lie apart in one case of 35, 6 and 6 in one of 462. */
#define APART_ROUNDS 4

void insights_add(struct insights *list, const char *kind, const char *metric, double value,
		  double weight, const char *fmt, ...)
{
	struct insight_found *found = reallocarray(list->found, list->n + 1, sizeof(*found));
	struct record_insight *insight;
	va_list args;

	if (!found) {
		list->failed = true;
		return;
	}
	list->found = found;
	found[list->n].weight = weight;
	insight = &found[list->n++].insight;
	*insight = (struct record_insight){
		.kind = strdup(kind), .metric = metric ? strdup(metric) : NULL, .value = value};
	va_start(args, fmt);
	if (vasprintf(&insight->text, fmt, args) < 0)
		insight->text = NULL;
	va_end(args);
	if (!insight->kind || (metric && !insight->metric) || !insight->text)
		list->failed = true;
}

const struct record_comparison *insights_row(const struct insights *list, const char *metric)
{
	const struct record *rec = list->rec;

	for (size_t i = 0; metric && i < rec->n_comparison; i++)
		if (rec->comparison[i].metric && !strcmp(rec->comparison[i].metric, metric))
			return &rec->comparison[i];
	return NULL;
}

bool insights_is_decided(const struct record_comparison *row)
{
	if (!row)
		return false;
	if (row->verdict)
		return !strcmp(row->verdict, "B_lower") || !strcmp(row->verdict, "B_higher");
	return isnan(row->ratio) && (row->difference_low > 0 || row->difference_high < 0);
}

const char *insights_label(const char *metric)
{
	const struct metric *row = metric_find(metric);

	return row ? row->label : metric;
}

struct insight_range insights_range(const struct insights *list, enum side side, insight_get *get,
				    const void *what)
{
	struct insight_range range = {0, NAN, NAN, NAN};

	for (size_t i = 0; i < list->n_rounds[side]; i++) {
		double value = get(list->rounds[side][i], what);

		if (isfinite(value))
			list->room[range.n++] = value;
	}
	range.median = stats_median(list->room, range.n);
	range.min = stats_min(list->room, range.n);
	range.max = stats_max(list->room, range.n);
	return range;
}

bool insights_are_apart(const struct insight_range ranges[SIDES])
{
	const struct insight_range *a = &ranges[SIDE_A], *b = &ranges[SIDE_B];

	return a->n >= APART_ROUNDS && b->n >= APART_ROUNDS && (a->max < b->min || b->max < a->min);
}

/* A number of a round over the round's work. */
struct share {
	insight_get *get;
	const void *what;
	const struct insight_unit *unit;
};

static double get_share(const struct record_round *round, const void *what)
{
	const struct share *share = what;
	double work = share->unit->get ? share->unit->get(round) : 1;

	return work > 0 ? share->get(round, share->what) / work : NAN;
}

struct insight_difference insights_difference_of(const struct insights *list, insight_get *get,
						 const void *what, const struct insight_unit *unit)
{
	const struct share share = {get, what, unit};
	struct insight_range ranges[SIDES];

	for (int side = 0; side < SIDES; side++)
		ranges[side] = insights_range(list, (enum side)side, get_share, &share);
	return (struct insight_difference){
		.values = {ranges[SIDE_A].median, ranges[SIDE_B].median},
		.delta = ranges[SIDE_B].median - ranges[SIDE_A].median,
		.is_beyond_noise = insights_are_apart(ranges),
	};
}

static double get_metric(const struct record_round *round, const void *what)
{
	const struct metric *metric = what;

	return metric->get(round);
}

struct insight_difference insights_difference(const struct insights *list, const char *metric,
					      const struct insight_unit *unit)
{
	const struct record_comparison *row = insights_row(list, metric);
	const struct metric *known = metric_find(metric);

	if (unit->get && known)
		return insights_difference_of(list, get_metric, known, unit);
	if (!row)
		return (struct insight_difference){{NAN, NAN}, NAN, false};
	return (struct insight_difference){
		.values = {row->a_median, row->b_median},
		.delta = isnan(row->difference) ? row->b_median - row->a_median : row->difference,
		.is_beyond_noise = insights_is_decided(row),
	};
}

bool insights_goes_along(const struct insight_target *target,
			 const struct insight_difference *difference)
{
	return difference->is_beyond_noise &&
	       (target->more == SIDE_B ? difference->delta > 0 : difference->delta < 0);
}
