/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What explains the difference, how good the data are, what to run next: rec->insights. A pure
 * function of the record; above record/, since the functions that differ are those of the flame
 * graphs.
 *
 * A cause is named only where the sides differ beyond their noise, both in what is to be explained
 * and in what explains it: its own verdict says so, or, of what is no metric, the ranges over the
 * rounds of both sides lie apart. That user and system time add up to the CPU time is arithmetic;
 * all else goes along with the difference, and the text says no more than that. value is B - A in
 * the unit of metric, in a round or, where a closed loop gave the sides unequal work, in 1,000
 * operations.
 */
#ifndef PERFBPF_REPORT_INSIGHT_H
#define PERFBPF_REPORT_INSIGHT_H

#include "record/record.h"

/* Causes, those that explain most first, and no more of them. */
#define INSIGHT_MAX_CAUSES 5

/* After record_compare(); replaces earlier ones. -1 without memory. */
int report_insights(struct record *rec);

#endif
