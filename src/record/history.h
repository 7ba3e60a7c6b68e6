/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Many runs in the order of their time: by scenario, target and metric one value for each, and
 * where these change their level. Keeps nothing of a record but that. Pure functions.
 */
#ifndef PERFBPF_RECORD_HISTORY_H
#define PERFBPF_RECORD_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

struct history_point {
	char *path;       /* of the run, as given */
	char *started_at; /* of its first round; NULL: not known */
	char *version;    /* of the target; NULL: not known */
	bool valid;       /* false: shown, and left out of what is judged */
	double median;    /* over the rounds */
	double low, high; /* its 95 % interval; NAN below 6 rounds */
	int64_t n;        /* rounds */
	double change;    /* from here on by so much, relative to the stretch before; NAN: none */
	double change_p;  /* of that there is a change (stats/change.h) */
};

struct history_series {
	char *scenario, *target;
	const char *metric; /* a name of metric.h */
	size_t n_points;
	struct history_point *points; /* by time, once history_finish() was called */
};

struct history {
	size_t n_series;
	struct history_series *series; /* scenario by scenario, target by target */
};

struct history_options {
	size_t n_metrics; /* 0: those of compare_default_gates() of each run */
	const char *const *metrics;
	size_t n_targets; /* 0: all */
	const char *const *targets;
};

struct history *history_new(void);
void history_free(struct history *history);
/* Takes what is wanted of @rec, which is the caller's to free. -1 without memory. */
int history_add(struct history *history, const struct record *rec, const char *path,
		const struct history_options *options);
/* Puts all in order and looks for changes. -1 without memory. */
int history_finish(struct history *history);

#endif
