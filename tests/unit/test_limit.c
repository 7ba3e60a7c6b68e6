/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each rule of what limited a run, with its sentence, and what just misses it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/distribution.h"
#include "record/limit.h"

#define WINDOW 10.0

/* Where the time of one thread goes in the window, in seconds; the rest waits for sockets. */
struct share {
	double on_cpu, run_queue, lock, disk, timer, futex, pipe, other;
};

static void set_time(struct record_time *time, const struct share *share, double times)
{
	time->wall_seconds = WINDOW * times;
	time->on_cpu_seconds = share->on_cpu * times;
	time->stolen_seconds = 0;
	time->run_queue_seconds = share->run_queue * times;
	time->lock_seconds = share->lock * times;
	time->futex_seconds = (share->lock + share->futex) * times;
	time->disk_seconds = share->disk * times;
	time->timer_seconds = share->timer * times;
	time->pipe_seconds = share->pipe * times;
	time->other_seconds = share->other * times;
	time->socket_seconds = time->wall_seconds - time->on_cpu_seconds - time->run_queue_seconds -
			       time->futex_seconds - time->disk_seconds - time->timer_seconds -
			       time->pipe_seconds - time->other_seconds;
	time->waiting_seconds = time->wall_seconds - time->on_cpu_seconds - time->run_queue_seconds;
	time->unaccounted_seconds = 0;
}

static int set_up(void **state)
{
	struct record_round *round = calloc(1, sizeof(*round));

	record_round_init(round);
	round->window_seconds = WINDOW;
	round->n_phases = 1;
	round->phases = calloc(1, sizeof(*round->phases));
	round->phases[0] = (struct record_round_phase){
		.name = strdup("window"),
		.duration_seconds = WINDOW,
		.cpu = {0.5, 0, RECORD_NONE},
		.run_queue = {NAN, NAN, RECORD_NONE},
		.memory = {0.5, 0, 0},
		.disk = {0.01, 0, 0},
		.network = {NAN, 0, 0},
		.driver = {NAN, NAN, RECORD_NONE},
	};
	*state = round;
	return 0;
}

static int tear_down(void **state)
{
	record_round_clear(*state);
	free(*state);
	return 0;
}

/* @n more threads alike. */
static void add_threads(struct record_round *round, size_t n, const struct share *share)
{
	struct record_time sum;

	set_time(&sum, share, (double)n);
	round->threads =
		reallocarray(round->threads, round->n_threads + n, sizeof(*round->threads));
	for (size_t i = 0; i < n; i++) {
		struct record_thread *thread = &round->threads[round->n_threads++];

		*thread = (struct record_thread){.pid = 100,
						 .tid = 100 + (int64_t)round->n_threads,
						 .comm = strdup("worker")};
		set_time(&thread->time, share, 1);
	}
	if (!round->has_time) {
		round->has_time = true;
		round->time = sum;
		return;
	}
	for (size_t i = 0; i < sizeof(sum) / sizeof(double); i++)
		((double *)&round->time)[i] += ((double *)&sum)[i];
}

/* The list alone: the sums of the side stay. */
static void drop_list(struct record_round *round)
{
	for (size_t i = 0; i < round->n_threads; i++)
		free(round->threads[i].comm);
	round->n_threads = 0;
}

static void drop_threads(struct record_round *round)
{
	drop_list(round);
	round->has_time = false;
}

static void assert_limit(struct record_round *round, const char *name, const char *text)
{
	const struct record_round_phase *phase = &round->phases[0];

	assert_int_equal(record_limit(round, 2), 0);
	if (!name) {
		if (phase->limited_by)
			fail_msg("limited by %s: %s", phase->limited_by, phase->limit);
		assert_null(phase->limit);
		return;
	}
	if (!phase->limited_by)
		fail_msg("not limited by %s", name);
	assert_string_equal(phase->limited_by, name);
	if (text)
		assert_string_equal(phase->limit, text);
}

static void nothing_is_known(void **state)
{
	struct record_round *round = *state, unknown = {0};

	round->phases[0].cpu.utilization = NAN;
	round->phases[0].memory = round->phases[0].run_queue;
	assert_limit(round, NULL, NULL);
	round->window_seconds = NAN;
	add_threads(round, 20, &(struct share){.lock = 9});
	assert_limit(round, NULL, NULL);
	record_round_init(&unknown);
	assert_int_equal(record_limit(&unknown, RECORD_NONE), 0); /* no phase */
}

static void a_server_that_waits(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 8, &(struct share){.on_cpu = 0.2, .lock = 0.4});
	add_threads(round, 1, &(struct share){.timer = 9.9});
	assert_limit(round, NULL, NULL);
}

