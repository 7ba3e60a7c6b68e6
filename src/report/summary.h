/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A record summed up by side, for the reports that people read: totals of work and
 * losses, processes folded by name, perfbpf's own cost. All strings are borrowed
 * from the record.
 */
#ifndef PERFBPF_REPORT_SUMMARY_H
#define PERFBPF_REPORT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include "record/metric.h"
#include "record/record.h"

#define SUMMARY_CELL_MAX 96

/* All processes of a side with the same comm and exe. */
struct summary_process {
	const char *comm, *exe;
	size_t count;       /* over all rounds */
	double cpu_seconds; /* over all rounds */
	int64_t rss_peak_bytes;
};

struct summary_side {
	const char *name; /* of the target; "A" or "B" where it has none */
	const struct record_target *target;
	size_t rounds, invalid;
	double window_seconds; /* median */
	bool has_work, has_driver;
	bool has_lines;              /* the driver counts lines */
	struct record_work work;     /* totals; RECORD_NONE: never known */
	struct record_driver driver; /* total, largest, total */
	struct record_losses losses; /* totals */
	double probe_share;          /* of the window, on one core; NAN: not timed */
	double probe_ns;             /* per event */
	int64_t probe_events;
	double userspace_share; /* of the window, on one core */
	int64_t rss_peak_bytes; /* of perfbpf */
	size_t n_processes;
	struct summary_process *processes; /* most CPU time first */
};

struct summary {
	bool two_sided;
	struct summary_side sides[SIDES];
	size_t invalid; /* rounds */
	size_t n_reasons;
	const char **reasons; /* each once */
	size_t n_failures;
	char **failures; /* thresholds that fail the run, regressions, leaks and drifts: a sentence
			  * each, owned
			  */
	size_t n_programs;
	struct record_program *programs; /* both sides together, most run time first */
};

/* NULL without memory. */
struct summary *summary_new(const struct record *rec);
void summary_free(struct summary *summary);

/* "A kubectl" over a column, a long name cut. To be freed; NULL without memory. */
char *summary_side_title(const struct summary *summary, enum side side);
/* The kind of a number whose unit is "s", "bytes" or "". */
enum metric_kind summary_kind(const char *unit);
/* A number for people, with its unit; "-" where it is not known. */
char *summary_value(char *buf, size_t size, enum metric_kind kind, double value);
/* "12.3 MiB (11.9–13.1)": the range is left out where all rounds are alike. */
char *summary_cell(char buf[SUMMARY_CELL_MAX], enum metric_kind kind, double median, double min,
		   double max);
/* "0.41x", "-" where there is none. */
char *summary_ratio(char *buf, size_t size, double ratio);
/* An integer in groups of three digits, "-" for RECORD_NONE. */
char *summary_integer(char *buf, size_t size, int64_t value);

/* What a row of the comparison is called, how it is written, and whether the table has it. */
struct summary_row {
	const char *label;
	enum metric_kind kind;
	bool shown;
};
/* @rec NULL: of no record, for label and kind only. */
struct summary_row summary_row(const struct record *rec, const struct record_comparison *comparison,
			       bool all_metrics);

/* Work and losses as rows: a label and where the number is. */
struct summary_field {
	const char *label;
	size_t offset; /* of an int64_t in record_work or record_losses */
};
extern const struct summary_field summary_work_fields[], summary_losses_fields[];
extern const size_t summary_n_work_fields, summary_n_losses_fields;
int64_t summary_field_of(const void *base, const struct summary_field *field);

#endif
