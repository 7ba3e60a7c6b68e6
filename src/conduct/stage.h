/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Forking the processes of a command, held before their exec. Runs in the keeper. */
#ifndef PERFBPF_CONDUCT_STAGE_H
#define PERFBPF_CONDUCT_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "conduct/cgroup.h"
#include "conduct/keeper.h"
#include "conduct/wire.h"

struct stage_set {
	size_t n;
	pid_t pids[KEEPER_MAX_STAGES];
	/* Write end: a byte lets all of them exec, closing it makes them go. */
	int hold;
	/* Each tells here the errno of a failed exec; end of file is success. */
	int status[KEEPER_MAX_STAGES];
	bool open; /* hold and status are */
};

/* Puts what stages_start() takes. */
void stages_put(struct wire_message *message, const struct keeper_spawn *spawn);
/*
 * Forks what a KEEPER_SPAWN message describes, for one of @users, in one of @n_groups @groups (of
 * which there is no number 0). 0 or an errno; a helper is released at once.
 */
int stages_start(struct wire_message *message, const struct keeper_users *users,
		 const struct cgroup *groups, size_t n_groups, struct stage_set *set, bool *side);
/* Lets the processes exec; 0, or the errno of the first that could not, with its index. */
int stages_release(struct stage_set *set, size_t *failed_stage);
/* Closes the pipes; processes that are still held go. */
void stages_close(struct stage_set *set);

#endif
