/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Walks all tasks, in the observer's context: enrols a running tree, and settles all accounts at a
 * tick. */
#include "memory.bpf.h"
#include "time.bpf.h"

/*
 * What a running thread has run since the scheduler last wrote its account, which
 * is up to a tick ago. The scheduler's clock cannot be asked for, but the loader makes
 * the kernel bring this CPU's up to date just before the walk (it reads its own
 * thread's CPU clock), which gives the offset to CLOCK_MONOTONIC.
 */
static __always_inline __u64 running_ns(struct task_struct *task)
{
	__u64 clock, clock_task;
	struct rq *rq;
	__s64 ran;

	if (!task->on_cpu)
		return 0;
	rq = rq_of(task);
	if (!rq || !pb_control.sched_offset_ns)
		return 0;
	clock = BPF_CORE_READ(rq, clock);
	clock_task = BPF_CORE_READ(rq, clock_task);
	ran = (__s64)(bpf_ktime_get_ns() + pb_control.sched_offset_ns - clock) +
	      (__s64)(clock_task - task->se.exec_start);
	/* A thread that was switched to between the reads, or a clock that had not moved yet. */
	return ran > 0 && ran < 1000000000 ? (__u64)ran : 0;
}

static __always_inline void pass_begin(void)
{
	struct rq *rq = rq_of(bpf_get_current_task_btf());

	if (rq)
		pb_control.sched_offset_ns = (__s64)(BPF_CORE_READ(rq, clock) - bpf_ktime_get_ns());
}

/* Past its last switch: it has used all it will, and no program will tell of its end. */
static __always_inline bool is_dead(struct task_struct *task)
{
	return task->__state & TASK_DEAD && !task->on_cpu;
}

static __always_inline enum pb_thread_state state_of(struct task_struct *task)
{
	if (task->on_cpu)
		return PB_THREAD_RUNNING;
	return task->__state ? PB_THREAD_WAITING : PB_THREAD_QUEUED;
}

/* Charges the time up to @now and tells of it. */
static __always_inline void tell_time(struct task_struct *task, struct pb_task *member,
				      enum pb_thread_told how, __u64 now)
{
	struct pb_thread_time *time = &member->time;
	__u64 cpu_ns = task->se.sum_exec_runtime + running_ns(task), off_ns;

	if (time->state == PB_THREAD_RUNNING) {
		off_ns = lost_to_others(task);
		time->stolen_ns += elapsed(time->off_at_switch_ns, off_ns);
		time->off_at_switch_ns = off_ns;
	} else if (task->on_cpu) {
		time_missed_switch(time, cpu_ns, now);
	}
	time_settle(time, now);
	if (how == PB_THREAD_CLOSED)
		fsync_finish(time);
	tell_thread(task, member, cpu_ns, how, now);
}

/*
 * Threads that have not been switched since the window opened are adopted as they are; where
 * a phase begins they are told of, and when the window closes their accounts are. Not at every
 * tick: the account goes by the scheduler's clock, which this look is ahead of where a switch
 * is under way.
 */
static __always_inline void look_at_time(struct task_struct *task, struct pb_task *member)
{
	struct pb_thread_time *time = &member->time;
	bool known = time->window == pb_control.window;
	enum pb_thread_state state = state_of(task);
	__u64 now = bpf_ktime_get_ns();

	if (is_dead(task) || !time_adopt(task, member, state, running_ns(task), now))
		return;
	if (!known && state == PB_THREAD_WAITING)
		time_wait(task, time);
	if (pb_control.closing) {
		tell_time(task, member, PB_THREAD_CLOSED, now);
		time->window = 0;
	} else if (pb_control.look) {
		tell_time(task, member, PB_THREAD_SO_FAR, now);
	}
}

SEC("?iter/task")
int snapshot_tick(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pb_task *member;
	struct pb_slot *slot;
	struct mm_struct *mm;

	if (!task)
		return 0;
	if (!ctx->meta->seq_num)
		pass_begin();
	member = member_of(task);
	if (!member)
		return 0;
	slot = slot_at(member->slot);
	if (!slot)
		return 0;
	settle_thread(task, member, slot, running_ns(task));
	if (pb_want_time && pb_control.window)
		look_at_time(task, member);
	mm = task->mm;
	if (mm && slot->pass != pb_control.pass && member->slot != PB_SLOT_OVERFLOW) {
		slot->pass = pb_control.pass;
		memory_read(mm, &slot->memory);
	}
	if (mm && member->slot != PB_SLOT_OVERFLOW)
		memory_add_thread(task, &slot->memory);
	return 0;
}

static __always_inline void enrol_task(struct task_struct *task, __u32 index)
{
	struct pb_task *member;
	struct pb_slot *slot;

	member = bpf_task_storage_get(&pb_tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!member) {
		count_loss(PB_LOSS_STORAGE);
		return;
	}
	account_from_now(task, member, running_ns(task));
	member->slot = index;
	member->epoch = pb_control.epoch;
	slot = slot_at(index);
	/* A first thread that has ended before the others still leads them here. */
	if (slot && !is_dead(task))
		thread_begin(slot, index);
	pb_control.enrolled++;
}

/* What a process that was running already had last executed. */
static __always_inline void tell_exe(struct task_struct *task, __u32 index)
{
	struct pb_slot *slot = slot_at(index);
	struct pb_event_exec *event;
	struct mm_struct *mm;
	struct file *file;

	if (!slot || index == PB_SLOT_OVERFLOW)
		return;
	mm = task->mm;
	if (!mm)
		return;
	file = mm->exe_file;
	if (!file)
		return;
	event = bpf_ringbuf_reserve(&pb_ring, sizeof(*event), 0);
	if (!event) {
		count_loss(PB_LOSS_RING);
		return;
	}
	event_fill(&event->event, PB_EVENT_EXEC, index, slot->id);
	bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
	event->exe[0] = 0;
	bpf_d_path((struct path *)&file->f_path, event->exe, sizeof(event->exe));
	bpf_ringbuf_submit(event, event_flags());
}

static __always_inline void enrol_process(struct task_struct *task, struct task_struct *parent)
{
	__u32 index;

	/* All its threads have ended: it waits for its parent only. */
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		return;
	index = process_begin(task, tgid_of(parent), 1);
	enrol_task(task, index);
	tell_exe(task, index);
}

/*
 * One pass over all tasks. A root is marked by the loader (task storage by pidfd,
 * slot pending); the other threads of a member's process and the children of members
 * follow. The loader repeats the pass until it adds nothing.
 */
SEC("?iter/task")
int snapshot_enrol(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *leader, *parent;
	struct pb_task *member;

	if (!task)
		return 0;
	if (!ctx->meta->seq_num) {
		struct task_struct *self = bpf_get_current_task_btf();

		pass_begin();
		percpu_learn();
		pb_control.pidns_level = BPF_CORE_READ(self, thread_pid, level);
	}
	if (task->flags & PF_KTHREAD || member_of(task))
		return 0;
	if (tgid_of(task) == pb_control.observer_pid)
		return 0;
	if (task->pid != task->tgid) {
		leader = task->group_leader;
		member = leader ? member_of(leader) : NULL;
		if (member && !is_dead(task))
			enrol_task(task, member->slot);
		return 0;
	}
	member = bpf_task_storage_get(&pb_tasks, task, NULL, 0);
	parent = task->real_parent;
	if (!parent)
		return 0;
	if ((member && member->epoch == pb_control.epoch) || member_of(parent))
		enrol_process(task, parent);
	return 0;
}
