/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the table of costs says besides its medians, the same for each format that has one. */
#ifndef PERFBPF_REPORT_COSTS_H
#define PERFBPF_REPORT_COSTS_H

#include <stdio.h>

#include "record/record.h"
#include "report/summary.h"
#include "report/table.h"

#define COSTS_CELL_MAX  96
#define COSTS_MAX_NOTES 6

/* Has any row an interval? Else the columns of intervals and verdicts would be empty. */
bool costs_have_intervals(const struct record *rec);
/* "0.41–0.43"; of what has no ratio the difference, "+2 to +5"; "-" where there is none. With
 * the number of pairs, "5 pairs", where not all of the run's know the metric. */
char *costs_interval(char buf[COSTS_CELL_MAX], const struct record *rec,
		     const struct record_comparison *row);
/* "B lower", "B higher", "equivalent", "?" or "-". */
const char *costs_verdict(const struct record_comparison *row);
/* The smallest difference that could be shown: "1.2 %"; "-" below STOPPING_MIN_PAIRS pairs. */
char *costs_detectable(char buf[COSTS_CELL_MAX], const struct record_comparison *row);
/*
 * How the rows are to be read, which of them a gate is on, of which of these p is too large for a
 * verdict, what they could show, and which rounds lie far out: sentences, to be freed. Returns how
 * many, 0 with one side; -1 without memory.
 */
int costs_notes(const struct record *rec, char *notes[COSTS_MAX_NOTES]);

/* costs_text.c: the table for a terminal, with its title and its notes. Where it is wider than
 * that, medians stand without their ranges. -1 without memory. */
int costs_print(const struct record *rec, const struct summary *summary, FILE *out,
		const struct text_style *style, bool all);

#endif
