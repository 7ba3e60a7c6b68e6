/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that each do one thing, and tell how long they lived, ran and waited. */
#ifndef PERFBPF_TRUTH_WORKERS_H
#define PERFBPF_TRUTH_WORKERS_H

#include <pthread.h>

#include "net.h"

#define WORKERS_MAX 64

struct worker {
	const char *name; /* at most 15 bytes; NULL: that of the program */
	void (*work)(struct worker *worker);
	void *context;
	const char *reason; /* of its waits; NULL: not told */
	/* What came of it. */
	pthread_t thread;
	pid_t tid;
	uint64_t waited_ns; /* between before and after the calls that wait */
	double wall_seconds, cpu_seconds, run_queue_seconds;
};

/* How long this thread was runnable and did not run, by the kernel's own account; -1: not told. */
static inline double worker_run_queue_seconds(void)
{
	unsigned long long ran_ns, waited_ns;
	FILE *file = fopen("/proc/thread-self/schedstat", "re");
	int n = file ? fscanf(file, "%llu %llu", &ran_ns, &waited_ns) : 0;

	if (file)
		fclose(file);
	return n == 2 ? (double)waited_ns / 1e9 : -1;
}

static inline void *worker_main(void *argument)
{
	struct worker *worker = argument;
	uint64_t begin_ns = truth_now_ns();

	if (worker->name)
		pthread_setname_np(pthread_self(), worker->name);
	worker->tid = gettid();
	worker->work(worker);
	worker->run_queue_seconds = worker_run_queue_seconds();
	worker->cpu_seconds = (double)truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e9;
	worker->wall_seconds = (double)(truth_now_ns() - begin_ns) / 1e9;
	return NULL;
}

static inline void workers_start(struct worker *workers, long n)
{
	for (long i = 0; i < n; i++) {
		errno = pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
		if (errno)
			truth_die("pthread_create");
	}
}

static inline void workers_join(struct worker *workers, long n)
{
	for (long i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
}

/* Appends `, "threads": […]`. */
static inline void workers_append(struct net_text *text, const struct worker *workers, long n)
{
	for (long i = 0; i < n; i++) {
		const struct worker *worker = &workers[i];

		net_append(text,
			   "%s{\"tid\": %d, \"wall_seconds\": %.6f, \"cpu_seconds\": %.6f, "
			   "\"run_queue_seconds\": %.6f, \"waited_seconds\": %.6f",
			   i ? ", " : ", \"threads\": [", worker->tid, worker->wall_seconds,
			   worker->cpu_seconds, worker->run_queue_seconds,
			   (double)worker->waited_ns / 1e9);
		if (worker->name)
			net_append(text, ", \"name\": \"%s\"", worker->name);
		if (worker->reason)
			net_append(text, ", \"reason\": \"%s\"", worker->reason);
		net_append(text, "}");
	}
	net_append(text, "]");
}

#endif
