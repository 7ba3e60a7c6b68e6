/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the BPF programs use, for x86_64. Made by vmlinux/make.sh;
 * do not edit. What belongs to the kernel's interface with programs comes from its
 * own headers.
 */
#ifndef PERFBPF_VMLINUX_H
#define PERFBPF_VMLINUX_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;

enum {
	MM_FILEPAGES = 0,
	MM_ANONPAGES = 1,
	MM_SWAPENTS = 2,
	MM_SHMEMPAGES = 3,
	NR_MM_COUNTERS = 4,
};

enum pid_type {
	PIDTYPE_PID = 0,
	PIDTYPE_TGID = 1,
	PIDTYPE_PGID = 2,
	PIDTYPE_SID = 3,
	PIDTYPE_MAX = 4,
};


#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

typedef int __kernel_pid_t;

typedef __u16 __be16;

typedef __u32 __be32;

typedef u32 __kernel_dev_t;

typedef __kernel_dev_t dev_t;

typedef short unsigned int umode_t;

typedef __kernel_pid_t pid_t;

typedef struct {
	int counter;
} atomic_t;

struct cfs_rq;

struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime;
	u64 nr_migrations;
	struct cfs_rq *cfs_rq;
};

struct task_io_accounting {
	u64 rchar;
	u64 wchar;
	u64 syscw;
	u64 read_bytes;
	u64 write_bytes;
};

struct mm_struct;

struct pid;

struct files_struct;

struct signal_struct;

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_code;
	unsigned int in_iowait: 1;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 utime;
	u64 stime;
	long unsigned int nvcsw;
	long unsigned int nivcsw;
	u64 start_time;
	long unsigned int min_flt;
	long unsigned int maj_flt;
	char comm[16];
	struct files_struct *files;
	struct signal_struct *signal;
	struct task_io_accounting ioac;
};

struct pt_regs {
	long unsigned int bp;
	long unsigned int r10;
	long unsigned int dx;
	long unsigned int si;
	long unsigned int di;
	long unsigned int orig_ax;
	long unsigned int ip;
	union {
		u16 cs;
	};
	long unsigned int sp;
};

struct percpu_counter {
	s64 count;
	void *counters;
};

typedef struct {
	void *vdso;
} mm_context_t;

struct file;

struct mm_struct {
	struct {
		long unsigned int hiwater_rss;
		long unsigned int hiwater_vm;
		long unsigned int total_vm;
		struct percpu_counter rss_stat[4];
		mm_context_t context;
		struct file *exe_file;
	};
};

typedef long unsigned int vm_flags_t;

struct vm_area_struct {
	union {
		struct {
			long unsigned int vm_start;
			long unsigned int vm_end;
		};
	};
	struct mm_struct *vm_mm;
	union {
		const vm_flags_t vm_flags;
	};
	long unsigned int vm_pgoff;
	struct file *vm_file;
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[4];
	long unsigned int maxrss;
};

struct path {
};

struct inode;

struct file {
	void *private_data;
	struct inode *f_inode;
	union {
		const struct path f_path;
	};
};

struct super_block;

struct inode {
	umode_t i_mode;
	struct super_block *i_sb;
	long unsigned int i_ino;
	u32 i_generation;
};

struct super_block {
	dev_t s_dev;
};

struct linux_binprm {
	void *interp;
};

typedef __u32 blk_opf_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

typedef struct {
	void *net;
} possible_net_t;

struct sock_common {
	union {
		struct {
			__be32 skc_daddr;
		};
	};
	union {
		struct {
			__be16 skc_dport;
			__u16 skc_num;
		};
	};
	short unsigned int skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
};

struct sk_buff_head {
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	u16 sk_protocol;
	u16 sk_type;
	u8 sk_shutdown;
};

struct socket {
	struct sock *sk;
};

struct bpf_array {
	union {
		struct {
			void *pptrs[0];
		};
	};
};

struct fdtable;

struct files_struct {
	struct fdtable *fdt;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct rq;

struct cfs_rq {
	struct rq *rq;
};

struct rq {
	u64 clock;
	u64 clock_task;
	int cpu;
};

struct bpf_iter_meta {
	u64 seq_num;
};

struct request {
	blk_opf_t cmd_flags;
	unsigned int __data_len;
};

struct bpf_iter__task {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
};

struct bpf_iter__task_file {
	union {
		struct task_struct *task;
	};
	union {
		struct file *file;
	};
};

struct bpf_iter__task_vma {
	union {
		struct task_struct *task;
	};
	union {
		struct vm_area_struct *vma;
	};
};

struct bpf_iter__bpf_map_elem {
	union {
		void *value;
	};
};

struct epoll_filefd {
	struct file *file;
} __attribute__((packed));

struct epitem {
	struct epoll_filefd ffd;
};

struct eventpoll {
	struct rb_root_cached rbr;
};

struct unix_sock {
	void *addr;
	struct sock *peer;
};

struct tcp_sock {
	u32 copied_seq;
	u32 rcv_nxt;
	u32 srtt_us;
};

struct bpf_iter__bpf_sk_storage_map {
	union {
		struct sock *sk;
	};
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif
