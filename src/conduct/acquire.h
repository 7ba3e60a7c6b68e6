/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a run needs before its first round. Private to conduct/. */
#ifndef PERFBPF_CONDUCT_ACQUIRE_H
#define PERFBPF_CONDUCT_ACQUIRE_H

#include "conduct/conductor.h"
#include "conduct/plan.h"

/*
 * Everything that takes privileges, in this order: the keeper is forked while the
 * process is small, the programs are loaded, the results folder is made; then all of it
 * is given up. -1 with @err; conductor_release() in any case.
 */
int conductor_acquire(struct conductor *conductor, struct results *results, const struct plan *plan,
		      struct error *err);
/* All of it but the results folder. */
void conductor_release(struct conductor *conductor);

/* users.c: all that anything is to run as besides the invoking user, into conductor->users. */
int users_find(struct conductor *conductor, const struct plan *plan, struct error *err);

#endif
