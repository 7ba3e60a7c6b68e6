/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Distributions of times, built where the times are seen. */
#ifndef PERFBPF_HISTOGRAM_BPF_H
#define PERFBPF_HISTOGRAM_BPF_H

#include "membership.bpf.h"

/* Shards of each distribution: CPUs that differ in the lower bits do not meet. The loader sets it.
 */
const volatile __u32 pb_hist_shard_bits __weak = 0;

/* (kind << pb_hist_shard_bits) + shard; the loader sets how many there are. System calls follow
 * after the PB_HISTS kinds. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_HISTS);
	__type(key, __u32);
	__type(value, struct pb_hist);
} pb_hists SEC(".maps") __weak;

/* @value becomes at least @ns; tried again where another CPU came between. */
static __always_inline void raise_to(__u64 *value, __u64 ns)
{
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u64 before = *(volatile __u64 *)value;

		if (ns <= before || __sync_val_compare_and_swap(value, before, ns) == before)
			return;
	}
}

static __always_inline void lower_to(__u64 *value_plus_one, __u64 ns)
{
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u64 before = *(volatile __u64 *)value_plus_one;

		if ((before && ns + 1 >= before) ||
		    __sync_val_compare_and_swap(value_plus_one, before, ns + 1) == before)
			return;
	}
}

/* A function of its own: it is used in many places, and the verifier looks at it once. */
static __noinline int hist_add(__u32 kind, __u64 ns)
{
	__u32 shard = bpf_get_smp_processor_id() & ((1U << (pb_hist_shard_bits & 7)) - 1);
	__u32 key = (kind << (pb_hist_shard_bits & 7)) + shard, bucket = pb_hist_index(ns);
	struct pb_hist *hist = bpf_map_lookup_elem(&pb_hists, &key);

	if (!hist || bucket >= PB_HIST_BUCKETS)
		return 0;
	__sync_fetch_and_add(&hist->buckets[bucket], 1);
	__sync_fetch_and_add(&hist->sum_ns, ns);
	raise_to(&hist->max_ns, ns);
	lower_to(&hist->min_plus_one_ns, ns);
	return 0;
}

/* A time that other CPUs' clocks could make negative by some nanoseconds. */
static __always_inline __u64 elapsed(__u64 from_ns, __u64 to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

#endif
