/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tree on made-up accounts and events, in the order in which the kernel would write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/tree.h"

#define MIB 1048576ULL

struct side {
	struct pb_slot *slots;
	struct tree *tree;
	uint64_t next_id;
};

static int set_up(void **state)
{
	struct side *side = calloc(1, sizeof(*side));

	if (!side)
		return -1;
	side->slots = calloc(PB_SLOTS, sizeof(*side->slots));
	side->tree = tree_new(side->slots);
	*state = side;
	return side->slots && side->tree ? 0 : -1;
}

static int tear_down(void **state)
{
	struct side *side = *state;

	tree_free(side->tree);
	free(side->slots);
	free(side);
	return 0;
}

static struct pb_event event_of(const struct side *side, uint32_t kind, uint32_t slot,
				uint64_t time_ns)
{
	return (struct pb_event){
		.kind = kind, .slot = slot, .id = side->slots[slot].id, .time_ns = time_ns};
}

/* A process takes the slot; its start is told with start_told(), if at all. */
static struct pb_slot *begin(struct side *side, uint32_t slot, int pid)
{
	struct pb_slot *account = &side->slots[slot];

	memset(account, 0, sizeof(*account));
	account->id = ++side->next_id;
	account->pid = pid;
	account->threads_peak = 1;
	return account;
}

static void start_told(struct side *side, uint32_t slot, int ppid, bool enrolled, uint64_t time_ns)
{
	struct pb_event_start start = {.event = event_of(side, PB_EVENT_START, slot, time_ns),
				       .pid = side->slots[slot].pid,
				       .ppid = ppid,
				       .enrolled = enrolled,
				       .comm = "started"};

	assert_int_equal(tree_event(side->tree, &start.event, sizeof(start)), 0);
}

static struct pb_slot *start(struct side *side, uint32_t slot, int pid, uint64_t time_ns)
{
	struct pb_slot *account = begin(side, slot, pid);

	start_told(side, slot, 1, false, time_ns);
	return account;
}

static void exec_told(struct side *side, uint32_t slot, const char *comm, const char *exe)
{
	struct pb_event_exec exec = {.event = event_of(side, PB_EVENT_EXEC, slot, 0)};

	snprintf(exec.comm, sizeof(exec.comm), "%s", comm);
	snprintf(exec.exe, sizeof(exec.exe), "%s", exe);
	assert_int_equal(tree_event(side->tree, &exec.event, sizeof(exec)), 0);
}

/* The end is told, and the slot given back as the tree asks for. */
static void end(struct side *side, uint32_t slot, uint64_t time_ns)
{
	struct pb_slot *account = &side->slots[slot];
	struct pb_event_exit end = {.event = event_of(side, PB_EVENT_EXIT, slot, time_ns),
				    .exit_code = account->exit_code,
				    .threads_peak = account->threads_peak,
				    .comm = "ended",
				    .totals = account->totals,
				    .memory = account->memory};

	assert_int_equal(tree_event(side->tree, &end.event, sizeof(end)), slot);
	memset(account, 0, sizeof(*account));
}

/* The end found the ring full: what the kernel then does. */
static void end_lost(struct side *side, uint32_t slot)
{
	totals_accumulate(&side->slots[PB_SLOT_OVERFLOW].totals, &side->slots[slot].totals);
	side->slots[slot].id = 0;
}

static uint64_t cpu_now(struct side *side)
{
	struct tree_sum sum;

	tree_sum(side->tree, &sum);
	return sum.used.cpu_ns;
}

static uint32_t live_now(struct side *side)
{
	struct tree_sum sum;

	tree_sum(side->tree, &sum);
	return sum.live;
}

/* The listed process of that pid, NULL: none. */
static const struct tree_process *listed(const struct side *side, int pid)
{
	const struct tree_process *all;
	size_t n;

	all = tree_processes(side->tree, &n);
	for (size_t i = 0; i < n; i++)
		if (all[i].id && all[i].pid == pid)
			return &all[i];
	return NULL;
}

static size_t n_listed(const struct side *side)
{
	const struct tree_process *all;
	size_t n, used = 0;

	all = tree_processes(side->tree, &n);
	for (size_t i = 0; i < n; i++)
		used += all[i].id != 0;
	return used;
}

