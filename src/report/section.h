/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parts of a report as tables and sentences, before they are text or Markdown: what is told
 * is put together once, and each format only draws it. Strings are as they came from
 * outside; who draws them escapes them.
 */
#ifndef PERFBPF_REPORT_SECTION_H
#define PERFBPF_REPORT_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"
#include "report/summary.h"
#include "report/table.h"

#define SECTION_MAX_COLUMNS 8
#define SECTION_COMMAND     "$ "
/* The title of the comparison with an earlier run. */
#define SECTION_BASELINE "Against the earlier run"

struct section {
	char *title;
	size_t n_columns; /* 0: no table */
	struct table_column columns[SECTION_MAX_COLUMNS];
	size_t n_cells; /* row by row */
	char **cells;
	/* Sentences below the table. One that begins with SECTION_COMMAND is a command line to
	 * paste, which is not to be wrapped. */
	size_t n_notes;
	char **notes;
};

struct sections {
	size_t n;
	size_t n_judgements; /* the first so many: thresholds and what else says good or bad */
	struct section *list;
	bool failed; /* memory was short: nothing of it may be shown */
};

/*
 * Thresholds, the comparison with an earlier run, endurance, load, faults and side metrics; what
 * limited the run, what was in use, where the time went, requests, protocols, stacks, storage,
 * peers, system calls and other latencies, as far as the record has them. @all: no list is cut.
 * @always_use: what was in use by phase also where there is one phase only. NULL without memory;
 * lives no longer than @rec and @summary.
 */
struct sections *sections_new(const struct record *rec, const struct summary *summary, bool all,
			      bool always_use);
/* Only the comparison with an earlier run; otherwise the same. */
struct sections *sections_of_baseline(const struct record *rec, const struct summary *summary,
				      bool all);
void sections_free(struct sections *sections);
/*
 * How many values the percentiles in the table of costs stand on, as a sentence, NULL where the
 * table has none; to be freed.
 */
char *sections_percentile_note(const struct record *rec, bool all);

/* For who builds them: section.c. A new section becomes the last one, to which all else adds. */
void section_begin(struct sections *sections, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* @title is copied; all columns come before the first cell. */
void section_column(struct sections *sections, const char *title, bool right);
void section_cell(struct sections *sections, const char *text);
void section_cellf(struct sections *sections, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A number with its unit, "-" where it is not known. */
void section_value(struct sections *sections, enum metric_kind kind, double value);
void section_integer(struct sections *sections, int64_t value);
/* At most so much of a label as leaves room for the numbers beside it. */
void section_label(struct sections *sections, const char *text);
void section_note(struct sections *sections, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Is a note a command line? */
bool section_is_command(const char *note);
/* Takes the last section back where no row and no note came into it. */
void section_end(struct sections *sections);

#endif
