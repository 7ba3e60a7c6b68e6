/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long the children of one process live, from exec to exit: the commands that a driver runs.
 * The loader marks that process; its children inherit the mark, and theirs do not.
 */
#include "histogram.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pb_timed);
} pb_timed SEC(".maps");

#define CLONE_THREAD 0x00010000

static __always_inline struct pb_timed *timed_of(struct task_struct *task)
{
	struct pb_timed *timed = bpf_task_storage_get(&pb_timed, task, NULL, 0);

	return timed && timed->epoch == pb_control.epoch ? timed : NULL;
}

SEC("?tp_btf/task_newtask")
int BPF_PROG(timed_fork, struct task_struct *task, __u64 clone_flags)
{
	struct pb_timed *parent, *child;

	if (clone_flags & CLONE_THREAD)
		return 0;
	parent = timed_of(bpf_get_current_task_btf());
	if (!parent || parent->is_child)
		return 0;
	child = bpf_task_storage_get(&pb_timed, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!child) {
		count_loss(PB_LOSS_STORAGE);
		return 0;
	}
	child->epoch = parent->epoch;
	child->is_child = 1;
	return 0;
}

/* A program that becomes another one (env, a shell's exec) goes on: its first exec counts. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(timed_exec, struct task_struct *task, __s32 old_pid, struct linux_binprm *bprm)
{
	struct pb_timed *timed = timed_of(task);

	if (!timed || !timed->is_child || timed->exec_ns)
		return 0;
	timed->exec_ns = bpf_ktime_get_ns();
	return 0;
}

/*
 * One that began in the window counts, though it end behind it: the longest would be missing
 * otherwise. The window is that of the work, which opens when it was planned to, and not a little
 * later when the loader gets there. The last thread ends the process, whichever that is; two that
 * end at a time both find none alive.
 */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(timed_exit, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct pb_timed *timed = leader ? timed_of(leader) : NULL;
	__u64 began_ns;

	if (!timed || !timed->is_child || BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	began_ns = __sync_lock_test_and_set(&timed->exec_ns, 0);
	if (began_ns && began_ns >= pb_control.timed_from_ns &&
	    began_ns < pb_control.timed_until_ns)
		hist_add(PB_HIST_EXEC, elapsed(began_ns, bpf_ktime_get_ns()));
	return 0;
}
