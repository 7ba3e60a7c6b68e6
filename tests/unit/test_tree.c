/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes from their start to their end, what they use in a window, and their threads. */
#include "sample_tree.h"

static void one_life(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = begin(side, 7, 4242);
	const struct tree_process *process;

	start_told(side, 7, 17, true, 1000);
	process = tree_find(side->tree, 4242);
	assert_non_null(process);
	assert_int_equal(process->ppid, 17);
	assert_int_equal(process->started_ns, 1000);
	assert_int_equal(process->exited_ns, 0);
	assert_string_equal(process->comm, "started");
	assert_string_equal(process->exe, "");
	assert_null(tree_find(side->tree, 17));
	assert_int_equal(tree_last_exit_ns(side->tree), 0);
	tree_window_open(side->tree, 1500);
	exec_told(side, 7, "grep", "/usr/bin/grep");
	exec_told(side, 7, "sed", "/usr/bin/sed");
	process = tree_find(side->tree, 4242);
	assert_string_equal(process->comm, "sed");
	assert_string_equal(process->exe, "/usr/bin/sed");
	assert_int_equal(process->execs, 2);
	assert_int_equal(live_now(side), 1);
	account->exit_code = 3 << 8;
	account->threads_peak = 5;
	end(side, 7, 2000);
	process = tree_find(side->tree, 4242);
	assert_int_equal(process->exited_ns, 2000);
	assert_int_equal(process->exit_code, 3 << 8);
	assert_int_equal(process->threads_peak, 5);
	assert_string_equal(process->comm, "ended");
	assert_int_equal(tree_last_exit_ns(side->tree), 2000);
	assert_int_equal(live_now(side), 0);
	tree_free(NULL);
}

static void names_are_ended(void **state)
{
	struct side *side = *state;
	struct pb_event_exec exec = {};
	struct pb_event_exit last = {};

	start(side, 1, 10, 1);
	exec.event = event_of(side, PB_EVENT_EXEC, 1, 2);
	memset(exec.comm, 'c', sizeof(exec.comm));
	memset(exec.exe, 'e', sizeof(exec.exe));
	tree_event(side->tree, &exec.event, sizeof(exec));
	assert_int_equal(strlen(tree_find(side->tree, 10)->comm), PB_COMM_LEN - 1);
	assert_int_equal(strlen(tree_find(side->tree, 10)->exe), PB_EXE_LEN - 1);
	last.event = event_of(side, PB_EVENT_EXIT, 1, 3);
	memset(last.comm, 'd', sizeof(last.comm));
	tree_event(side->tree, &last.event, sizeof(last));
	assert_string_equal(tree_find(side->tree, 10)->comm, "ddddddddddddddd");
}

static void a_fork_runs_its_parents_program(void **state)
{
	struct side *side = *state;

	start(side, 1, 10, 1);
	exec_told(side, 1, "sh", "/bin/sh");
	/* More than one growth of the list, so that the parent has moved meanwhile. */
	for (int i = 0; i < 300; i++) {
		begin(side, (uint32_t)(2 + i), 100 + i);
		start_told(side, (uint32_t)(2 + i), i ? 99 + i : 10, false, 2);
		assert_string_equal(tree_find(side->tree, 100 + i)->exe, "/bin/sh");
		assert_int_equal(tree_find(side->tree, 100 + i)->execs, 0);
	}
	exec_told(side, 2, "cat", "/bin/cat");
	assert_string_equal(tree_find(side->tree, 100)->exe, "/bin/cat");
	assert_string_equal(tree_find(side->tree, 10)->exe, "/bin/sh");
	/* What was running already told its own; whose parent has ended knows of none. */
	begin(side, 400, 400);
	start_told(side, 400, 10, true, 3);
	assert_string_equal(tree_find(side->tree, 400)->exe, "");
	end(side, 1, 4);
	begin(side, 401, 401);
	start_told(side, 401, 10, false, 5);
	assert_string_equal(tree_find(side->tree, 401)->exe, "");
}

static void the_window_counts_from_its_opening(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = start(side, 1, 10, 100);
	struct tree_sum sum;

	fill_totals(&account->totals, 1000, 10);
	tree_window_open(side->tree, 200);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 0, 0);
	fill_totals(&account->totals, 1007, 13);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 7, 3);
	tree_window_close(side->tree, 300);
	assert_totals(&listed(side, 10)->used, 7, 3);
	assert_int_equal(listed(side, 10)->exited_ns, 0);
	assert_int_equal(listed(side, 10)->threads_peak, 1);
}

