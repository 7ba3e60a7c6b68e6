/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The BPF programs, loaded and attached: open → configure → load → attach, then
 * control and reading through shared memory. No policy: what the numbers mean is
 * measure/'s business.
 */
#ifndef PERFBPF_PROBE_PROBE_H
#define PERFBPF_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/histogram.h"
#include "perfbpf.h"
#include "util/error.h"

struct probe;

struct probe_options {
	bool stats;    /* let the kernel time every program (about 20 ns an event) */
	bool requests; /* time requests at sockets */
	bool time;     /* where the time of threads goes */
	bool io;       /* requests to block devices */
	bool syscalls; /* every system call of the members; slows down all of the machine's */
	bool timed;    /* time the children of a process that probe_time_children() names */
	bool payload;  /* tell what is said at sockets, as PB_EVENT_PAYLOAD; with requests only */
	bool oncpu;    /* sample the stacks of what runs */
	bool offcpu;   /* look at the stacks of what does not; with time only */
	bool must_sample;      /* no stacks, no measuring: they were asked for */
	uint64_t frequency;    /* samples a second, on each CPU */
	uint64_t unwind_bytes; /* the kernel's memory for rows of CFI */
};

/* Not 100: what a program does ten times a second would always be met at the same place. */
#define PROBE_FREQUENCY    99
#define PROBE_UNWIND_BYTES (24 << 20) /* three million rows: all of clang, with its libraries */

/*
 * Loads and attaches all programs of this kernel. NULL with EXIT_CODE_PRIVILEGE
 * and what is missing: capabilities, BTF, or a program that the kernel refused.
 * Where options.stats is wanted and may not be had, loads without and
 * probe_has_stats() says so.
 */
struct probe *probe_open(const struct probe_options *options, struct error *err);
/* Detaches and unloads; NULL is fine. */
void probe_free(struct probe *probe);
/*
 * Takes the programs off their places and puts them there again, loaded as they are: what happens
 * in between is not seen. For measuring what they cost. 0, or -errno.
 */
void probe_detach(struct probe *probe);
int probe_attach(struct probe *probe);
bool probe_has_stats(const struct probe *probe);
/* Why there are no stacks though they were wanted; "": there are. */
const char *probe_sampling_refused(const struct probe *probe);
/* Does this kernel tell socket bytes, by tracepoints (Linux 6.3) or at the functions? */
bool probe_has_socket_bytes(const struct probe *probe);
/* After the first enrolment: are all parts of the resident set summed? */
bool probe_has_exact_rss(const struct probe *probe);
/* After the first enrolment: is a running thread's time known up to the moment of a snapshot? */
bool probe_has_exact_edges(const struct probe *probe);

/* A new round: members of the one before are none any more. Nothing may be enrolled yet. */
void probe_round_begin(struct probe *probe);
/*
 * Makes the running process behind @pidfd a member, with all threads, descendants
 * and the TCP sockets they hold;
 * returns the number of tasks added (1 where it is a member already), or -1 with @err.
 * @observer_pid and its children stay out.
 */
int probe_enrol(struct probe *probe, int pidfd, int observer_pid, struct error *err);
/*
 * Until the next round, each child of the process behind @pidfd is timed from its exec to its exit,
 * where options.timed was set; none of them is a member of the side. PB_HIST_EXEC holds those that
 * began between the two moments of probe_time_window(), which the work has for its window: it
 * may have opened before the kernel's. @from_now: so far, all count; else none. -1 with @err.
 */
int probe_time_children(struct probe *probe, int pidfd, bool from_now, struct error *err);
/* CLOCK_MONOTONIC */
void probe_time_window(struct probe *probe, uint64_t from_ns, uint64_t until_ns);
/*
 * The window: between the two, the kernel counts. Opening forgets what the last one has
 * gathered; closing ends the accounts of threads (PB_EVENT_THREAD) and of connections, and
 * leaves all to be read. 0, or -errno.
 */
int probe_window_open(struct probe *probe);
/* Inside the window: tells how far the accounts of threads have come (PB_THREAD_SO_FAR). */
int probe_window_look(struct probe *probe);
int probe_window_close(struct probe *probe);
/* Are these wanted, and does this kernel give them? */
bool probe_has_requests(const struct probe *probe);
bool probe_has_time(const struct probe *probe);
bool probe_has_io(const struct probe *probe);
/* What was gathered in the window, exact in count: after its close. */
void probe_histogram(const struct probe *probe, enum pb_hist_kind kind, struct histogram *h);
/* [PB_PEER_REST] is the rest; in shared memory. */
const struct pb_peer *probe_peers(const struct probe *probe, size_t *n);
const struct pb_requests *probe_requests(const struct probe *probe);
/*
 * The system call at @index below PB_CALLS: its number, -1 for the rest (index
 * PB_CALL_REST), -2 where there is none.
 */
int probe_call(const struct probe *probe, unsigned int index, struct pb_call *call,
	       struct histogram *h);
/* What tracing adds to each system call of every process, measured at the start; NAN: not traced.
 */
double probe_syscall_slowdown_seconds(const struct probe *probe);
/* Brings the accounts of all live members in probe_slots() up to now. 0, or -errno. */
int probe_snapshot(struct probe *probe);
/* The accounts: PB_SLOTS of them, in shared memory. */
struct pb_slot *probe_slots(const struct probe *probe);
/* Gives a slot back, after its process's end was taken in. Zeroes it. */
void probe_slot_free(struct probe *probe, uint32_t slot);
/* Member processes that have not ended. */
int probe_live(const struct probe *probe);

/* Called for each event in order; the event is valid only during the call. */
typedef void (*probe_event_fn)(void *context, const struct pb_event *event, size_t size);
/* Becomes readable when a round's last process has ended; other events wait for probe_drain(). */
int probe_event_fd(const struct probe *probe);
/* Hands over all events that are there; the number of them, or -errno. */
int probe_drain(struct probe *probe, probe_event_fn fn, void *context);

/* What the programs have cost and lost since they were loaded; differences are a window's. */
#define PROBE_MAX_PROGRAMS 48
struct probe_cost {
	size_t n_programs;
	struct probe_program_cost {
		const char *name;
		uint64_t run_ns, events; /* 0 without stats */
		uint64_t recursion; /* events missed because the program ran already on that CPU */
		uint32_t verified;  /* instructions that the kernel's verifier looked at, 0: not
				       told */
		bool in_target;     /* runs in other programs' context; false: in perfbpf's own */
	} programs[PROBE_MAX_PROGRAMS];
	uint64_t losses[PB_LOSSES];
};
void probe_cost(const struct probe *probe, struct probe_cost *cost);

#endif
