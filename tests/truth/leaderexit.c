/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * leaderexit SECONDS CODE [WORD...]: the first thread ends at once; another burns CPU and
 * then ends the process with CODE. A child that sleeps is left behind. To every
 * list of processes it looks dead from its first moment on.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct plan {
	int seconds, code;
};

static void *burn(void *context)
{
	const struct plan *plan = context;
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec - start.tv_sec < plan->seconds);
	exit(plan->code);
}

int main(int argc, char **argv)
{
	static struct plan plan;
	pthread_t thread;

	if (argc < 3)
		return 2;
	plan = (struct plan){atoi(argv[1]), atoi(argv[2])};
	if (argc > 3 && !fork()) {
		sleep((unsigned int)plan.seconds);
		_exit(0);
	}
	if (pthread_create(&thread, NULL, burn, &plan))
		return 1;
	pthread_exit(NULL);
}
