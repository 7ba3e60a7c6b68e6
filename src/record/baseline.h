/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A run against an earlier one: what has become worse, and how bad that is. Pure functions.
 *
 * "Worse by" is new/base - 1 where lower is better and base/new - 1 where higher is: half the
 * throughput is worse by 100 %, as twice the time is. From nothing to something is worse by more
 * than any share. Where a round has 0 there is no ratio: the median of all differences, over the
 * earlier median, stands for it.
 *
 * A regression is worse by more than the metric's threshold, as the Hodges-Lehmann estimate, and
 * significant: exact Mann-Whitney, by Holm over the metrics that the gate is on, p < 0.05.
 * Unchanged: the whole interval lies within the threshold, both ways. BASELINE_MIN_ROUNDS rounds of
 * each run are needed for any of these. Of what has no better end (compare_has_direction()) and no
 * gate on it, a change is told and not judged: unknown.
 *
 * Its severity is that of Kailash's load tests (LoadTestFramework, analyze_performance_regression):
 * worse by over 100 % is critical, by over 50 % major, all else minor. There it is one for the
 * run, by its largest change; here each metric has its own.
 */
#ifndef PERFBPF_RECORD_BASELINE_H
#define PERFBPF_RECORD_BASELINE_H

#include "record/record.h"

#define BASELINE_MIN_ROUNDS 4
#define BASELINE_THRESHOLD  0.10
#define BASELINE_MAJOR      0.50
#define BASELINE_CRITICAL   1.00
#define BASELINE_ALPHA      0.05
#define BASELINE_MAX_RULES  64

/* From which change for the worse on something is a regression, and how bad; 0.1 is 10 %. */
struct baseline_rule {
	char metric[64];               /* "": all that no rule names */
	double minor, major, critical; /* minor is the threshold; NAN: not said by this rule */
};

struct baseline_options {
	size_t n_rules; /* a later one counts more, and one that names the metric most */
	const struct baseline_rule *rules;
	/* Metrics that the gate is on; none: those of compare_default_gates(). */
	size_t n_gates;
	const char *const *gates;
	bool accept_differences; /* of host and scenario: they are named only */
};

/* "10%", "0.1" or "METRIC=10%". 0, or -1 with @err: what is wrong with it and what to write. */
int baseline_rule_threshold(struct baseline_rule *rule, const char *text, struct error *err);
/* "10%,25%,50%" or "METRIC=10%,25%,50%": from where on it is minor, major, critical. */
int baseline_rule_severity(struct baseline_rule *rule, const char *text, struct error *err);
/* -1 with @err, which names the nearest, where there is no such metric. */
int baseline_check_metric(const char *name, struct error *err);
/* The same of one that a gate is to be on; -1 also where none may be. */
int baseline_check_gate(const char *name, struct error *err);
/* What holds for @metric by @options and the defaults above; options may be NULL. */
struct baseline_rule baseline_rule_of(const struct baseline_options *options, const char *metric);

/*
 * Compares @rec with @base, which was read from @path, and sets rec->baseline (replaces an earlier
 * one). Sides are matched by the name of their target; the only ones of two runs whatever they are
 * called. Rounds of commands that ended otherwise than in @base did not do the same work: they
 * become invalid, and the verdict with them. -1 without memory.
 */
int record_baseline(struct record *rec, const struct record *base, const char *path,
		    const struct baseline_options *options);
/*
 * Can @rec (of which the targets are known at least) be held against @base at all? They need a
 * target in common, and @base a value of each gate that options names. -1 with @err.
 */
int baseline_check(const struct record *rec, const struct record *base,
		   const struct baseline_options *options, struct error *err);
/* Is there a regression in a metric that a gate is on, between runs that can be compared? */
bool record_has_regressed(const struct record *rec);
/* Was a gate left without an answer, or has it none since the runs cannot be compared? */
bool record_baseline_is_open(const struct record *rec);
/* What came of it in one sentence, to be freed; NULL without memory. */
char *baseline_headline(const struct record *rec);
/* Why the run measures nothing that another could be held against, borrowed; NULL: it does. */
const char *record_unfit(const struct record *rec);
/* The side of @base whose target is that of @side in @rec; -1: none. */
int baseline_side_of(const struct record *rec, enum side side, const struct record *base);

/*
 * baseline_differ.c: what of host, scenario and targets is not the same, into @out, a sentence
 * each. *@comparable: false where host or scenario differ, a run has no end, or one counted system
 * calls. -1 without memory.
 */
int baseline_differ(struct record_baseline *out, const struct record *rec,
		    const struct record *base, bool *comparable);

#endif
