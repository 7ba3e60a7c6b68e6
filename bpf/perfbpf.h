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
typedef uint16_t pb_u16;
typedef uint8_t pb_u8;
#else
typedef __u64 pb_u64;
typedef __s64 pb_s64;
typedef __u32 pb_u32;
typedef __s32 pb_s32;
typedef __u16 pb_u16;
typedef __u8 pb_u8;
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

/* Why a thread neither runs nor is ready to. */
enum pb_wait {
	PB_WAIT_FUTEX,
	PB_WAIT_SOCKET,
	PB_WAIT_PIPE,
	PB_WAIT_DISK,
	PB_WAIT_TIMER,
	PB_WAIT_OTHER,
	PB_WAITS,
};

/* The distributions that are built in the kernel. */
enum pb_hist_kind {
	PB_HIST_QUEUE,
	PB_HIST_SERVICE,
	PB_HIST_RESPONSE,
	PB_HIST_ROUND_TRIP,
	PB_HIST_RUN_QUEUE,
	PB_HIST_WAIT, /* + enum pb_wait */
	PB_HIST_BLOCK_READ = PB_HIST_WAIT + PB_WAITS,
	PB_HIST_BLOCK_WRITE,
	PB_HIST_FSYNC,
	PB_HIST_CONNECT,
	PB_HIST_RTT,
	PB_HIST_EXEC, /* of a timed process's children, from exec to exit */
	PB_HISTS,
};

/* System calls are told apart up to here; call 0 takes the rest. */
#define PB_CALLS     64
#define PB_CALL_NRS  1024
#define PB_CALL_REST 0

/* Other ends of sockets, each with an account of its own; peer 0 takes the rest. */
#define PB_PEERS     257
#define PB_PEER_REST 0

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
	pb_u64 read_bytes; /* by read calls, of any kind of file */
	pb_u64 write_bytes;
	pb_u64 storage_read_bytes;  /* that had to be fetched */
	pb_u64 storage_write_bytes; /* made dirty */
	/* Counted only while the window is open. */
	pb_u64 tx_bytes[PB_FAMILIES];
	pb_u64 rx_bytes[PB_FAMILIES];
	pb_u64 connections_opened;
	pb_u64 connections_accepted;
	pb_u64 retransmits;
	pb_u64 block_reads;
	pb_u64 block_writes;
	pb_u64 block_read_bytes;
	pb_u64 block_write_bytes;
	pb_u64 block_errors;
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

enum pb_thread_state {
	PB_THREAD_RUNNING,
	PB_THREAD_QUEUED, /* ready, and not running */
	PB_THREAD_WAITING,
};

/*
 * Where a thread's time went since the window opened, or since it began. Moved on at
 * each switch and wake-up, and when somebody looks.
 */
struct pb_thread_time {
	pb_u32 window; /* the window that all of this is of */
	pb_u16 state;
	pb_u16 reason;     /* enum pb_wait */
	pb_u32 is_lock;    /* a futex that is a mutex */
	pb_u32 is_new;     /* has not run yet: its first wait is no wait */
	pb_u64 began_ns;   /* CLOCK_MONOTONIC */
	pb_u64 since_ns;   /* of the present state, by the clock and not by the scheduler's */
	pb_u64 settled_ns; /* until here all is accounted */
	pb_u64 cpu_at_begin_ns;
	pb_u64 cpu_at_out_ns;    /* its account when it last left a CPU */
	pb_u64 off_at_switch_ns; /* what its run queue had lost to others when it began to run */
	pb_u64 stolen_ns;
	pb_u64 run_queue_ns;
	pb_u64 wait_ns[PB_WAITS];
	pb_u64 lock_ns;
	pb_s32 tid; /* as the observer sees it; a dying thread has no number any more */
	pb_u32 pad;
	pb_u32 in_fsync; /* the present wait is in such a call */
	pb_u32 epoll;    /* the set that was looked into last, and what it is for; see wait.bpf.h */
	pb_u64 fsync_key; /* of the call that it waits in or has waited in last; 0: none */
	pb_u64 fsync_began_ns;
	pb_u64 fsync_ended_ns;
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
	pb_u64 read_bytes;
	pb_u64 write_bytes;
	pb_u64 storage_read_bytes;
	pb_u64 storage_write_bytes;
	struct pb_thread_time time;
	/* The system call that it is in, where calls are traced. */
	pb_u64 call_entered_ns; /* 0: in none */
	pb_u32 call_nr;
	pb_u32 sampled_in;       /* the window in which its stack was last sent off its CPU, */
	pb_u64 sampled_switches; /* and how often it had been switched by then */
};

