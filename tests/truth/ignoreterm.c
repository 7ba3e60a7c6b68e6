/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ignoreterm SECONDS [--daemon] [--children N] [WORD...]: ignores SIGTERM, SIGINT and
 * SIGHUP and sleeps for SECONDS. With --daemon, the one that sleeps has left its
 * parent, group and session, and the first process sleeps too. The WORDs are for the
 * caller, to find the processes again.
 */
#include "truth.h"

static void daemon_below(void)
{
	pid_t pid = truth_fork();

	if (pid) {
		truth_wait(pid);
		return;
	}
	if (setsid() < 0)
		truth_die("setsid");
	if (truth_fork())
		_exit(0);
}

int main(int argc, char **argv)
{
	const int ignored[] = {SIGTERM, SIGINT, SIGHUP};
	bool daemon;
	long children;

	truth_start(&argc, argv);
	daemon = truth_flag(&argc, argv, "--daemon");
	children = truth_count(truth_option(&argc, argv, "--children", "0"), 64);
	if (argc < 2)
		truth_usage("SECONDS [--daemon] [--children N] [WORD...]");
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (daemon)
		daemon_below();
	while (children-- > 0) {
		if (truth_fork() == 0)
			break;
	}
	truth_sleep_ns((uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9));
	truth_print("{\"pid\": %d}", getpid());
	return 0;
}