static void ends_within_the_window(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = start(side, 1, 10, 100);
	struct tree_sum sum;

	fill_totals(&account->totals, 1000, 10);
	tree_window_open(side->tree, 200);
	fill_totals(&account->totals, 1007, 13);
	end(side, 1, 250);
	account = start(side, 2, 11, 260);
	fill_totals(&account->totals, 20, 1);
	end(side, 2, 270);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 27, 4);
	assert_int_equal(sum.live, 0);
	tree_window_close(side->tree, 300);
	assert_totals(&listed(side, 10)->used, 7, 3);
	assert_totals(&listed(side, 11)->used, 20, 1);
	assert_int_equal(tree_last_exit_ns(side->tree), 270);
}

static void ended_before_the_window(void **state)
{
	struct side *side = *state;
	struct pb_slot *account;

	for (uint32_t i = 1; i <= 5; i++) {
		account = start(side, i, (int)(10 + i), 100);
		account->totals.cpu_ns = 1000 * i;
	}
	end(side, 1, 150);
	end(side, 4, 160);
	tree_window_open(side->tree, 200);
	assert_int_equal(n_listed(side), 3);
	assert_null(listed(side, 11));
	assert_null(listed(side, 14));
	assert_int_equal(cpu_now(side), 0);
	assert_int_equal(live_now(side), 3);
	/* Those that are left are still found by their slots. */
	side->slots[2].totals.cpu_ns += 1;
	side->slots[3].totals.cpu_ns += 10;
	side->slots[5].totals.cpu_ns += 100;
	end(side, 3, 250);
	assert_int_equal(cpu_now(side), 111);
	tree_window_close(side->tree, 300);
	assert_int_equal(listed(side, 12)->used.cpu_ns, 1);
	assert_int_equal(listed(side, 13)->used.cpu_ns, 10);
	assert_int_equal(listed(side, 15)->used.cpu_ns, 100);
}

/* Between the last events taken in and the window's opening there is a moment. */
static void end_before_the_window_told_after(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = start(side, 1, 10, 100);

	account->totals.cpu_ns = 1000;
	account = begin(side, 2, 11);
	account->totals.cpu_ns = 500;
	start(side, 3, 12, 100)->totals.cpu_ns = 50;
	tree_window_open(side->tree, 200);
	start_told(side, 2, 1, false, 180);
	end(side, 1, 190);
	end(side, 2, 199);
	assert_null(listed(side, 10));
	assert_null(listed(side, 11));
	assert_int_equal(cpu_now(side), 0);
	assert_int_equal(tree_last_exit_ns(side->tree), 199);
	assert_int_equal(tree_unlisted(side->tree), 0);
	side->slots[3].totals.cpu_ns += 7;
	start(side, 1, 13, 210)->totals.cpu_ns = 3;
	end(side, 3, 200);
	assert_int_equal(cpu_now(side), 10);
	assert_non_null(listed(side, 12));
	assert_int_equal(listed(side, 12)->used.cpu_ns, 7);
}

static void held_until_its_exec(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = start(side, 1, 10, 100);
	struct tree_sum sum;

	tree_set_held(side->tree, 10);
	tree_set_held(side->tree, 11);
	set_memory(account, 0xa, 40, 60);
	account->totals.cpu_ns = 1000;
	tree_window_open(side->tree, 200);
	set_memory(account, 0xa, 80, 90);
	account->totals.cpu_ns += 10;
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.live, 1);
	assert_int_equal(sum.used.cpu_ns, 10);
	assert_int_equal(sum.rss_anon_bytes + sum.rss_file_bytes + sum.rss_shmem_bytes, 0);
	assert_int_equal(sum.vms_bytes, 0);
	assert_int_equal(sum.largest_process_peak_bytes, 0);
	exec_told(side, 1, "true", "/bin/true");
	set_memory(account, 0xb, 4, 8);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.rss_anon_bytes, 3 * MIB);
	assert_int_equal(sum.rss_file_bytes, MIB - 4096);
	assert_int_equal(sum.rss_shmem_bytes, 4096);
	assert_int_equal(sum.vms_bytes, 40 * MIB);
	assert_int_equal(sum.largest_process_peak_bytes, 8 * MIB);
	tree_window_close(side->tree, 300);
	assert_int_equal(listed(side, 10)->rss_peak_bytes, 8 * MIB);
	assert_int_equal(listed(side, 10)->vms_peak_bytes, 80 * MIB);
}

