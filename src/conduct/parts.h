/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The running components of a round: a scenario's, and a target's own. */
#ifndef PERFBPF_CONDUCT_PARTS_H
#define PERFBPF_CONDUCT_PARTS_H

#include "conduct/hook.h"
#include "fault/fault.h"

struct part {
	const struct component *component;
	bool is_measured;
	bool is_ready; /* was waited for: its end is a failure from then on */
	pid_t pid;     /* of its first process; 0: not started */
	char *dir, *log_name;
};

struct parts {
	struct part *list;
	size_t n;
	struct collector *collector;
	const struct variables *variables;
	const struct round_plan *plan;
};

/*
 * Starts all components of @plan one after the other, the scenario's first: each is set up,
 * started (one that is measured is a member before its first instruction) and waited for. -1 with
 * @err; what has been started stays so until parts_end().
 */
int parts_start(struct parts *parts, struct collector *collector, const struct variables *variables,
		const struct round_plan *plan, struct error *err);
/* Starts one anew after its end, without waiting until it is ready. -1 with @err. */
int part_restart(struct parts *parts, struct part *part, struct error *err);
/* By its component's name; NULL: there is none. */
struct part *parts_find(struct parts *parts, const char *name);
/* One that was ready and has ended by itself, not by one of @faults (may be NULL); NULL: none. */
struct part *parts_ended(struct parts *parts, const struct faults *faults, int *status);
/* Ends those that are not measured, the newest first; the others go with the side. */
void parts_end(struct parts *parts);
void parts_clear(struct parts *parts);

/* Can all be filled in, and are their programs there? With made-up values. -1 with @err. */
int parts_check(const struct component *components, size_t n, const struct variables *variables,
		const char *of, struct error *err);

/* Makes the processes members, before they run. -1 with @err. */
int enrol_held(struct collector *collector, const pid_t *pids, size_t n, struct error *err);

#endif
