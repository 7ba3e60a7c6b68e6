/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * threads N MS [--exec]: N threads one after another, each burns about MS
 * milliseconds and ends; then, with --exec, a thread that is not the first one
 * replaces the program by itself (which ends its siblings and takes over the PID) and
 * does the same once more.
 */
#include <pthread.h>

#include "truth.h"

static void *burn(void *ns)
{
	truth_burn_cpu(*(const uint64_t *)ns);
	return NULL;
}

static void *replace(void *argv)
{
	execv("/proc/self/exe", argv);
	truth_die("execv");
}

static pthread_t start(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, function, argument);
	if (errno)
		truth_die("pthread_create");
	return thread;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	uint64_t ns;
	long n;
	bool exec;

	exec = truth_flag(&argc, argv, "--exec");
	if (argc < 3)
		truth_usage("N MS [--exec] [--truth FILE]");
	n = truth_count(argv[1], 100000);
	ns = (uint64_t)(truth_number(argv[2], 1e4) * 1e6);
	for (long i = 0; i < n; i++)
		pthread_join(start(burn, &ns), NULL);
	if (exec) {
		/* argv still holds --truth FILE, but no longer --exec. */
		pthread_join(start(replace, argv), NULL);
		truth_die("still the same program");
	}
	truth_start(&argc, argv);
	usage = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"threads\": %ld, \"cpu_seconds\": %.6f, \"minor_faults\": %ld}",
		    getpid(), n, truth_cpu_seconds(&usage), usage.ru_minflt);
	return 0;
}
