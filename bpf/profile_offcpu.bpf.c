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

struct walk;

static __always_inline int unwind_read(void *reader, __u64 address, __u64 *value);
static __always_inline bool unwind_fetch(struct walk *walk);

static __always_inline long stack_read(struct task_struct *task, void *to, __u32 bytes,
				       __u64 address)
{
	return bpf_copy_from_user_task(to, bytes, (const void *)address, task, 0);
}

#include "calls.bpf.h"
#include "stack.bpf.h"
#include "time.bpf.h"

/* A step may look at its own frame and at one that lies elsewhere, by turns. */
#define PAGES 2

/* One walk of all tasks at a time. */
struct offcpu_scratch {
	__u64 addresses[PAGES]; /* of the pages that are here, 0: none */
	__u64 wanted;           /* of the page that was missing, 0: none */
	__u64 fetched;          /* so far */
	__u8 pages[PAGES * PAGE];
	struct stack_scratch stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct offcpu_scratch);
} pb_offcpu_scratch SEC(".maps");

static __always_inline struct offcpu_scratch *scratch_at(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pb_offcpu_scratch, &zero);
}

/*
 * Reads from pages that are here. One that is not is fetched between two attempts at a step, in one
 * place, since the verifier follows every way to it; for its sake this is a function of its own,
 * too.
 */
__weak __noinline int offcpu_read(__u64 address, __u64 *value)
{
	struct offcpu_scratch *scratch = scratch_at();
	__u64 page = address & ~(__u64)(PAGE - 1);
	__u32 at = address & (PAGE - 8);

	if (!scratch || !value || address & 7)
		return -1;
	if (scratch->addresses[0] != page) {
		if (scratch->addresses[1] != page) {
			scratch->wanted = page;
			return -1;
		}
		at += PAGE;
	}
	*value = *(__u64 *)&scratch->pages[at];
	return 0;
}

static __always_inline int unwind_read(void *reader, __u64 address, __u64 *value)
{
	return offcpu_read(address, value);
}

/* The page that was missing, by a call that can wait for it; false where it cannot be had. */
static __always_inline bool unwind_fetch(struct walk *walk)
{
	struct offcpu_scratch *scratch = scratch_at();
	__u64 wanted;
	__u32 slot;

	if (!scratch || !scratch->wanted)
		return false;
	wanted = scratch->wanted;
	scratch->wanted = 0;
	slot = scratch->fetched++ & (PAGES - 1);
	scratch->addresses[slot] = 0;
	if (bpf_copy_from_user_task(&scratch->pages[slot * PAGE], PAGE, (const void *)wanted,
				    walk->task, 0))
		return false;
	scratch->addresses[slot] = wanted;
	return true;
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
 * Is it ready on perfbpf's own CPU since perfbpf has had that? A thread that has been ready for
 * longer is kept by others.
 */
static __always_inline bool is_held_up_by_us(struct task_struct *task, const struct pb_task *member)
{
	struct rq *rq;

	if (member->time.state != PB_THREAD_QUEUED ||
	    member->time.since_ns + SLACK_NS <= pb_control.offcpu_from_ns)
		return false;
	rq = rq_of(task);
	return !rq || rq->cpu == (int)bpf_get_smp_processor_id();
}

/*
 * Why it was off its CPU when the look was due; PB_WAITS + 1: it was not. What perfbpf holds up ran
 * until then, and its CPU was taken away for this very walk, or it waited, and would have been
 * given it meanwhile.
 */
static __always_inline __u8 reason_of(struct task_struct *task, const struct pb_task *member)
{
	__u8 reason = (__u8)member->time.reason;

	if (member->time.state == PB_THREAD_WAITING)
		return reason;
	if (!is_held_up_by_us(task, member))
		return PB_REASON_RUN_QUEUE;
	return reason < PB_WAITS ? reason : PB_WAITS + 1;
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
	    !is_its_turn(walk.task))
		return 0;
	reason = reason_of(walk.task, member);
	if (reason > PB_REASON_RUN_QUEUE)
		return 0;
	slot = slot_at(member->slot);
	scratch = bpf_map_lookup_elem(&pb_offcpu_scratch, &zero);
	if (!slot || !scratch)
		return 0;
	walk.scratch = &scratch->stack;
	switches = switches_of(walk.task);
	if (member->sampled_in == pb_control.window && member->sampled_switches == switches) {
		send_again(&walk, member, slot, reason);
		return 0;
	}
	scratch->addresses[0] = scratch->addresses[1] = scratch->wanted = 0;
	send_stack(&walk, member, slot, reason, switches);
	if (walk.end == PB_WALK_WOKEN || walk_is_open(&walk))
		return 0;
	member->sampled_switches = switches;
	member->sampled_in = pb_control.window;
	return 0;
}
