/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What waits: at random moments perfbpf walks all tasks and looks at those that are not on a CPU.
 * A thread that is off its CPU stands where it left it, so its stack can be read from outside:
 * the target pays nothing, the cost is bounded by the number of looks, and since the moments
 * are drawn without regard to what the threads do, time is told without bias.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "perfbpf.h"

#define PAGE 4096
/* From the switch to perfbpf until it reads the clock. */
#define SLACK_NS 50000

static __always_inline int unwind_read(void *reader, __u64 address, __u64 *value);

static __always_inline long stack_read(struct task_struct *task, void *to, __u32 bytes,
				       __u64 address)
{
	return bpf_copy_from_user_task(to, bytes, (const void *)address, task, 0);
}

#include "calls.bpf.h"
#include "stack.bpf.h"
#include "time.bpf.h"

/* One walk of all tasks at a time. */
struct offcpu_scratch {
	__u64 page_address; /* of the page that is here, 0: none */
	__u8 page[PAGE];
	struct stack_scratch stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct offcpu_scratch);
} pb_offcpu_scratch SEC(".maps");

/* Frames lie close together: a page is fetched once, by a call that can wait for it. */
static __always_inline int unwind_read(void *reader, __u64 address, __u64 *value)
{
	struct walk *walk = reader;
	struct offcpu_scratch *scratch;
	__u64 page = address & ~(__u64)(PAGE - 1);
	__u32 zero = 0;

	scratch = bpf_map_lookup_elem(&pb_offcpu_scratch, &zero);
	if (!scratch || address & 7)
		return -1;
	if (scratch->page_address != page) {
		scratch->page_address = 0;
		if (bpf_copy_from_user_task(scratch->page, PAGE, (const void *)page, walk->task, 0))
			return -1;
		scratch->page_address = page;
	}
	*value = *(__u64 *)&scratch->page[address & (PAGE - 8)];
	return 0;
}

static __always_inline __u64 switches_of(struct task_struct *task)
{
	return task->nvcsw + task->nivcsw;
}

/* A number that has nothing to do with when the thread was made. */
static __always_inline __u32 scatter(__u32 n)
{
	n *= 0x9e3779b1;
	return n ^ n >> 16;
}

static __always_inline bool is_its_turn(struct task_struct *task)
{
	__u32 stride = pb_control.offcpu_stride;

	return stride <= 1 ||
	       scatter((__u32)task->pid + scatter(pb_control.offcpu_pass)) % stride == 0;
}

/*
 * Only perfbpf has the CPU that it would be on: it was taken away for this very walk, or would
 * have been given to it meanwhile. A thread that has been ready for longer than perfbpf runs is
 * kept by others.
 */
static __always_inline bool is_held_up_by_us(const struct pb_task *member)
{
	return member->time.state == PB_THREAD_QUEUED &&
	       member->time.since_ns + SLACK_NS > pb_control.offcpu_from_ns;
}

static __always_inline void send_for(struct walk *walk, __u8 reason)
{
	walk->scratch->event.source = PB_STACK_OFFCPU;
	walk->scratch->event.reason = reason;
	walk->scratch->event.weight_ns = pb_control.offcpu_weight_ns;
	stack_send(walk->scratch, walk->n);
}

static __always_inline void send_again(struct walk *walk, const struct pb_task *member,
				       const struct pb_slot *slot, __u8 reason)
{
	walk->end = PB_WALK_COMPLETE;
	stack_fill(walk, member, slot, 0);
	walk->scratch->event.is_again = 1;
	send_for(walk, reason);
}

static __always_inline void send_stack(struct walk *walk, const struct pb_task *member,
				       const struct pb_slot *slot, __u8 reason, __u64 switches)
{
	__u32 n_kernel = 0;
	long bytes;

	bytes = bpf_get_task_stack(walk->task, walk->scratch->words, 8 * PB_KERNEL_FRAMES, 0);
	if (bytes > 0 && bytes <= 8 * PB_KERNEL_FRAMES)
		n_kernel = (__u32)bytes / 8;
	walk->n = n_kernel;
	walk_user(walk, walk->task, slot);
	/* Its time is as it was; where it was cannot be told any more. */
	if (walk->task->on_cpu || switches_of(walk->task) != switches) {
		walk->end = PB_WALK_WOKEN;
		walk->n = n_kernel = 0;
	}
	stack_fill(walk, member, slot, n_kernel);
	send_for(walk, reason);
}

SEC("?iter.s/task")
int profile_offcpu(struct bpf_iter__task *ctx)
{
	struct walk walk = {.end = -1};
	struct offcpu_scratch *scratch;
	struct pb_task *member;
	struct pb_slot *slot;
	__u32 zero = 0;
	__u64 switches;
	__u8 reason;

	walk.task = ctx->task;
	if (!walk.task || !pb_control.window || walk.task->on_cpu)
		return 0;
	member = member_of(walk.task);
	if (!member || member->time.window != pb_control.window ||
	    member->time.state == PB_THREAD_RUNNING || walk.task->__state & TASK_DEAD ||
	    !is_its_turn(walk.task) || is_held_up_by_us(member))
		return 0;
	slot = slot_at(member->slot);
	scratch = bpf_map_lookup_elem(&pb_offcpu_scratch, &zero);
	if (!slot || !scratch)
		return 0;
	walk.scratch = &scratch->stack;
	switches = switches_of(walk.task);
	reason = member->time.state == PB_THREAD_QUEUED ? PB_REASON_RUN_QUEUE
						       : (__u8)member->time.reason;
	if (member->sampled_in == pb_control.window && member->sampled_switches == switches) {
		send_again(&walk, member, slot, reason);
		return 0;
	}
	scratch->page_address = 0;
	send_stack(&walk, member, slot, reason, switches);
	if (walk.end == PB_WALK_WOKEN || walk_is_open(&walk))
		return 0;
	member->sampled_switches = switches;
	member->sampled_in = pb_control.window;
	return 0;
}
