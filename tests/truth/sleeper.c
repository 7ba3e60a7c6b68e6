/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sleeper SECONDS [--nap MS]: sleeps by its own wish, MS milliseconds (default 20) at a time. */
#include "workers.h"

static void doze(struct worker *worker)
{
	const uint64_t *times = worker->context;

	while (truth_now_ns() < times[0]) {
		uint64_t begin_ns = truth_now_ns();

		net_sleep_until(begin_ns + times[1]);
		worker->waited_ns += truth_now_ns() - begin_ns;
		truth_spin(10000);
	}
}

int main(int argc, char **argv)
{
	struct worker worker = {.work = doze, .reason = "timer"};
	struct net_text text = {.length = 0};
	uint64_t times[2]; /* its end, and the length of a nap */

	truth_start(&argc, argv);
	times[1] = (uint64_t)(truth_number(truth_option(&argc, argv, "--nap", "20"), 1e4) * 1e6);
	if (argc < 2)
		truth_usage("SECONDS [--nap MS] [--truth FILE]");
	times[0] = truth_now_ns() + (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	worker.context = times;
	worker_main(&worker);
	net_append(&text, "{\"pid\": %d", getpid());
	workers_append(&text, &worker, 1);
	truth_print("%s}", text.text);
	return 0;
}