static void cpu(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 20, &(struct share){.on_cpu = 0.98, .run_queue = 9.02});
	round->phases[0].cpu.utilization = 0.99;
	assert_limit(round, "cpu",
		     "the machine's 2 CPUs: 99 % busy (98 % by the side), and the side's threads "
		     "waited for one 90 % of the time in which they could have run");
	round->phases[0].run_queue.saturation = 0.11; /* counted by the probe */
	assert_limit(round, "cpu", NULL);
	round->phases[0].run_queue.saturation = 0.09;
	assert_limit(round, NULL, NULL);
	round->phases[0].run_queue.saturation = 0.9;
	round->phases[0].cpu.utilization = 0.94;
	assert_limit(round, NULL, NULL);
}

/* A machine that others fill: of what little it did, all waited, but it slept by its own wish. */
static void a_busy_machine(void **state)
{
	struct record_round *round = *state;

	round->phases[0].cpu.utilization = 1;
	add_threads(round, 1, &(struct share){.on_cpu = 0.01, .run_queue = 0.09, .timer = 9.9});
	assert_limit(round, "sleep", NULL);
	/* One that holds a lock waits for a CPU; what the others wait for is the lock. */
	drop_threads(round);
	add_threads(round, 20, &(struct share){.on_cpu = 0.1, .run_queue = 0.5, .lock = 9.4});
	assert_limit(round, "lock", NULL);
	drop_threads(round);
	add_threads(round, 1, &(struct share){.on_cpu = 1, .run_queue = 2, .disk = 7});
	assert_limit(round, "disk", NULL);
	drop_threads(round);
	add_threads(round, 1, &(struct share){.on_cpu = 1, .run_queue = 5, .disk = 4});
	assert_limit(round, "cpu", NULL);
}

static void lock(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 20, &(struct share){.on_cpu = 0.49, .run_queue = 0.01, .lock = 9.5});
	add_threads(round, 1, &(struct share){.futex = 10}); /* which waits for them */
	assert_limit(round, "lock",
		     "20 threads shared a lock: 95 % of their time went to waiting for it, and on "
		     "average 1.0 of them ran");
	/* The same where a few other threads work: the users of the lock are told apart. */
	add_threads(round, 1, &(struct share){.on_cpu = 9});
	assert_limit(round, "lock",
		     "20 threads shared a lock: 95 % of their time went to waiting for it, and on "
		     "average 1.0 of them ran");
	/* Without a list of threads it is the side's total. */
	drop_threads(round);
	add_threads(round, 20, &(struct share){.on_cpu = 0.5, .lock = 9.5});
	drop_list(round);
	/* Waiting for a CPU, as a busy machine makes it do, is not running. */
	round->time.run_queue_seconds = 30;
	assert_limit(round, "lock",
		     "the side's threads shared a lock: 95 % of their time went to waiting for it, "
		     "and on average 1.0 of them ran");
}

static void lock_over_storage(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 20, &(struct share){.on_cpu = 0.05, .disk = 0.45, .lock = 9.5});
	assert_limit(round, "lock",
		     "20 threads shared a lock: 95 % of their time went to waiting for it, and on "
		     "average 1.0 of them ran; it was held over storage, which took 90 % of the "
		     "rest");
}

static void not_quite_a_lock(void **state)
{
	struct record_round *round = *state;

	/* Over half, but three run at a time: it is not what they all stand in line for. */
	add_threads(round, 10, &(struct share){.on_cpu = 3, .lock = 7});
	assert_limit(round, NULL, NULL);
	/* Two of four run, and less than half of the time went to the lock. */
	drop_threads(round);
	add_threads(round, 3, &(struct share){.on_cpu = 5.1, .lock = 4.9});
	assert_limit(round, NULL, NULL);
	/* Most of what little was done waited for a lock, but most of the time nothing was done. */
	drop_threads(round);
	add_threads(round, 4, &(struct share){.on_cpu = 0.1, .lock = 1});
	assert_limit(round, NULL, NULL);
}

static void several_locks(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 40, &(struct share){.on_cpu = 1, .lock = 9});
	assert_limit(round, "lock", NULL);
}

static void disk(void **state)
{
	struct record_round *round = *state;
	struct record_latency *writes = latency_add(round, "block_write");

	writes->count = 4000;
	writes->mean_seconds = 0.0021;
	add_threads(round, 1, &(struct share){.on_cpu = 0.7, .disk = 9.3});
	round->phases[0].disk.utilization = 0.88;
	assert_limit(round, "disk",
		     "storage: the side's threads waited for it 93 % of their busy time; the "
		     "busiest device was in use 88 % of the time, a write took 2.10 ms on average");
	add_threads(round, 1, &(struct share){.on_cpu = 8.8});
	assert_limit(round, NULL, NULL);
}

