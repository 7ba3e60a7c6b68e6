/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A program that a driver starts: without a shell, without a copy of the driver's memory, in a
 * process group of its own, and gone with the driver.
 */
#ifndef PERFBPF_DRIVE_CHILD_H
#define PERFBPF_DRIVE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "scenario/scenario.h"
#include "util/error.h"

struct child_plan {
	const char *file; /* full path */
	char *const *argv;
	char *const *environment;
	int input_fd;  /* its standard input, */
	int output_fd; /* its standard output and standard error; both close-on-exec */
};

struct child {
	pid_t pid; /* and its process group; 0: none */
	int pidfd; /* readable once it has ended; close-on-exec */
};

/*
 * Starts it. Until its exec it shares the driver's memory, which waits for it (as with vfork), so
 * the cost does not grow with the driver. Should the driver end, the kernel kills it
 * (PR_SET_PDEATHSIG; not what it has started in turn). 0, or the -errno of what kept it from its
 * exec; then nothing is left of it.
 */
int child_start(struct child *child, const struct child_plan *plan);
/* To all of its process group. */
void child_signal(const struct child *child, int number);
/*
 * Has it ended? Then its status as of wait(2), and what it left behind in its process group is
 * killed; its pidfd is closed, and the child is none any more.
 */
bool child_reap(struct child *child, int *status);
/* Kills it and all of its group and waits for the end, for as long as the kernel takes. */
void child_end(struct child *child);

/* "exit 1" "signal 9": what tallies count it as; NULL: it ended with @expected. */
const char *child_error(int status, int expected, char *text, size_t size);

/* The last line of @text[length] that is not empty, as valid UTF-8 without control characters; ""
 * where there is none. */
void last_words(const char *text, size_t length, char *out, size_t size);

/* The driver's own environment with @pairs over it, filled with @variables; NULL behind the last,
 * to be freed by strings_drop(). NULL with @err. */
char **child_environment(const struct yaml_pair *pairs, size_t n, const struct variable *variables,
			 size_t n_variables, struct error *err);
void strings_drop(char **strings); /* takes NULL */

/* /dev/null for reading and writing, above the standard descriptors, close-on-exec. -errno. */
int null_open(void);

#endif
