/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of members by number: count, errors, length. On request only: while this is
 * attached, every call of every process takes the kernel's slow way.
 */
#include "histogram.bpf.h"

#define MAX_ERRNO 4095

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_CALLS);
	__type(key, __u32);
	__type(value, struct pb_call);
} pb_calls SEC(".maps");

/* The index of each call number that was seen; 0: not yet. Read by the loader for the names. */
__u32 pb_call_index[PB_CALL_NRS] = {};

static __always_inline __u32 index_of(__u32 nr)
{
	__u32 index, other;

	if (nr >= PB_CALL_NRS)
		return PB_CALL_REST;
	index = pb_call_index[nr];
	if (index)
		return index;
	index = __sync_fetch_and_add(&pb_control.n_calls, 1) + 1;
	if (index >= PB_CALLS) {
		pb_control.n_calls = PB_CALLS;
		return PB_CALL_REST;
	}
	/* Where two CPUs meet, the earlier one's index stands. */
	other = __sync_val_compare_and_swap(&pb_call_index[nr], 0, index);
	return other ? other : index;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(syscall_enter, struct pt_regs *regs, long nr)
{
	struct pb_task *member;

	if (!pb_control.window)
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (!member)
		return 0;
	member->call_nr = (__u32)nr;
	member->call_entered_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(syscall_exit, struct pt_regs *regs, long result)
{
	struct pb_task *member;
	struct pb_call *call;
	__u64 ns;
	__u32 index;

	if (!pb_control.window)
		return 0;
	member = member_of(bpf_get_current_task_btf());
	if (!member || !member->call_entered_ns)
		return 0;
	ns = elapsed(member->call_entered_ns, bpf_ktime_get_ns());
	member->call_entered_ns = 0;
	index = index_of(member->call_nr);
	call = bpf_map_lookup_elem(&pb_calls, &index);
	if (!call)
		return 0;
	__sync_fetch_and_add(&call->count, 1);
	if (result < 0 && result >= -MAX_ERRNO)
		__sync_fetch_and_add(&call->errors, 1);
	hist_add(PB_HISTS + index, ns);
	return 0;
}