/* Storage so fast that its work in the kernel takes as long as the device. */
static void a_fast_disk(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 1, &(struct share){.on_cpu = 5.6, .disk = 4.4});
	round->cpu.system_seconds = 5.5;
	assert_limit(round, "disk",
		     "storage: the side's threads waited for it 44 % of their busy time, and were "
		     "in the kernel 55 % of it; the busiest device was in use 1 % of the time");
	round->cpu.system_seconds = 0.5;
	assert_limit(round, NULL, NULL);
	drop_threads(round);
	add_threads(round, 2, &(struct share){.on_cpu = 7.6, .disk = 2.4});
	round->cpu.system_seconds = 15.2;
	assert_limit(round, NULL, NULL);
}

static void rarely_at_the_disk(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 1, &(struct share){.on_cpu = 0.1, .disk = 2.4});
	assert_limit(round, NULL, NULL);
}

static void thread(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 3, &(struct share){.on_cpu = 0.1});
	add_threads(round, 1, &(struct share){.on_cpu = 9.9});
	assert_limit(round, "thread",
		     "one thread: 'worker' (104) was on a CPU 99 % of the time, while the machine "
		     "was 50 % busy: the program has no more parallel work");
	round->phases[0].cpu.utilization = 1;
	add_threads(round, 1, &(struct share){.on_cpu = 9.6});
	assert_limit(round, "thread",
		     "2 threads: the busiest, 'worker' (104), was on a CPU 99 % of the time and "
		     "hardly waited for one: more CPUs would not have helped it");
}

static void a_window_of_less_than_a_tick(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 1, &(struct share){.on_cpu = 9.9});
	round->window_seconds = 0.09;
	assert_limit(round, NULL, NULL);
}

static void not_quite_a_thread(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 2, &(struct share){.on_cpu = 9.4});
	assert_limit(round, NULL, NULL);
}

static void memory(void **state)
{
	struct record_round *round = *state;

	round->memory.major_faults = 12345;
	round->phases[0].memory.saturation = 0.099;
	assert_limit(round, NULL, NULL);
	round->phases[0].memory.saturation = 0.31;
	assert_limit(round, "memory",
		     "memory: tasks waited for it 31 % of the time; the side had 12,345 major "
		     "faults");
	round->phases[0].memory = (struct record_use){0.99, 0, 1};
	round->memory.major_faults = 0;
	assert_limit(round, "memory", "memory: 1 process was killed for lack of it");
	round->phases[0].memory = (struct record_use){0.99, 0.5, 2};
	assert_limit(round, "memory",
		     "memory: 2 processes were killed for lack of it, and tasks waited for it "
		     "50 % of the time");
}

static void driver(void **state)
{
	struct record_round *round = *state;

	round->phases[0].driver = (struct record_use){0.94, 0.25, 0};
	assert_limit(round, NULL, NULL);
	round->phases[0].driver = (struct record_use){0.96, 0.001, 0};
	assert_limit(round, "driver", "the driver, not the side: it used 96 % of a core");
	round->phases[0].driver = (struct record_use){0.5, 0.31, 0};
	assert_limit(round, "driver",
		     "the driver, not the side: it used 50 % of a core and fell 310 ms behind its "
		     "plan");
	round->phases[0].driver = (struct record_use){NAN, NAN, 1204};
	assert_limit(round, "driver", "the driver, not the side: it dropped 1,204 pieces of work");
	round->phases[0].driver = (struct record_use){0.5, 0.31, 7};
	/* Before all else: it is what the side was not given. */
	round->phases[0].memory.errors = 1;
	assert_limit(round, "driver",
		     "the driver, not the side: it used 50 % of a core, fell 310 ms behind its "
		     "plan and dropped 7 pieces of work");
}

static void network(void **state)
{
	struct record_round *round = *state;

	round->network.retransmits = 500;
	round->phases[0].network.saturation = 9.9;
	assert_limit(round, NULL, NULL);
	round->phases[0].network.saturation = 23;
	assert_limit(round, "network",
		     "the network: 2.3 % of the machine's TCP segments had to be sent again, 500 "
		     "of them by the side");
	round->network.retransmits = 9;
	assert_limit(round, NULL, NULL);
	round->phases[0].network.utilization = 0.89;
	assert_limit(round, NULL, NULL);
	round->phases[0].network.utilization = 0.93;
	assert_limit(round, "network", "the network: the busiest interface was 93 % full");
}

static void sleeping(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 1, &(struct share){.on_cpu = 0.1, .timer = 9.9});
	add_threads(round, 1, &(struct share){.other = 10}); /* its shell */
	assert_limit(round, "sleep",
		     "its own sleeping: the side's threads asked to sleep 99 % of their time; "
		     "nothing else was short");
}