/* The kernel's mark may be of long before the window. */
static void peak_only_where_it_rose(void **state)
{
	struct side *side = *state;
	struct pb_slot *old = start(side, 1, 10, 100), *risen = start(side, 2, 11, 100);
	struct tree_sum sum;

	set_memory(old, 0xa, 16, 500);
	set_memory(risen, 0xb, 8, 20);
	tree_window_open(side->tree, 200);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 16 * MIB);
	set_memory(risen, 0xb, 8, 21);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 21 * MIB);
	set_memory(old, 0xa, 24, 500);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 24 * MIB);
	set_memory(old, 0xa, 4, 500);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 24 * MIB);
	/* Another image, another mark. */
	exec_told(side, 1, "small", "/small");
	set_memory(old, 0xc, 4, 30);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 30 * MIB);
	tree_window_close(side->tree, 300);
	assert_int_equal(listed(side, 10)->rss_peak_bytes, 30 * MIB);
	assert_int_equal(listed(side, 11)->rss_peak_bytes, 21 * MIB);
}

static void the_last_peak_comes_with_the_end(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	tree_window_open(side->tree, 200);
	set_memory(start(side, 1, 10, 210), 0xa, 8, 70);
	end(side, 1, 220);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 70 * MIB);
	assert_int_equal(listed(side, 10)->rss_peak_bytes, 70 * MIB);
	/* A second window knows nothing of the first. */
	tree_window_close(side->tree, 300);
	tree_window_open(side->tree, 400);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 0);
}

static void an_address_space_counts_once(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	/* Slots out of order, and one that no snapshot has looked at. */
	set_memory(start(side, 3, 10, 100), 0xa, 8, 8);
	set_memory(start(side, 1, 11, 100), 0xb, 4, 4);
	set_memory(start(side, 2, 12, 100), 0xa, 8, 8);
	set_memory(start(side, 4, 13, 100), 0, 400, 4);
	tree_window_open(side->tree, 200);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.live, 4);
	assert_int_equal(sum.rss_anon_bytes, 9 * MIB);
	assert_int_equal(sum.rss_file_bytes, 3 * MIB - 2 * 4096);
	assert_int_equal(sum.rss_shmem_bytes, 2 * 4096);
	assert_int_equal(sum.vms_bytes, 120 * MIB);
	end(side, 3, 210);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.vms_bytes, 120 * MIB);
	end(side, 2, 220);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.vms_bytes, 40 * MIB);
}

static void nothing_counts_after_the_close(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	set_memory(start(side, 1, 10, 100), 0xa, 8, 8);
	set_memory(start(side, 2, 11, 100), 0xb, 8, 8);
	tree_window_open(side->tree, 200);
	side->slots[1].totals.cpu_ns = 5;
	side->slots[2].totals.cpu_ns = 6;
	end(side, 2, 250);
	tree_window_close(side->tree, 300);
	side->slots[1].totals.cpu_ns = 5000;
	set_memory(&side->slots[1], 0xa, 800, 800);
	end(side, 1, 400);
	start(side, 3, 12, 410)->totals.cpu_ns = 9;
	set_memory(&side->slots[3], 0xc, 900, 900);
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.largest_process_peak_bytes, 8 * MIB);
	end(side, 3, 420);
	assert_int_equal(listed(side, 10)->used.cpu_ns, 5);
	assert_int_equal(listed(side, 10)->exited_ns, 400);
	assert_int_equal(listed(side, 10)->rss_peak_bytes, 8 * MIB);
	assert_int_equal(listed(side, 11)->used.cpu_ns, 6);
	assert_int_equal(listed(side, 12)->used.cpu_ns, 0);
	assert_int_equal(tree_last_exit_ns(side->tree), 420);
}

