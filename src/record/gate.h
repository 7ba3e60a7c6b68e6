/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Gates: what a run may not end in, where it is asked for. Pure, after record_compare(). */
#ifndef PERFBPF_RECORD_GATE_H
#define PERFBPF_RECORD_GATE_H

#include "record/record.h"

#define GATE_MARGIN_MAX 0.5 /* what --margin and margin: may be at most */

enum gate_result {
	GATE_PASSED, /* equivalent, or B is better */
	GATE_WORSE,  /* B is worse, beyond the margin, with a p by Holm below COMPARE_SIGNIFICANT */
	GATE_INCONCLUSIVE, /* it cannot be told yet */
	GATE_NO_DATA,      /* no pair tells the metric, so that nothing guards it: a failure */
};

enum gate_result gate_judge(const struct record *rec, const char *metric);
/* GATE_WORSE or GATE_NO_DATA. */
bool gate_fails(enum gate_result result);
#define GATE_OUTLOOK_MAX 160
/* What is missing for an answer, as "; about 34 would settle it"; "" where there is one. */
void gate_outlook(char buf[GATE_OUTLOOK_MAX], const struct record *rec,
		  const struct record_comparison *row);
/*
 * One sentence: what B is of A in @metric, with its interval, or why nobody can say; of what is
 * inconclusive also how many pairs would settle it. To be freed; NULL without memory.
 */
char *gate_text(const struct record *rec, const char *metric);
/*
 * Do the sides differ in a metric that a gate is on, or that is gated by default? Between a side
 * and itself that is one of the machine, not of the program.
 */
bool gate_finds_difference(const struct record *rec);

#define GATE_PROBLEM_MAX 300
/* The metric of that name, as metric.h has it; NULL with @problem: what to write instead. */
const char *gate_find(const char *name, char problem[GATE_PROBLEM_MAX]);

#endif
