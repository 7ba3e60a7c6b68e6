/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/baseline.h"
#include "record/compare.h"
#include "record/endurance.h"
#include "record/gate.h"
#include "record/metric.h"
#include "record/threshold.h"

#define DEFAULT_WORK_BOUND 0.001

size_t judge_gates(const struct judge *judge, const char *const **names)
{
	*names = judge->options->gates;
	if (judge->options->n_gates || !judge->scenario || !judge->options->versus)
		return judge->options->n_gates;
	*names = (const char *const *)judge->scenario->gates;
	return judge->scenario->n_gates;
}

static bool is_told(const struct record *rec, const char *name)
{
	const struct metric *metric = metric_find(name);

	for (size_t i = 0; metric && i < rec->n_rounds; i++)
		if (!isnan(metric->get(&rec->rounds[i])))
			return true;
	return false;
}

const char *judge_primary(const struct judge *judge, const struct record *rec)
{
	const char *standard[COMPARE_MAX_GATES];
	const char *const *names;
	size_t n = judge_gates(judge, &names);

	/* As record_compare() will have it. */
	if (!n) {
		n = compare_default_gates(rec, standard);
		names = standard;
	}
	for (size_t i = 0; i < n; i++)
		if (is_told(rec, names[i]))
			return names[i];
	return NULL;
}

static double work_bound(const struct judge *judge)
{
	if (!isnan(judge->options->work_bound))
		return judge->options->work_bound;
	return judge->scenario ? judge->scenario->work_bound : DEFAULT_WORK_BOUND;
}

/* 0: record_compare()'s own. */
static double margin(const struct judge *judge)
{
	if (!isnan(judge->options->margin))
		return judge->options->margin;
	return judge->scenario && !isnan(judge->scenario->margin) ? judge->scenario->margin : 0;
}

/* The scenario's thresholds and those of the command line, on the whole record. */
static int judge_thresholds(const struct judge *judge, struct record *rec)
{
	const struct conduct_options *options = judge->options;
	const struct scenario *scenario = judge->scenario;
	size_t n = 0, of_scenario = scenario ? scenario->n_thresholds : 0;
	struct threshold_rule *rules =
		calloc(of_scenario + options->n_thresholds + 1, sizeof(*rules));
	int failed;

	if (!rules)
		return -1;
	for (size_t i = 0; i < of_scenario; i++)
		rules[n++] = (struct threshold_rule){scenario->thresholds[i].metric,
						     scenario->thresholds[i].expression,
						     scenario->thresholds[i].level};
	for (size_t i = 0; i < options->n_thresholds; i++)
		rules[n++] = options->thresholds[i];
	failed = record_thresholds(rec, rules, n);
	free(rules);
	return failed;
}

/* How it came to this number of pairs. */
static int describe_stopping(struct record *rec, const struct stopping *stopping)
{
	struct stopping_state state;
	bool by_width = !isnan(stopping->until_width);

	free(rec->statistics.stopping);
	rec->statistics.stopping = strdup(by_width ? "width" : "rounds");
	rec->statistics.until_width = stopping->until_width;
	if (!rec->statistics.stopping ||
	    stopping_look(stopping, rec, rec->statistics.primary, stopping->max_pairs, &state))
		return -1;
	rec->statistics.width_reached = by_width && state.is_reached;
	return 0;
}

/* What was asked for, for who reads the record later. */
static int describe_gates(const struct judge *judge, struct record *rec)
{
	struct record_statistics *statistics = &rec->statistics;
	const char *const *names = NULL;
	/* Of one side alone they are about the earlier run. */
	size_t n = judge->options->versus ? judge_gates(judge, &names) : 0;

	statistics->strict = judge->options->is_strict;
	while (statistics->n_gates)
		free(statistics->gates[--statistics->n_gates]);
	free(statistics->gates);
	statistics->gates = calloc(n + 1, sizeof(*statistics->gates));
	for (size_t i = 0; statistics->gates && i < n; i++) {
		statistics->gates[i] = strdup(names[i]);
		if (!statistics->gates[i])
			return -1;
		statistics->n_gates++;
	}
	return statistics->gates ? 0 : -1;
}

