/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A program that a fault has running: journalled before its start, told to end, and struck out when
 * it has. One of perfbpf's own is spoken to in lines of JSON over its file 3.
 */
#ifndef PERFBPF_FAULT_HELPER_H
#define PERFBPF_FAULT_HELPER_H

#include "fault/fault.h"
#include "fault/lines.h"

struct helper {
	const struct faults *set; /* NULL: zeroed, never begun; its end asks for nothing */
	uint64_t journal_id;      /* 0: not running */
	struct process process;   /* pid 0: not running */
	int output_fd;            /* read end of its standard output; -1: none */
	struct lines control;     /* fd -1: none */
	bool is_ending;
	uint64_t kill_ns;
	bool has_ended;
	int status; /* as of wait(2), once it has ended */
};

enum helper_pipes {
	HELPER_PLAIN = 0,
	HELPER_OUTPUT = 1,  /* output_fd is to be read */
	HELPER_CONTROL = 2, /* perfbpf's own */
};

void helper_init(struct helper *helper, const struct faults *set);
/* Starts @argv (argv[0] a full path) for the fault named @fault. -1 with @err. */
int helper_start(struct helper *helper, const char *fault, char *const *argv,
		 enum helper_pipes pipes, struct error *err);
bool helper_is_running(const struct helper *helper);
/* Has it ended by itself, or been ended? */
bool helper_has_ended(struct helper *helper);
/* Begins its end: its control socket is closed, or it gets TERM; KILL after two seconds. */
void helper_end(struct helper *helper);
/* Is it gone, with all that it started? Strikes it out then. Called until it is true. */
bool helper_is_gone(struct helper *helper);
/* Ends it and waits. */
void helper_close(struct helper *helper);

#endif
