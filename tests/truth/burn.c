/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* burn THREADS SECONDS: threads that burn CPU for SECONDS of wall time. */
#include <pthread.h>

#include "truth.h"

static void *burn(void *end_ns)
{
	truth_burn_until(CLOCK_MONOTONIC, *(const uint64_t *)end_ns);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[256];
	struct rusage usage;
	uint64_t end_ns;
	long n;

	truth_start(&argc, argv);
	if (argc < 3)
		truth_usage("THREADS SECONDS [--truth FILE]");
	n = truth_count(argv[1], 256);
	end_ns = truth_now_ns() + (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC) * 1e9);
	for (long i = 1; i < n; i++) {
		errno = pthread_create(&threads[i], NULL, burn, &end_ns);
		if (errno)
			truth_die("pthread_create");
	}
	burn(&end_ns);
	for (long i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
	usage = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"threads\": %ld, \"cpu_seconds\": %.6f, "
		    "\"user_seconds\": %.6f, \"system_seconds\": %.6f}",
		    getpid(), n, truth_cpu_seconds(&usage), truth_seconds(&usage.ru_utime),
		    truth_seconds(&usage.ru_stime));
	return 0;
}