/* Its time is that of its threads, whether they have ended or the window closed on them. */
static void a_process_is_its_threads(void **state)
{
	struct side *side = *state;
	struct pb_event_thread last;

	start(side, 1, 10, 100);
	start(side, 2, 20, 100);
	tree_window_open(side->tree, 200);
	assert_time(&listed(side, 10)->time, 0);
	thread_told(side, 1, 11, 3);
	thread_told(side, 1, 12, 40);
	thread_told(side, 2, 21, 500);
	last = thread_of(side, 1, 10, 6000);
	last.how = PB_THREAD_CLOSED;
	assert_int_equal(tree_event(side->tree, &last.event, sizeof(last)), 0);
	assert_time(&listed(side, 10)->time, 6043);
	assert_time(&listed(side, 20)->time, 500);
	assert_time(&tree_threads(side->tree)->sum, 6543);
	assert_int_equal(tree_threads(side->tree)->n, 4);
	/* They are no part of what the accounts tell. */
	assert_int_equal(cpu_now(side), 0);
	assert_int_equal(live_now(side), 2);
	/* What was told stays with those that end. */
	end(side, 1, 300);
	tree_window_close(side->tree, 400);
	assert_time(&listed(side, 10)->time, 6043);
	assert_time(&listed(side, 20)->time, 500);
}

/* Slot 0 stands for many processes, and one that is not known has no entry: in the sum alone. */
static void threads_without_a_process(void **state)
{
	struct side *side = *state;
	struct pb_event_thread stale;

	start(side, 1, 10, 100);
	tree_window_open(side->tree, 200);
	thread_told(side, PB_SLOT_OVERFLOW, 77, 3);
	begin(side, 9, 90);
	thread_told(side, 9, 90, 40);
	thread_told(side, PB_SLOTS - 1, 91, 500);
	assert_time(&tree_threads(side->tree)->sum, 543);
	assert_int_equal(tree_threads(side->tree)->n, 3);
	assert_int_equal(n_listed(side), 1);
	assert_time(&listed(side, 10)->time, 0);
	/* One of an earlier process in the slot is not this one's. */
	stale = thread_of(side, 1, 12, 6000);
	stale.event.id += 100;
	assert_int_equal(tree_event(side->tree, &stale.event, sizeof(stale)), 0);
	assert_time(&tree_threads(side->tree)->sum, 6543);
	assert_time(&listed(side, 10)->time, 0);
	/* Nor of one that has ended. */
	end(side, 1, 300);
	start(side, 1, 13, 310);
	thread_told(side, 1, 13, 70000);
	assert_time(&listed(side, 10)->time, 0);
	assert_time(&listed(side, 13)->time, 70000);
}

/* What goes on counts for its process when it ends, and only then. */
static void threads_on_the_way(void **state)
{
	struct side *side = *state;
	struct pb_event_thread thread;

	start(side, 1, 10, 100);
	tree_window_open(side->tree, 200);
	for (uint64_t look = 1; look <= 3; look++) {
		threads_look(tree_threads(side->tree));
		thread = thread_of(side, 1, 10, 10 * look);
		thread.how = PB_THREAD_SO_FAR;
		assert_int_equal(tree_event(side->tree, &thread.event, sizeof(thread)), 0);
		assert_time(&tree_threads(side->tree)->so_far, 10 * look);
	}
	assert_time(&listed(side, 10)->time, 0);
	assert_time(&tree_threads(side->tree)->sum, 0);
	thread_told(side, 1, 10, 35);
	assert_time(&listed(side, 10)->time, 35);
	assert_time(&tree_threads(side->tree)->sum, 35);
}

static void threads_of_an_earlier_window(void **state)
{
	struct side *side = *state;

	start(side, 1, 10, 100);
	tree_window_open(side->tree, 200);
	for (int i = 0; i < THREADS_MAX + 5; i++)
		thread_told(side, 1, 100 + i, 1);
	assert_int_equal(tree_threads(side->tree)->n, THREADS_MAX);
	assert_int_equal(tree_threads(side->tree)->unlisted, 5);
	assert_time(&listed(side, 10)->time, THREADS_MAX + 5);
	tree_window_close(side->tree, 300);
	tree_window_open(side->tree, 400);
	assert_int_equal(tree_threads(side->tree)->n, 0);
	assert_int_equal(tree_threads(side->tree)->unlisted, 0);
	assert_time(&tree_threads(side->tree)->sum, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_life),
		TEST(names_are_ended),
		TEST(a_fork_runs_its_parents_program),
		TEST(the_window_counts_from_its_opening),
		TEST(ends_within_the_window),
		TEST(ended_before_the_window),
		TEST(end_before_the_window_told_after),
		TEST(held_until_its_exec),
		TEST(peak_only_where_it_rose),
		TEST(the_last_peak_comes_with_the_end),
		TEST(an_address_space_counts_once),
		TEST(nothing_counts_after_the_close),
		TEST(a_process_is_its_threads),
		TEST(threads_without_a_process),
		TEST(threads_on_the_way),
		TEST(threads_of_an_earlier_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
