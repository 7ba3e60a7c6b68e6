/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fork, exec and exit: membership is inherited here, and process records begin and end here. */
#include "memory.bpf.h"
#include "time.bpf.h"

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";

#define CLONE_THREAD      0x00010000
#define SIGNAL_GROUP_EXIT 0x00000004

/* The child has mapped what its parent has; its own first image has number 0. */
static __always_inline void inherit_space(struct pb_slot *child, const struct pb_slot *parent)
{
	__u64 known;

	if (!parent)
		return;
	known = *(volatile const __u64 *)&parent->space;
	child->space = known >> 32 == parent->execs ? (__u32)known : 0;
}

/*
 * In the parent's context, before the child can run. Not sched_process_fork: the
 * kernel starts io_uring's workers without it.
 */
SEC("?tp_btf/task_newtask")
int BPF_PROG(lifecycle_fork, struct task_struct *task, __u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct pb_task *member = member_of(parent), *child;
	struct pb_slot *slot;

	if (!member)
		return 0;
	child = bpf_task_storage_get(&pb_tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!child) {
		count_loss(PB_LOSS_STORAGE);
		return 0;
	}
	account_from_now(task, child, 0);
	child->slot =
		clone_flags & CLONE_THREAD ? member->slot : process_begin(task, tgid_of(parent), 0);
	child->epoch = member->epoch;
	child->call_entered_ns = 0;
	time_begin(task, child);
	slot = slot_at(child->slot);
	if (!slot)
		return 0;
	if (child->slot != member->slot)
		inherit_space(slot, slot_at(member->slot));
	thread_begin(slot, child->slot);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(lifecycle_exec, struct task_struct *task, __s32 old_pid, struct linux_binprm *bprm)
{
	struct pb_task *member = member_of(task);
	struct pb_event_exec *event;
	struct pb_slot *slot;

	if (!member || member->slot == PB_SLOT_OVERFLOW)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	slot->execs++;
	memory_at_exec(task, slot);
	event = bpf_ringbuf_reserve(&pb_ring, sizeof(*event), 0);
	if (!event) {
		count_loss(PB_LOSS_RING);
		return 0;
	}
	event_fill(&event->event, PB_EVENT_EXEC, member->slot, slot->id);
	bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
	/* interp, not filename: of a script, the program that runs it. */
	event->exe[0] = 0;
	bpf_probe_read_kernel_str(event->exe, sizeof(event->exe), BPF_CORE_READ(bprm, interp));
	bpf_ringbuf_submit(event, event_flags());
	return 0;
}

/*
 * Settles early, so that a snapshot between here and the last switch misses little. Memory
 * is looked at here and at exec, not by programs of its own: entering a program and
 * finding the member again would cost more than the look.
 */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(lifecycle_exit, struct task_struct *task)
{
	struct pb_task *member = member_of(task);
	struct pb_slot *slot;

	if (!member)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	if (task->pid == task->tgid)
		slot->exit_code = task->exit_code;
	settle_thread(task, member, slot, 0);
	if (member->slot == PB_SLOT_OVERFLOW || BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	/* As wait(2) has it: what ended the whole group counts before what its first thread said.
	 */
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		slot->exit_code = BPF_CORE_READ(task, signal, group_exit_code);
	memory_at_exit(task, slot);
	return 0;
}
