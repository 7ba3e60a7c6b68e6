/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ABI between the BPF programs and the loader: the only header that both
 * sides include. Fixed-width types, explicit padding, sizes asserted.
 */
#ifndef PERFBPF_H
#define PERFBPF_H

#ifndef __bpf__
#include <stdint.h>
typedef uint64_t pb_u64;
typedef int64_t pb_s64;
typedef uint32_t pb_u32;
typedef int32_t pb_s32;
#else
typedef __u64 pb_u64;
typedef __s64 pb_s64;
typedef __u32 pb_u32;
typedef __s32 pb_s32;
#endif

#define PB_COMM_LEN 16
#define PB_EXE_LEN  256
#define PB_SLOTS    16384 /* processes that can live at a time, each with an account of its own */
/* Slot 0 takes what has no slot of its own: the side's total stays exact, the process is lost. */
#define PB_SLOT_OVERFLOW 0
#define PB_SLOT_PENDING  0xffffffffU
#define PB_RING_BYTES    (4 * 1024 * 1024)

enum pb_family {
	PB_FAMILY_INET,
	PB_FAMILY_INET6,
	PB_FAMILY_UNIX,
	PB_FAMILY_OTHER,
	PB_FAMILIES,
};

/* Running totals of one process since it became a member; they only grow. */
struct pb_totals {
	pb_u64 cpu_ns;
	/* The kernel's tick accounting; only their proportion is used, to split cpu_ns. */
	pb_u64 user_ticks_ns;
	pb_u64 system_ticks_ns;
	pb_u64 voluntary_switches;
	pb_u64 involuntary_switches;
	pb_u64 migrations;
	pb_u64 minor_faults;
	pb_u64 major_faults;
	/* Counted only while the window is open. */
	pb_u64 tx_bytes[PB_FAMILIES];
	pb_u64 rx_bytes[PB_FAMILIES];
	pb_u64 connections_opened;
	pb_u64 connections_accepted;
	pb_u64 retransmits;
};
#define PB_TOTALS_FIELDS (sizeof(struct pb_totals) / sizeof(pb_u64))

/* The state of a process's memory when it was last looked at. */
struct pb_memory {
	pb_u64 mm; /* identity of the address space: processes that share one are counted once */
	pb_u64 rss_anon_bytes;
	pb_u64 rss_file_bytes;
	pb_u64 rss_shmem_bytes;
	pb_u64 rss_peak_bytes; /* the kernel's high-water mark of this image (VmHWM) */
	pb_u64 vms_bytes;
	pb_u64 vms_peak_bytes;
};

/* What task storage holds of a member thread: where it counts, and what was counted already. */
struct pb_task {
	pb_u32 slot;  /* of its process; PB_SLOT_PENDING until a root has been enrolled */
	pb_u32 epoch; /* of the round; another one: no member */
	pb_u64 cpu_ns;
	pb_u64 user_ticks_ns;
	pb_u64 system_ticks_ns;
	pb_u64 voluntary_switches;
	pb_u64 involuntary_switches;
	pb_u64 migrations;
	pb_u64 minor_faults;
	pb_u64 major_faults;
};

/* One process of the side. Written by BPF, read through mmap. */
struct pb_slot {
	struct pb_totals totals;
	struct pb_memory memory;
	pb_u64 id;         /* of the process, never used twice in a run; 0: the slot is free */
	pb_u64 started_ns; /* CLOCK_MONOTONIC */
	pb_u64 maxrss_at_exec_bytes; /* what signal->maxrss held before the present image */
	pb_u32 pass;                 /* the snapshot that last wrote memory */
	pb_s32 threads; /* that have not yet been switched away from for the last time */
	pb_s32 threads_peak;
	pb_s32 pid;
	pb_s32 exit_code; /* as wait(2) encodes it, valid once exited */
	pb_u32 execs;     /* images since it became a member */
};

enum pb_event_kind {
	PB_EVENT_START = 1, /* a process became a member */
	PB_EVENT_EXEC,
	PB_EVENT_EXIT,
};

struct pb_event {
	pb_u32 kind;
	pb_u32 slot;
	pb_u64 id;
	pb_u64 time_ns;
};

struct pb_event_start {
	struct pb_event event;
	pb_s32 pid;
	pb_s32 ppid;
	pb_u32 enrolled; /* 1: was running already, 0: forked by a member */
	pb_u32 pad;
	char comm[PB_COMM_LEN];
};