int judge_record(const struct judge *judge, struct record *rec, const struct stopping *stopping)
{
	bool is_soak = judge->options->is_soak || (judge->scenario && judge->scenario->is_soak);
	struct compare_options compare = {.work_bound = work_bound(judge), .margin = margin(judge)};

	for (size_t i = 0; is_soak && i < rec->n_rounds; i++)
		if (record_endurance(&rec->rounds[i]))
			return -1;
	if (judge_thresholds(judge, rec))
		return -1;
	compare.n_gates = judge_gates(judge, &compare.gates);
	if (record_compare(rec, &compare) || describe_gates(judge, rec))
		return -1;
	return judge->options->versus ? describe_stopping(rec, stopping) : 0;
}

static bool all_rounds_valid(const struct record *rec)
{
	for (size_t i = 0; i < rec->n_rounds; i++)
		if (!rec->rounds[i].validity.valid)
			return false;
	return true;
}

/* What --strict looks at: what a gate was asked for, or else what names the winner. */
static size_t strict_metrics(const struct judge *judge, const struct record *rec,
			     const char *const **names)
{
	size_t n = judge_gates(judge, names);

	if (n || !rec->statistics.primary)
		return n;
	*names = (const char *const *)&rec->statistics.primary;
	return 1;
}

static int code_of_gates(const struct judge *judge, const struct record *rec)
{
	const char *const *names;
	size_t n = judge_gates(judge, &names);

	for (size_t i = 0; i < n; i++)
		if (gate_fails(gate_judge(rec, names[i])))
			return EXIT_CODE_REGRESSION;
	n = judge->options->is_strict ? strict_metrics(judge, rec, &names) : 0;
	for (size_t i = 0; i < n; i++)
		if (gate_judge(rec, names[i]) == GATE_INCONCLUSIVE)
			return EXIT_CODE_INCONCLUSIVE;
	return EXIT_CODE_OK;
}

int judge_code(const struct judge *judge, const struct record *rec)
{
	if (!all_rounds_valid(rec) || (!rec->verdict.valid && !record_is_aborted(rec)))
		return EXIT_CODE_INVALID;
	if (record_is_aborted(rec) || record_thresholds_failed(rec) || record_endurance_failed(rec))
		return EXIT_CODE_THRESHOLD;
	/* Of a side and itself no difference is one; that there is none is what was asked. */
	if (judge->options->is_noise)
		return judge->options->is_strict && gate_finds_difference(rec)
			       ? EXIT_CODE_INCONCLUSIVE
			       : EXIT_CODE_OK;
	/* Of one side alone gates are about the earlier run. */
	return exit_code_worse(judge->options->versus ? code_of_gates(judge, rec) : EXIT_CODE_OK,
			       baselines_code(judge, rec));
}

bool judge_is_judgement(int code)
{
	return code >= EXIT_CODE_INVALID && code <= EXIT_CODE_THRESHOLD;
}

static void tell(const struct record *rec, const char *metric, const char *what,
		 struct progress *progress)
{
	char *text = gate_text(rec, metric);

	progress_note(progress, true, "%s: %s", what, text ? text : metric);
	free(text);
}

void judge_tell(const struct judge *judge, const struct record *rec, struct progress *progress)
{
	const char *const *names;
	size_t n = judge_gates(judge, &names);

	/* Where a side did not do its work, a difference is not one. */
	if (!rec->verdict.valid || judge->options->is_noise)
		return;
	baselines_tell(judge, rec, progress);
	if (!judge->options->versus)
		return;
	for (size_t i = 0; i < n; i++)
		if (gate_fails(gate_judge(rec, names[i])))
			tell(rec, names[i], "gate failed", progress);
	n = judge->options->is_strict ? strict_metrics(judge, rec, &names) : 0;
	for (size_t i = 0; i < n; i++)
		if (gate_judge(rec, names[i]) == GATE_INCONCLUSIVE)
			tell(rec, names[i], "--strict", progress);
}
