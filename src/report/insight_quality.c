/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How good the data are: the rounds as statistics see them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/metric.h"
#include "report/insight_list.h"
#include "report/summary.h"
#include "stats/paired.h"
#include "stats/stats.h"
#include "stats/trend.h"

#define DEFAULT_MARGIN     0.02
#define DEFAULT_CONFIDENCE 0.95
/* How far an interval's ends are from its middle. Where it settles something, what is wider than
 * this still says little of how much. */
#define WIDE_SHARE 0.10
/* Pairs with A first, and with B first: less tell nothing of the order. */
#define ORDER_PAIRS 4
/* The first round lies so much above all others, relative to their median, and so many times their
 * range above the largest. */
#define FIRST_ABOVE  0.05
#define FIRST_RANGES 1.0
#define FIRST_ROUNDS 5
/* CPU use in the first quarter of a window over that of the second half, in every round. */
#define WARMING_FACTOR 1.10
#define WARMING_ROUNDS 3
#define WARMING_TICKS  16

static double margin_of(const struct insights *list)
{
	double margin = list->rec->statistics.margin;

	return margin > 0 ? margin : DEFAULT_MARGIN;
}

/* The primary metric; of one side, and before there was one, the CPU time. */
static const struct metric *main_metric(const struct insights *list)
{
	const struct metric *metric = metric_find(list->rec->statistics.primary);

	return metric ? metric : metric_find("cpu.total_seconds");
}

static void add_few_pairs(struct insights *list)
{
	double confidence = list->rec->statistics.confidence;
	const struct record_comparison *row = insights_row(list, main_metric(list)->name);
	size_t least;

	confidence = confidence > 0 && confidence < 1 ? confidence : DEFAULT_CONFIDENCE;
	least = stats_min_pairs(confidence);
	if (!list->two_sided || !row || row->n >= (int64_t)least)
		return;
	insights_add(list, "quality", row->metric, (double)row->n, 5,
		     "too few pairs to tell anything: %lld, and an interval at %.0f %% needs %zu",
		     (long long)row->n, 100 * confidence, least);
}

static void add_wide(struct insights *list)
{
	const struct record_comparison *row = insights_row(list, list->rec->statistics.primary);
	double width = row ? row->ci_high / row->ci_low : NAN;
	double allowed = 1 + (insights_is_decided(row) ? WIDE_SHARE : margin_of(list));

	if (!(width > allowed * allowed))
		return;
	insights_add(
		list, "quality", row->metric, width, 4,
		"the interval of B/A of %s is wide: %.3g to %.3g, a factor of %.3g from end to "
		"end (the margin is %.3g %%)",
		insights_label(row->metric), row->ci_low, row->ci_high, width,
		100 * margin_of(list));
}

static void add_outliers(struct insights *list)
{
	const struct record *rec = list->rec;

	for (size_t i = 0; i < rec->n_comparison; i++) {
		const struct record_comparison *row = &rec->comparison[i];
		bool is_main = row->metric && !strcmp(row->metric, main_metric(list)->name);

		if (!(row->outliers > 0) || (row->exploratory && !is_main))
			continue;
		insights_add(
			list, "quality", row->metric, (double)row->outliers, 2,
			"%lld of %zu rounds lie%s far out in %s (all are kept): A from %.4g to "
			"%.4g times its median, B from %.4g to %.4g",
			(long long)row->outliers, list->n_rounds[SIDE_A] + list->n_rounds[SIDE_B],
			row->outliers == 1 ? "s" : "", insights_label(row->metric),
			row->a_min / row->a_median, row->a_max / row->a_median,
			row->b_min / row->b_median, row->b_max / row->b_median);
	}
}

/* The values of a side in the order of its rounds, all known; how many, 0: one is not known. */
static size_t values_in_order(const struct insights *list, enum side side,
			      const struct metric *metric)
{
	for (size_t i = 0; i < list->n_rounds[side]; i++) {
		list->room[i] = metric->get(list->rounds[side][i]);
		if (!isfinite(list->room[i]))
			return 0;
	}
	return list->n_rounds[side];
}

static void add_drift(struct insights *list, enum side side)
{
	const struct metric *metric = main_metric(list);
	size_t n = values_in_order(list, side, metric);
	struct stats_estimate slope;
	double over;

	if (!n)
		return;
	if (stats_slope(list->room, n, &slope)) {
		list->failed = true;
		return;
	}
	over = slope.value * (double)(n - 1) / stats_median(list->room, n);
	if (!(slope.low > 0 || slope.high < 0) || !isfinite(over) ||
	    !(fabs(over) >= margin_of(list)))
		return;
	insights_add(list, "quality", metric->name, over, 3,
		     "%s of %s drifted by %+.3g %% of its median from the first to the last of %zu "
		     "rounds; pairs in "
		     "random order take that out of the difference, not out of the medians",
		     metric->label, insights_letter(side), 100 * over, n);
}

