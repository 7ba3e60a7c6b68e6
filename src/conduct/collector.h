/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one loop of a round: ring, tick, signals, keeper and driver. While it waits for
 * something it keeps the accounts: at each tick it settles them, reads them and
 * appends to the series.
 */
#ifndef PERFBPF_CONDUCT_COLLECTOR_H
#define PERFBPF_CONDUCT_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "conduct/conductor.h"
#include "conduct/driver_process.h"
#include "conduct/machine.h"
#include "measure/kinds.h"
#include "measure/tree.h"
#include "measure/window.h"
#include "probe/probe.h"

/* The machine and the side's threads where a phase begins. */
struct phase_edge {
	const char *name; /* of the phase; borrowed */
	uint64_t at_ns;
	struct machine machine;
	struct thread_time time;
	uint64_t driver_cpu_ns, block_errors;
	double runnable_beyond;
	unsigned int runnable_samples;
};

struct collector {
	struct conductor *conductor;
	struct driver_process *driver; /* NULL: none */
	struct tree *tree;
	struct window window;
	bool counting;          /* the window is open */
	uint64_t timed_from_ns; /* the work's window: from here on commands are timed */
	int epoll_fd, timer_fd;
	/* The observer's own cost, at the opening and as a difference after the close. */
	struct probe_cost cost_at_open, cost;
	double own_cpu_seconds;
	struct rusage own_at_open;
	uint64_t driver_cpu_at_open, driver_cpu_ns;
	unsigned int late_ticks;       /* ticks that perfbpf was kept from */
	struct kinds *kinds;           /* NULL: protocols are not wanted */
	struct machine machine_before; /* just before the window opened */
	size_t n_edges;
	struct phase_edge *edges; /* where each phase of the window began; the last: its end */
	double runnable_beyond; /* tasks that were ready beyond one a CPU, summed over the ticks */
	unsigned int runnable_samples;
	int cpus;
	/*
	 * What is to be done whenever it is waited, whatever for: does what is due now, and sets
	 * *@next_ns to when it is to be called again where that is earlier. -1 with @err ends the
	 * wait. NULL: nothing.
	 */
	int (*tend)(void *context, uint64_t *next_ns, struct error *err);
	void *tended;
	bool is_tending; /* what is done may wait for something itself */
};

enum collector_result {
	COLLECTOR_DONE,        /* the condition holds */
	COLLECTOR_TIMEOUT,     /* the time has come */
	COLLECTOR_INTERRUPTED, /* conductor->interrupted is set */
	COLLECTOR_FAILED = -1, /* err is filled */
};

/* -1 with @err. */
int collector_init(struct collector *collector, struct conductor *conductor, struct error *err);
void collector_clear(struct collector *collector);
/* From here on the driver's socket is part of the loop. */
int collector_add_driver(struct collector *collector, struct driver_process *driver,
			 struct error *err);
/* Another that ends a wait when it is readable, and the end of that. */
int collector_add_fd(struct collector *collector, int fd, struct error *err);
void collector_remove_fd(struct collector *collector, int fd);
/* Before it is stopped. */
void collector_remove_driver(struct collector *collector);

/* Waits until @done(context) holds (NULL: never) or @until_ns (0: for ever). */
enum collector_result collector_wait(struct collector *collector, uint64_t until_ns,
				     bool (*done)(void *context), void *context, struct error *err);
/* Takes in all events that are there now. */
void collector_drain(struct collector *collector);
/*
 * Both tell the driver. @planned_ns is the moment that counts for the work: it is the
 * same stretch of the driver's schedule in every round, while the kernel's window opens
 * and closes a moment later; 0: now. -1 with @err.
 */
int collector_window_open(struct collector *collector, uint64_t planned_ns, struct error *err);
/*
 * The window's phase @name begins: the first one with the window, the others inside it, which
 * the driver is told with @planned_ns as above. Its name stays the caller's. -1 with @err.
 */
int collector_phase(struct collector *collector, const char *name, uint64_t planned_ns,
		    struct error *err);
/* @at_ns: until when the window lasted, where that is known to have been earlier than now; 0: now.
 */
int collector_window_close(struct collector *collector, uint64_t at_ns, uint64_t planned_ns,
			   struct error *err);

/* Everything that was measured, into @out. */
int collector_fill(struct collector *collector, struct record_round *out);

#endif
