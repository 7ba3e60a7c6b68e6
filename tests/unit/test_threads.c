/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the time of threads went: the sums of all, and the list of those with most CPU time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/threads.h"

/* More than are listed, and no multiple of it. */
#define MANY (3 * THREADS_MAX + 17)

/* Each field has a value of its own, so that none can stand for another. */
static struct pb_event_thread event_of(uint64_t n)
{
	struct pb_event_thread event = {
		.event = {.kind = PB_EVENT_THREAD, .slot = 1, .id = 1, .time_ns = 5000 + 9 * n},
		.pid = 77,
		.tid = (int32_t)n,
		.how = PB_THREAD_ENDED,
		.began_ns = 4000 + n,
		.cpu_ns = 10 + n,
		.stolen_ns = 20 + 2 * n,
		.run_queue_ns = 30 + 3 * n,
		.lock_ns = 40 + 4 * n,
		.comm = "worker",
	};

	for (uint64_t i = 0; i < PB_WAITS; i++)
		event.wait_ns[i] = 100 + (i + 5) * n;
	return event;
}

/* Of a thread about which only its CPU time matters. */
static void add_cpu(struct threads *threads, int32_t tid, uint64_t cpu_ns)
{
	struct pb_event_thread event = event_of(0);

	event.tid = tid;
	event.cpu_ns = cpu_ns;
	threads_add(threads, &event);
}

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static void time_of_one(void **state)
{
	struct pb_event_thread event = event_of(3);
	struct thread_time time = thread_time_of(&event);

	(void)state;
	assert_int_equal(time.wall_ns, 1000 + 8 * 3);
	assert_int_equal(time.cpu_ns, 13);
	assert_int_equal(time.stolen_ns, 26);
	assert_int_equal(time.run_queue_ns, 39);
	assert_int_equal(time.lock_ns, 52);
	for (uint64_t i = 0; i < PB_WAITS; i++)
		assert_int_equal(time.wait_ns[i], 100 + (i + 5) * 3);
	/* Two clocks of two CPUs may differ by a little. */
	event.event.time_ns = event.began_ns;
	assert_int_equal(thread_time_of(&event).wall_ns, 0);
	event.event.time_ns = event.began_ns - 1;
	assert_int_equal(thread_time_of(&event).wall_ns, 0);
}

/* The sums are of all threads, listed or not. */
static void sums_are_exact(void **state)
{
	const size_t counts[] = {1, 2, 63, 64, 65, THREADS_MAX, THREADS_MAX + 1, MANY};

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		struct threads threads = {.n = 0};
		uint64_t n = counts[c], all = n * (n - 1) / 2;

		for (uint64_t i = 0; i < n; i++) {
			struct pb_event_thread event = event_of(i);

			threads_add(&threads, &event);
		}
		for (int sorted = 0; sorted < 2; sorted++) {
			assert_int_equal(threads.sum.wall_ns, 1000 * n + 8 * all);
			assert_int_equal(threads.sum.cpu_ns, 10 * n + all);
			assert_int_equal(threads.sum.stolen_ns, 20 * n + 2 * all);
			assert_int_equal(threads.sum.run_queue_ns, 30 * n + 3 * all);
			assert_int_equal(threads.sum.lock_ns, 40 * n + 4 * all);
			for (uint64_t i = 0; i < PB_WAITS; i++)
				assert_int_equal(threads.sum.wait_ns[i], 100 * n + (i + 5) * all);
			assert_int_equal(threads.n, n < THREADS_MAX ? n : THREADS_MAX);
			assert_int_equal(threads.n + threads.unlisted, n);
			threads_sort(&threads);
		}
		threads_clear(&threads);
	}
}

/* What is listed is of one thread: nothing of it is another's. */
static void what_is_listed_belongs_together(void **state)
{
	struct threads threads = {.n = 0};

	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		struct pb_event_thread event = event_of(i * 1009 % MANY);

		event.how = i % 2 ? PB_THREAD_ENDED : PB_THREAD_CLOSED;
		threads_add(&threads, &event);
	}
	threads_sort(&threads);
	for (size_t i = 0; i < threads.n; i++) {
		struct pb_event_thread event = event_of(MANY - 1 - i);
		const struct thread *thread = &threads.list[i];
		struct thread_time time = thread_time_of(&event);

		assert_int_equal(thread->tid, event.tid);
		assert_int_equal(thread->pid, 77);
		assert_int_equal(thread->began_ns, event.began_ns);
		assert_true(thread->ended_ns == 0 || thread->ended_ns == event.event.time_ns);
		assert_string_equal(thread->comm, "worker");
		assert_memory_equal(&thread->time, &time, sizeof(time));
	}
	threads_clear(&threads);
}

/* The CPU time of the thread that comes as number @i of @n: all from 1 to @n, in several orders. */
static uint64_t ascending(uint64_t i, uint64_t n)
{
	(void)n;
	return i + 1;
}

static uint64_t descending(uint64_t i, uint64_t n)
{
	return n - i;
}

