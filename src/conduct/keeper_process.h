/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The keeper's own side of the socket: what runs in its process. */
#ifndef PERFBPF_CONDUCT_KEEPER_PROCESS_H
#define PERFBPF_CONDUCT_KEEPER_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conduct/identity.h"

enum keeper_request {
	KEEPER_SPAWN = 1, /* identity, stages, environment, side; fds */
	KEEPER_RELEASE,
	KEEPER_END,        /* grace_ns */
	KEEPER_END_HELPER, /* pid, grace_ns */
};

enum keeper_answer {
	KEEPER_SPAWNED = 100, /* errno, pids */
	KEEPER_RELEASED,      /* errno, stage */
	KEEPER_ENDED,         /* processes left */
	KEEPER_EXIT,          /* pid, wait status: sent by itself */
};

/* Serves @socket until its end, then ends all, removes @private_dir with @identity's rights, and
 * exits. */
_Noreturn void keeper_process(int socket, const char *private_dir, const struct identity *identity);

/* Descendants of this process, without the subtrees of the @n pids in @except. */
struct descendants {
	pid_t *pids;
	size_t n;
};
int descendants_find(struct descendants *found, const pid_t *except, size_t n);
void descendants_free(struct descendants *found);
/* Sends @signal to @pid if it still is a descendant's process: the number may have been used again.
 */
void descendant_signal(pid_t pid, int signal);

#endif
