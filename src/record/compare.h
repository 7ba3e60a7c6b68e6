/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fills record.comparison and record.verdict from record.rounds. */
#ifndef PERFBPF_RECORD_COMPARE_H
#define PERFBPF_RECORD_COMPARE_H

#include "record/record.h"

#define COMPARE_MARGIN      0.02 /* where none is asked for */
#define COMPARE_CONFIDENCE  0.95 /* of all intervals */
#define COMPARE_SIGNIFICANT 0.05 /* a winner's p by Holm is below */

struct compare_options {
	double work_bound; /* the share of the work that may be wrong, e.g. 0.001 */
	double margin; /* ratios within 1 +- this are equivalent, e.g. 0.02; 0: COMPARE_MARGIN */
	/* Metrics that a gate is on; none: those of compare_default_gates(). */
	size_t n_gates;
	const char *const *gates;
};

/*
 * Checks first that both sides did the same work: in each pair, and for each
 * side against what was expected; options->work_bound is the share that may be wrong. Rounds that
 * fail get a reason and become invalid; then verdict.valid is false and there is
 * no winner. Replaces an earlier comparison. -1 without memory.
 *
 * Lines: those lost, doubled or malformed, of those expected, and what the sides differ by.
 *
 * Operations of a load: those lost or doubled; those never sent; rows that answers should have
 * held and did not; and errors, unless the round had a fault or the record a threshold on
 * errors (record_thresholds(), before), which is then the bound. A round without one good answer
 * is never valid. Where the plan says how much is offered (work.is_fixed), what was offered to
 * the sides, and the rows that came back where nobody says how many there should be, may not
 * differ by more than the bound. In a closed loop by time each side does as much as it can:
 * there throughput, response and the cost of an operation are what is compared.
 *
 * A row's verdict, of a valid run with two sides: "B_lower" or "B_higher" where the interval lies
 * wholly beyond the margin, "equivalent" wholly within it, else "inconclusive" (below six pairs
 * always). Where a value is zero or negative there is no ratio: then the difference is judged,
 * against the margin times the larger side's median. A winner is named where the primary metric has
 * a direction and its p by Holm is below COMPARE_SIGNIFICANT.
 */
int record_compare(struct record *rec, const struct compare_options *options);

/*
 * The metrics that a gate is on where none is named. The first is the primary one, by which a
 * winner is named:
 *   commands that ran to their end   wall time, as for whoever waits for them; CPU time; memory
 *   a load of a given size           CPU time; memory; the main latency
 *   a closed loop                    CPU time per operation; throughput; memory; the main latency
 * Memory is the peak of the resident set, the main latency p99 of delivery, response or round
 * trips, the first of these that is known. Names are of metric.h; @names has room for
 * COMPARE_MAX_GATES. Returns how many.
 */
#define COMPARE_MAX_GATES 64
size_t compare_default_gates(const struct record *rec, const char *names[COMPARE_MAX_GATES]);
/*
 * Can it be said of a difference in the metric that it is for the better or the worse? Not of what
 * metric.h does not have, of scores and neutral ones, and of the CPU use of commands that ran to
 * their end: who is done in half the time uses twice the CPU of it.
 */
bool compare_has_direction(const struct record *rec, const char *metric);

#endif
