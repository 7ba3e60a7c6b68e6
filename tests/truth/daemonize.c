/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * daemonize double-fork|setsid|eval SECONDS --truth FILE: the first process ends at
 * once, and a descendant that has left it behind burns for SECONDS.
 *
 * double-fork  fork, setsid, fork: neither its parent, group nor session are left
 * setsid       fork, setsid
 * eval         /bin/sh -c 'eval "burn … &"': where `$!` is a subshell, not the program
 *
 * The truth is the burner's own: what the others cost is not in it.
 */
#include "truth.h"

static void burn(double seconds)
{
	struct rusage usage;

	truth_burn_until(CLOCK_MONOTONIC, truth_now_ns() + (uint64_t)(seconds * 1e9));
	usage = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"ppid\": %d, \"session\": %d, \"cpu_seconds\": %.6f}", getpid(),
		    getppid(), getsid(0), truth_cpu_seconds(&usage));
}

static void leave(void)
{
	if (truth_fork())
		_exit(0);
}

static void new_session(void)
{
	if (setsid() < 0)
		truth_die("setsid");
}

static void replace_by_shell(const char *seconds, const char *truth)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		truth_die("/proc/self/exe");
	self[length] = '\0';
	execl("/bin/sh", "sh", "-c", "eval \"'$0' burn '$1' --truth '$2' &\"", self, seconds, truth,
	      (char *)NULL);
	truth_die("/bin/sh");
}

int main(int argc, char **argv)
{
	const char *usage = "double-fork|setsid|eval SECONDS --truth FILE";
	const char *truth = NULL, *mode;
	double seconds;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--truth") == 0)
			truth = argv[i + 1];
	}
	truth_start(&argc, argv);
	if (argc < 3 || !truth)
		truth_usage(usage);
	mode = argv[1];
	seconds = truth_number(argv[2], TRUTH_MAX_SEC);
	if (strcmp(mode, "eval") == 0)
		replace_by_shell(argv[2], truth);
	if (strcmp(mode, "double-fork") == 0) {
		leave();
		new_session();
		leave();
	} else if (strcmp(mode, "setsid") == 0) {
		leave();
		new_session();
	} else if (strcmp(mode, "burn") != 0) {
		truth_usage(usage);
	}
	burn(seconds);
	return 0;
}
