/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is thought of a record once its rounds are there, and the exit code of that. Private to
 * conduct/. */
#ifndef PERFBPF_CONDUCT_JUDGE_H
#define PERFBPF_CONDUCT_JUDGE_H

#include "conduct/conduct.h"
#include "conduct/progress.h"
#include "record/record.h"
#include "record/stopping.h"
#include "scenario/scenario.h"

/* The command line's words go before the scenario's, which may be NULL. */
struct judge {
	const struct conduct_options *options;
	const struct scenario *scenario;
};

/* Names of metrics that a gate was asked for; 0: none was. Borrowed. */
size_t judge_gates(const struct judge *judge, const char *const **names);
/* The metric by which a winner is named, and the width of an interval is meant; NULL: none. */
const char *judge_primary(const struct judge *judge, const struct record *rec);

/* Endurance, thresholds, and then the comparison, which thresholds have a say in. @stopping: how
 * the number of pairs came about. -1 without memory. */
int judge_record(const struct judge *judge, struct record *rec, const struct stopping *stopping);
/* The exit code of a record that has been judged: the worst first. */
int judge_code(const struct judge *judge, const struct record *rec);
/* What was measured is there, and found wanting. */
bool judge_is_judgement(int code);
/* A line to stderr for each gate that fails, or has no answer where one was asked for. */
void judge_tell(const struct judge *judge, const struct record *rec, struct progress *progress);

#endif
