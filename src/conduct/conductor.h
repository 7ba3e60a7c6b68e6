/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of a run share; private to conduct/. */
#ifndef PERFBPF_CONDUCT_CONDUCTOR_H
#define PERFBPF_CONDUCT_CONDUCTOR_H

#include "conduct/baseline.h"
#include "conduct/conduct.h"
#include "conduct/identity.h"
#include "conduct/keeper.h"
#include "conduct/profiler.h"
#include "conduct/progress.h"
#include "conduct/results.h"
#include "fault/journal.h"
#include "probe/probe.h"
#include "record/record.h"
#include "report/overview.h"
#include "scenario/scenario.h"

/* Lives as long as the run. */
struct conductor {
	const struct conduct_options *options;
	struct identity identity;
	size_t n_users;
	struct identity *users; /* others, that scenarios and targets name */
	struct keeper *keeper;
	struct probe *probe;
	struct profiler *profiler;  /* NULL: no stacks are wanted */
	struct results *results;    /* of the present scenario */
	struct record *record;      /* of the present scenario, for its notes */
	struct journal *journal;    /* of faults; NULL: no scenario has any */
	struct overview *overview;  /* of several scenarios; else NULL */
	struct baselines baselines; /* what --baseline names */
	struct progress progress;
	int signal_fd;
	int interrupted; /* the signal that asks for the end; 0: none */
	unsigned int rounds_started;
	uint64_t next_pair_seed; /* state of the generator */
};

/* How a round of one side is to be run. */
struct round_plan {
	enum side side;
	int pair, position;
	const struct target *target;     /* NULL: attach */
	const struct scenario *scenario; /* NULL: commands, or attach */
	uint64_t warmup_ns;
	uint64_t duration_ns; /* of the window; 0: until the whole tree has ended */
	uint64_t cooldown_ns;
	uint64_t ready_timeout_ns;
};

/*
 * Runs one round; @out is initialised and filled as far as it came, also on failure.
 * @argv_out (may be NULL) takes the command as it was run, NULL-terminated, to be freed.
 * 0; -1 with @err; an interrupt is 0 with conductor->interrupted set.
 */
int round_run(struct conductor *conductor, const struct round_plan *plan, struct record_round *out,
	      char ***argv_out, struct error *err);

/* Who a program of @user runs as; NULL: the invoking user. */
const struct identity *conductor_user(const struct conductor *conductor, const char *user);

/* --debug: a line to stderr. */
void conductor_debug(struct conductor *conductor, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
