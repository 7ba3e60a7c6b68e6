/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The earlier run of --baseline: read before anything is measured, held against what was. Private
 * to conduct/. */
#ifndef PERFBPF_CONDUCT_BASELINE_H
#define PERFBPF_CONDUCT_BASELINE_H

#include "conduct/judge.h"
#include "conduct/plan.h"
#include "conduct/progress.h"

/* Zeroed: there is none. */
struct baselines {
	size_t n; /* one, or one for each scenario of the plan */
	struct record *list[CONDUCT_MAX_SCENARIOS];
};

/*
 * Reads what options->baseline names, if it does. -1 with @err where it cannot be read, is invalid
 * or has nothing to be compared with what is planned: also where one of several scenarios is
 * missing. Clear it in any case.
 */
int baselines_read(struct baselines *baselines, const struct conduct_options *options,
		   const struct plan *plan, struct error *err);
void baselines_clear(struct baselines *baselines);
/*
 * Sets rec->baseline, if there is one and @rec is fit to be compared; else a note of why not. After
 * judge_record(). -1 without memory.
 */
int baselines_compare(const struct baselines *baselines, const struct plan *plan,
		      const struct judge *judge, struct record *rec);
/* The exit code by the comparison alone. */
int baselines_code(const struct judge *judge, const struct record *rec);
/* A line to stderr for each regression, or why it is none. */
void baselines_tell(const struct judge *judge, const struct record *rec, struct progress *progress);

#endif