static void not_only_sleeping(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 1, &(struct share){.on_cpu = 1.1, .timer = 8.9});
	assert_limit(round, NULL, NULL);
}

/* Twenty threads that do housekeeping now and then do not limit the one that waits for requests. */
static void sleepers_in_a_server(void **state)
{
	struct record_round *round = *state;

	add_threads(round, 20, &(struct share){.on_cpu = 0.01, .timer = 9.99});
	add_threads(round, 1, &(struct share){.on_cpu = 0.1});
	assert_limit(round, NULL, NULL);
}

/* Made again, it says the same; what is no longer so is gone. */
static void again(void **state)
{
	struct record_round *round = *state;

	round->phases[0].memory.errors = 1;
	assert_limit(round, "memory", NULL);
	assert_limit(round, "memory", NULL);
	round->phases[0].memory.errors = 0;
	assert_limit(round, NULL, NULL);
}

/* A second phase, as long as the first, in which the side did nothing. */
static void add_phase(struct record_round *round)
{
	round->phases = reallocarray(round->phases, 2, sizeof(*round->phases));
	round->n_phases = 2;
	round->phases[1] = round->phases[0];
	round->phases[1].name = strdup("other");
	round->phases[0].duration_seconds = round->phases[1].duration_seconds = WINDOW / 2;
	set_time(&round->phases[1].time, &(struct share){0}, 0.5);
}

static void assert_other(const struct record_round *round, const char *text)
{
	if (!text) {
		assert_null(round->phases[1].limit);
		return;
	}
	assert_non_null(round->phases[1].limit);
	assert_string_equal(round->phases[1].limit, text);
}

/* What single phases are not known to have had is told as the whole round's. */
static void phases_of_a_round(void **state)
{
	struct record_round *round = *state;

	add_phase(round);
	round->memory.major_faults = 7;
	round->phases[0].memory.saturation = 0.31;
	assert_limit(round, "memory",
		     "memory: tasks waited for it 31 % of the time; the side had 7 major faults in "
		     "all phases together");
	assert_other(round, NULL);
	round->phases[0].memory.saturation = 0;
	round->network.retransmits = 500;
	round->phases[0].network.saturation = 23;
	assert_limit(
		round, "network",
		"the network: 2.3 % of the machine's TCP segments had to be sent again, 500 by "
		"the side in all phases together");
	assert_other(round, NULL);
	round->phases[1].driver = (struct record_use){0.5, 0.31, 2};
	assert_limit(round, "network", NULL);
	assert_other(round,
		     "the driver, not the side: it used 50 % of a core, fell 310 ms behind its "
		     "plan and dropped 2 pieces of work");
}

static void threads_of_phases(void **state)
{
	struct record_round *round = *state;

	add_phase(round);
	/* All of it in the first half, where nineteen of twenty wait. */
	add_threads(round, 20, &(struct share){.on_cpu = 0.25, .lock = 4.75});
	set_time(&round->phases[0].time, &(struct share){.on_cpu = 0.5, .lock = 9.5}, 10);
	round->phases[0].time.wall_seconds = 100;
	assert_limit(round, "lock",
		     "the side's threads shared a lock: 95 % of their time went to waiting for it, "
		     "and on average 1.0 of them ran");
	assert_other(round, NULL);
	/* One that ran all the time, which is known of the whole round only. */
	drop_threads(round);
	add_threads(round, 1, &(struct share){.on_cpu = 9.6});
	set_time(&round->phases[0].time, &(struct share){.on_cpu = 9.9}, 0.5);
	set_time(&round->phases[1].time, &(struct share){.on_cpu = 9.3}, 0.5);
	assert_limit(round, "thread",
		     "one thread: 'worker' (101) was on a CPU 96 % of the time in all phases "
		     "together, while the machine was 50 % busy: the program has no more parallel "
		     "work");
	assert_other(round, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_known),
		TEST(a_server_that_waits),
		TEST(cpu),
		TEST(a_busy_machine),
		TEST(lock),
		TEST(lock_over_storage),
		TEST(not_quite_a_lock),
		TEST(several_locks),
		TEST(disk),
		TEST(a_fast_disk),
		TEST(rarely_at_the_disk),
		TEST(thread),
		TEST(a_window_of_less_than_a_tick),
		TEST(not_quite_a_thread),
		TEST(memory),
		TEST(driver),
		TEST(network),
		TEST(sleeping),
		TEST(not_only_sleeping),
		TEST(sleepers_in_a_server),
		TEST(again),
		TEST(phases_of_a_round),
		TEST(threads_of_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
