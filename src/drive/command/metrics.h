/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a load generator prints of its own figures, found by regular expressions. Pure. */
#ifndef PERFBPF_DRIVE_COMMAND_METRICS_H
#define PERFBPF_DRIVE_COMMAND_METRICS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

enum metric_unit {
	UNIT_NONE,
	UNIT_OPERATIONS, /* "ops", "tps": a plain number */
	UNIT_NANOSECONDS,
	UNIT_MICROSECONDS,
	UNIT_MILLISECONDS,
	UNIT_SECONDS,
	UNIT_BYTES,
};

/* What the number is. */
enum metric_kind {
	METRIC_NUMBER,     /* a side metric of its own name */
	METRIC_LATENCY,    /* a value of the latency "command": named min, mean, p50, … */
	METRIC_OPERATIONS, /* how much work was done, */
	METRIC_ERRORS,     /* and how much of it failed */
};

/* An item of `metrics:` in the section. */
struct command_metric {
	char *name;
	char *regex;   /* POSIX extended, with one group around the number; over single lines */
	int unit;      /* enum metric_unit, where the text itself has none */
	int kind;      /* enum metric_kind */
	bool optional; /* printed only where there is something to tell: else it is 0 */
};

struct metrics;

/* Compiles them; @list outlives it. NULL with @err (EXIT_CODE_USAGE), naming the item. */
struct metrics *metrics_new(const struct command_metric *list, size_t n, struct error *err);
void metrics_free(struct metrics *metrics); /* takes NULL */
/*
 * Reads @text[size], which it cuts into lines in place; there is room for a NUL behind it. Of
 * several lines that match, the last counts, since summaries come at the end. Lines over 4 KiB are
 * looked at up to there.
 */
void metrics_read(struct metrics *metrics, char *text, size_t size);
/* Seconds, bytes or a plain number; NAN where no line has matched. */
double metrics_value(const struct metrics *metrics, size_t i);

/*
 * "1181.3", "1.2ms", "34.5k", "2.1MB", "12.5%": the number at the beginning of @text in SI base
 * units, by the unit that follows it, else by @unit. NAN: there is none.
 */
double metric_parse(const char *text, enum metric_unit unit);

/* The field of a latency that a METRIC_LATENCY of this name is: "p99_seconds"; NULL: none. */
const char *metric_latency_field(const char *name);

#endif
