/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records in which each gate has come out in each way. */
#ifndef PERFBPF_TESTS_SAMPLE_GATES_H
#define PERFBPF_TESTS_SAMPLE_GATES_H

#include "sample_report.h"

static inline char *sample_copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static inline void sample_threshold(struct record *rec, const char *expression, const char *level,
				    bool passed)
{
	struct record_threshold *list =
		reallocarray(rec->thresholds, rec->n_thresholds + 1, sizeof(*list));

	rec->thresholds = list;
	list[rec->n_thresholds++] = (struct record_threshold){
		.side = SIDE_A,
		.metric = strdup("latency.response"),
		.expression = strdup(expression),
		.level = sample_copy(level),
		.unit = strdup("s"),
		.value = 0.051,
		.passed = passed,
	};
}

/* Gives the row of a metric the verdict of a comparison. */
static inline struct record_comparison *sample_judge(struct record *rec, const char *metric,
						     const char *verdict)
{
	for (size_t i = 0; i < rec->n_comparison; i++) {
		struct record_comparison *c = &rec->comparison[i];

		if (!c->metric || strcmp(c->metric, metric) != 0)
			continue;
		free(c->verdict);
		c->verdict = sample_copy(verdict);
		c->exploratory = false;
		c->ratio = 1.66;
		c->ci_low = 1.6;
		c->ci_high = 1.72;
		c->n = 10;
		c->pairs_needed = RECORD_NONE;
		c->p_adjusted = 0.01;
		return c;
	}
	fail_msg("there is no row of %s", metric);
	return NULL;
}

static inline void sample_regression(struct record *rec, const char *metric, const char *verdict,
				     const char *severity, const char *text)
{
	struct record_baseline *baseline = &rec->baseline;
	struct record_regression *rows =
		reallocarray(baseline->rows, baseline->n_rows + 1, sizeof(*rows));

	rec->has_baseline = true;
	baseline->comparable = true;
	sample_replace(&baseline->path, "earlier");
	baseline->rows = rows;
	rows[baseline->n_rows++] = (struct record_regression){
		.side = SIDE_A,
		.metric = strdup(metric),
		.unit = strdup("s"),
		.lower_is_better = true,
		.gate = true,
		.base_median = 1,
		.new_median = 1.3,
		.ratio = 1.3,
		.ci_low = 1.2,
		.ci_high = 1.4,
		.p = 0.001,
		.p_adjusted = 0.002,
		.effect = 1,
		.n_base = 10,
		.n_new = 10,
		.threshold = 0.1,
		.severity = sample_copy(severity),
		.verdict = strdup(verdict),
		.text = sample_copy(text),
	};
}

static inline void sample_soak(struct record_round *round, const char *verdict, const char *text)
{
	round->endurance =
		reallocarray(round->endurance, round->n_endurance + 1, sizeof(*round->endurance));
	round->endurance[round->n_endurance++] = (struct record_endurance){
		strdup("memory"), strdup(verdict), strdup("bytes/h"), 1000, 900, 1100, strdup(text),
	};
}

/* Judged, with no gate that fails: kubectl against curl, of which B is better. */
static inline struct record *sample_gated(void)
{
	struct record *rec = sample_record(3, true);

	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	for (size_t i = 0; i < rec->n_comparison; i++) {
		free(rec->comparison[i].verdict);
		rec->comparison[i].verdict = NULL;
	}
	sample_replace(&rec->verdict.text, "curl used less of all, says who made this record");
	sample_judge(rec, "cpu.total_seconds", "B_lower");
	return rec;
}

/* The run was asked for a gate on @metric. */
static inline void sample_ask(struct record *rec, const char *metric)
{
	struct record_statistics *statistics = &rec->statistics;

	statistics->gates =
		reallocarray(statistics->gates, statistics->n_gates + 1, sizeof(char *));
	statistics->gates[statistics->n_gates++] = strdup(metric);
}

#endif
