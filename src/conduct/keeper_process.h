/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The keeper's own side of the socket: what runs in its process. */
#ifndef PERFBPF_CONDUCT_KEEPER_PROCESS_H
#define PERFBPF_CONDUCT_KEEPER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conduct/keeper.h"
#include "conduct/wire.h"

enum keeper_request {
	KEEPER_SPAWN = 1, /* identity, stages, environment, side; fds */
	KEEPER_RELEASE,
	KEEPER_END,        /* grace_ns */
	KEEPER_END_HELPER, /* pid, grace_ns */
	KEEPER_OPEN,       /* enum keeper_file, pid, start, by_path, path */
	KEEPER_GROUP,      /* name, CPUs in thousandths or -1, memory_bytes */
	KEEPER_MAKE_DIR,   /* path, uid */
	KEEPER_PUT_FILE,   /* path, text, uid */
	KEEPER_REMOVE_DIR, /* path */
	KEEPER_SIGNAL,     /* pid, start_ticks, signal */
};

enum keeper_file {
	KEEPER_FILE_MAPPED,
	KEEPER_FILE_PERF_MAP,
};

enum keeper_answer {
	KEEPER_SPAWNED = 100, /* errno, pids */
	KEEPER_RELEASED,      /* errno, stage */
	KEEPER_ENDED,         /* processes left */
	KEEPER_OPENED,        /* errno; fd */
	KEEPER_DONE,          /* errno, number */
	KEEPER_EXIT,          /* pid, wait status: sent by itself */
};

struct keeper_setting {
	const char *private_dir;
	const struct keeper_users *users;
};

/* One of the users by its number; NULL: none of them. */
const struct identity *keeper_user(const struct keeper_users *users, uid_t uid);

/* Serves @socket until its end, then ends all, removes the private folder with the identity's
 * rights, and exits. */
_Noreturn void keeper_process(int socket, const struct keeper_setting *setting);

/* What the requests KEEPER_MAKE_DIR, KEEPER_PUT_FILE and KEEPER_REMOVE_DIR ask for: 0 or an errno.
 */
int keeper_folder_make(const struct keeper_setting *setting, struct wire_message *request);
int keeper_folder_put(const struct keeper_setting *setting, struct wire_message *request);
int keeper_folder_remove(const struct keeper_setting *setting, struct wire_message *request);

/* Descendants of this process, without the subtrees of the @n pids in @except. */
struct descendants {
	pid_t *pids;
	size_t n;
};
int descendants_find(struct descendants *found, const pid_t *except, size_t n);
/* @root and what descends from it. */
int descendants_of(struct descendants *found, pid_t root);
void descendants_free(struct descendants *found);
/* Is @pid one of the @n @ancestors, or does it descend from one of them or from this process? */
bool descends_from(pid_t pid, const pid_t *ancestors, size_t n);
/*
 * Sends @signal to @pid if it still is a descendant's process: the number may have been used again.
 * -EPERM where it is one that may not be signalled, else 0.
 */
int descendant_signal(pid_t pid, int signal);

#endif
