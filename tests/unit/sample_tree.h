/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A side of made-up accounts and events, in the order in which the kernel would write them. */
#ifndef PERFBPF_TESTS_SAMPLE_TREE_H
#define PERFBPF_TESTS_SAMPLE_TREE_H

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

static inline int set_up(void **state)
{
	struct side *side = calloc(1, sizeof(*side));

	if (!side)
		return -1;
	side->slots = calloc(PB_SLOTS, sizeof(*side->slots));
	side->tree = tree_new(side->slots);
	*state = side;
	return side->slots && side->tree ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct side *side = *state;

	tree_free(side->tree);
	free(side->slots);
	free(side);
	return 0;
}

static inline struct pb_event event_of(const struct side *side, uint32_t kind, uint32_t slot,
				       uint64_t time_ns)
{
	return (struct pb_event){
		.kind = kind, .slot = slot, .id = side->slots[slot].id, .time_ns = time_ns};
}

/* A process takes the slot; its start is told with start_told(), if at all. */
static inline struct pb_slot *begin(struct side *side, uint32_t slot, int pid)
{
	struct pb_slot *account = &side->slots[slot];

	memset(account, 0, sizeof(*account));
	account->id = ++side->next_id;
	account->pid = pid;
	account->threads_peak = 1;
	return account;
}

static inline void start_told(struct side *side, uint32_t slot, int ppid, bool enrolled,
			      uint64_t time_ns)
{
	struct pb_event_start start = {.event = event_of(side, PB_EVENT_START, slot, time_ns),
				       .pid = side->slots[slot].pid,
				       .ppid = ppid,
				       .enrolled = enrolled,
				       .comm = "started"};

	assert_int_equal(tree_event(side->tree, &start.event, sizeof(start)), 0);
}

static inline struct pb_slot *start(struct side *side, uint32_t slot, int pid, uint64_t time_ns)
{
	struct pb_slot *account = begin(side, slot, pid);

	start_told(side, slot, 1, false, time_ns);
	return account;
}

static inline void exec_told(struct side *side, uint32_t slot, const char *comm, const char *exe)
{
	struct pb_event_exec exec = {.event = event_of(side, PB_EVENT_EXEC, slot, 0)};

	snprintf(exec.comm, sizeof(exec.comm), "%s", comm);
	snprintf(exec.exe, sizeof(exec.exe), "%s", exe);
	assert_int_equal(tree_event(side->tree, &exec.event, sizeof(exec)), 0);
}

/* The end is told, and the slot given back as the tree asks for. */
static inline void end(struct side *side, uint32_t slot, uint64_t time_ns)
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
static inline void end_lost(struct side *side, uint32_t slot)
{
	totals_accumulate(&side->slots[PB_SLOT_OVERFLOW].totals, &side->slots[slot].totals);
	side->slots[slot].id = 0;
}

static inline uint64_t cpu_now(struct side *side)
{
	struct tree_sum sum;

	tree_sum(side->tree, &sum);
	return sum.used.cpu_ns;
}

static inline uint32_t live_now(struct side *side)
{
	struct tree_sum sum;

	tree_sum(side->tree, &sum);
	return sum.live;
}

/* The listed process of that pid, NULL: none. */
static inline const struct tree_process *listed(const struct side *side, int pid)
{
	const struct tree_process *all;
	size_t n;

	all = tree_processes(side->tree, &n);
	for (size_t i = 0; i < n; i++)
		if (all[i].id && all[i].pid == pid)
			return &all[i];
	return NULL;
}

static inline size_t n_listed(const struct side *side)
{
	const struct tree_process *all;
	size_t n, used = 0;

	all = tree_processes(side->tree, &n);
	for (size_t i = 0; i < n; i++)
		used += all[i].id != 0;
	return used;
}

/* Each field its own value, so that none can stand for another. */
static inline void fill_totals(struct pb_totals *totals, uint64_t first, uint64_t step)
{
	uint64_t *fields = (uint64_t *)totals;

	for (size_t i = 0; i < PB_TOTALS_FIELDS; i++)
		fields[i] = first + step * i;
}

static inline void assert_totals(const struct pb_totals *totals, uint64_t first, uint64_t step)
{
	const uint64_t *fields = (const uint64_t *)totals;

	for (size_t i = 0; i < PB_TOTALS_FIELDS; i++)
		if (fields[i] != first + step * i)
			fail_msg("field %zu is %llu, not %llu", i, (unsigned long long)fields[i],
				 (unsigned long long)(first + step * i));
}

static inline void set_memory(struct pb_slot *account, uint64_t mm, uint64_t mib, uint64_t peak_mib)
{
	account->memory = (struct pb_memory){.mm = mm,
					     .rss_anon_bytes = (mib - mib / 4) * MIB,
					     .rss_file_bytes = (mib / 4) * MIB - 4096,
					     .rss_shmem_bytes = 4096,
					     .rss_peak_bytes = peak_mib * MIB,
					     .vms_bytes = 10 * mib * MIB,
					     .vms_peak_bytes = 10 * peak_mib * MIB};
}

/* A thread of that slot's process; what it tells is a multiple of @cpu_ns, each in its own way. */
static inline struct pb_event_thread thread_of(const struct side *side, uint32_t slot, int tid,
					       uint64_t cpu_ns)
{
	struct pb_event_thread thread = {.event = event_of(side, PB_EVENT_THREAD, slot, 0),
					 .pid = side->slots[slot].pid,
					 .tid = tid,
					 .how = PB_THREAD_ENDED,
					 .began_ns = 1000,
					 .cpu_ns = cpu_ns,
					 .stolen_ns = 2 * cpu_ns,
					 .run_queue_ns = 3 * cpu_ns,
					 .lock_ns = 4 * cpu_ns,
					 .comm = "worker"};

	thread.event.time_ns = 1000 + 100 * cpu_ns;
	for (uint64_t i = 0; i < PB_WAITS; i++)
		thread.wait_ns[i] = (5 + i) * cpu_ns;
	return thread;
}

static inline void thread_told(struct side *side, uint32_t slot, int tid, uint64_t cpu_ns)
{
	struct pb_event_thread thread = thread_of(side, slot, tid, cpu_ns);

	assert_int_equal(tree_event(side->tree, &thread.event, sizeof(thread)), 0);
}

/* What threads with @cpu_ns in all have told of. */
static inline void assert_time(const struct thread_time *time, uint64_t cpu_ns)
{
	assert_int_equal(time->cpu_ns, cpu_ns);
	assert_int_equal(time->wall_ns, 100 * cpu_ns);
	assert_int_equal(time->stolen_ns, 2 * cpu_ns);
	assert_int_equal(time->run_queue_ns, 3 * cpu_ns);
	assert_int_equal(time->lock_ns, 4 * cpu_ns);
	for (uint64_t i = 0; i < PB_WAITS; i++)
		assert_int_equal(time->wait_ns[i], (5 + i) * cpu_ns);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
