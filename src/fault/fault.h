/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The faults of one round: each is applied when its time has come, seen to have taken effect, and
 * undone when its time is over, at the end, or by the next start (fault/recover.h).
 *
 * In this order:
 *   1. faults_open() once ports and folders are known; its proxies listen when it returns
 *   2. faults_phase() for each phase, as soon as it is known when it begins
 *   3. faults_step() when faults_fd() is readable and at faults_next_ns()
 *   4. faults_undo_all(), however the round ends, before the processes are ended
 *   5. faults_result() for each fault; faults_close()
 */
#ifndef PERFBPF_FAULT_FAULT_H
#define PERFBPF_FAULT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault/journal.h"
#include "scenario/scenario.h"
#include "util/error.h"

#define FAULT_PROCESSES_MAX 4096 /* of a component */

/* What faults need of who runs the round. */
struct fault_host {
	void *context;
	/*
	 * Processes of @component, "target" for the target, the one that was started first: at most
	 * @max into @pids, their number returned; 0: it does not run; -ENOENT: there is none of
	 * that name.
	 */
	int (*pids_of)(void *context, const char *component, pid_t *pids, size_t max);
	/* Signals one of them: 0 or -errno. NULL: this process may do that itself. */
	int (*signal)(void *context, const struct process *process, int signal);
	/* Starts a program (argv[0] is a full path) with @fds as its 0, 1, 2, … . -1 with @err. */
	int (*spawn)(void *context, char *const *argv, const int *fds, size_t n_fds, pid_t *pid,
		     struct error *err);
	/* Has it ended? Does not block. */
	bool (*ended)(void *context, pid_t pid, int *status);
	/* Ends it for good: KILL. */
	void (*end)(void *context, pid_t pid);
	/*
	 * Begins to start @component again, which a fault has ended. Need not wait until it is
	 * ready: that it has processes again is looked for. -1 with @err.
	 */
	int (*restart)(void *context, const char *component, struct error *err);
	/* Is there nobody left who could start, signal or end anything? Then what is undone is not
	 * waited for. NULL: never. */
	bool (*is_gone)(void *context);
	/* A fault began (was applied), or @ended (was undone), at @at_ns. May be NULL. */
	void (*told)(void *context, const char *fault, uint64_t at_ns, bool ended);
};

struct fault_options {
	const struct scenario *scenario;
	const struct fault_host *host;
	struct journal *journal; /* of the run */
	/* For texts of the scenario; ${port.NAME} of each proxy among them. */
	const struct variable *variables;
	size_t n_variables;
	const char *private_dir; /* for files of I/O pressure; exists, removed by the caller */
	int log_fd;              /* standard error of helper programs; -1: none */
	uint64_t seed;           /* of what is drawn */
	const char *program;     /* perfbpf's own file; NULL: /proc/self/exe */
};

struct fault_result {
	const char *name;
	enum fault_kind kind;
	const char *component;   /* whom a signal hit; NULL: nobody, or no signal */
	uint64_t applied_at_ns;  /* CLOCK_MONOTONIC; 0: it was not */
	uint64_t verified_at_ns; /* when it was seen to have taken effect; 0: it was not */
	uint64_t ended_at_ns; /* when it was undone; 0: it was not, or there is nothing to undo */
	bool verified;
	bool undone;       /* nothing of it is left (also where it never was applied) */
	uint64_t met;      /* of a proxy: answers or connections that it met */
	uint64_t affected; /* processes that were signalled or run, connections that were held, and
			      of a proxy those that it was drawn for */
	const char *error; /* what went wrong, one line; NULL: nothing */
};

struct faults;

/* Starts the proxies. NULL with @err. All of @options is to live as long as the faults. */
struct faults *faults_open(const struct fault_options *options, struct error *err);
/*
 * The phase with index @phase begins at @begin_ns, now or later; its length is the scenario's. Its
 * faults are due from then on.
 */
void faults_phase(struct faults *faults, size_t phase, uint64_t begin_ns);
/* Readable when faults_step() has something to do before its time. */
int faults_fd(const struct faults *faults);
/* When faults_step() is to be called at the latest; UINT64_MAX: nothing is due. */
uint64_t faults_next_ns(const struct faults *faults);
/*
 * Applies what is due and undoes what is over, without waiting for either. What goes wrong with
 * a fault is in its result. -1 with @err where a proxy has ended, which cuts all that passes it.
 */
int faults_step(struct faults *faults, uint64_t now_ns, struct error *err);
/* The phases end early, now: what is applied is due to be undone, what is not yet due stays away.
 */
void faults_cut(struct faults *faults, uint64_t now_ns);
/* All have been applied and undone. */
bool faults_are_over(const struct faults *faults);
/* Has a fault ended @component ("target" for the target), so that its end is no failure? Not any
 * more once the fault has seen it run again. */
bool faults_have_ended(const struct faults *faults, const char *component);
/*
 * Undoes all that is applied, and waits for it, at most some seconds. What was not yet due is
 * not applied any more. Returns how many could not be undone; they stay in the journal.
 */
size_t faults_undo_all(struct faults *faults);
size_t faults_count(const struct faults *faults);
/* Texts live as long as the faults. */
struct fault_result faults_result(const struct faults *faults, size_t i);
/* Undoes what has not been, ends the proxies; takes NULL. */
void faults_close(struct faults *faults);

#endif
