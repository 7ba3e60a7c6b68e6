/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a thread's time goes: on a CPU, ready in a run queue, or waiting for a reason.
 * The time on a CPU is the scheduler's own account; the others begin and end at its
 * switches and wake-ups. A thread is adopted by a window when it is first seen in it,
 * with the account that it has at that moment, so that the parts add up to the whole
 * from there on.
 */
#ifndef PERFBPF_TIME_BPF_H
#define PERFBPF_TIME_BPF_H

#include "histogram.bpf.h"
#include "process.bpf.h"
#include "wait.bpf.h"

/* Is time accounted at all? The loader sets it. */
const volatile bool pb_want_time __weak = true;

/*
 * The run queue of the CPU that a task is on; NULL in kernels without group scheduling. Read
 * straight through typed pointers, not by helpers: it is on the way of every switch.
 */
static __always_inline struct rq *rq_of(struct task_struct *task)
{
	struct cfs_rq *cfs;

	if (!bpf_core_field_exists(struct cfs_rq, rq))
		return NULL;
	cfs = task->se.cfs_rq;
	return cfs ? cfs->rq : NULL;
}

/*
 * Now, as the scheduler has it, in CLOCK_MONOTONIC. Some time can pass from there to a tracepoint
 * (a lot, where a host takes the CPU away in between), which the account gives to the next
 * thread.
 */
static __always_inline __u64 scheduler_now(struct task_struct *task)
{
	struct rq *rq = pb_control.window_offset_ns ? rq_of(task) : NULL;

	return rq ? rq->clock - pb_control.window_offset_ns : bpf_ktime_get_ns();
}

/* What the run queue's CPU has lost to the host and to interrupts: its clock goes on, that of its
 * tasks does not. */
static __always_inline __u64 lost_to_others(struct task_struct *task)
{
	struct rq *rq = rq_of(task);

	return rq ? rq->clock - rq->clock_task : 0;
}

/*
 * The moment at which the scheduler last wrote the account of a thread that is being switched, in
 * CLOCK_MONOTONIC: to there it has run, or from there it will. For both threads of a switch it can
 * lie before the tracepoint, by what the scheduler does in between (looking for other work, where
 * the CPU would go idle).
 */
static __always_inline __u64 account_moment(struct task_struct *task)
{
	if (!pb_control.window_offset_ns || !rq_of(task))
		return bpf_ktime_get_ns();
	return task->se.exec_start + lost_to_others(task) - pb_control.window_offset_ns;
}

/* Takes the time since the last look, once, whoever looks. */
static __always_inline __u64 time_take(struct pb_thread_time *time, __u64 now)
{
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u64 before = *(volatile __u64 *)&time->settled_ns;

		if (now <= before)
			return 0;
		if (__sync_val_compare_and_swap(&time->settled_ns, before, now) == before)
			return now - before;
	}
	return 0;
}

/* Charges the time up to @now to what the thread is doing. */
static __always_inline void time_settle(struct pb_thread_time *time, __u64 now)
{
	__u64 ns = time_take(time, now);
	__u32 reason = time->reason;

	if (time->state == PB_THREAD_QUEUED)
		__sync_fetch_and_add(&time->run_queue_ns, ns);
	if (time->state != PB_THREAD_WAITING || reason >= PB_WAITS)
		return;
	__sync_fetch_and_add(&time->wait_ns[reason], ns);
	if (time->is_lock)
		__sync_fetch_and_add(&time->lock_ns, ns);
}

/*
 * Accounts go by the scheduler's clock, lengths by the clock on the wall: the scheduler does not
 * look at its own between a wake-up and the switch that it causes, and the way through the
 * run queue would often be 0.
 */
static __always_inline void time_enter(struct pb_thread_time *time, enum pb_thread_state state,
				       __u64 clock_ns)
{
	time->state = state;
	time->since_ns = clock_ns;
}

