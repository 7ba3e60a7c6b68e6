/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The engine of all load drivers: virtual users that send requests to a target, by the
 * executors of a scenario's phases, on one epoll loop. What a request is, a protocol says
 * (http, postgres, exec); when it is sent, what came of it and how late that was, is said here once
 * for all of them.
 *
 * Open loop: requests are due by a schedule, and go out as soon as a user is free; their response
 * time counts from when they were due. Where none is free they wait, which is the target's
 * doing; where one is and the engine comes late, that is the driver's, and is told as lateness.
 * Closed loop: each user sends its next request when the last has been answered and its wait is
 * over.
 */
#ifndef PERFBPF_DRIVE_LOAD_LOAD_H
#define PERFBPF_DRIVE_LOAD_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "scenario/scenario.h"
#include "util/error.h"

struct load;
struct load_user; /* one virtual user: one request in flight at most */

/* A kind of request, drawn at random by its weight. */
struct load_kind {
	const char *name;
	double weight;
};

/* Users that behave alike: they draw from the same kinds and wait as long. */
struct load_class {
	const char *name;
	double weight; /* share of the users; in an open loop share of the requests */
	uint64_t wait_min_ns, wait_max_ns; /* closed loop: between an answer and the next request */
	const size_t *kinds;               /* which of the plan's kinds they draw from */
	size_t n_kinds;                    /* 0: all of them */
};

/* What came of a request. */
struct load_outcome {
	const char *error; /* as of struct tally_request: NULL is a good answer */
	uint64_t bytes, rows;
	/* Where the protocol knows better than the moments of load_sent() and load_done(), as of
	 * a process that the kernel saw begin and end; 0: it does not. */
	uint64_t begun_ns, ended_ns;
};

/*
 * A protocol. All functions get the plan's context. -1 with @err means that the driver cannot go on
 * (no memory, a broken library); what the target does wrong is the outcome of a request.
 */
struct load_protocol {
	size_t user_size; /* of its state for a user, zeroed at first */
	/*
	 * Begins a request of @kind: connects where that is still to do, and sends. load_done()
	 * ends it, now or later (the next one begins only after the function has returned).
	 */
	int (*begin)(void *context, struct load_user *user, size_t kind, struct error *err);
	/* A file that the user watches has @events (EPOLLIN …), perhaps while no request is under
	 * way. */
	int (*ready)(void *context, struct load_user *user, int fd, uint32_t events,
		     struct error *err);
	/* The request under way has run out of time: it is given up, with its connection. The
	 * engine counts it ("timeout"); the protocol does not call load_done() for it. */
	void (*give_up)(void *context, struct load_user *user);
	/* The user goes: frees and closes what it holds. No request is under way. */
	void (*close)(void *context, struct load_user *user);
};

struct load_plan {
	const struct phase *phases; /* outlive the engine, as does all that is named here */
	size_t n_phases;
	const struct load_kind *kinds;
	size_t n_kinds;
	const struct load_class *classes;
	size_t n_classes; /* at least one */
	const struct load_protocol *protocol;
	void *context;
	uint64_t timeout_ns; /* of one request */
	uint64_t seed;       /* of all that is drawn: kinds, waits */
};

/* NULL with @err. Nothing runs before load_start(). */
struct load *load_new(const struct load_plan *plan, struct error *err);
void load_free(struct load *load); /* takes NULL */
/* Its epoll descriptor, readable when load_step() has something to do. */
int load_fd(const struct load *load);
/* Phase 0 begins at @at_ns (CLOCK_MONOTONIC). */
void load_start(struct load *load, uint64_t at_ns);
/* Does what is due and returns at once. -1 with @err. */
int load_step(struct load *load, struct error *err);
void load_window_open(struct load *load, uint64_t at_ns, uint64_t tick_ns);
void load_window_close(struct load *load, uint64_t at_ns);
void load_fault(struct load *load, const char *name, uint64_t at_ns, bool ended);
/* Nothing more is to come: the last phase with work has ended (of per-vu-iterations: all its
 * iterations are done), and nothing is under way. */
bool load_is_finished(const struct load *load);
/* No request is under way or waits that was due in the window. */
bool load_is_drained(const struct load *load);
/*
 * tally_report() of it; new reference. Once the window is closed, what is still under way
 * is counted as the error "unanswered", and what was not sent as dropped.
 */
json_t *load_report(struct load *load);
void load_print_progress(const struct load *load, FILE *out);

/* --- for protocols ------------------------------------------------------------ */

void *load_user_state(struct load_user *user);
/* From 0; stays the same while the user lives. */
unsigned int load_user_number(const struct load_user *user);
/* Counts the user's requests from 0, the present one included; for keys and ids. */
uint64_t load_user_iteration(const struct load_user *user);
/* The next of the numbers of the request under way. They come of the plan's seed and the request's
 * place in the work alone, so that both sides get the same. */
uint64_t load_user_random(struct load_user *user);
/* Watches @fd (several may be watched) for @events, or changes them. -errno. */
int load_watch(struct load_user *user, int fd, uint32_t events);
/* Before @fd is closed. */
void load_unwatch(struct load_user *user, int fd);
/* The request goes to the target only now, as a connection had to be made first: service time
 * counts from here. */
void load_sent(struct load_user *user);
void load_done(struct load_user *user, const struct load_outcome *outcome);
/* Adds @n to what the report's "work" counts as @name ("status 200", "reconnects"), if the request
 * under way belongs to the window. Before load_done(). */
void load_count(struct load_user *user, const char *name, uint64_t n);

#endif
