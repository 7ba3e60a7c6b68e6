/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/compare.h"
#include "record/metric.h"
#include "record/stopping.h"
#include "record/verdict.h"
#include "util/grouped.h"
#include "util/units.h"

static const struct record_comparison *find(const struct record *rec, const char *metric)
{
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (rec->comparison[i].metric && !strcmp(rec->comparison[i].metric, metric))
			return &rec->comparison[i];
	return NULL;
}

static bool is_verdict(const struct record_comparison *row, const char *verdict)
{
	return row->verdict && !strcmp(row->verdict, verdict);
}

static bool is_different(const struct record_comparison *row)
{
	return (is_verdict(row, "B_lower") || is_verdict(row, "B_higher")) &&
	       row->p_adjusted < COMPARE_SIGNIFICANT;
}

enum gate_result gate_judge(const struct record *rec, const char *metric)
{
	const struct record_comparison *row = find(rec, metric);

	if (!row || row->n <= 0)
		return GATE_NO_DATA;
	if (is_verdict(row, "equivalent"))
		return GATE_PASSED;
	if (!is_different(row))
		return GATE_INCONCLUSIVE;
	return is_verdict(row, row->lower_is_better ? "B_lower" : "B_higher") ? GATE_PASSED
									      : GATE_WORSE;
}

bool gate_fails(enum gate_result result)
{
	return result == GATE_WORSE || result == GATE_NO_DATA;
}

/* "1.66x (95 % interval 1.60 to 1.72) of", or the difference where there is no ratio. */
static void name_size(const struct record_comparison *row, double confidence, char *buf,
		      size_t size)
{
	char middle[32], low[32], high[32];
	char *(*show)(char *, size_t, double) = !row->unit                    ? format_count
						: !strcmp(row->unit, "s")     ? format_seconds
						: !strcmp(row->unit, "bytes") ? format_bytes
									      : format_count;

	if (!isnan(row->ratio) && !isnan(row->ci_low))
		snprintf(buf, size, "%.4gx (%.0f %% interval %.4g to %.4g) of", row->ratio,
			 confidence * 100, row->ci_low, row->ci_high);
	else if (!isnan(row->ratio))
		snprintf(buf, size, "%.4gx (no interval yet) of", row->ratio);
	else if (!isnan(row->difference_low))
		snprintf(buf, size, "%s more (%.0f %% interval %s to %s) than",
			 show(middle, sizeof(middle), row->difference), confidence * 100,
			 show(low, sizeof(low), row->difference_low),
			 show(high, sizeof(high), row->difference_high));
	else
		snprintf(buf, size, "without a ratio to");
}

void gate_outlook(char buf[GATE_OUTLOOK_MAX], const struct record *rec,
		  const struct record_comparison *row)
{
	size_t gates = verdict_n_gated(rec);
	int fewest = stopping_fewest(gates), used;
	char number[GROUPED_MAX];

	*buf = '\0';
	if (is_verdict(row, "equivalent") || is_different(row))
		return;
	if (!is_verdict(row, "inconclusive")) {
		if (!row->verdict || isnan(row->p_adjusted))
			return;
		used = snprintf(buf, GATE_OUTLOOK_MAX, "; p after Holm, over %zu metric%s, is %.2g",
				gates, gates == 1 ? "" : "s", row->p_adjusted);
		if (row->n < fewest)
			snprintf(buf + used, GATE_OUTLOOK_MAX - (size_t)used,
				 ": less than %.2g takes %d pairs or more", COMPARE_SIGNIFICANT,
				 fewest);
	} else if (row->n < STOPPING_MIN_PAIRS) {
		snprintf(buf, GATE_OUTLOOK_MAX, "; it takes %d pairs at least", STOPPING_MIN_PAIRS);
	} else if (row->pairs_needed > row->n + VERDICT_MANY_PAIRS) {
		snprintf(buf, GATE_OUTLOOK_MAX, "; not even %s more would settle it",
			 format_grouped(number, sizeof(number), VERDICT_MANY_PAIRS));
	} else if (row->pairs_needed > 0) {
		snprintf(buf, GATE_OUTLOOK_MAX, "; about %s would settle it",
			 format_grouped(number, sizeof(number), row->pairs_needed));
	}
}

char *gate_text(const struct record *rec, const char *metric)
{
	const struct record_comparison *row = find(rec, metric);
	enum gate_result result = gate_judge(rec, metric);
	char size[160], more[GATE_OUTLOOK_MAX] = "", *text = NULL;
	int n;

	if (result == GATE_NO_DATA || !row) {
		n = asprintf(&text, "no pair of rounds tells %s, so nothing guards it", metric);
		return n < 0 ? NULL : text;
	}
	name_size(row, rec->statistics.confidence, size, sizeof(size));
	if (result == GATE_INCONCLUSIVE)
		gate_outlook(more, rec, row);
	n = asprintf(&text, "%s of B is %s%s A's after %lld pair%s%s", metric,
		     result == GATE_PASSED         ? ""
		     : result == GATE_INCONCLUSIVE ? "inconclusive, "
						   : "worse, ",
		     size, (long long)row->n, row->n == 1 ? "" : "s", more);
	return n < 0 ? NULL : text;
}

bool gate_finds_difference(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (!rec->comparison[i].exploratory && is_different(&rec->comparison[i]))
			return true;
	return false;
}

const char *gate_find(const char *name, char problem[GATE_PROBLEM_MAX])
{
	const struct metric *metric = metric_find(name);
	const char *near;

	if (metric && metric_is_score(metric->name)) {
		snprintf(problem, GATE_PROBLEM_MAX,
			 "'%.60s' is an arbitrary sum, which decides nothing; a gate is on what it "
			 "is made of: cpu.utilization_avg, memory.rss_avg_bytes",
			 name);
		return NULL;
	}
	if (metric && metric_is_neutral(metric->name)) {
		snprintf(
			problem, GATE_PROBLEM_MAX,
			"'%.60s' only says how many were timed, of which neither more nor fewer is "
			"better; a gate is on the times, e.g. %.*s.p99_seconds",
			name, (int)(strlen(metric->name) - strlen(".count")), metric->name);
		return NULL;
	}
	if (metric)
		return metric->name;
	near = metric_nearest(name);
	if (near)
		snprintf(problem, GATE_PROBLEM_MAX,
			 "no metric is named '%.60s'; did you mean '%s'?", name, near);
	else
		snprintf(problem, GATE_PROBLEM_MAX,
			 "no metric is named '%.60s'; write one of 'perfbpf list metrics'", name);
	return NULL;
}
