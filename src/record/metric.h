/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of metrics: what can be compared, listed and gated, by name. */
#ifndef PERFBPF_RECORD_METRIC_H
#define PERFBPF_RECORD_METRIC_H

#include <stdbool.h>
#include <stddef.h>

struct record_round;

enum metric_kind {
	METRIC_SECONDS,
	METRIC_BYTES,
	METRIC_COUNT,
	METRIC_RATIO, /* dimensionless, shown as a percentage */
};

struct metric {
	const char *name;  /* "cpu.total_seconds": its path in a round of run.json */
	const char *label; /* "CPU time", for tables */
	const char *unit;  /* "s", "bytes", "" */
	enum metric_kind kind;
	bool lower_is_better;    /* of what metric_is_neutral() it says nothing */
	bool headline;           /* shown in the short table; the rest with --all */
	const char *description; /* one line for `perfbpf list metrics` */
	double (*get)(const struct record_round *round); /* NAN: not known in this round */
};

/* All metrics in the order of the tables. */
const struct metric *metric_table(size_t *n);
/* The metric of that name, or NULL. */
const struct metric *metric_find(const char *name);
/* Is it a score, an arbitrary sum? It is shown, but no gate is on it, and it names no winner. */
bool metric_is_score(const char *name);
/* Has it no better end, whatever lower_is_better says? How many there were of what is timed. It is
 * shown, but no gate is on it, and it is neither better nor worse than before. */
bool metric_is_neutral(const char *name);

/*
 * metric_nearest.c: the metric that was likely meant by @name, which is none: the one whose name
 * goes on behind it (of a latency its 99th percentile), else the nearest in spelling. NULL: none.
 */
const char *metric_nearest(const char *name);

#endif
