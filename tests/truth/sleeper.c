/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sleeper SECONDS [--nap MS]: sleeps by its own wish, MS milliseconds (default 20) at a time, and
 * counts these naps. */
#include "workers.h"

struct doze {
	uint64_t end_ns, nap_ns;
	long naps;
};

static void doze(struct worker *worker)
{
	struct doze *own = worker->context;

	for (; truth_now_ns() < own->end_ns; own->naps++) {
		uint64_t begin_ns = truth_now_ns();

		net_sleep_until(begin_ns + own->nap_ns);
		worker->waited_ns += truth_now_ns() - begin_ns;
		truth_spin(10000);
	}
}

int main(int argc, char **argv)
{
	struct worker worker = {.work = doze, .reason = "timer"};
	struct net_text text = {.length = 0};
	struct doze own = {.naps = 0};

	truth_start(&argc, argv);
	own.nap_ns = (uint64_t)(truth_number(truth_option(&argc, argv, "--nap", "20"), 1e4) * 1e6);
	if (argc < 2)
		truth_usage("SECONDS [--nap MS] [--truth FILE]");
	own.end_ns = truth_now_ns() + (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	worker.context = &own;
	worker_main(&worker);
	net_append(&text, "{\"pid\": %d, \"naps\": %ld", getpid(), own.naps);
	workers_append(&text, &worker, 1);
	truth_print("%s}", text.text);
	return 0;
}
