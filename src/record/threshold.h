/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Thresholds, in the words of k6: "p(95)<50ms" on "latency.response". Pure functions.
 *
 * An expression is AGGREGATE OPERATOR BOUND. Aggregates: p(N) avg med min max count rate value;
 * without any it is value, where the metric has that. Operators: < <= > >= == !=. A bound has the
 * unit of what it bounds: times need one (50ms, 1s), except of a metric whose name says seconds;
 * sizes may have one (512MiB), all else is a plain number (100, 14k, 0.99) or a share (1%).
 *
 *   metric                         aggregates
 *   latency.NAME                   p(N) avg med min max count      over all rounds of a side
 * together operations                     count (good answers) rate (a second)            the worst
 * round's work.errors work.dropped       count rate (share of all that was offered) value "
 *   work.success                   rate (share of what was tried) value                         "
 *   NAME of `list metrics`         value                                                        "
 *                                  avg med min max                               over the rounds
 *   side_metrics.NAME              the same
 *
 * Of one phase: METRIC{phase:NAME}, for latency.response, latency.service, operations,
 * work.errors, work.dropped and work.success. Of one kind of request: latency.response{kind:NAME}
 * and latency.service{kind:NAME}.
 *
 * A percentile needs ten values beyond it (LATENCY_MIN_BEYOND). With fewer the largest value
 * stands for it where an upper bound is asked for, which it cannot be below; else, and wherever a
 * round has no value at all, the threshold fails.
 */
#ifndef PERFBPF_RECORD_THRESHOLD_H
#define PERFBPF_RECORD_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"

#define THRESHOLD_NAME_MAX 200

enum threshold_aggregate {
	THRESHOLD_PERCENTILE,
	THRESHOLD_AVG,
	THRESHOLD_MED,
	THRESHOLD_MIN,
	THRESHOLD_MAX,
	THRESHOLD_COUNT,
	THRESHOLD_RATE,
	THRESHOLD_VALUE,
	THRESHOLD_AGGREGATES,
};

enum threshold_operator {
	THRESHOLD_LESS,
	THRESHOLD_LESS_EQUAL,
	THRESHOLD_GREATER,
	THRESHOLD_GREATER_EQUAL,
	THRESHOLD_EQUAL,
	THRESHOLD_NOT_EQUAL,
	THRESHOLD_OPERATORS,
};

/* What kind of thing the metric is. */
enum threshold_class {
	THRESHOLD_LATENCY,
	THRESHOLD_OF_OPERATIONS,
	THRESHOLD_OF_ERRORS,
	THRESHOLD_OF_DROPPED,
	THRESHOLD_OF_SUCCESS,
	THRESHOLD_OF_METRIC, /* a row of the table of metrics */
	THRESHOLD_OF_SIDE_METRIC,
	THRESHOLD_CLASSES,
};

struct threshold {
	enum threshold_class class;
	char name[THRESHOLD_NAME_MAX];  /* of the latency, metric or side metric */
	char phase[THRESHOLD_NAME_MAX]; /* empty: of the whole window */
	enum threshold_aggregate aggregate;
	double quantile; /* of THRESHOLD_PERCENTILE, in [0, 1] */
	enum threshold_operator relation;
	double bound;     /* in SI units; a share is a ratio */
	const char *unit; /* of the bound and the value: "s", "bytes" or "" */
};

/* What is wrong, and in which of the two texts. */
struct threshold_problem {
	bool in_metric;
	char text[300];
};

/* 0, or -1 with @problem: what is wrong and what to write. */
int threshold_parse(const char *metric, const char *expression, struct threshold *out,
		    struct threshold_problem *problem);

/*
 * Where the expression begins in "METRIC:EXPRESSION" or "METRIC<BOUND", and in @length how long the
 * metric is; NULL where it is neither. The metric may have a selector: METRIC{phase:NAME}.
 */
const char *threshold_split(const char *text, size_t *length);

/* What someone asks for. */
struct threshold_rule {
	const char *metric, *expression;
	const char *level; /* NULL: none */
};

/* "critical" and none: the run fails with the threshold. Others are shown only. */
bool threshold_is_gate(const char *level);
/* One of target, critical, good, acceptable and poor. */
bool threshold_is_level(const char *level);

/*
 * Judges each rule for each side that has rounds, and sets rec->thresholds. Before
 * record_compare(): a threshold on errors is a bound of its own for them. -1 without memory.
 */
int record_thresholds(struct record *rec, const struct threshold_rule *rules, size_t n);
/* Is there one that fails the run? */
bool record_thresholds_failed(const struct record *rec);
/* Was the run ended by a threshold with abortOnFail? It has failed, whatever came in afterwards. */
bool record_is_aborted(const struct record *rec);
/*
 * Is there a threshold that fails the run (threshold_is_gate()) and says how many errors there may
 * be in @phase, in itself or in the whole window? NULL: in the whole window.
 */
bool record_bounds_errors(const struct record *rec, const char *phase);

/*
 * Does it fail by what a round tells before its end? Never where there is no value yet, or too
 * few for a percentile, nor where what is still to come may yet fulfil it (count>100, max>1s).
 */
bool threshold_fails_live(const char *metric, const char *expression,
			  const struct record_round *round);

#endif
