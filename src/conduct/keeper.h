/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The keeper: a small process of perfbpf's that starts the sides and the drivers, is
 * their (sub)reaper, and ends all of them. Whatever becomes of perfbpf, the keeper sees
 * its socket close, ends every descendant, removes the private folders, and goes.
 *
 * It is forked before anything else is done, so it keeps the privileges that
 * starting a side as another user takes, while the rest of perfbpf gives them up. With them it also
 * opens what the measured processes have mapped.
 */
#ifndef PERFBPF_CONDUCT_KEEPER_H
#define PERFBPF_CONDUCT_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conduct/identity.h"
#include "conduct/process_file.h"
#include "fault/process.h"
#include "scenario/scenario.h"
#include "util/error.h"

#define KEEPER_MAX_STAGES 16

struct keeper;

struct keeper_stage {
	const char *file; /* full path */
	char **argv;
};

struct keeper_spawn {
	const struct identity *identity;
	size_t n_stages; /* connected by pipes: the first reads fds[0], the last writes fds[1] */
	const struct keeper_stage *stages;
	char **environment;
	int fds[8]; /* become 0, 1, 2, … of the process */
	size_t n_fds;
	/* true: a side, held before its exec until keeper_release(). false: a helper (a driver, a
	 * version query), which starts at once and is not touched by keeper_end(). */
	bool side;
	const char *directory; /* working folder; NULL: perfbpf's */
	const char *cpus;      /* that it is pinned to, "0-1,3"; NULL: all */
	int group;             /* of keeper_group(); 0: none */
};

/* Who the keeper starts programs for: nobody else, whatever it is asked later. */
struct keeper_users {
	const struct identity *identity; /* owns the private folder */
	size_t n_others;
	const struct identity *others; /* that scenarios and targets name */
	size_t n_attached;
	const pid_t *attached; /* processes that are measured without having been started */
};

/* NULL with @err. */
struct keeper *keeper_start(const struct keeper_users *users, struct error *err);
/* Ends all and waits for the keeper to go; NULL is fine. */
void keeper_stop(struct keeper *keeper);
/* Has it been killed? Then what it has started is ended here, with this process's rights. */
bool keeper_is_gone(struct keeper *keeper);
/* A folder (mode 0700, of @identity) that the keeper removes when it goes. */
const char *keeper_private_dir(const struct keeper *keeper);
/* Readable when a process that was started has ended, or the keeper itself. */
int keeper_fd(const struct keeper *keeper);
/* -1 with @err where the keeper has ended: nobody watches over the sides any more. */
int keeper_check(struct keeper *keeper, struct error *err);

/* Starts the stages; @pids takes their process ids. -1 with @err. */
int keeper_spawn(struct keeper *keeper, const struct keeper_spawn *spawn, pid_t *pids,
		 struct error *err);
/* Lets the held side exec. -1 with EXIT_CODE_USAGE where exec fails; @stage: of which program. */
int keeper_release(struct keeper *keeper, size_t *stage, struct error *err);
/* Has a started process ended? @status as of wait(2). Does not block. */
bool keeper_ended(struct keeper *keeper, pid_t pid, int *status);
/* Nobody asks for the end of @pid any more. */
void keeper_forget(struct keeper *keeper, pid_t pid);
/* Waits for that; false after @timeout_ns. */
bool keeper_wait(struct keeper *keeper, pid_t pid, uint64_t timeout_ns, int *status);
/* Ends a helper and what descends from it: TERM, then KILL after @grace_ns. */
void keeper_end_helper(struct keeper *keeper, pid_t pid, uint64_t grace_ns);
/*
 * Ends the side's whole tree, wherever its processes have gone: TERM, then KILL after
 * @grace_ns. Returns how many processes could not be ended, or -1 with @err.
 */
int keeper_end(struct keeper *keeper, uint64_t grace_ns, struct error *err);

/*
 * A control group with @limits that spawned processes can be put in; it goes with the
 * first keeper_end() that finds none of its processes left.
 * @name is for people. Its number above 0, or -1 with @err.
 */
int keeper_group(struct keeper *keeper, const char *name, const struct limits *limits,
		 struct error *err);
/* A folder (mode 0700) of @identity's below the private one, and a file in such a folder, with its
 * parents. -1 with @err. */
int keeper_make_dir(struct keeper *keeper, const char *path, const struct identity *identity,
		    struct error *err);
int keeper_put_file(struct keeper *keeper, const char *path, const char *text,
		    const struct identity *identity, struct error *err);
/* Signals a process that descends from the keeper, whoever it runs as: 0 or -errno. */
int keeper_signal(struct keeper *keeper, const struct process *process, int signal);
/* Removes a folder below the private one, whoever owns what is in it. */
void keeper_remove_dir(struct keeper *keeper, const char *path);

/* As process_file.h has it, of processes that are measured: a file for reading, or -errno; -EPERM
 * for other processes, -EPIPE where the keeper has ended. */
int keeper_open_mapped(struct keeper *keeper, const struct mapped_file *file);
int keeper_open_perf_map(struct keeper *keeper, int32_t pid);

#endif
