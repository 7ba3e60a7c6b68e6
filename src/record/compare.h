/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fills record.comparison and record.verdict from record.rounds. */
#ifndef PERFBPF_RECORD_COMPARE_H
#define PERFBPF_RECORD_COMPARE_H

#include "record/record.h"

/*
 * Checks first that both sides did the same work: in each pair, and for each
 * side against what was expected; @work_bound is the share of lines that may be
 * lost, doubled or malformed, or differ between the sides (0.001). Rounds that
 * fail get a reason and become invalid; then verdict.valid is false and there is
 * no winner. Replaces an earlier comparison. -1 without memory.
 */
int record_compare(struct record *rec, double work_bound);

#endif