struct pb_event_exec {
	struct pb_event event;
	char comm[PB_COMM_LEN];
	char exe[PB_EXE_LEN]; /* the interpreter where the file is a script */
};

/* Everything that is known of a process, after its last thread was switched away from. */
struct pb_event_exit {
	struct pb_event event;
	pb_s32 exit_code;
	pb_s32 threads_peak;
	char comm[PB_COMM_LEN];
	struct pb_totals totals;
	struct pb_memory memory;
};

enum pb_loss {
	PB_LOSS_RING,
	PB_LOSS_MAP_FULL,
	PB_LOSS_STORAGE,
	PB_LOSS_STACKS,
	PB_LOSS_SOCKETS,
	PB_LOSSES,
};

/* What the loader sets and reads while the programs run, through mmap. */
struct pb_control {
	/* Read at every event, written at a window's edge or a tick: a cache line of their own. */
	pb_u32 window;          /* 1: count */
	pb_u32 epoch;           /* of the round: members of an earlier one are ignored */
	pb_u32 pass;            /* of the snapshot */
	pb_s32 observer_pid;    /* never enrolled, nor its children */
	pb_s64 sched_offset_ns; /* scheduler clock - CLOCK_MONOTONIC, at the present pass */
	pb_u32 pidns_level;     /* of the observer's pid namespace: pids are told as it sees them */
	pb_u32 pad[9];
	/* Written where processes begin and end. */
	pb_u32 enrolled;   /* tasks that enrol passes have added so far */
	pb_s32 live;       /* processes of the present epoch that have not ended */
	pb_u32 slots_used; /* slots ever handed out */
	pb_u32 pad2;
	pb_u64 next_id;
	pb_u64 losses[PB_LOSSES];
};

/*
 * Log-linear histogram of nanoseconds: each power of two is cut into 64 equal
 * buckets (128 below 128 ns exactly), so a bucket is at most 1/64 of its value
 * wide and its midpoint within 0.8 % of anything in it.
 */
#define PB_HIST_SUB_BITS 6
#define PB_HIST_MAX_BITS 42 /* 2^42 ns: 73 minutes; longer ones count in the last bucket */
#define PB_HIST_BUCKETS  ((PB_HIST_MAX_BITS - PB_HIST_SUB_BITS + 1) << PB_HIST_SUB_BITS)

static inline pb_u32 pb_hist_index(pb_u64 ns)
{
	pb_u32 shift;

	if (ns >> PB_HIST_MAX_BITS)
		return PB_HIST_BUCKETS - 1;
	if (ns < (2ULL << PB_HIST_SUB_BITS))
		return (pb_u32)ns;
	shift = 63 - (pb_u32)__builtin_clzll(ns) - PB_HIST_SUB_BITS;
	return (shift << PB_HIST_SUB_BITS) + (pb_u32)(ns >> shift);
}

/* The smallest value of a bucket. */
static inline pb_u64 pb_hist_lower(pb_u32 index)
{
	pb_u32 shift;

	if (index < (2U << PB_HIST_SUB_BITS))
		return index;
	shift = (index >> PB_HIST_SUB_BITS) - 1;
	return (pb_u64)(index - (shift << PB_HIST_SUB_BITS)) << shift;
}

_Static_assert(sizeof(struct pb_totals) == 19 * 8, "pb_totals is an ABI");
_Static_assert(sizeof(struct pb_memory) == 7 * 8, "pb_memory is an ABI");
_Static_assert(sizeof(struct pb_slot) == 256, "pb_slot is an ABI: four cache lines");
_Static_assert(sizeof(struct pb_event_start) == 56, "pb_event_start is an ABI");
_Static_assert(sizeof(struct pb_event_exec) == 24 + PB_COMM_LEN + PB_EXE_LEN,
	       "pb_event_exec is an ABI");
_Static_assert(sizeof(struct pb_event_exit) == 24 + 8 + PB_COMM_LEN + 19 * 8 + 7 * 8,
	       "pb_event_exit is an ABI");
_Static_assert(sizeof(struct pb_task) == 8 + 8 * 8, "pb_task is an ABI");
_Static_assert(sizeof(struct pb_control) == 64 + 24 + 8 * PB_LOSSES, "pb_control is an ABI");

#endif
