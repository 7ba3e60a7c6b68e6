/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/threads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct thread_time thread_time_of(const struct pb_event_thread *event)
{
	struct thread_time time = {
		.wall_ns = event->event.time_ns > event->began_ns
				   ? event->event.time_ns - event->began_ns
				   : 0,
		.cpu_ns = event->cpu_ns,
		.stolen_ns = event->stolen_ns,
		.run_queue_ns = event->run_queue_ns,
		.lock_ns = event->lock_ns,
	};

	memcpy(time.wait_ns, event->wait_ns, sizeof(time.wait_ns));
	return time;
}

void thread_time_add(struct thread_time *into, const struct thread_time *from)
{
	into->wall_ns += from->wall_ns;
	into->cpu_ns += from->cpu_ns;
	into->stolen_ns += from->stolen_ns;
	into->run_queue_ns += from->run_queue_ns;
	into->lock_ns += from->lock_ns;
	for (int i = 0; i < PB_WAITS; i++)
		into->wait_ns[i] += from->wait_ns[i];
}

/* Moves the entry at @at down until none of its children has less CPU time. */
static void sink(struct threads *threads, size_t at)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1;
		struct thread moved;

		for (size_t child = left; child < left + 2 && child < threads->n; child++)
			if (threads->list[child].time.cpu_ns < threads->list[least].time.cpu_ns)
				least = child;
		if (least == at)
			return;
		moved = threads->list[at];
		threads->list[at] = threads->list[least];
		threads->list[least] = moved;
		at = least;
	}
}

static bool has_room(struct threads *threads)
{
	size_t capacity = threads->capacity ? 2 * threads->capacity : 64;
	struct thread *larger;

	if (threads->n < threads->capacity)
		return true;
	if (threads->n >= THREADS_MAX)
		return false;
	larger = realloc(threads->list, capacity * sizeof(*larger));
	if (!larger)
		return false;
	threads->list = larger;
	threads->capacity = capacity;
	return true;
}

void threads_add(struct threads *threads, const struct pb_event_thread *event)
{
	struct thread thread = {
		.pid = event->pid,
		.tid = event->tid,
		.began_ns = event->began_ns,
		.ended_ns = event->how == PB_THREAD_ENDED ? event->event.time_ns : 0,
		.time = thread_time_of(event),
	};

	memcpy(thread.comm, event->comm, sizeof(thread.comm));
	thread.comm[sizeof(thread.comm) - 1] = 0;
	if (event->how == PB_THREAD_SO_FAR) {
		thread_time_add(&threads->so_far, &thread.time);
		return;
	}
	thread_time_add(&threads->sum, &thread.time);
	if (threads->n < THREADS_MAX && has_room(threads)) {
		threads->list[threads->n++] = thread;
		/* Full for the first time: from now on the one with least must be found at once. */
		if (threads->n == THREADS_MAX)
			for (size_t i = threads->n / 2; i-- > 0;)
				sink(threads, i);
		return;
	}
	threads->unlisted++;
	if (threads->n < THREADS_MAX || thread.time.cpu_ns <= threads->list[0].time.cpu_ns)
		return;
	threads->list[0] = thread;
	sink(threads, 0);
}

void threads_look(struct threads *threads)
{
	memset(&threads->so_far, 0, sizeof(threads->so_far));
}

struct thread_time threads_so_far(const struct threads *threads)
{
	struct thread_time time = threads->sum;

	thread_time_add(&time, &threads->so_far);
	return time;
}

struct thread_time thread_time_between(const struct thread_time *from, const struct thread_time *to)
{
	/* The struct holds nothing but counters. */
	const uint64_t *x = (const uint64_t *)from, *y = (const uint64_t *)to;
	struct thread_time time;
	uint64_t *z = (uint64_t *)&time;

	for (size_t i = 0; i < sizeof(time) / sizeof(*z); i++)
		z[i] = y[i] > x[i] ? y[i] - x[i] : 0;
	return time;
}

static int by_cpu(const void *a, const void *b)
{
	const struct thread *x = a, *y = b;

	if (x->time.cpu_ns != y->time.cpu_ns)
		return x->time.cpu_ns > y->time.cpu_ns ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

void threads_sort(struct threads *threads)
{
	if (threads->n)
		qsort(threads->list, threads->n, sizeof(*threads->list), by_cpu);
}

void threads_clear(struct threads *threads)
{
	free(threads->list);
	memset(threads, 0, sizeof(*threads));
}
