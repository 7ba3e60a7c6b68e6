/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which targets, which scenarios: everything that can be wrong in the command line is found here.
 */
#ifndef PERFBPF_CONDUCT_PLAN_H
#define PERFBPF_CONDUCT_PLAN_H

#include "conduct/conduct.h"
#include "record/record.h"
#include "record/stopping.h"
#include "scenario/scenario.h"

struct plan {
	struct target *targets[SIDES]; /* NULL: attach, or no B */
	size_t n_scenarios;            /* 0: commands, or attach */
	struct scenario *scenarios[CONDUCT_MAX_SCENARIOS];
	char *label; /* for the results folder */
};

/* Reads and checks it all, before any privilege is asked for. -1 with EXIT_CODE_USAGE. */
int plan_make(struct plan *plan, const struct conduct_options *options, struct error *err);
void plan_clear(struct plan *plan);
/* Has a scenario a driver whose children are to be timed? */
bool plan_times_children(const struct plan *plan);
/* Pairs to run: the option's, the scenario's (may be NULL), or the default. */
int plan_rounds(const struct conduct_options *options, const struct scenario *scenario);
/* The same with what may come after them: more, until the interval is narrow enough. */
void plan_stopping(const struct conduct_options *options, const struct scenario *scenario,
		   struct stopping *stopping);

#endif
