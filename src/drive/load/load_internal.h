/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the engine's files share: load.c says when requests begin, load_user.c what a user is,
 * load_report.c what came of it. */
#ifndef PERFBPF_DRIVE_LOAD_LOAD_INTERNAL_H
#define PERFBPF_DRIVE_LOAD_LOAD_INTERNAL_H

#include <stddef.h>

#include "drive/load/load.h"
#include "drive/load/schedule.h"
#include "drive/load/tally.h"
#include "drive/load/wakes.h"

#define LOAD_EVENTS_MAX 256

enum user_state {
	USER_IDLE, /* open loop: on the stack of those that are free; closed: has no more to do */
	USER_WAITING, /* until wake_ns */
	USER_BUSY,    /* with a request, or that is done and not yet looked at */
};

struct watch {
	struct load_user *user; /* NULL: not watched any more */
	int fd;
	struct watch *next; /* of the user, or of those that are free */
};

struct load_user {
	struct load *load;
	unsigned int number;
	enum user_state state;
	uint64_t iterations;       /* begun */
	uint64_t phase_iterations; /* of them in phase @iterated_phase */
	size_t iterated_phase;
	uint64_t wake_ns;
	struct watch *watches;
	/* The request under way. */
	size_t phase, kind, class;
	uint64_t intended_ns, begun_ns, deadline_ns;
	uint64_t random;
	bool is_done;                    /* load_done() was called */
	bool is_disowned;                /* it has been reported as unanswered */
	struct load_user *older, *newer; /* of those under way */
	struct load_user *next;          /* of those that are done, or idle */
	_Alignas(max_align_t) unsigned char state_of_protocol[];
};

struct load {
	struct load_plan plan;
	struct schedule *schedule;
	struct tally *tally;
	int epoll_fd, timer_fd;
	uint64_t armed_ns; /* what the timer is set to; UINT64_MAX: off */
	bool is_started;
	uint64_t start_ns;
	size_t phase; /* n_phases: all are over */
	/* Open loop: the next arrival. */
	uint64_t next_arrival, next_due_ns;
	uint64_t all_busy_until_ns; /* up to then no user was free */
	/* Closed loop. */
	unsigned int wanted;
	uint64_t wanted_change_ns;
	unsigned int n_finished; /* have done their iterations in this phase */
	struct wakes wakes;
	/* Users by number, NULL where there is none. */
	unsigned int users_max, n_users, lowest_free;
	struct load_user **users;
	uint16_t *class_of; /* by number */
	double *class_ends; /* sums of weights */
	double **kind_ends;
	struct load_user *idle; /* the one that was used last is first: its caches are warm */
	struct load_user *oldest, *newest; /* under way, as they began */
	unsigned int n_under_way;
	struct load_user *done_first, *done_last;
	struct watch *watches_free, *watches_dead; /* dead until the events at hand are through */
	/* For the line of progress. */
	uint64_t rate_at_ns, rate_good;
	double rate;
};

/* NULL: all are over. */
static inline const struct phase *load_phase_now(const struct load *load)
{
	return load->phase < load->plan.n_phases ? &load->plan.phases[load->phase] : NULL;
}

/* The open loop's next arrival is the @i-th of the phase (load.c). */
void load_next_arrival(struct load *load, uint64_t i);

/* --- load_user.c ------------------------------------------------------------------ */

/* Shares of classes among users and of kinds among requests. -1 without memory. */
int load_shares_make(struct load *load);
void load_shares_free(struct load *load);
/* A user that is not there yet, with the lowest number that is free; @number UINT_MAX: any. NULL
 * with @err. */
struct load_user *load_user_new(struct load *load, unsigned int number, struct error *err);
/* It has nothing under way. */
void load_user_close(struct load_user *user);
/* Begins at @now_ns a request that was due at @intended_ns; the @i-th arrival of its phase. -1 with
 * @err. */
int load_user_begin_arrival(struct load_user *user, uint64_t i, uint64_t intended_ns,
			    uint64_t now_ns, struct error *err);
/* The same of a closed loop, now. */
int load_user_begin_next(struct load_user *user, struct error *err);
/* How long it waits after a request. */
uint64_t load_user_wait_ns(struct load_user *user);
/* The request under way ends with @outcome at @now_ns. */
void load_user_end(struct load_user *user, const struct load_outcome *outcome, uint64_t now_ns);
/* The first of those that are done, taken off their list; NULL: none. */
struct load_user *load_user_take_done(struct load *load);
/* Files that are no longer watched can be used again: no event of theirs is at hand. */
void load_bury_watches(struct load *load);

#endif
