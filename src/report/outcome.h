/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A record as a list of what was judged and how it came out, for the formats that machines of
 * continuous integration read. One of them fails where, and only where, perfbpf ends in 96 to 99
 * for it.
 */
#ifndef PERFBPF_REPORT_OUTCOME_H
#define PERFBPF_REPORT_OUTCOME_H

#include <stddef.h>

#include "record/record.h"
#include "report/report.h"
#include "report/summary.h"

enum outcome_state {
	OUTCOME_HOLDS,
	OUTCOME_FAILS, /* the run fails with it */
	OUTCOME_WARNS, /* it came out badly, but no gate is on it */
	OUTCOME_OPEN,  /* could not be told */
};

struct outcome {
	const char *group; /* "validity" "threshold" "comparison" "baseline" "endurance" */
	char *name;        /* the same in each run of the same command */
	enum outcome_state state;
	char *text; /* one sentence; never NULL */
	size_t n_details;
	char **details; /* more sentences, a bounded number */
	double seconds; /* that were measured for it alone, else 0 */
};

struct outcomes {
	size_t n;
	struct outcome *list;
};

/*
 * All that was judged of the run; of options->only_baseline what `compare` judges and nothing else.
 * NULL without memory. Strings are as they came from outside.
 */
struct outcomes *outcomes_new(const struct record *rec, const struct summary *summary,
			      const struct report_options *options);
void outcomes_free(struct outcomes *outcomes);
size_t outcomes_count(const struct outcomes *outcomes, enum outcome_state state);

/* What a run is called: its scenario, "command" where it has none. */
const char *outcome_scenario(const struct record *rec);

/* For who builds them: outcome.c and outcome_gates.c. NULL without memory. */
struct outcome *outcome_add(struct outcomes *outcomes, const char *group, enum outcome_state state,
			    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Sets the sentence. -1 without memory, or where @outcome is NULL. */
int outcome_say(struct outcome *outcome, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Appends a detail; all beyond a bound are left out. -1 likewise. */
int outcome_detail(struct outcome *outcome, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* outcome_gates.c: B against A, and the run against an earlier one. */
int outcomes_add_comparison(struct outcomes *outcomes, const struct record *rec,
			    const struct summary *summary);
/* @strict: what a gate cannot answer fails. */
int outcomes_add_baseline(struct outcomes *outcomes, const struct record *rec, bool strict);

#endif
