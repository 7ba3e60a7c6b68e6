/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hogs THREADS SECONDS: threads that want a CPU all the time. The kernel's own account of
 * how long each was runnable and did not run is told beside its CPU time.
 */
#include "workers.h"

static void burn(struct worker *worker)
{
	truth_burn_until(CLOCK_MONOTONIC, *(const uint64_t *)worker->context);
}

int main(int argc, char **argv)
{
	struct net_text text = {.length = 0};
	struct worker workers[WORKERS_MAX] = {0};
	uint64_t end_ns;
	long n;

	truth_start(&argc, argv);
	if (argc < 3)
		truth_usage("THREADS SECONDS [--truth FILE]");
	n = truth_count(argv[1], 24);
	end_ns = truth_now_ns() + (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC) * 1e9);
	for (long i = 0; i < n; i++)
		workers[i] = (struct worker){.work = burn, .context = &end_ns};
	workers_start(workers, n);
	workers_join(workers, n);
	net_append(&text, "{\"pid\": %d", getpid());
	workers_append(&text, workers, n);
	truth_print("%s}", text.text);
	return 0;
}