/* The call that it waited in is over: another one has come, or the thread's end. */
static __always_inline void fsync_finish(struct pb_thread_time *time)
{
	if (time->fsync_key && time->fsync_ended_ns > time->fsync_began_ns)
		hist_add(PB_HIST_FSYNC, time->fsync_ended_ns - time->fsync_began_ns);
	time->fsync_key = 0;
	time->fsync_ended_ns = 0;
}

static __always_inline void fsync_waits(struct pb_thread_time *time, __u64 key, __u64 now)
{
	if (time->fsync_key == key)
		return;
	fsync_finish(time);
	time->fsync_key = key;
	time->fsync_began_ns = now;
}

/* Leaves the CPU for a reason of its own, or is seen waiting. */
static __always_inline void time_wait(struct task_struct *task, struct pb_thread_time *time)
{
	struct wait_reason why = {.epoll = time->epoll};
	__u64 now = bpf_ktime_get_ns();

	wait_reason(task, &why);
	time->epoll = why.epoll;
	time->reason = (__u16)why.reason;
	time->is_lock = why.is_lock;
	time->in_fsync = why.sync_key != 0;
	if (why.sync_key)
		fsync_waits(time, why.sync_key, now);
	else
		fsync_finish(time);
	time_enter(time, PB_THREAD_WAITING, now);
}

/*
 * Is this thread one of the present window? One that is not yet is adopted in @state,
 * unless the window is closing. @running_ns: what it has run beyond the scheduler's account.
 */
static __always_inline bool time_adopt(struct task_struct *task, struct pb_task *member,
				       enum pb_thread_state state, __u64 running_ns, __u64 now)
{
	struct pb_thread_time *time = &member->time;

	if (time->window == pb_control.window)
		return true;
	if (pb_control.closing)
		return false;
	__builtin_memset(time, 0, sizeof(*time));
	time->reason = PB_WAITS;
	time->tid = tid_of(task);
	time->began_ns = now;
	time->settled_ns = now;
	time->cpu_at_begin_ns = task->se.sum_exec_runtime + running_ns;
	time->cpu_at_out_ns = time->cpu_at_begin_ns;
	time->off_at_switch_ns = lost_to_others(task);
	time_enter(time, state, now);
	time->window = pb_control.window;
	return true;
}

static __always_inline void tell_thread(struct task_struct *task, struct pb_task *member,
					__u64 cpu_ns, enum pb_thread_told how, __u64 now)
{
	struct pb_slot *slot = slot_at(member->slot);
	struct pb_thread_time *time = &member->time;
	struct pb_event_thread *event;

	event = slot ? bpf_ringbuf_reserve(&pb_ring, sizeof(*event), 0) : NULL;
	if (!event) {
		count_loss(PB_LOSS_RING);
		return;
	}
	event_fill(&event->event, PB_EVENT_THREAD, member->slot, slot->id);
	event->event.time_ns = now;
	event->pid = tgid_of(task);
	event->tid = time->tid;
	event->how = how;
	event->pad = 0;
	event->began_ns = time->began_ns;
	event->cpu_ns = elapsed(time->cpu_at_begin_ns, cpu_ns);
	event->stolen_ns = time->stolen_ns;
	event->run_queue_ns = time->run_queue_ns;
	event->lock_ns = time->lock_ns;
	__builtin_memcpy(event->wait_ns, time->wait_ns, sizeof(event->wait_ns));
	bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
	bpf_ringbuf_submit(event, event_flags());
}

/* Its waiting is over, and settled. @clock_ns: when. */
static __always_inline void time_end_wait(struct pb_thread_time *time, __u64 clock_ns)
{
	__u32 reason = time->reason;

	if (time->state != PB_THREAD_WAITING)
		return;
	if (!time->is_new && reason < PB_WAITS)
		hist_add(PB_HIST_WAIT + reason, elapsed(time->since_ns, clock_ns));
	if (time->in_fsync)
		time->fsync_ended_ns = clock_ns;
	if (time->is_new)
		time->reason = PB_WAITS;
	time->is_new = 0;
}

