/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Peak memory: the last look at an address space before it goes. */
#include "memory.bpf.h"

/* A new image: the marks of the old one are not its own. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(memory_exec, struct task_struct *task)
{
	struct pb_task *member = member_of(task);
	struct pb_slot *slot;

	if (!member || member->slot == PB_SLOT_OVERFLOW)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	slot->maxrss_at_exec_bytes = BPF_CORE_READ(task, signal, maxrss) * pb_page_bytes;
	__builtin_memset(&slot->memory, 0, sizeof(slot->memory));
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(memory_exit, struct task_struct *task)
{
	struct pb_task *member = member_of(task);
	struct pb_slot *slot;
	struct mm_struct *mm;
	__u64 maxrss;

	if (!member || member->slot == PB_SLOT_OVERFLOW)
		return 0;
	/* Only the last thread of the process; the others share its memory. */
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	mm = task->mm;
	if (mm) {
		memory_read(mm, &slot->memory);
		return 0;
	}
	/*
	 * Before Linux 6.16 the address space is gone here. The kernel has put its mark
	 * into maxrss, which also holds earlier images: it tells only where it has grown.
	 */
	maxrss = BPF_CORE_READ(task, signal, maxrss) * pb_page_bytes;
	if (maxrss > slot->maxrss_at_exec_bytes && maxrss > slot->memory.rss_peak_bytes)
		slot->memory.rss_peak_bytes = maxrss;
	return 0;
}
