/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What runs: a sample of the thread that each CPU is busy with, many times a second. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "perfbpf.h"

/* Of the current thread, wherever it was interrupted; what is not resident cannot be read. */
static __always_inline int unwind_read(void *reader, __u64 address, __u64 *value)
{
	return bpf_probe_read_user(value, sizeof(*value), (const void *)address);
}

/* Nothing can be waited for here. */
struct walk;
static __always_inline bool unwind_fetch(struct walk *walk)
{
	return false;
}

static __always_inline long stack_read(struct task_struct *task, void *to, __u32 bytes,
				       __u64 address)
{
	return bpf_probe_read_user(to, bytes, (const void *)address);
}

#include "calls.bpf.h"
#include "stack.bpf.h"

/* What one sample stands for; the loader sets it. */
const volatile __u64 pb_oncpu_period_ns __weak = 0;

/*
 * One for each CPU: used in the sampling interrupt only, which does not interrupt itself. No
 * per-CPU map: their values are at most 32 KiB. The loader sets how many.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_scratch);
} pb_oncpu_scratch SEC(".maps");

SEC("?perf_event")
int profile_oncpu(void *ctx)
{
	struct walk walk = {.end = -1};
	struct pb_task *member;
	struct pb_slot *slot;
	__u32 cpu = bpf_get_smp_processor_id(), n_kernel = 0;
	long bytes;

	if (!pb_control.window)
		return 0;
	walk.task = bpf_get_current_task_btf();
	member = member_of(walk.task);
	if (!member)
		return 0;
	slot = slot_at(member->slot);
	walk.scratch = bpf_map_lookup_elem(&pb_oncpu_scratch, &cpu);
	if (!slot || !walk.scratch)
		return 0;
	bytes = bpf_get_stack(ctx, walk.scratch->words, 8 * PB_KERNEL_FRAMES, 0);
	if (bytes > 0 && bytes <= 8 * PB_KERNEL_FRAMES)
		n_kernel = (__u32)bytes / 8;
	walk.n = n_kernel;
	walk_user(&walk, walk.task, slot);
	stack_fill(&walk, member, slot, n_kernel);
	walk.scratch->event.source = PB_STACK_ONCPU;
	walk.scratch->event.reason = 0;
	walk.scratch->event.weight_ns = pb_oncpu_period_ns;
	stack_send(walk.scratch, walk.n);
	return 0;
}
