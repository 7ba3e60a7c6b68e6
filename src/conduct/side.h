/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starting one side: its command filled in, its private HOME, its files, its processes held. */
#ifndef PERFBPF_CONDUCT_SIDE_H
#define PERFBPF_CONDUCT_SIDE_H

#include "conduct/collector.h"
#include "conduct/conductor.h"
#include "conduct/variables.h"

struct side_process {
	struct command *command;
	size_t n_pids;
	pid_t pids[KEEPER_MAX_STAGES];
	char *home;     /* private, below the keeper's folder */
	char *log_name; /* "logs/0-A.stderr" in the results folder */
};

/*
 * Its private HOME and its files; adds ${home} and ${user} to @variables. @is_server: its standard
 * output goes to its log, as nobody reads it. -1 with @err.
 */
int side_prepare(struct side_process *side, struct collector *collector,
		 const struct round_plan *plan, struct variables *variables, const char *round_dir,
		 bool is_server, struct error *err);
/*
 * Sets the target up and starts its command, held; nothing where it has components only.
 * Standard input is /dev/null, standard output @output_fd (-1: /dev/null), standard error a
 * file in the results folder. -1 with @err.
 */
int side_start(struct side_process *side, struct collector *collector,
	       const struct round_plan *plan, const struct variables *variables, int output_fd,
	       bool is_server, struct error *err);
/* Makes all its processes members. -1 with @err. */
int side_enrol(struct side_process *side, struct collector *collector, struct error *err);
/* Lets it run. -1 with @err where its program cannot be executed. */
int side_release(struct side_process *side, struct conductor *conductor,
		 const struct round_plan *plan, struct error *err);
/* Has its first process ended by itself? */
bool side_has_ended(const struct side_process *side, struct conductor *conductor, int *status);
/* The last line it wrote to standard error, cleaned; "" where there is none. */
void side_last_words(const struct side_process *side, const struct conductor *conductor, char *text,
		     size_t size);
void side_clear(struct side_process *side);

/*
 * Can the command be filled in, and are its programs there? With made-up values, ahead of
 * everything. @kubeconfig: a real cluster, which has no address for what needs a URL; or NULL.
 */
int side_check(const struct target *target, const struct scenario *scenario, const char *kubeconfig,
	       struct error *err);

#endif