/* Each field its own value, so that none can stand for another. */
static void fill_totals(struct pb_totals *totals, uint64_t first, uint64_t step)
{
	uint64_t *fields = (uint64_t *)totals;

	for (size_t i = 0; i < PB_TOTALS_FIELDS; i++)
		fields[i] = first + step * i;
}

static void assert_totals(const struct pb_totals *totals, uint64_t first, uint64_t step)
{
	const uint64_t *fields = (const uint64_t *)totals;

	for (size_t i = 0; i < PB_TOTALS_FIELDS; i++)
		if (fields[i] != first + step * i)
			fail_msg("field %zu is %llu, not %llu", i, (unsigned long long)fields[i],
				 (unsigned long long)(first + step * i));
}

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

static void a_slot_is_used_again(void **state)
{
	struct side *side = *state;
	struct pb_event_exit stale;

	tree_window_open(side->tree, 100);
	start(side, 1, 10, 110)->totals.cpu_ns = 5;
	end(side, 1, 120);
	start(side, 1, 10, 130)->totals.cpu_ns = 70;
	assert_int_equal(n_listed(side), 2);
	assert_int_equal(cpu_now(side), 75);
	assert_int_equal(live_now(side), 1);
	assert_int_equal(tree_find(side->tree, 10)->started_ns, 130);
	/* Events of another process are not this one's. */
	stale = (struct pb_event_exit){.event = event_of(side, PB_EVENT_EXIT, 1, 140)};
	stale.event.id += 100;
	stale.totals.cpu_ns = 100000;
	assert_int_equal(tree_event(side->tree, &stale.event, sizeof(stale)), 1);
	assert_int_equal(cpu_now(side), 75);
	assert_int_equal(live_now(side), 1);
	/* The account is another's, whose start has not been taken in. */
	side->slots[1].id += 100;
	assert_int_equal(live_now(side), 0);
}

/* A start that found the ring full: the slot must come back all the same. */
static void an_unknown_process_gives_its_slot_back(void **state)
{
	struct side *side = *state;

	begin(side, 9, 10);
	exec_told(side, 9, "x", "/x");
	end(side, 9, 50);
	assert_int_equal(n_listed(side), 0);
}

static void a_lost_end_counts_once(void **state)
{
	struct side *side = *state;
	struct pb_slot *account = start(side, 1, 10, 100);
	struct tree_sum sum;

	fill_totals(&account->totals, 1000, 10);
	tree_window_open(side->tree, 200);
	fill_totals(&account->totals, 1007, 13);
	end_lost(side, 1);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 7, 3);
	assert_int_equal(sum.live, 0);
	/* Nor when its slot has another process. */
	account = start(side, 1, 11, 300);
	account->totals.cpu_ns = 400;
	assert_int_equal(cpu_now(side), 407);
	assert_int_equal(cpu_now(side), 407);
	assert_int_equal(live_now(side), 1);
	end_lost(side, 1);
	start(side, 1, 12, 400);
	assert_int_equal(cpu_now(side), 407);
	end(side, 1, 500);
	assert_int_equal(cpu_now(side), 407);
	/* Another window has nothing to take off for those of this one. */
	tree_window_close(side->tree, 600);
	tree_window_open(side->tree, 700);
	assert_int_equal(cpu_now(side), 0);
	side->slots[PB_SLOT_OVERFLOW].totals.cpu_ns += 6;
	assert_int_equal(cpu_now(side), 6);
}

static void a_lost_end_before_the_window(void **state)
{
	struct side *side = *state;

	start(side, 1, 10, 100)->totals.cpu_ns = 1000;
	start(side, 2, 11, 100)->totals.cpu_ns = 2000;
	end_lost(side, 1);
	end_lost(side, 2);
	start(side, 2, 12, 150)->totals.cpu_ns = 30;
	tree_window_open(side->tree, 200);
	assert_int_equal(n_listed(side), 1);
	assert_non_null(listed(side, 12));
	assert_int_equal(cpu_now(side), 0);
	start(side, 1, 13, 250)->totals.cpu_ns = 4;
	side->slots[2].totals.cpu_ns += 5;
	assert_int_equal(cpu_now(side), 9);
}

