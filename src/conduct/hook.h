/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands that are run to their end around a round: hooks, and what a component is set up with. */
#ifndef PERFBPF_CONDUCT_HOOK_H
#define PERFBPF_CONDUCT_HOOK_H

#include "conduct/collector.h"
#include "conduct/conductor.h"
#include "conduct/variables.h"

struct hook_setting {
	struct collector *collector; /* whose loop goes on meanwhile */
	const struct variables *variables;
	const struct identity *identity;
	const char *directory; /* working folder; NULL: perfbpf's */
	const struct yaml_pair *environment;
	size_t n_environment;
	const char *log_name; /* in the results folder; appended to */
	const char *what;     /* for messages: "hook prepare", "component 'db', setup" */
	uint64_t timeout_ns;  /* of each command */
};

/*
 * Runs @n @commands one after the other. -1 with @err at the first that does not end with exit
 * code 0 in time; it names the command and what it last said.
 */
int hooks_run(const struct hook_setting *setting, const struct yaml_strings *commands, size_t n,
	      struct error *err);
/* One of them; its exit code, 0 also where conductor->interrupted ended the wait, 128 + N of a
 * signal, or -1 with @err where it cannot be run or takes too long. */
int hook_run(const struct hook_setting *setting, char *const *words, size_t n, struct error *err);

/* A log in the results folder for appending; -1 with @err. */
int log_append(struct conductor *conductor, const char *name, struct error *err);
/* The last line of a log, cleaned of what is not printable; "" where there is none. */
void log_last_line(const struct conductor *conductor, const char *name, char *text, size_t size);

#endif
