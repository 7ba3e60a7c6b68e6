/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sides take turns: all rounds of one scenario, pair by pair. Private to conduct/. */
#ifndef PERFBPF_CONDUCT_TURNS_H
#define PERFBPF_CONDUCT_TURNS_H

#include "conduct/conductor.h"
#include "conduct/plan.h"
#include "record/stopping.h"

/*
 * Runs the pairs of @scenario (NULL: of the commands, or the attach) into @rec until @stopping is
 * content, a signal came or a threshold ended the run. -1 with @err; what was measured is in @rec.
 */
int turns_run(struct conductor *conductor, struct record *rec, const struct plan *plan,
	      const struct scenario *scenario, const struct stopping *stopping, struct error *err);

#endif
