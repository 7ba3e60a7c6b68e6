/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes as /proc shows them. A process is its number and the time it was started: numbers are
 * used again, and nothing here signals a process that is another one than was meant.
 */
#ifndef PERFBPF_FAULT_PROCESS_H
#define PERFBPF_FAULT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	uint64_t start_ticks; /* after boot, field 22 of proc(5)'s /proc/PID/stat */
};

struct process_stat {
	char state; /* 'R' 'S' 'D' 'T' 'Z' … */
	pid_t parent;
	uint64_t start_ticks;
	uint64_t cpu_ticks; /* user and system time of its threads, without children */
	uint64_t resident_bytes;
};

/* 0, or -ESRCH where it has gone, or another -errno. */
int process_stat_read(pid_t pid, struct process_stat *stat);
/* Is it there, and no zombie? @stat (may be NULL) takes what was read. */
bool process_lives(const struct process *process, struct process_stat *stat);
/*
 * Sends @signal to this very process: 0, -ESRCH where it has gone, or another -errno. Held by a
 * file (pidfd) between look and signal, so that the number cannot be used again in between.
 */
int process_signal(const struct process *process, int signal);
/* What becomes of a signal that was sent to it. */
enum signal_fate {
	SIGNAL_TAKEN,
	SIGNAL_PENDING,
	SIGNAL_IGNORED,
};
enum signal_fate process_signal_fate(pid_t pid, int signal);
/* @pid and all that descend from it now, at most @max; returns how many. */
size_t process_tree(pid_t pid, struct process *tree, size_t max);
/* Is @argv (NULL-terminated) exactly the command line it was started with? */
bool process_has_command(pid_t pid, char *const *argv);
/* Processes with that command line, at most @max; returns how many. */
size_t process_find_command(char *const *argv, struct process *found, size_t max);
/* Bytes that it has written or caused to be written to storage; 0 where that cannot be seen. */
uint64_t process_written_bytes(pid_t pid);

#endif
