/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * convoy THREADS SECONDS [--hold US]: threads that want one mutex all the time, and burn
 * CPU for US microseconds (default 500) while they have it: one of them runs, all others wait.
 */
#include "workers.h"

struct convoy {
	pthread_mutex_t mutex;
	uint64_t end_ns, hold_ns;
	long turns;
};

static void want(struct worker *worker)
{
	struct convoy *convoy = worker->context;

	for (;;) {
		uint64_t begin_ns = truth_now_ns(), now_ns;

		if (begin_ns >= convoy->end_ns)
			return;
		pthread_mutex_lock(&convoy->mutex);
		now_ns = truth_now_ns();
		worker->waited_ns += now_ns - begin_ns;
		if (now_ns < convoy->end_ns)
			truth_burn_cpu(convoy->hold_ns);
		convoy->turns++;
		pthread_mutex_unlock(&convoy->mutex);
	}
}

int main(int argc, char **argv)
{
	struct convoy convoy = {.mutex = PTHREAD_MUTEX_INITIALIZER};
	struct worker workers[WORKERS_MAX] = {0};
	struct net_text text = {.length = 0};
	long n;

	truth_start(&argc, argv);
	convoy.hold_ns =
		(uint64_t)truth_count(truth_option(&argc, argv, "--hold", "500"), 100000) * 1000;
	if (argc < 3)
		truth_usage("THREADS SECONDS [--hold US] [--truth FILE]");
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