/*
 * It is on a CPU, and nobody has told: a kernel can switch without saying so (one
 * under Firecracker does, away from threads of its first process). How long it has run is in
 * its account, and when it began follows. @cpu_ns: the account now.
 */
static __always_inline void time_missed_switch(struct pb_thread_time *time, __u64 cpu_ns, __u64 now)
{
	__u64 began_ns = now - elapsed(time->cpu_at_out_ns, cpu_ns);

	time_settle(time, began_ns);
	if (time->state == PB_THREAD_QUEUED)
		hist_add(PB_HIST_RUN_QUEUE, elapsed(time->since_ns, began_ns));
	time_end_wait(time, began_ns);
	time_enter(time, PB_THREAD_RUNNING, began_ns);
}

/* Goes off its CPU. The scheduler has just written its account. */
static __always_inline void time_switch_out(struct task_struct *task, struct pb_task *member,
					    bool preempt, __u64 now)
{
	struct pb_thread_time *time = &member->time;

	if (!time_adopt(task, member, PB_THREAD_RUNNING, 0, now))
		return;
	if (time->state == PB_THREAD_RUNNING)
		time->stolen_ns += elapsed(time->off_at_switch_ns, lost_to_others(task));
	else
		time_missed_switch(time, task->se.sum_exec_runtime, now);
	time->cpu_at_out_ns = task->se.sum_exec_runtime;
	time_settle(time, now);
	if (task->__state & TASK_DEAD) {
		fsync_finish(time);
		tell_thread(task, member, task->se.sum_exec_runtime, PB_THREAD_ENDED, now);
		time->window = 0;
	} else if (preempt || !task->__state) {
		time->reason = PB_WAITS;
		time_enter(time, PB_THREAD_QUEUED, bpf_ktime_get_ns());
	} else {
		time_wait(task, time);
	}
}

static __always_inline void time_switch_in(struct task_struct *task, struct pb_task *member,
					   __u64 now)
{
	struct pb_thread_time *time = &member->time;
	__u64 clock_ns = bpf_ktime_get_ns();

	if (!time_adopt(task, member, PB_THREAD_QUEUED, 0, now))
		return;
	time_settle(time, now);
	if (time->state == PB_THREAD_QUEUED)
		hist_add(PB_HIST_RUN_QUEUE, elapsed(time->since_ns, clock_ns));
	/* Nobody has told of its wake-up: kernels leave that out as they do switches. */
	time_end_wait(time, clock_ns);
	time->off_at_switch_ns = lost_to_others(task);
	time_enter(time, PB_THREAD_RUNNING, 0);
}

/* Put into a run queue: its waiting is over. */
static __always_inline void time_wake(struct task_struct *task, struct pb_task *member, __u64 now)
{
	struct pb_thread_time *time = &member->time;
	__u64 clock_ns = bpf_ktime_get_ns();

	if (!time_adopt(task, member, PB_THREAD_QUEUED, 0, now))
		return;
	/* Woken before it had left its CPU: nothing was waited for. */
	if (time->state != PB_THREAD_WAITING)
		return;
	time_settle(time, now);
	time_end_wait(time, clock_ns);
	time_enter(time, PB_THREAD_QUEUED, clock_ns);
}

/* A thread that has just been made, and is not in a run queue yet. */
static __always_inline void time_begin(struct task_struct *task, struct pb_task *member)
{
	struct pb_thread_time *time = &member->time;
	__u64 now;

	time->window = 0;
	if (!pb_want_time || !pb_control.window)
		return;
	now = bpf_ktime_get_ns();
	if (!time_adopt(task, member, PB_THREAD_WAITING, 0, now))
		return;
	time->reason = PB_WAIT_OTHER;
	time->is_new = 1;
}

#endif