static uint64_t from_both_ends(uint64_t i, uint64_t n)
{
	return i % 2 ? n - i / 2 : i / 2 + 1;
}

/* 1009 is prime, and no divisor of MANY. */
static uint64_t scattered(uint64_t i, uint64_t n)
{
	return i * 1009 % n + 1;
}

static uint64_t most_first(uint64_t i, uint64_t n)
{
	return (i + n - THREADS_MAX) % n + 1;
}

static void any_order_of_arrival(void **state)
{
	uint64_t (*const orders[])(uint64_t i, uint64_t n) = {ascending, descending, from_both_ends,
							      scattered, most_first};

	(void)state;
	for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
		struct threads threads = {.n = 0};

		for (uint64_t i = 0; i < MANY; i++) {
			uint64_t cpu_ns = orders[o](i, MANY);

			add_cpu(&threads, (int32_t)cpu_ns, cpu_ns);
		}
		threads_sort(&threads);
		assert_int_equal(threads.n, THREADS_MAX);
		assert_int_equal(threads.unlisted, MANY - THREADS_MAX);
		assert_int_equal(threads.sum.cpu_ns, (uint64_t)MANY * (MANY + 1) / 2);
		for (uint64_t i = 0; i < THREADS_MAX; i++) {
			assert_int_equal(threads.list[i].time.cpu_ns, MANY - i);
			assert_int_equal(threads.list[i].tid, MANY - i);
		}
		threads_clear(&threads);
	}
}

static int most_first_of(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x > y ? -1 : x < y;
}

/* Against sorting all of them, with many that are equal. */
static void at_random(void **state)
{
	static uint64_t all[4 * THREADS_MAX];

	(void)state;
	for (uint64_t round = 1; round <= 40; round++) {
		struct threads threads = {.n = 0};
		uint64_t seed = round,
			 n = THREADS_MAX - 20 + random_next(&seed) % (3 * THREADS_MAX);
		uint64_t values = 1 + random_next(&seed) % (2 * THREADS_MAX);

		for (uint64_t i = 0; i < n; i++) {
			all[i] = random_next(&seed) % values;
			add_cpu(&threads, (int32_t)i, all[i]);
		}
		qsort(all, n, sizeof(all[0]), most_first_of);
		threads_sort(&threads);
		assert_int_equal(threads.n, n < THREADS_MAX ? n : THREADS_MAX);
		assert_int_equal(threads.unlisted, n - threads.n);
		for (size_t i = 0; i < threads.n; i++) {
			assert_int_equal(threads.list[i].time.cpu_ns, all[i]);
			if (i && all[i] == all[i - 1])
				assert_true(threads.list[i - 1].tid < threads.list[i].tid);
		}
		threads_clear(&threads);
	}
}

static void just_full(void **state)
{
	struct threads threads = {.n = 0};

	(void)state;
	for (int32_t i = 0; i < THREADS_MAX; i++)
		add_cpu(&threads, i, 5);
	assert_int_equal(threads.n, THREADS_MAX);
	assert_int_equal(threads.unlisted, 0);
	/* No more than any that is listed: it stays outside. */
	add_cpu(&threads, 5000, 5);
	assert_int_equal(threads.unlisted, 1);
	add_cpu(&threads, 5001, 6);
	assert_int_equal(threads.unlisted, 2);
	assert_int_equal(threads.n, THREADS_MAX);
	threads_sort(&threads);
	assert_int_equal(threads.list[0].tid, 5001);
	for (size_t i = 1; i < THREADS_MAX; i++)
		assert_in_range(threads.list[i].tid, 0, THREADS_MAX - 1);
	threads_clear(&threads);
}

/* The most CPU time first; where that is equal, the lower number. */
static void in_order(void **state)
{
	static const int32_t wanted[] = {9, 2, 3, 8, 1, 7};
	struct threads threads = {.n = 0};

	(void)state;
	add_cpu(&threads, 8, 100);
	add_cpu(&threads, 1, 0);
	add_cpu(&threads, 3, 100);
	add_cpu(&threads, 9, UINT64_MAX / 2);
	add_cpu(&threads, 7, 0);
	add_cpu(&threads, 2, 101);
	threads_sort(&threads);
	assert_int_equal(threads.n, 6);
	for (size_t i = 0; i < threads.n; i++)
		assert_int_equal(threads.list[i].tid, wanted[i]);
	threads_clear(&threads);
}

static void names(void **state)
{
	static const char *const given[] = {"", "a", "fourteen chars", "fifteen chars.."};
	struct threads threads = {.n = 0};
	struct pb_event_thread event;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		event = event_of(4 - i);
		/* Rubbish behind the name's end, as of an earlier one. */
		memset(event.comm, '#', sizeof(event.comm));
		memcpy(event.comm, given[i], strlen(given[i]) + 1);
		threads_add(&threads, &event);
	}
	event = event_of(0);
	memset(event.comm, 'x', sizeof(event.comm));
	threads_add(&threads, &event);
	threads_sort(&threads);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(threads.list[i].comm, given[i]);
	assert_string_equal(threads.list[4].comm, "xxxxxxxxxxxxxxx");
	threads_clear(&threads);
}

