/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading an address space: resident set by kind, its high-water mark, and virtual size. */
#ifndef PERFBPF_MEMORY_BPF_H
#define PERFBPF_MEMORY_BPF_H

#include "membership.bpf.h"

#define PB_MAX_CPUS 1024

const volatile __u32 pb_cpus __weak = 1;
const volatile __u32 pb_page_bytes __weak = 4096;
/* Where each CPU's part of a per-CPU object lies; filled by percpu_learn(). */
__u64 pb_cpu_offsets[PB_MAX_CPUS] __weak = {};
__u64 pb_scratch __weak = 0;

/* Holds nothing: its addresses tell where the CPUs' parts lie. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} pb_percpu SEC(".maps") __weak;

/*
 * The kernel's own table of offsets has no type and, in kernels without
 * KALLSYMS_ALL, no known address. So the offsets are derived from a per-CPU map, of
 * which both the per-CPU pointer and each CPU's address can be read. Once, in the
 * observer's context.
 */
static __always_inline void percpu_learn(void)
{
	volatile __u64 *scratch = &pb_scratch;
	struct bpf_array *array;
	__u64 pointer = 0;
	__u32 zero = 0;

	if (pb_cpu_offsets[0])
		return;
	/* Through memory, since the verifier allows no arithmetic on such addresses. */
	*scratch = (__u64)&pb_percpu;
	array = (struct bpf_array *)*scratch;
	bpf_core_read(&pointer, sizeof(pointer), &array->pptrs[0]);
	if (!pointer)
		return;
	for (__u32 cpu = 0; cpu < pb_cpus && cpu < PB_MAX_CPUS; cpu++) {
		void *part = bpf_map_lookup_percpu_elem(&pb_percpu, &zero, cpu);

		if (!part)
			return;
		*scratch = (__u64)part;
		pb_cpu_offsets[cpu] = *scratch - pointer;
	}
}

/*
 * The kernel counts resident pages in per-CPU parts that it folds only now and
 * then: the common part alone is off by up to a batch of pages for each CPU. So the
 * parts are summed.
 */
static __always_inline __u64 counter_bytes(struct percpu_counter *counter)
{
	__s64 pages = BPF_CORE_READ(counter, count);
	__u64 parts = (__u64)BPF_CORE_READ(counter, counters);

	for (__u32 cpu = 0; cpu < pb_cpus && cpu < PB_MAX_CPUS; cpu++) {
		__s32 part = 0;

		if (!pb_cpu_offsets[cpu])
			break;
		bpf_probe_read_kernel(&part, sizeof(part), (void *)(parts + pb_cpu_offsets[cpu]));
		pages += part;
	}
	return pages > 0 ? (__u64)pages * pb_page_bytes : 0;
}

/*
 * Before Linux 6.2 (f1a7941243c1) the counters were plain, and each thread kept a
 * part of its own until 64 faults had come together.
 */
struct mm_rss_stat___before_6_2 {
	struct {
		long counter;
	} count[4];
} __attribute__((preserve_access_index));

struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
} __attribute__((preserve_access_index));

struct task_rss_stat___before_6_2 {
	int count[4];
} __attribute__((preserve_access_index));

struct task_struct___before_6_2 {
	struct task_rss_stat___before_6_2 rss_stat;
} __attribute__((preserve_access_index));

static __always_inline bool has_plain_counters(void)
{
	/* Asked by a field of a type that every kernel has: for a type that is not in the kernel
	 * libbpf would look into modules, which takes CAP_SYS_ADMIN. */
	return bpf_core_field_exists(struct mm_struct___before_6_2, rss_stat.count);
}

static __always_inline __u64 plain_bytes(__s64 pages)
{
	return pages > 0 ? (__u64)pages * pb_page_bytes : 0;
}

/* A macro, since an index that is no constant cannot be relocated. */
#define PLAIN_COUNTER(mm, which)                                                                   \
	BPF_CORE_READ((struct mm_struct___before_6_2 *)(mm), rss_stat.count[which].counter)

/* The part that a thread still keeps to itself; may be negative. */
static __always_inline void memory_add_thread(struct task_struct *task, struct pb_memory *memory)
{
	struct task_struct___before_6_2 *old = (void *)task;

	if (!has_plain_counters() || !bpf_core_field_exists(old->rss_stat))
		return;
	memory->rss_file_bytes +=
		(__s64)BPF_CORE_READ(old, rss_stat.count[MM_FILEPAGES]) * pb_page_bytes;
	memory->rss_anon_bytes +=
		(__s64)BPF_CORE_READ(old, rss_stat.count[MM_ANONPAGES]) * pb_page_bytes;
	memory->rss_shmem_bytes +=
		(__s64)BPF_CORE_READ(old, rss_stat.count[MM_SHMEMPAGES]) * pb_page_bytes;
}

static __always_inline void memory_read(struct mm_struct *mm, struct pb_memory *memory)
{
	__u64 rss, peak, vms;

	memory->mm = (__u64)mm;
	if (has_plain_counters()) {
		memory->rss_file_bytes = plain_bytes(PLAIN_COUNTER(mm, MM_FILEPAGES));
		memory->rss_anon_bytes = plain_bytes(PLAIN_COUNTER(mm, MM_ANONPAGES));
		memory->rss_shmem_bytes = plain_bytes(PLAIN_COUNTER(mm, MM_SHMEMPAGES));
	} else {
		memory->rss_file_bytes = counter_bytes(&mm->rss_stat[MM_FILEPAGES]);
		memory->rss_anon_bytes = counter_bytes(&mm->rss_stat[MM_ANONPAGES]);
		memory->rss_shmem_bytes = counter_bytes(&mm->rss_stat[MM_SHMEMPAGES]);
	}
	rss = memory->rss_file_bytes + memory->rss_anon_bytes + memory->rss_shmem_bytes;
	/* The kernel writes its mark only when the set shrinks: what is resident now may be above
	 * it. */
	peak = (__u64)BPF_CORE_READ(mm, hiwater_rss) * pb_page_bytes;
	memory->rss_peak_bytes = peak > rss ? peak : rss;
	vms = (__u64)BPF_CORE_READ(mm, total_vm) * pb_page_bytes;
	peak = (__u64)BPF_CORE_READ(mm, hiwater_vm) * pb_page_bytes;
	memory->vms_bytes = vms;
	memory->vms_peak_bytes = peak > vms ? peak : vms;
}

/* A new image: the marks of the old one are not its own. */
static __always_inline void memory_at_exec(struct task_struct *task, struct pb_slot *slot)
{
	slot->maxrss_at_exec_bytes = BPF_CORE_READ(task, signal, maxrss) * pb_page_bytes;
	__builtin_memset(&slot->memory, 0, sizeof(slot->memory));
}

/*
 * The last look at an address space before it goes, by the process's last thread. Before
 * Linux 6.16 it is gone already; the kernel has then put its mark into maxrss, which
 * also holds earlier images: it tells only where it has grown.
 */
static __always_inline void memory_at_exit(struct task_struct *task, struct pb_slot *slot)
{
	struct mm_struct *mm = task->mm;
	__u64 maxrss;

	if (mm) {
		memory_read(mm, &slot->memory);
		return;
	}
	maxrss = BPF_CORE_READ(task, signal, maxrss) * pb_page_bytes;
	if (maxrss > slot->maxrss_at_exec_bytes && maxrss > slot->memory.rss_peak_bytes)
		slot->memory.rss_peak_bytes = maxrss;
}

#endif
