/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * children N MS [--spawn] [--at-a-time K]: N children, each burns about MS
 * milliseconds of CPU. One after another, or K at a time. With --spawn they come by
 * posix_spawn (vfork and exec) of this program.
 */
#include <spawn.h>

#include "truth.h"

extern char **environ;

static pid_t start_child(const char *ms_text, double ms, bool spawn)
{
	char program[] = "/proc/self/exe", command[] = "--child";
	char *argv[] = {program, command, (char *)(uintptr_t)ms_text, NULL};
	pid_t pid;

	if (spawn) {
		errno = posix_spawn(&pid, program, NULL, NULL, argv, environ);
		if (errno)
			truth_die("posix_spawn");
		return pid;
	}
	pid = truth_fork();
	if (pid == 0) {
		truth_burn_cpu((uint64_t)(ms * 1e6));
		_exit(0);
	}
	return pid;
}

int main(int argc, char **argv)
{
	struct rusage own, children;
	long n, at_a_time, running = 0;
	double ms;
	bool spawn;

	if (argc == 3 && strcmp(argv[1], "--child") == 0) {
		truth_burn_cpu((uint64_t)(truth_number(argv[2], 1e4) * 1e6));
		return 0;
	}
	truth_start(&argc, argv);
	spawn = truth_flag(&argc, argv, "--spawn");
	at_a_time = truth_count(truth_option(&argc, argv, "--at-a-time", "1"), 4096);
	if (argc < 3 || at_a_time < 1)
		truth_usage("N MS [--spawn] [--at-a-time K] [--truth FILE]");
	n = truth_count(argv[1], 1000000);
	ms = truth_number(argv[2], 1e4);
	for (long i = 0; i < n; i++) {
		if (running == at_a_time) {
			truth_wait(-1);
			running--;
		}
		start_child(argv[2], ms, spawn);
		running++;
	}
	for (; running; running--)
		truth_wait(-1);
	children = truth_rusage(RUSAGE_CHILDREN);
	own = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"children\": %ld, \"processes\": %ld, \"cpu_seconds\": %.6f, "
		    "\"children_cpu_seconds\": %.6f, \"minor_faults\": %ld}",
		    getpid(), n, n + 1, truth_cpu_seconds(&own) + truth_cpu_seconds(&children),
		    truth_cpu_seconds(&children), own.ru_minflt + children.ru_minflt);
	return 0;
}
