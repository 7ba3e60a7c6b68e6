/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CPU time. The scheduler keeps the exact account itself; it is final only at the
 * last switch away from a dying thread (read at its exit, 2,000 children of 1 ms
 * came out 6 % short). For every other switch the program leaves at once.
 */
#include "process.bpf.h"

SEC("?tp_btf/sched_switch")
int BPF_PROG(sched_last_switch, bool preempt, struct task_struct *prev)
{
	struct pb_task *member;
	struct pb_slot *slot;

	if (!(prev->__state & TASK_DEAD))
		return 0;
	member = member_of(prev);
	if (!member)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	settle_thread(prev, member, slot, 0);
	thread_end(prev, slot, member->slot);
	return 0;
}