/*
 * What task storage holds of a process whose children are timed (the driver's), and of each of its
 * children. None of them is a member: they count for no side.
 */
struct pb_timed {
	pb_u32 epoch; /* of the round; another one: not timed */
	pb_u32 is_child;
	pb_u64 exec_ns; /* when it first executed a program, CLOCK_MONOTONIC; 0: not yet, or told */
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
	pb_u64 space;  /* what is mapped: index of a pb_space, and above it for which value of execs
			*/
	pb_u64 pad[6]; /* whole cache lines: neighbours are written on other CPUs */
};

enum pb_event_kind {
	PB_EVENT_START = 1, /* a process became a member */
	PB_EVENT_EXEC,
	PB_EVENT_EXIT,
	PB_EVENT_THREAD,  /* a thread ended, or the window closed on it */
	PB_EVENT_PAYLOAD, /* a piece of a conversation, where protocols are wanted */
	PB_EVENT_STACK,   /* a sample of a thread; in a ring of its own, like the next */
	PB_EVENT_MAPPING, /* code that a process had mapped before it became a member */
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

enum pb_thread_told {
	PB_THREAD_ENDED,  /* it is gone */
	PB_THREAD_CLOSED, /* the window closed on it */
	PB_THREAD_SO_FAR, /* it goes on, and will be told again */
};

struct pb_event_thread {
	struct pb_event event; /* time_ns: until here it is accounted */
	pb_s32 pid;
	pb_s32 tid;
	pb_u32 how; /* enum pb_thread_told */
	pb_u32 pad;
	pb_u64 began_ns;
	pb_u64 cpu_ns;
	pb_u64 stolen_ns;
	pb_u64 run_queue_ns;
	pb_u64 wait_ns[PB_WAITS];
	pb_u64 lock_ns;
	char comm[PB_COMM_LEN];
};

#define PB_STACK_RING_BYTES (2 * 1024 * 1024) /* at least; the loader sets it */
#define PB_KERNEL_FRAMES    96
#define PB_USER_FRAMES      256
/* Of a stack that the kernel could not walk, so much goes to the loader, which walks it. */
#define PB_STACK_COPY_BYTES (32 * 1024)
#define PB_STACK_WORDS      (PB_KERNEL_FRAMES + PB_USER_FRAMES + PB_STACK_COPY_BYTES / 8)

enum pb_stack_source {
	PB_STACK_ONCPU,
	PB_STACK_OFFCPU,
};

/* Off-CPU: enum pb_wait, and this. */
#define PB_REASON_RUN_QUEUE PB_WAITS

/*
 * A thread's stack. n_kernel and then n_user addresses follow, innermost first, of each the
 * instruction that was interrupted or the call; then n_copied bytes of the user's stack from
 * sp on, where the kernel could not go on (PB_WALK_UNMAPPED, PB_WALK_UNLOADED): the last address
 * is that of the frame at which it stopped.
 */
struct pb_event_stack {
	struct pb_event event;
	pb_s32 pid;
	pb_s32 tid;
	pb_u32 execs; /* images of the process before */
	pb_u16 n_kernel;
	pb_u16 n_user;
	pb_u8 source;   /* enum pb_stack_source */
	pb_u8 reason;   /* off-CPU: why */
	pb_u8 end;      /* enum pb_walk */
	pb_u8 is_again; /* off-CPU: not switched since its last event, so the stack is that one's */
	pb_u32 n_copied;
	pb_u64 weight_ns; /* what the sample stands for */
	/* struct pb_unwind where it stopped */
	pb_u64 pc, sp, bp, r10;
	pb_u32 is_inner, is_exact, by_fp, pad;
};

/* In a process's memory; its path follows in place. */
struct pb_event_mapping {
	struct pb_event event;
	pb_u64 start, end, offset;
	pb_u64 inode; /* 0: of no file */
	pb_u32 major, minor, generation;
	pb_u32 pad;
	char path[PB_EXE_LEN]; /* "" where it is of no file, "[vdso]" */
};

/* Files with code: their rows lie together. */
#define PB_OBJECTS     8192
#define PB_OBJECT_ANON 0 /* code that is in no file: frame pointers */

struct pb_object {
	pb_u64 base; /* the address of a row's pc 0 */
	pb_u32 first_row;
	pb_u32 n_rows;  /* 0: not loaded, unless by_fp */
	pb_u32 by_fp;   /* it has no CFI: frame pointers */
	pb_u32 used_at; /* the sweep of the loader's in which it was last used */
};

/* What is mapped where, in a range of them for each address space, ascending. */
#define PB_MAPPINGS (64 * 1024)

struct pb_mapping {
	pb_u64 start, end;
	pb_u64 bias; /* address in memory - address in the file's symbols */
	pb_u32 object;
	pb_u32 pad;
};

#define PB_SPACES 8192

struct pb_space {
	pb_u32 first;
	pb_u32 n;
};

#define PB_PAYLOAD_MAX 1024

/* What one read or write moved. Its prefix follows, n_prefix bytes. */
struct pb_event_payload {
	struct pb_event event;
	pb_u64 connection; /* never used twice in a run */
	pb_u64 arrived_ns; /* of its first byte, 0: not known */
	pb_u32 sequence;   /* of the connection's pieces, counted from 0; a hole is a loss */
	pb_u32 length;
	pb_u32 n_prefix;
	pb_u16 is_write;
	pb_u16 role; /* enum pb_role of the member */
};

enum pb_role {
	PB_ROLE_UNKNOWN,
	PB_ROLE_CLIENT,
	PB_ROLE_SERVER,
};

/* The other end of sockets, on which one account is kept. */
struct pb_peer_key {
	pb_u8 address[16]; /* IPv4: the first four */
	pb_u16 port;       /* of the server, host order */
	pb_u8 family;      /* enum pb_family */
	pb_u8 role;        /* of the member */
};

struct pb_peer {
	struct pb_peer_key key;
	pb_u32 pad;
	pb_u64 connections;
	pb_u64 requests;
	pb_u64 tx_bytes;
	pb_u64 rx_bytes;
	pb_u64 retransmits;
	pb_u64 connects; /* whose length was measured */
	pb_u64 connect_ns;
	pb_u64 connect_max_ns;
	pb_u64 rtts;
	pb_u64 rtt_us;
	pb_u64 rtt_max_us;
};

/* What was seen at sockets, of the whole side. */
struct pb_requests {
	pb_u64 served;
	pb_u64 sent;
	pb_u64 in_flight;
	pb_u64 streams;
	pb_u64 overlapped;
	pb_u64 interleaved; /* of served and sent: without the times of their answers */
	pb_u64 no_arrival;
	pb_u64 no_role;
};

/* One kind of system call. */
struct pb_call {
	pb_u64 count;
	pb_u64 errors;
};

enum pb_loss {
	PB_LOSS_RING,
	PB_LOSS_MAP_FULL,
	PB_LOSS_STORAGE,
	PB_LOSS_STACKS,
	PB_LOSS_SOCKETS,
	PB_LOSS_REQUESTS, /* pieces of payload without room in the ring */
	PB_LOSS_BLOCK,    /* block requests that could not be remembered */
	PB_LOSSES,
};

/* What the loader sets and reads while the programs run, through mmap. */
struct pb_control {
	/* Read at every event, written at a window's edge or a tick: a cache line of their own. */
	pb_u32 window;          /* count; its number, 0: closed */
	pb_u32 epoch;           /* of the round: members of an earlier one are ignored */
	pb_u32 pass;            /* of the snapshot */
	pb_s32 observer_pid;    /* never enrolled, nor its children */
	pb_s64 sched_offset_ns; /* scheduler clock - CLOCK_MONOTONIC, at the present pass */
	pb_u32 pidns_level;     /* of the observer's pid namespace: pids are told as it sees them */
	pb_u32 closing;         /* the window's number: no thread is adopted by it any more */
	pb_s64 window_offset_ns; /* sched_offset_ns when the window opened, 0: not known */
	pb_u32 look;             /* tell how far the threads have come */
	pb_u32 sweep;            /* marks what is used, see pb_object */
	/* Of the threads off their CPUs every stride-th is looked at, which one moves on with pass.
	 */
	pb_u32 offcpu_stride;
	pb_u32 offcpu_pass;
	pb_u64 offcpu_weight_ns; /* what a look at one stands for */
	/* Written where processes begin and end. */
	pb_u32 enrolled;   /* tasks that enrol passes have added so far */
	pb_s32 live;       /* processes of the present epoch that have not ended */
	pb_u32 slots_used; /* slots ever handed out */
	pb_u32 pad3;
	pb_u64 next_id;
	pb_u64 losses[PB_LOSSES];
	pb_u64 next_connection;
	pb_u64 offcpu_from_ns; /* since when the loader has had its CPU */
	pb_u32 n_calls;        /* kinds of system calls that have an index */
	pb_u32 n_peers;        /* handed out in this round */
	struct pb_requests requests;
	/* Children of the driver that began in this time are in PB_HIST_EXEC, CLOCK_MONOTONIC. */
	pb_u64 timed_from_ns;
	pb_u64 timed_until_ns;
};

/*
 * Log-linear histogram of nanoseconds: each power of two is cut into 64 equal
 * buckets (128 below 128 ns exactly), so a bucket is at most 1/64 of its value
 * wide and its midpoint within 0.8 % of anything in it.
 */
#define PB_HIST_SUB_BITS 6
#define PB_HIST_MAX_BITS 42 /* 2^42 ns: 73 minutes; longer ones count in the last bucket */
#define PB_HIST_BUCKETS  ((PB_HIST_MAX_BITS - PB_HIST_SUB_BITS + 1) << PB_HIST_SUB_BITS)

/* Of the highest bit; 0 for 0. By hand: clang 14 cannot translate the builtin for BPF. */
static inline pb_u32 pb_log2(pb_u64 value)
{
	pb_u32 shift, log = 0;

	shift = (value > 0xffffffffULL) << 5;
	value >>= shift;
	log |= shift;
	shift = (value > 0xffff) << 4;
	value >>= shift;
	log |= shift;
	shift = (value > 0xff) << 3;
	value >>= shift;
	log |= shift;
	shift = (value > 0xf) << 2;
	value >>= shift;
	log |= shift;
	shift = (value > 0x3) << 1;
	value >>= shift;
	log |= shift;
	return log | (pb_u32)(value >> 1);
}

static inline pb_u32 pb_hist_index(pb_u64 ns)
{
	pb_u32 shift;

	if (ns >> PB_HIST_MAX_BITS)
		return PB_HIST_BUCKETS - 1;
	if (ns < (2ULL << PB_HIST_SUB_BITS))
		return (pb_u32)ns;
	shift = pb_log2(ns) - PB_HIST_SUB_BITS;
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

/*
 * One distribution, or a part of one: each is kept in several shards, so that CPUs
 * do not wait for each other, and merged exactly when it is read.
 */
struct pb_hist {
	pb_u64 sum_ns;
	pb_u64 max_ns;
	pb_u64 min_plus_one_ns; /* 0: empty, so that all zeroes is an empty one */
	pb_u64 buckets[PB_HIST_BUCKETS];
};

/*
 * How to get from a frame to its caller's, for all code addresses from `pc` on to the next
 * row's: what .eh_frame says of them, as far as x86-64 code really uses it. The caller's
 * address lies below the CFA (the stack pointer before the call), its rbp as told.
 */
struct pb_row {
	pb_u32 pc;   /* from the lowest address of the file's code */
	pb_u32 rule; /* see pb_rule_*() */
};

enum pb_cfa {
	PB_CFA_NONE, /* nobody says anything of these addresses */
	PB_CFA_END,  /* the outermost frame: the return address is undefined */
	PB_CFA_RSP,  /* rsp + offset */
	PB_CFA_RBP,  /* rbp + offset */
	PB_CFA_R10,  /* r10 + offset; while the stack is being realigned, innermost frame only */
	PB_CFA_RBP_DEREF,   /* what lies at rbp + offset: a realigned stack */
	PB_CFA_RSP_DEREF,   /* what lies at rsp + offset */
	PB_CFA_RSP_DEREF_8, /* 8 beyond that: hand-written code has kept its rsp so (OpenSSL) */
	PB_CFA_PLT,         /* rsp + 8, and 8 more where pc % 16 >= offset */
	PB_CFA_SIGNAL,  /* a signal's frame: at rsp + offset the CFA, then the pc; offset of rbp */
	PB_CFA_FP,      /* by rbp, perhaps to another stack: a function that changes stacks */
	PB_CFA_UNKNOWN, /* an expression that a row cannot hold */
};

enum pb_rbp {
	PB_RBP_SAME,
	PB_RBP_CFA, /* lies at CFA + offset; of PB_CFA_SIGNAL at rsp + the CFA's offset + offset */
	PB_RBP_RBP, /* lies at rbp + offset */
	PB_RBP_UNKNOWN,
};

/* Offsets are multiples of 8 (of PB_CFA_PLT it is as it is) within these bounds. */
#define PB_CFA_OFFSET_MAX (32767 * 8)
#define PB_RBP_OFFSET_MAX (511 * 8)

static inline pb_u32 pb_rule(enum pb_cfa cfa, pb_s32 cfa_words, enum pb_rbp rbp, pb_s32 rbp_words)
{
	return (pb_u32)cfa | (pb_u32)rbp << 4 | ((pb_u32)cfa_words & 0xffff) << 6 |
	       ((pb_u32)rbp_words & 0x3ff) << 22;
}

static inline pb_u32 pb_rule_cfa(pb_u32 rule)
{
	return rule & 0xf;
}

static inline pb_u32 pb_rule_rbp(pb_u32 rule)
{
	return rule >> 4 & 3;
}

/* In words of 8 bytes; of PB_CFA_PLT in bytes of pc % 16. */
static inline pb_s32 pb_rule_cfa_words(pb_u32 rule)
{
	return (pb_s32)(rule << 10) >> 16;
}

static inline pb_s32 pb_rule_rbp_words(pb_u32 rule)
{
	return (pb_s32)rule >> 22;
}

/* How the walk up a stack ended. */
enum pb_walk {
	PB_WALK_COMPLETE,   /* at the thread's start */
	PB_WALK_NO_USER,    /* there is no user stack: a thread of the kernel */
	PB_WALK_DEPTH,      /* more frames than are kept */
	PB_WALK_MEMORY,     /* a part of the stack could not be read */
	PB_WALK_UNMAPPED,   /* an address in no file that is known */
	PB_WALK_UNLOADED,   /* the file's rows are not in the kernel (yet, or any more) */
	PB_WALK_EXPRESSION, /* PB_CFA_UNKNOWN, or a register that is not known any more */
	PB_WALK_BROKEN,     /* the next frame would not lie above, or frame pointers lead nowhere */
	PB_WALK_WOKEN,      /* the thread went on while it was looked at */
	PB_WALKS,
};

_Static_assert(sizeof(struct pb_totals) == 28 * 8, "pb_totals is an ABI");
_Static_assert(sizeof(struct pb_memory) == 7 * 8, "pb_memory is an ABI");
_Static_assert(sizeof(struct pb_slot) == 384, "pb_slot is an ABI: six cache lines");
_Static_assert(sizeof(struct pb_event_start) == 56, "pb_event_start is an ABI");
_Static_assert(sizeof(struct pb_event_exec) == 24 + PB_COMM_LEN + PB_EXE_LEN,
	       "pb_event_exec is an ABI");
_Static_assert(sizeof(struct pb_event_exit) == 24 + 8 + PB_COMM_LEN + 28 * 8 + 7 * 8,
	       "pb_event_exit is an ABI");
_Static_assert(sizeof(struct pb_event_thread) == 24 + 16 + 32 + 8 * PB_WAITS + 8 + PB_COMM_LEN,
	       "pb_event_thread is an ABI");
_Static_assert(sizeof(struct pb_event_payload) == 24 + 16 + 16, "pb_event_payload is an ABI");
_Static_assert(sizeof(struct pb_event_stack) == 24 + 12 + 4 + 8 + 8 + 32 + 16,
	       "pb_event_stack is an ABI");
_Static_assert(sizeof(struct pb_event_mapping) == 24 + 24 + 24 + PB_EXE_LEN,
	       "pb_event_mapping is an ABI");
_Static_assert(sizeof(struct pb_object) == 24 && sizeof(struct pb_mapping) == 32 &&
		       sizeof(struct pb_space) == 8 && sizeof(struct pb_row) == 8,
	       "what the walker reads is an ABI");
_Static_assert(sizeof(struct pb_peer) == 24 + 11 * 8, "pb_peer is an ABI");
_Static_assert(sizeof(struct pb_task) == 8 + 12 * 8 + sizeof(struct pb_thread_time) + 24,
	       "pb_task is an ABI");
_Static_assert(sizeof(struct pb_timed) == 16, "pb_timed is an ABI");
_Static_assert(sizeof(struct pb_control) == 64 + 24 + 8 * PB_LOSSES + 24 + 8 * 8 + 16,
	       "pb_control is an ABI");

#endif
