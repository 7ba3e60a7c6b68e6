/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * convoy THREADS SECONDS [--hold US] [--turns N] [--apart] [--asleep]: threads that want one mutex
 * all the time, and burn CPU for US microseconds (default 500) while they have it: one of them
 * runs, all others wait. With --turns each is done after N turns, before the SECONDS are over; with
 * --apart each has a mutex of its own, so that none waits; with --asleep they sleep while they have
 * it, and no CPU is needed.
 */
#include "workers.h"

struct convoy {
	pthread_mutex_t mutexes[WORKERS_MAX];
	uint64_t end_ns, hold_ns;
	bool is_apart, is_asleep;
	long turns_each; /* 0: until the end */
	long turns, taken;
};

static void want(struct worker *worker)
{
	struct convoy *convoy = worker->context;
	long place = __atomic_fetch_add(&convoy->taken, 1, __ATOMIC_RELAXED);
	pthread_mutex_t *mutex = &convoy->mutexes[convoy->is_apart ? place : 0];

	for (long turn = 0; !convoy->turns_each || turn < convoy->turns_each; turn++) {
		uint64_t begin_ns = truth_now_ns(), now_ns;

		if (begin_ns >= convoy->end_ns)
			return;
		pthread_mutex_lock(mutex);
		now_ns = truth_now_ns();
		worker->waited_ns += now_ns - begin_ns;
		if (convoy->is_asleep)
			truth_sleep_ns(convoy->hold_ns);
		else if (now_ns < convoy->end_ns)
			truth_burn_cpu(convoy->hold_ns);
		__atomic_fetch_add(&convoy->turns, 1, __ATOMIC_RELAXED);
		pthread_mutex_unlock(mutex);
	}
}

int main(int argc, char **argv)
{
	struct convoy convoy = {.turns = 0};
	struct worker workers[WORKERS_MAX] = {0};
	struct net_text text = {.length = 0};
	long n;

	truth_start(&argc, argv);
	convoy.hold_ns =
		(uint64_t)truth_count(truth_option(&argc, argv, "--hold", "500"), 100000) * 1000;
	convoy.turns_each = truth_count(truth_option(&argc, argv, "--turns", "0"), 1000000);
	convoy.is_apart = truth_flag(&argc, argv, "--apart");
	convoy.is_asleep = truth_flag(&argc, argv, "--asleep");
	for (size_t i = 0; i < WORKERS_MAX; i++)
		pthread_mutex_init(&convoy.mutexes[i], NULL);
	if (argc < 3)
		truth_usage("THREADS SECONDS [--hold US] [--turns N] [--apart] [--asleep] "
			    "[--truth FILE]");
	n = truth_count(argv[1], 24);
	convoy.end_ns = truth_now_ns() + (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC) * 1e9);
	for (long i = 0; i < n; i++)
		workers[i] = (struct worker){.work = want, .context = &convoy};
	workers_start(workers, n);
	workers_join(workers, n);
	net_append(&text, "{\"pid\": %d, \"turns\": %ld", getpid(), convoy.turns);
	workers_append(&text, workers, n);
	truth_print("%s}", text.text);
	return 0;
}
