/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Moves what a thread has used since it was last looked at into the account of
 * its process. Whoever looks (a snapshot, its exit, its last switch) moves only the
 * difference, so the account is a running total that never counts twice.
 */
#ifndef PERFBPF_ACCOUNT_BPF_H
#define PERFBPF_ACCOUNT_BPF_H

#include "membership.bpf.h"

/*
 * Two observers can meet on one thread (a snapshot on one CPU, its end on
 * another): the one that loses the exchange looks again, so nothing is lost when it
 * was the later one.
 */
static __always_inline void settle(__u64 *counted, __u64 now, __u64 *total)
{
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u64 before = *(volatile __u64 *)counted;

		if (now <= before)
			return;
		if (__sync_val_compare_and_swap(counted, before, now) == before) {
			__sync_fetch_and_add(total, now - before);
			return;
		}
	}
}

/* A kernel without task I/O accounting (CONFIG_TASK_XACCT, CONFIG_TASK_IO_ACCOUNTING) has no
 * fields for it. */
static __always_inline void settle_io(struct task_struct *task, struct pb_task *member,
				      struct pb_totals *totals)
{
	if (bpf_core_field_exists(task->ioac.rchar)) {
		settle(&member->read_bytes, task->ioac.rchar, &totals->read_bytes);
		settle(&member->write_bytes, task->ioac.wchar, &totals->write_bytes);
	}
	if (bpf_core_field_exists(task->ioac.read_bytes)) {
		settle(&member->storage_read_bytes, task->ioac.read_bytes,
		       &totals->storage_read_bytes);
		settle(&member->storage_write_bytes, task->ioac.write_bytes,
		       &totals->storage_write_bytes);
	}
}

/*
 * @running_ns: what the thread has run since the scheduler last wrote its account;
 * 0 where it is being switched away from, since that wrote it.
 */
static __always_inline void settle_thread(struct task_struct *task, struct pb_task *member,
					  struct pb_slot *slot, __u64 running_ns)
{
	struct pb_totals *totals = &slot->totals;

	settle(&member->cpu_ns, task->se.sum_exec_runtime + running_ns, &totals->cpu_ns);
	settle(&member->user_ticks_ns, task->utime, &totals->user_ticks_ns);
	settle(&member->system_ticks_ns, task->stime, &totals->system_ticks_ns);
	settle(&member->voluntary_switches, task->nvcsw, &totals->voluntary_switches);
	settle(&member->involuntary_switches, task->nivcsw, &totals->involuntary_switches);
	settle(&member->migrations, task->se.nr_migrations, &totals->migrations);
	settle(&member->minor_faults, task->min_flt, &totals->minor_faults);
	settle(&member->major_faults, task->maj_flt, &totals->major_faults);
	settle_io(task, member, totals);
}

/* From here on the thread is counted: what it used before is not the side's. */
static __always_inline void account_from_now(struct task_struct *task, struct pb_task *member,
					     __u64 running_ns)
{
	member->cpu_ns = task->se.sum_exec_runtime + running_ns;
	member->user_ticks_ns = task->utime;
	member->system_ticks_ns = task->stime;
	member->voluntary_switches = task->nvcsw;
	member->involuntary_switches = task->nivcsw;
	member->migrations = task->se.nr_migrations;
	member->minor_faults = task->min_flt;
	member->major_faults = task->maj_flt;
	if (bpf_core_field_exists(task->ioac.rchar)) {
		member->read_bytes = task->ioac.rchar;
		member->write_bytes = task->ioac.wchar;
	}
	if (bpf_core_field_exists(task->ioac.read_bytes)) {
		member->storage_read_bytes = task->ioac.read_bytes;
		member->storage_write_bytes = task->ioac.write_bytes;
	}
}

/* Adds all of @from to @into: a process whose end could not be told keeps its share of the total.
 */
static __always_inline void totals_add(struct pb_totals *into, const struct pb_totals *from)
{
	__u64 *to = (__u64 *)into;
	const __u64 *source = (const __u64 *)from;

#pragma unroll
	for (unsigned int i = 0; i < PB_TOTALS_FIELDS; i++)
		__sync_fetch_and_add(&to[i], source[i]);
}

#endif
