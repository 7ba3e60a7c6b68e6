/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/endurance.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/shape_table.h"
#include "stats/trend.h"
#include "util/units.h"

#define QUARTERS 4
#define FLOOR    0.05
/* Parts of a tenth of the window. */
#define PARTS 10

/* What is found, before it is a row of the record. */
struct finding {
	const char *name, *unit, *verdict;
	struct stats_estimate interval;
	char text[240];
};

static int add_finding(struct record_round *round, const struct finding *finding)
{
	struct record_endurance *to = &round->endurance[round->n_endurance++];

	*to = (struct record_endurance){
		.name = strdup(finding->name),
		.verdict = strdup(finding->verdict),
		.unit = strdup(finding->unit),
		.value = finding->interval.value,
		.ci_low = finding->interval.low,
		.ci_high = finding->interval.high,
		.text = strdup(finding->text),
	};
	return to->name && to->verdict && to->unit && to->text ? 0 : -1;
}

static void say(struct finding *finding, const char *verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct finding *finding, const char *verdict, const char *fmt, ...)
{
	va_list args;

	finding->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

/* --- memory ---------------------------------------------------------------------- */

/* Does the floor rise from each quarter to the next? */
static bool does_floor_rise(const double *rss, size_t n)
{
	double before = -INFINITY;

	for (size_t i = 0; i < QUARTERS; i++) {
		size_t from = i * n / QUARTERS, to = (i + 1) * n / QUARTERS;
		double now = stats_quantile(rss + from, to - from, FLOOR);

		if (!(now > before))
			return false;
		before = now;
	}
	return true;
}

/* Of the block medians: is the second half's slope less than half of the first's, and surely less?
 */
static int does_level_off(const double *blocks, bool *levels_off)
{
	struct stats_estimate first, second;

	if (stats_slope(blocks, ENDURANCE_BLOCKS / 2, &first) ||
	    stats_slope(blocks + ENDURANCE_BLOCKS / 2, ENDURANCE_BLOCKS / 2, &second))
		return -1;
	*levels_off = second.value < first.value / 2 && second.high < first.value;
	return 0;
}

/* "60.2 MiB/h (95 % interval 58.9 MiB/h to 61.4 MiB/h)" */
static const char *name_slope(char *buf, size_t size, const struct stats_estimate *slope)
{
	char value[32], low[32], high[32];

	snprintf(buf, size, "%s/h (95 %% interval %s/h to %s/h)",
		 format_bytes(value, sizeof(value), slope->value),
		 format_bytes(low, sizeof(low), slope->low),
		 format_bytes(high, sizeof(high), slope->high));
	return buf;
}

static bool is_much(double bytes, double typical)
{
	return bytes > ENDURANCE_MIN_BYTES && bytes > ENDURANCE_MIN_SHARE * typical;
}

static void judge_slope(struct finding *finding, const double *rss, size_t n, double hours,
			bool levels_off)
{
	const struct stats_estimate *slope = &finding->interval;
	double typical = stats_quantile(rss, n, 0.5), grown = slope->value * hours;
	char text[128], bytes[32];

	name_slope(text, sizeof(text), slope);
	if (slope->low > 0 && !is_much(grown, typical) && is_much(slope->value, typical))
		say(finding, "inconclusive",
		    "grew by %s only in this time, which would be %s; soak longer",
		    format_bytes(bytes, sizeof(bytes), grown), text);
	else if (!(slope->low > 0) || !is_much(grown, typical))
		say(finding, "steady", "steady: %s", text);
	else if (!does_floor_rise(rss, n))
		say(finding, "steady", "grows and comes back to its floor: %s", text);
	else if (levels_off)
		say(finding, "inconclusive", "still growing, but levelling off: %s; soak longer",
		    text);
	else
		say(finding, "leak", "leak found: %s", text);
}

static int judge_memory(const struct record_round *round, struct finding *finding)
{
	const struct record_series *series = &round->series;
	size_t first = series->n / 3, n = series->n - first;
	double blocks[ENDURANCE_BLOCKS], hours = (double)n * series->interval_seconds / 3600;
	double per_hour = ENDURANCE_BLOCKS / hours;
	bool levels_off = false;

	if (!series->rss_bytes || series->n < ENDURANCE_MIN_POINTS || !(hours > 0))
		return 0;
	if (stats_block_medians(series->rss_bytes + first, n, blocks, ENDURANCE_BLOCKS) ||
	    stats_slope(blocks, ENDURANCE_BLOCKS, &finding->interval) ||
	    does_level_off(blocks, &levels_off))
		return -1;
	if (isnan(finding->interval.value))
		return 0;
	finding->interval.value *= per_hour;
	finding->interval.low *= per_hour;
	finding->interval.high *= per_hour;
	judge_slope(finding, series->rss_bytes + first, n, hours, levels_off);
	return 0;
}

/* --- what wears off -------------------------------------------------------------- */

static const char *percent(char *buf, size_t size, double ratio)
{
	snprintf(buf, size, "%+.1f %%", ratio * 100);
	return buf;
}

/* @sign 1: more is worse, −1: less is. */
static void judge_change(struct finding *finding, int sign, double bound, const char *of)
{
	const struct stats_estimate *change = &finding->interval;
	double best = sign > 0 ? change->low : -change->high;
	double worst = sign > 0 ? change->high : -change->low;
	char value[32], low[32], high[32], text[160];

	snprintf(text, sizeof(text),
		 "%s %s from the first tenth to the last (95 %% interval %s to %s)",
		 percent(value, sizeof(value), change->value), of,
		 percent(low, sizeof(low), change->low), percent(high, sizeof(high), change->high));
	if (best > bound)
		say(finding, "drift", "drift: %s", text);
	else if (worst <= bound)
		say(finding, "steady", "steady: %s", text);
	else
		say(finding, "inconclusive", "inconclusive: %s", text);
}

/* The first and the last tenth of @values in PARTS each; false where they are too few. */
static bool tenths(const double *values, size_t n, double first[PARTS], double last[PARTS],
		   size_t *parts, int *rc)
{
	size_t tenth = n / 10;

	*parts = tenth < PARTS ? tenth : PARTS;
	if (!values || *parts < 4)
		return false;
	*rc = stats_block_medians(values, tenth, first, *parts) ||
			      stats_block_medians(values + n - tenth, tenth, last, *parts)
		      ? -1
		      : 0;
	return !*rc;
}

/* Relative change: of logarithms, so that a doubling and a halving are as large. */
static int judge_ratio(const double *values, size_t n, int sign, struct finding *finding,
		       const char *of)
{
	double first[PARTS], last[PARTS];
	struct stats_estimate *change = &finding->interval;
	size_t parts;
	int rc = 0;

	if (!tenths(values, n, first, last, &parts, &rc))
		return rc;
	for (size_t i = 0; i < parts; i++) {
		first[i] = first[i] > 0 ? log(first[i]) : NAN;
		/* To nothing at all is the worst of all changes. */
		last[i] = last[i] > 0 ? log(last[i]) : isnan(last[i]) ? NAN : -50;
	}
	if (stats_level_shift(first, parts, last, parts, change))
		return -1;
	if (isnan(change->value))
		return 0;
	change->value = expm1(change->value);
	change->low = expm1(change->low);
	change->high = expm1(change->high);
	judge_change(finding, sign, ENDURANCE_DRIFT, of);
	return 0;
}

/* Medians would pass over rare errors: each part has its own share of all that it tried. */
static void share_parts(const struct record_series *series, size_t from, size_t n, double *out,
			size_t parts)
{
	for (size_t i = 0; i < parts; i++) {
		double good = 0, bad = 0;

		for (size_t j = from + i * n / parts; j < from + (i + 1) * n / parts; j++) {
			good += isnan(series->operations_per_second[j])
					? 0
					: series->operations_per_second[j];
			bad += isnan(series->errors_per_second[j]) ? 0
								   : series->errors_per_second[j];
		}
		out[i] = good + bad > 0 ? bad / (good + bad) : NAN;
	}
}

static int judge_errors(const struct record_round *round, struct finding *finding)
{
	const struct record_series *series = &round->series;
	size_t tenth = series->n / 10, parts = tenth < PARTS ? tenth : PARTS;
	double first[PARTS], last[PARTS];

	if (round->has_work && round->work.operations > 0 && round->work.errors == 0) {
		finding->interval = (struct stats_estimate){0, 0, 0};
		say(finding, "steady", "steady: no error in the whole window");
		return 0;
	}
	if (!series->operations_per_second || !series->errors_per_second || parts < 4)
		return 0;
	share_parts(series, 0, tenth, first, parts);
	share_parts(series, series->n - tenth, tenth, last, parts);
	if (stats_level_shift(first, parts, last, parts, &finding->interval))
		return -1;
	if (!isnan(finding->interval.value))
		judge_change(finding, 1, ENDURANCE_ERRORS, "of all operations");
	return 0;
}

static int judge_throughput(const struct record_round *round, struct finding *finding)
{
	const struct record_series *series = &round->series;
	bool asks = series->operations_per_second != NULL;

	return judge_ratio(asks ? series->operations_per_second : series->lines_per_second,
			   series->n, -1, finding, asks ? "operations a second" : "lines a second");
}

static int judge_response(const struct record_round *round, struct finding *finding)
{
	const struct record_series *series = &round->series;

	return judge_ratio(series->response_p95_seconds, series->n_response_p95_seconds, 1, finding,
			   "p95 of the response");
}

static const struct {
	const char *name, *unit;
	int (*judge)(const struct record_round *round, struct finding *finding);
	bool is_of_driver; /* without one there is nothing to judge */
} judges[] = {
	{"memory", "bytes/h", judge_memory, false},
	{"throughput", "", judge_throughput, true},
	{"response", "", judge_response, true},
	{"errors", "", judge_errors, true},
};

static void clear(struct record_round *round)
{
	for (size_t i = 0; i < round->n_endurance; i++)
		shape_clear(&endurance_shape, &round->endurance[i]);
	free(round->endurance);
	round->endurance = NULL;
	round->n_endurance = 0;
}

int record_endurance(struct record_round *round)
{
	size_t n = sizeof(judges) / sizeof(judges[0]);

	clear(round);
	round->endurance = calloc(n, sizeof(*round->endurance));
	if (!round->endurance)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct finding finding = {
			.name = judges[i].name,
			.unit = judges[i].unit,
			.interval = {NAN, NAN, NAN},
		};

		if (judges[i].is_of_driver && !round->has_driver)
			continue;
		say(&finding, "unknown", "not enough data");
		if (judges[i].judge(round, &finding) || add_finding(round, &finding))
			return -1;
	}
	return 0;
}

bool record_endurance_failed(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (size_t j = 0; j < rec->rounds[i].n_endurance; j++) {
			const char *verdict = rec->rounds[i].endurance[j].verdict;

			if (verdict && (!strcmp(verdict, "leak") || !strcmp(verdict, "drift")))
				return true;
		}
	return false;
}
