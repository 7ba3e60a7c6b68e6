/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the time of threads went, as the kernel tells it when one ends or the window closes. Pure.
 */
#ifndef PERFBPF_MEASURE_THREADS_H
#define PERFBPF_MEASURE_THREADS_H

#include <stddef.h>
#include <stdint.h>

#include "perfbpf.h"

/* Threads are listed up to here, those with most CPU time; the rest is in the sums. */
#define THREADS_MAX 1000

/* Of one thread, or summed over several; nanoseconds. */
struct thread_time {
	uint64_t wall_ns, cpu_ns, stolen_ns, run_queue_ns, lock_ns;
	uint64_t wait_ns[PB_WAITS];
};

struct thread {
	int32_t pid, tid;
	char comm[PB_COMM_LEN];
	uint64_t began_ns, ended_ns; /* CLOCK_MONOTONIC; ended_ns 0: lives */
	struct thread_time time;
};

struct threads {
	struct thread_time sum;    /* of those that have ended, or on which the window closed */
	struct thread_time so_far; /* of those that go on, at the last look */
	size_t n, capacity;
	struct thread *list; /* a heap: the one with least CPU time first, until threads_sort() */
	uint64_t unlisted;
};

/* The time that one event tells of. */
struct thread_time thread_time_of(const struct pb_event_thread *event);
void thread_time_add(struct thread_time *into, const struct thread_time *from);

/* A look begins: what the last one saw is forgotten. */
void threads_look(struct threads *threads);
/* All of it up to the last look. */
struct thread_time threads_so_far(const struct threads *threads);
/* What came between two moments, field by field; never below 0. */
struct thread_time thread_time_between(const struct thread_time *from,
				       const struct thread_time *to);
/* Takes in one thread; a list that cannot grow for want of memory counts it as unlisted. */
void threads_add(struct threads *threads, const struct pb_event_thread *event);
/* Most CPU time first. Nothing may be added afterwards. */
void threads_sort(struct threads *threads);
void threads_clear(struct threads *threads);

#endif
