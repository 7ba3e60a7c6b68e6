/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a process's slot: taking one, counting its threads, giving its end to the loader. */
#ifndef PERFBPF_PROCESS_BPF_H
#define PERFBPF_PROCESS_BPF_H

#include "account.bpf.h"

#define TASK_DEAD 0x00000080

/* What the number @nr of the first namespace is in the observer's. */
static __always_inline __s32 number_of(struct pid *pid, __s32 nr)
{
	void *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);

	/* The index cannot be part of the relocated expression: it is not constant. */
	__s32 seen;

	if (!bpf_probe_read_kernel(
		    &seen, sizeof(seen),
		    numbers + pb_control.pidns_level * bpf_core_type_size(struct upid) +
			    bpf_core_field_offset(struct upid, nr)))
		nr = seen;
	return nr;
}

/* The thread group's number in the observer's pid namespace. */
static __always_inline __s32 tgid_of(struct task_struct *task)
{
	if (!pb_control.pidns_level)
		return task->tgid;
	return number_of(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]), task->tgid);
}

/* The thread's own; a dying one has none left. */
static __always_inline __s32 tid_of(struct task_struct *task)
{
	if (!pb_control.pidns_level)
		return task->pid;
	return number_of(BPF_CORE_READ(task, thread_pid), task->pid);
}

static __always_inline __u32 slot_take(void)
{
	__u32 index;

	if (!bpf_map_pop_elem(&pb_free_slots, &index))
		return index;
	if (pb_control.slots_used < PB_SLOTS - 1) {
		index = __sync_fetch_and_add(&pb_control.slots_used, 1) + 1;
		if (index < PB_SLOTS)
			return index;
	}
	count_loss(PB_LOSS_MAP_FULL);
	return PB_SLOT_OVERFLOW;
}

/*
 * The loader reads at its next tick; only where so much waits that the ring could be
 * full before that, it is woken.
 */
const volatile __u32 pb_ring_bytes __weak = PB_RING_BYTES;

static __always_inline __u64 event_flags(void)
{
	return bpf_ringbuf_query(&pb_ring, BPF_RB_AVAIL_DATA) > pb_ring_bytes / 2
		       ? BPF_RB_FORCE_WAKEUP
		       : BPF_RB_NO_WAKEUP;
}

static __always_inline void event_fill(struct pb_event *event, enum pb_event_kind kind, __u32 index,
				       __u64 id)
{
	event->kind = kind;
	event->slot = index;
	event->id = id;
	event->time_ns = bpf_ktime_get_ns();
}

/*
 * A new process of the side: gives it a slot and tells the loader. Returns the
 * slot's index; the overflow slot where all are taken (that is counted).
 */
static __always_inline __u32 process_begin(struct task_struct *task, __s32 ppid, __u32 enrolled)
{
	struct pb_event_start *event;
	struct pb_slot *slot;
	__u32 index;

	/* A process that the loader does not hear of could not be added up from its slot. */
	event = bpf_ringbuf_reserve(&pb_ring, sizeof(*event), 0);
	if (!event) {
		count_loss(PB_LOSS_RING);
		return PB_SLOT_OVERFLOW;
	}
	index = slot_take();
	slot = slot_at(index);
	if (!slot || index == PB_SLOT_OVERFLOW) {
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return PB_SLOT_OVERFLOW;
	}
	__builtin_memset(slot, 0, sizeof(*slot));
	slot->id = __sync_fetch_and_add(&pb_control.next_id, 1) + 1;
	/* The kernel's own mark, on CLOCK_MONOTONIC: of an enrolled one it lies back. */
	slot->started_ns = task->start_time;
	slot->pid = tgid_of(task);
	__sync_fetch_and_add(&pb_control.live, 1);

	event_fill(&event->event, PB_EVENT_START, index, slot->id);
	event->event.time_ns = slot->started_ns;
	event->pid = slot->pid;
	event->ppid = ppid;
	event->enrolled = enrolled;
	event->pad = 0;
	bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
	bpf_ringbuf_submit(event, event_flags());
	return index;
}

static __always_inline void thread_begin(struct pb_slot *slot, __u32 index)
{
	__s32 threads = __sync_fetch_and_add(&slot->threads, 1) + 1;

	/* In the overflow slot processes cannot be told apart: each thread keeps the side alive. */
	if (index == PB_SLOT_OVERFLOW)
		__sync_fetch_and_add(&pb_control.live, 1);
	else if (threads > slot->threads_peak)
		slot->threads_peak = threads;
}

/* Nobody will take in this process's end: its costs go to the overflow slot, its slot is free. */
static __always_inline void process_lost(struct pb_slot *slot, __u32 index)
{
	struct pb_slot *overflow = slot_at(PB_SLOT_OVERFLOW);

	count_loss(PB_LOSS_RING);
	if (overflow)
		totals_add(&overflow->totals, &slot->totals);
	slot->id = 0;
	bpf_map_push_elem(&pb_free_slots, &index, 0);
}

/* After the last thread's last switch: all is known now. */
static __always_inline void process_end(struct task_struct *task, struct pb_slot *slot, __u32 index)
{
	struct pb_event_exit *event = bpf_ringbuf_reserve(&pb_ring, sizeof(*event), 0);
	bool was_last = __sync_fetch_and_add(&pb_control.live, -1) == 1;

	if (!event) {
		process_lost(slot, index);
		return;
	}
	event_fill(&event->event, PB_EVENT_EXIT, index, slot->id);
	event->exit_code = slot->exit_code;
	event->threads_peak = slot->threads_peak;
	bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
	event->totals = slot->totals;
	event->memory = slot->memory;
	/* A round that runs to completion waits for this one; all else is read at the next tick. */
	bpf_ringbuf_submit(event, was_last ? BPF_RB_FORCE_WAKEUP : event_flags());
}

static __always_inline void thread_end(struct task_struct *task, struct pb_slot *slot, __u32 index)
{
	__s32 left = __sync_fetch_and_add(&slot->threads, -1) - 1;

	if (index == PB_SLOT_OVERFLOW)
		__sync_fetch_and_add(&pb_control.live, -1);
	else if (left == 0)
		process_end(task, slot, index);
}

#endif
