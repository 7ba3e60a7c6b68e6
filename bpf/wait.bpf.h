/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a thread leaves its CPU: by the system call that it is in, and by the kind of file
 * that the call is about. Read from the registers with which it entered the kernel, so
 * that no system call has to be traced for it.
 */
#ifndef PERFBPF_WAIT_BPF_H
#define PERFBPF_WAIT_BPF_H

#include "membership.bpf.h"
#include "calls.bpf.h"

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFREG  0100000
#define S_IFBLK  0060000
#define S_IFDIR  0040000
#define S_IFIFO  0010000

#define FUTEX_CMD_MASK    0x7f
#define FUTEX_WAIT        0
#define FUTEX_LOCK_PI     6
#define FUTEX_WAIT_BITSET 9
#define FUTEX_LOCK_PI2    13
/* What glibc and others write into a mutex that others wait for. */
#define MUTEX_CONTENDED 2

struct wait_reason {
	__u32 reason;   /* enum pb_wait */
	__u32 is_lock;  /* a futex that is a mutex */
	__u32 epoll;    /* what is remembered of the last epoll set, in and out */
	__u64 sync_key; /* in fsync and its like: what tells this call from the one before; else 0
			 */
};

static __always_inline __u32 reason_of_mode(__u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return PB_WAIT_SOCKET;
	case S_IFIFO:
		return PB_WAIT_PIPE;
	case S_IFREG:
	case S_IFBLK:
	case S_IFDIR:
		return PB_WAIT_DISK;
	default:
		return PB_WAIT_OTHER;
	}
}

static __always_inline struct file *file_of(struct task_struct *task, __u32 fd)
{
	struct files_struct *open = task->files;
	struct file **files, *file = NULL;
	struct fdtable *table;

	if (!open)
		return NULL;
	table = open->fdt;
	if (!table || fd >= table->max_fds)
		return NULL;
	files = table->fd;
	bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
	return file;
}

static __always_inline __u32 reason_of_file(struct file *file)
{
	return file ? reason_of_mode(BPF_CORE_READ(file, f_inode, i_mode)) : PB_WAIT_OTHER;
}

static __always_inline __u32 reason_of_fd(struct task_struct *task, __u64 fd)
{
	return reason_of_file(file_of(task, (__u32)fd));
}

/* What an item of an epoll set watches; @node is its first member. */
static __always_inline __u32 reason_of_item(struct rb_node *node)
{
	struct epitem *item = (struct epitem *)node;

	return node ? reason_of_file(BPF_CORE_READ(item, ffd.file)) : PB_WAIT_TIMER;
}

/*
 * A set is for its sockets where one of the first three of its tree is one: event
 * and timer files stand beside them in most event loops. An empty one is used to sleep.
 */
static __always_inline __u32 reason_of_epoll(struct task_struct *task, __u64 fd)
{
	struct file *file = file_of(task, (__u32)fd);
	struct rb_node *root;
	struct eventpoll *ep;
	__u32 reason, other;

	if (!file)
		return PB_WAIT_OTHER;
	ep = BPF_CORE_READ(file, private_data);
	root = BPF_CORE_READ(ep, rbr.rb_root.rb_node);
	reason = reason_of_item(root);
	if (!root || reason == PB_WAIT_SOCKET)
		return reason;
	other = reason_of_item(BPF_CORE_READ(root, rb_left));
	if (other != PB_WAIT_SOCKET)
		other = reason_of_item(BPF_CORE_READ(root, rb_right));
	return other == PB_WAIT_SOCKET ? other : reason;
}

#define EPOLL_USES 64 /* a set is looked into anew after so many waits */

/*
 * Event loops wait in one and the same set all the time, and looking into it takes longer
 * than all else at a switch: what it is for is remembered, with its descriptor, for some
 * waits. 16 bits of descriptor, 8 of uses that are left, 8 of the reason.
 */
static __always_inline __u32 reason_of_known_epoll(struct task_struct *task, __u64 fd, __u32 *known)
{
	__u32 key = (__u32)fd & 0xffff, uses = *known >> 8 & 0xff, reason;

	if (uses && *known >> 16 == key) {
		*known -= 1 << 8;
		return *known & 0xff;
	}
	reason = reason_of_epoll(task, fd);
	*known = key << 16 | EPOLL_USES << 8 | reason;
	return reason;
}

/* As above, for the first of the descriptors. */
static __always_inline __u32 reason_of_poll(struct task_struct *task, __u64 fds, __u64 n)
{
	__s32 fd = -1;

	if (!n)
		return PB_WAIT_TIMER;
	if (bpf_probe_read_user(&fd, sizeof(fd), (const void *)fds) || fd < 0)
		return PB_WAIT_OTHER;
	return reason_of_fd(task, (__u64)fd);
}

static __always_inline __u32 reason_of_select(struct task_struct *task, __u64 n, __u64 set)
{
	__u64 word = 0;

	if (!n)
		return PB_WAIT_TIMER;
	/* The first 64 descriptors: what a program that still uses select has. */
	if (!set || bpf_probe_read_user(&word, sizeof(word), (const void *)set) || !word)
		return PB_WAIT_OTHER;
	return reason_of_fd(task, pb_log2(word & -word));
}

static __always_inline __u32 is_mutex(const struct call *call)
{
	__u64 command = call->args[1] & FUTEX_CMD_MASK;

	if (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2)
		return 1;
	return (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) &&
	       (__u32)call->args[2] == MUTEX_CONTENDED;
}

/* Two calls of a thread differ in what it wrote between them, or in their file. */
static __always_inline __u64 sync_key(struct task_struct *task, const struct call *call)
{
	__u64 writes = 0;

	if (bpf_core_field_exists(task->ioac.syscw))
		writes = BPF_CORE_READ(task, ioac.syscw);
	return (writes << 24) ^ (call->args[0] << 12) ^ ((__u64)call->nr << 1) ^ 1;
}

/* In a function of its own, for the verifier's sake; @task is not running, or is leaving its CPU.
 */
static __always_inline void wait_reason(struct task_struct *task, struct wait_reason *why)
{
	struct call call = {};

	why->is_lock = 0;
	why->sync_key = 0;
	why->reason = PB_WAIT_OTHER;
	if (!(task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)))
		call_of(task, &call);
	switch (call_kind(call.nr)) {
	case CALL_FUTEX:
		why->reason = PB_WAIT_FUTEX;
		why->is_lock = is_mutex(&call);
		break;
	case CALL_SLEEP:
		why->reason = PB_WAIT_TIMER;
		break;
	case CALL_SOCKET:
		why->reason = PB_WAIT_SOCKET;
		break;
	case CALL_FILE:
		why->reason = reason_of_fd(task, call.args[0]);
		break;
	case CALL_SYNC:
		why->reason = PB_WAIT_DISK;
		why->sync_key = sync_key(task, &call);
		break;
	case CALL_POLL:
		why->reason = reason_of_poll(task, call.args[0], call.args[1]);
		break;
	case CALL_SELECT:
		why->reason = reason_of_select(task, call.args[0], call.args[1]);
		break;
	case CALL_EPOLL:
		why->reason = reason_of_known_epoll(task, call.args[0], &why->epoll);
		break;
	default:
		break;
	}
	/* The kernel's own word for a wait on storage: page faults and metadata, too. */
	if (BPF_CORE_READ_BITFIELD(task, in_iowait))
		why->reason = PB_WAIT_DISK;
}

#endif
