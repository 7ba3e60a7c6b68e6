/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_threads SECONDS: threads that run unequally long: a half, a third, a sixth of SECONDS. */
#include <pthread.h>

#include "stacks.h"

struct thread {
	pthread_t thread;
	uint64_t ns;
};

STACKS_FUNCTION void *half(void *thread);
STACKS_FUNCTION void *third(void *thread);
STACKS_FUNCTION void *sixth(void *thread);

static void burn(struct thread *thread)
{
	truth_burn_until(CLOCK_THREAD_CPUTIME_ID, thread->ns);
	thread->ns = truth_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void *half(void *thread)
{
	burn(thread);
	stacks_stay();
	return NULL;
}

void *third(void *thread)
{
	burn(thread);
	stacks_stay();
	return thread;
}

void *sixth(void *thread)
{
	burn(thread);
	stacks_stay();
	return (char *)thread + 1;
}

int main(int argc, char **argv)
{
	struct stacks_truth truth = {.random = 1};
	void *(*const work[])(void *) = {half, third, sixth};
	const char *const names[] = {"half", "third", "sixth"};
	const unsigned int parts[] = {2, 3, 6};
	struct thread threads[3];
	double seconds;

	truth_start(&argc, argv);
	if (argc < 2)
		truth_usage("SECONDS [--truth FILE]");
	seconds = truth_number(argv[1], TRUTH_MAX_SEC);
	for (int i = 0; i < 3; i++) {
		threads[i].ns = (uint64_t)(seconds * 1e9 / parts[i]);
		errno = pthread_create(&threads[i].thread, NULL, work[i], &threads[i]);
		if (errno)
			truth_die("pthread_create");
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i].thread, NULL);
		stacks_add(&truth, names[i], threads[i].ns);
	}
	stacks_print(&truth);
	return 0;
}