static void lives_or_ended(void **state)
{
	struct threads threads = {.n = 0};
	struct pb_event_thread event = event_of(2);

	(void)state;
	threads_add(&threads, &event);
	event = event_of(1);
	event.how = PB_THREAD_CLOSED;
	threads_add(&threads, &event);
	threads_sort(&threads);
	assert_int_equal(threads.list[0].ended_ns, 5018);
	assert_int_equal(threads.list[1].ended_ns, 0);
	threads_clear(&threads);
}

/* What goes on is in what was seen so far alone, until it ends or the window closes on it. */
static void told_on_the_way(void **state)
{
	struct threads threads = {.n = 0};
	struct pb_event_thread ended = event_of(1), goes_on = event_of(2), last;

	(void)state;
	threads_add(&threads, &ended);
	for (uint64_t look = 1; look <= 3; look++) {
		goes_on.how = PB_THREAD_SO_FAR;
		goes_on.cpu_ns = 1000 * look;
		goes_on.wait_ns[PB_WAITS - 1] = 7 * look;
		threads_look(&threads);
		assert_int_equal(threads_so_far(&threads).cpu_ns, ended.cpu_ns);
		threads_add(&threads, &goes_on);
		threads_add(&threads, &goes_on);
		assert_int_equal(threads_so_far(&threads).cpu_ns, ended.cpu_ns + 2000 * look);
		assert_int_equal(threads_so_far(&threads).wait_ns[PB_WAITS - 1],
				 ended.wait_ns[PB_WAITS - 1] + 14 * look);
		assert_int_equal(threads.sum.cpu_ns, ended.cpu_ns);
		assert_int_equal(threads.n, 1);
		assert_int_equal(threads.unlisted, 0);
	}
	last = goes_on;
	last.how = PB_THREAD_CLOSED;
	threads_look(&threads);
	threads_add(&threads, &last);
	last.how = PB_THREAD_ENDED;
	threads_add(&threads, &last);
	assert_int_equal(threads.sum.cpu_ns, ended.cpu_ns + 6000);
	assert_int_equal(threads_so_far(&threads).cpu_ns, ended.cpu_ns + 6000);
	assert_int_equal(threads.n, 3);
	threads_clear(&threads);
	assert_int_equal(threads_so_far(&threads).cpu_ns, 0);
}

static void between_two_moments(void **state)
{
	struct pb_event_thread early = event_of(3), late = event_of(40);
	struct thread_time from = thread_time_of(&early), to = thread_time_of(&late);
	struct thread_time between = thread_time_between(&from, &to), zero = {.wall_ns = 0};

	(void)state;
	assert_int_equal(between.wall_ns, 37 * 8);
	assert_int_equal(between.cpu_ns, 37);
	assert_int_equal(between.stolen_ns, 37 * 2);
	assert_int_equal(between.run_queue_ns, 37 * 3);
	assert_int_equal(between.lock_ns, 37 * 4);
	for (uint64_t i = 0; i < PB_WAITS; i++)
		assert_int_equal(between.wait_ns[i], 37 * (i + 5));
	thread_time_add(&from, &between);
	assert_memory_equal(&from, &to, sizeof(to));
	/* Never below 0, each field by itself. */
	between = thread_time_between(&to, &from);
	assert_memory_equal(&between, &zero, sizeof(zero));
	to.cpu_ns--;
	to.lock_ns += 2;
	between = thread_time_between(&from, &to);
	assert_int_equal(between.cpu_ns, 0);
	assert_int_equal(between.lock_ns, 2);
}

static void none(void **state)
{
	static const struct thread_time zero;
	struct threads threads = {.n = 0};

	(void)state;
	threads_sort(&threads);
	assert_int_equal(threads.n, 0);
	assert_int_equal(threads.unlisted, 0);
	assert_memory_equal(&threads.sum, &zero, sizeof(zero));
	threads_clear(&threads);
	/* Cleared, it is as new. */
	add_cpu(&threads, 1, 7);
	threads_clear(&threads);
	assert_null(threads.list);
	assert_int_equal(threads.capacity, 0);
	assert_memory_equal(&threads.sum, &zero, sizeof(zero));
	add_cpu(&threads, 2, 8);
	assert_int_equal(threads.n, 1);
	assert_int_equal(threads.sum.cpu_ns, 8);
	threads_clear(&threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_of_one),
		cmocka_unit_test(sums_are_exact),
		cmocka_unit_test(what_is_listed_belongs_together),
		cmocka_unit_test(any_order_of_arrival),
		cmocka_unit_test(at_random),
		cmocka_unit_test(just_full),
		cmocka_unit_test(in_order),
		cmocka_unit_test(names),
		cmocka_unit_test(lives_or_ended),
		cmocka_unit_test(told_on_the_way),
		cmocka_unit_test(between_two_moments),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
