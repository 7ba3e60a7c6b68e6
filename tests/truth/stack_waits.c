/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_waits THREADS SECONDS: pairs of threads that hardly run, and wait in known functions for
 * known times. THREADS of them go through
 *     waits_futex (50 %)   a futex that nobody wakes, until its time is over
 *     waits_sleep (30 %)   nanosleep
 *     waits_pipe (20 %)    a pipe, until the other one of the pair has slept and written
 * Two more sleep: short_sleeps() a millisecond again and again, one_sleep() all the time.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "stacks.h"

#define MS          1000000ULL
#define THREADS_MAX 32

struct pair {
	pthread_t waiting, writing;
	uint64_t end_ns;
	int to_writer[2], from_writer[2];
	struct stacks_truth truth;
	struct stacks_truth of_writer;
};

STACKS_FUNCTION uint64_t waits_futex(uint64_t ns);
STACKS_FUNCTION uint64_t waits_sleep(uint64_t ns);
STACKS_FUNCTION uint64_t waits_pipe(struct pair *pair, uint64_t ns);
STACKS_FUNCTION uint64_t writes_late(struct pair *pair);
STACKS_FUNCTION uint64_t waits_for_work(struct pair *pair, uint64_t *ns);
STACKS_FUNCTION uint64_t short_sleeps(uint64_t end_ns);
STACKS_FUNCTION uint64_t one_sleep(uint64_t end_ns);

uint64_t waits_futex(uint64_t ns)
{
	struct timespec time = {.tv_sec = (time_t)(ns / 1000000000),
				.tv_nsec = (long)(ns % 1000000000)};
	uint64_t begin_ns = truth_now_ns();
	uint32_t word = 0;

	if (syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0) != -1 ||
	    errno != ETIMEDOUT)
		truth_die("futex");
	return truth_now_ns() - begin_ns;
}

uint64_t waits_sleep(uint64_t ns)
{
	uint64_t begin_ns = truth_now_ns();

	truth_sleep_ns(ns);
	return truth_now_ns() - begin_ns;
}

uint64_t waits_pipe(struct pair *pair, uint64_t ns)
{
	uint64_t begin_ns = truth_now_ns();
	char byte;

	if (write(pair->to_writer[1], &ns, sizeof(ns)) != sizeof(ns) ||
	    read(pair->from_writer[0], &byte, 1) != 1)
		truth_die("pipe");
	return truth_now_ns() - begin_ns;
}

uint64_t waits_for_work(struct pair *pair, uint64_t *ns)
{
	uint64_t begin_ns = truth_now_ns();

	if (read(pair->to_writer[0], ns, sizeof(*ns)) != sizeof(*ns))
		*ns = 0;
	return truth_now_ns() - begin_ns;
}

uint64_t writes_late(struct pair *pair)
{
	uint64_t ns, waited_ns = waits_for_work(pair, &ns), begin_ns = truth_now_ns();

	stacks_add(&pair->of_writer, "waits_for_work", waited_ns);
	if (!ns)
		return 0;
	truth_sleep_ns(ns);
	stacks_add(&pair->of_writer, "writes_late", waited_ns + truth_now_ns() - begin_ns);
	if (write(pair->from_writer[1], "", 1) != 1)
		truth_die("pipe");
	return ns;
}

static void *writer(void *context)
{
	while (writes_late(context))
		;
	return NULL;
}

static void *waiter(void *context)
{
	struct pair *pair = context;
	struct stacks_truth *truth = &pair->truth;

	while (truth_now_ns() < pair->end_ns) {
		stacks_add(truth, "waits_futex", waits_futex(stacks_length(truth, 50 * MS)));
		stacks_add(truth, "waits_sleep", waits_sleep(stacks_length(truth, 30 * MS)));
		stacks_add(truth, "waits_pipe", waits_pipe(pair, stacks_length(truth, 20 * MS)));
	}
	close(pair->to_writer[1]);
	return NULL;
}

uint64_t short_sleeps(uint64_t end_ns)
{
	uint64_t waited_ns = 0;

	for (;;) {
		uint64_t begin_ns = truth_now_ns();

		if (begin_ns >= end_ns)
			return waited_ns;
		truth_sleep_ns(MS);
		waited_ns += truth_now_ns() - begin_ns;
	}
}

uint64_t one_sleep(uint64_t end_ns)
{
	uint64_t begin_ns = truth_now_ns();

	truth_sleep_ns(end_ns - begin_ns);
	return truth_now_ns() - begin_ns;
}

struct sleeper {
	pthread_t thread;
	uint64_t (*work)(uint64_t end_ns);
	uint64_t end_ns, ns;
};

static void *sleep_all(void *context)
{
	struct sleeper *sleeper = context;

	sleeper->ns = sleeper->work(sleeper->end_ns);
	return NULL;
}

static void start(pthread_t *thread, void *(*work)(void *), void *context)
{
	errno = pthread_create(thread, NULL, work, context);
	if (errno)
		truth_die("pthread_create");
}

static void start_pair(struct pair *pair, long number, uint64_t end_ns)
{
	pair->end_ns = end_ns;
	pair->truth.random = (uint32_t)(number + 1) * 2654435761u;
	if (pipe(pair->to_writer) || pipe(pair->from_writer))
		truth_die("pipe");
	start(&pair->writing, writer, pair);
	start(&pair->waiting, waiter, pair);
}

static void join_pair(struct pair *pair, struct stacks_truth *sum)
{
	pthread_join(pair->waiting, NULL);
	pthread_join(pair->writing, NULL);
	for (size_t i = 0; i < pair->truth.n; i++)
		stacks_add(sum, pair->truth.spent[i].function, pair->truth.spent[i].ns);
	for (size_t i = 0; i < pair->of_writer.n; i++)
		stacks_add(sum, pair->of_writer.spent[i].function, pair->of_writer.spent[i].ns);
}

int main(int argc, char **argv)
{
	struct pair pairs[THREADS_MAX] = {0};
	struct stacks_truth sum = {.random = 1};
	struct sleeper sleepers[] = {{.work = short_sleeps}, {.work = one_sleep}};
	uint64_t end_ns;
	long n;

	truth_start(&argc, argv);
	if (argc < 3)
		truth_usage("THREADS SECONDS [--truth FILE]");
	n = truth_count(argv[1], THREADS_MAX);
	end_ns = truth_now_ns() + (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC) * 1e9);
	for (long i = 0; i < n; i++)
		start_pair(&pairs[i], i, end_ns);
	for (int i = 0; i < 2; i++) {
		sleepers[i].end_ns = end_ns;
		start(&sleepers[i].thread, sleep_all, &sleepers[i]);
	}
	for (long i = 0; i < n; i++)
		join_pair(&pairs[i], &sum);
	for (int i = 0; i < 2; i++) {
		pthread_join(sleepers[i].thread, NULL);
		stacks_add(&sum, i ? "one_sleep" : "short_sleeps", sleepers[i].ns);
	}
	stacks_print(&sum);
	return 0;
}