static void the_overflow_slot(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	fill_totals(&side->slots[PB_SLOT_OVERFLOW].totals, 100, 2);
	tree_window_open(side->tree, 200);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 0, 0);
	fill_totals(&side->slots[PB_SLOT_OVERFLOW].totals, 109, 5);
	tree_sum(side->tree, &sum);
	assert_totals(&sum.used, 9, 3);
}

static void set_memory(struct pb_slot *account, uint64_t mm, uint64_t mib, uint64_t peak_mib)
{
	account->memory = (struct pb_memory){.mm = mm,
					     .rss_anon_bytes = (mib - mib / 4) * MIB,
					     .rss_file_bytes = (mib / 4) * MIB - 4096,
					     .rss_shmem_bytes = 4096,
					     .rss_peak_bytes = peak_mib * MIB,
					     .vms_bytes = 10 * mib * MIB,
					     .vms_peak_bytes = 10 * peak_mib * MIB};
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

static void every_slot_at_a_time(void **state)
{
	struct side *side = *state;
	struct tree_sum sum;

	tree_window_open(side->tree, 100);
	for (uint32_t i = 1; i < PB_SLOTS; i++) {
		start(side, i, (int)i, 200)->totals.cpu_ns = i;
		side->slots[i].memory.mm = i / 2 + 1;
		side->slots[i].memory.vms_bytes = 1;
	}
	tree_sum(side->tree, &sum);
	assert_int_equal(sum.live, PB_SLOTS - 1);
	assert_int_equal(sum.used.cpu_ns, (uint64_t)PB_SLOTS * (PB_SLOTS - 1) / 2);
	assert_int_equal(sum.vms_bytes, PB_SLOTS / 2);
}

/* Of no more than the bound and the few that live, whatever has passed through. */
static void assert_bounded(const struct side *side)
{
	size_t n;

	tree_processes(side->tree, &n);
	assert_in_range(n, 1, TREE_MAX_ENDED + 5);
}

/* Two at a time, beside one that stays. */
static uint64_t pass_through(struct side *side, uint64_t processes)
{
	uint64_t cpu_ns = 0;

	for (uint64_t i = 0; i < processes; i += 2) {
		start(side, 1, (int)(10 + i), 200 + i)->totals.cpu_ns = i;
		start(side, 3, (int)(11 + i), 200 + i)->totals.cpu_ns = i + 1;
		cpu_ns += 2 * i + 1;
		end(side, 1, 201 + i);
		end(side, 3, 202 + i);
	}
	return cpu_ns;
}

static void more_than_are_listed(void **state)
{
	struct side *side = *state;
	uint64_t cpu_ns;

	start(side, 2, 1, 10)->totals.cpu_ns = 77;
	tree_window_open(side->tree, 100);
	cpu_ns = pass_through(side, TREE_MAX_ENDED + 7000);
	assert_int_equal(cpu_now(side), cpu_ns);
	assert_int_equal(tree_unlisted(side->tree), 7000);
	assert_int_equal(n_listed(side), TREE_MAX_ENDED + 1);
	assert_bounded(side);
	/* Those that live are listed in any case. */
	for (uint32_t i = 3; i < 10; i++)
		start(side, i, (int)i, 90000)->totals.cpu_ns = i;
	side->slots[2].totals.cpu_ns += 11;
	tree_window_close(side->tree, 100000);
	assert_int_equal(listed(side, 1)->used.cpu_ns, 11);
	for (int pid = 3; pid < 10; pid++)
		assert_int_equal(listed(side, pid)->used.cpu_ns, pid);
}

static void a_new_window_lists_anew(void **state)
{
	struct side *side = *state;

	start(side, 2, 1, 10);
	tree_window_open(side->tree, 100);
	pass_through(side, TREE_MAX_ENDED + 7000);
	tree_window_close(side->tree, 100000);
	tree_window_open(side->tree, 200000);
	assert_int_equal(tree_unlisted(side->tree), 0);
	assert_int_equal(n_listed(side), 1);
	assert_int_equal(cpu_now(side), 0);
	for (uint32_t i = 3; i < 10; i++)
		start(side, i, (int)i, 200001)->totals.cpu_ns = i;
	assert_int_equal(n_listed(side), 8);
	end(side, 5, 200002);
	assert_int_equal(listed(side, 5)->used.cpu_ns, 5);
	assert_int_equal(tree_unlisted(side->tree), 0);
	assert_int_equal(cpu_now(side), 42);
}

static void lost_ends_are_bounded_too(void **state)
{
	struct side *side = *state;

	tree_window_open(side->tree, 100);
	for (int i = 0; i < TREE_MAX_ENDED + 7000; i++) {
		start(side, 1, 10 + i, 200)->totals.cpu_ns = 2;
		end_lost(side, 1);
	}
	start(side, 1, 5, 300);
	assert_int_equal(cpu_now(side), 2 * (TREE_MAX_ENDED + 7000));
	assert_int_equal(tree_unlisted(side->tree), TREE_MAX_ENDED + 7000);
	assert_int_equal(n_listed(side), 1);
	assert_bounded(side);
}

static void malformed_events(void **state)
{
	union {
		struct pb_event event;
		struct pb_event_start start;
		struct pb_event_exec exec;
		struct pb_event_exit end;
	} any;
	struct side *side = *state;
	struct pb_event *half;

	start(side, 1, 10, 100)->totals.cpu_ns = 5;
	tree_window_open(side->tree, 50);
	for (uint32_t kind = 0; kind <= PB_EVENT_EXIT + 1; kind++) {
		size_t sizes[] = {0, sizeof(any.start), sizeof(any.exec), sizeof(any.end), 0};

		memset(&any, 0x41, sizeof(any));
		any.event = event_of(side, kind, 1, 200);
		if (sizes[kind])
			sizes[kind]--;
		assert_int_equal(tree_event(side->tree, &any.event, 0), 0);
		assert_int_equal(tree_event(side->tree, &any.event, sizeof(any.event) - 1), 0);
		assert_int_equal(tree_event(side->tree, &any.event, sizeof(any.event)), 0);
		assert_int_equal(tree_event(side->tree, &any.event, sizes[kind]), 0);
		for (int i = 0; i < 3; i++) {
			any.event.slot = i == 0 ? 0 : i == 1 ? PB_SLOTS : PB_SLOT_PENDING;
			assert_int_equal(tree_event(side->tree, &any.event, sizeof(any)), 0);
		}
	}
	/* Nothing beyond its end is looked at. */
	half = calloc(1, sizeof(uint32_t));
	assert_int_equal(tree_event(side->tree, half, sizeof(uint32_t)), 0);
	free(half);
	any.event = event_of(side, PB_EVENT_EXIT + 1, 1, 200);
	assert_int_equal(tree_event(side->tree, &any.event, sizeof(any)), 0);
	assert_int_equal(n_listed(side), 1);
	assert_int_equal(live_now(side), 1);
	assert_string_equal(listed(side, 10)->comm, "started");
	assert_int_equal(listed(side, 10)->execs, 0);
	assert_int_equal(tree_last_exit_ns(side->tree), 0);
	assert_int_equal(cpu_now(side), 0);
	end(side, 1, 300);
	assert_int_equal(listed(side, 10)->exited_ns, 300);
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

static void totals_never_fall_below_zero(void **state)
{
	struct pb_totals a, b, c;

	(void)state;
	fill_totals(&a, 5, 1);
	fill_totals(&b, 5 + PB_TOTALS_FIELDS, 0);
	totals_subtract(&c, &a, &b);
	assert_totals(&c, 0, 0);
	totals_subtract(&c, &b, &b);
	assert_totals(&c, 0, 0);
	fill_totals(&b, 2, 1);
	totals_subtract(&a, &a, &b);
	assert_totals(&a, 3, 0);
	totals_accumulate(&a, &b);
	assert_totals(&a, 5, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		TEST(a_slot_is_used_again),
		TEST(an_unknown_process_gives_its_slot_back),
		TEST(a_lost_end_counts_once),
		TEST(a_lost_end_before_the_window),
		TEST(the_overflow_slot),
		TEST(held_until_its_exec),
		TEST(peak_only_where_it_rose),
		TEST(the_last_peak_comes_with_the_end),
		TEST(an_address_space_counts_once),
		TEST(every_slot_at_a_time),
		TEST(more_than_are_listed),
		TEST(a_new_window_lists_anew),
		TEST(lost_ends_are_bounded_too),
		TEST(malformed_events),
		TEST(nothing_counts_after_the_close),
		TEST(totals_never_fall_below_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