static void add_first_round(struct insights *list, enum side side)
{
	const struct metric *metric = main_metric(list);
	size_t n = values_in_order(list, side, metric);
	double first, median, low, high;

	if (n < FIRST_ROUNDS)
		return;
	first = list->room[0];
	median = stats_median(list->room + 1, n - 1);
	low = stats_min(list->room + 1, n - 1);
	high = stats_max(list->room + 1, n - 1);
	if (!(median > 0) || !(first >= (1 + FIRST_ABOVE) * median) ||
	    !(first > high + FIRST_RANGES * (high - low)))
		return;
	insights_add(list, "quality", metric->name, first / median - 1, 3,
		     "the first round of %s stands out, as where something was still cold: %s is "
		     "%.3g %% above the median of the other %zu",
		     insights_letter(side), metric->label, 100 * (first / median - 1), n - 1);
}

/* CPU use in the first quarter over that in the second half; NAN: not known. */
static double warming_of(const struct record_round *round)
{
	const struct record_series *series = &round->series;
	size_t n = series->n;
	double early, late;

	if (n < WARMING_TICKS || !series->cpu_utilization)
		return NAN;
	for (size_t i = 0; i < n; i++)
		if (!isfinite(series->cpu_utilization[i]))
			return NAN;
	early = stats_median(series->cpu_utilization, n / 4);
	late = stats_median(series->cpu_utilization + n / 2, n - n / 2);
	return late > 0 ? early / late : NAN;
}

/* Of a driver's steady load; a command is never the same from its beginning to its end. */
static void add_warming(struct insights *list, enum side side)
{
	double least = INFINITY;

	if (!list->rec->scenario.driver || list->rec->scenario.n_phases != 1 ||
	    list->n_rounds[side] < WARMING_ROUNDS)
		return;
	for (size_t i = 0; i < list->n_rounds[side]; i++) {
		double factor = warming_of(list->rounds[side][i]);

		if (!(factor >= WARMING_FACTOR))
			return;
		least = fmin(least, factor);
	}
	insights_add(
		list, "quality", "cpu.utilization_avg", least, 3,
		"%s was still warming up when the window opened: in each of its %zu rounds the "
		"CPU use of the first quarter is at least %.3g times that of the second half",
		insights_letter(side), list->n_rounds[side], least);
}

/* B/A of the pair that @a is in; NAN: not known. */
static double ratio_of(const struct insights *list, const struct record_round *a,
		       const struct metric *metric)
{
	for (size_t i = 0; i < list->n_rounds[SIDE_B]; i++) {
		const struct record_round *b = list->rounds[SIDE_B][i];

		if (b->pair == a->pair && metric->get(a) > 0)
			return metric->get(b) / metric->get(a);
	}
	return NAN;
}

/* Over the pairs in which A was first, or B. */
static struct insight_range ratios_by_order(const struct insights *list,
					    const struct metric *metric, enum side first)
{
	struct insight_range range = {0, NAN, NAN, NAN};

	for (size_t i = 0; i < list->n_rounds[SIDE_A]; i++) {
		const struct record_round *a = list->rounds[SIDE_A][i];
		double ratio = ratio_of(list, a, metric);

		if (isfinite(ratio) && (a->position == 0) == (first == SIDE_A))
			list->room[range.n++] = ratio;
	}
	range.median = stats_median(list->room, range.n);
	range.min = stats_min(list->room, range.n);
	range.max = stats_max(list->room, range.n);
	return range;
}

static void add_order(struct insights *list)
{
	const struct metric *metric = main_metric(list);
	const struct insight_range first[SIDES] = {ratios_by_order(list, metric, SIDE_A),
						   ratios_by_order(list, metric, SIDE_B)};
	const struct insight_range *a = &first[SIDE_A], *b = &first[SIDE_B];

	if (a->n < ORDER_PAIRS || b->n < ORDER_PAIRS || !insights_are_apart(first) ||
	    !(fabs(a->median / b->median - 1) >= margin_of(list)))
		return;
	insights_add(
		list, "quality", metric->name, a->median / b->median - 1, 3,
		"the order within a pair matters: B/A of %s is %.3g to %.3g where A came first "
		"(%zu pairs), and %.3g to %.3g where B did (%zu)",
		metric->label, a->min, a->max, a->n, b->min, b->max, b->n);
}

void insights_find_quality(struct insights *list)
{
	add_few_pairs(list);
	add_wide(list);
	add_outliers(list);
	add_order(list);
	for (int side = 0; side < SIDES; side++) {
		add_drift(list, (enum side)side);
		add_first_round(list, (enum side)side);
		add_warming(list, (enum side)side);
	}
}
