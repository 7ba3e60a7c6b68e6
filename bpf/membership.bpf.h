/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who belongs to the side under test, and the account of its process. Membership
 * is in task storage, never keyed by pid: a pid can be used again, a task cannot.
 */
#ifndef PERFBPF_MEMBERSHIP_BPF_H
#define PERFBPF_MEMBERSHIP_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "perfbpf.h"

/* Weak, since each concern's object defines them alike and the BPF linker keeps one. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pb_task);
} pb_tasks SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_SLOTS);
	__type(key, __u32);
	__type(value, struct pb_slot);
} pb_slots SEC(".maps") __weak;

/* Slots that were given back: by the loader, after it has taken in a process's end. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, PB_SLOTS);
	__type(value, __u32);
} pb_free_slots SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PB_RING_BYTES);
} pb_ring SEC(".maps") __weak;

struct pb_control pb_control __weak = {};

static __always_inline void count_loss(enum pb_loss cause)
{
	__sync_fetch_and_add(&pb_control.losses[cause], 1);
}

/* The storage of a member of this round, or NULL. */
static __always_inline struct pb_task *member_of(struct task_struct *task)
{
	struct pb_task *member = bpf_task_storage_get(&pb_tasks, task, NULL, 0);

	if (!member || member->epoch != pb_control.epoch || member->slot == PB_SLOT_PENDING)
		return NULL;
	return member;
}

static __always_inline struct pb_slot *slot_at(__u32 index)
{
	return bpf_map_lookup_elem(&pb_slots, &index);
}

static __always_inline struct pb_slot *slot_of_current(void)
{
	struct pb_task *member = member_of(bpf_get_current_task_btf());

	return member ? slot_at(member->slot) : NULL;
}

#endif
