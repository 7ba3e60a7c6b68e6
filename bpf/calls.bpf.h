/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The system call that a task is in, from the registers with which it entered the kernel. */
#ifndef PERFBPF_CALLS_BPF_H
#define PERFBPF_CALLS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Tasks without registers of a user program. */
#define PF_IO_WORKER   0x00000010
#define PF_USER_WORKER 0x00004000
#define PF_KTHREAD     0x00200000

#define CALL_NONE 0xffffffffU

struct call {
	__u32 nr; /* CALL_NONE: in none, e.g. in a page fault */
	__u64 args[3];
};

/* What calls are about, as far as waiting and payload need it. */
enum call_kind {
	CALL_OTHER,
	CALL_FUTEX,
	CALL_SLEEP,
	CALL_SOCKET, /* always about a socket */
	CALL_FILE,   /* about the file that the first argument names */
	CALL_SYNC,   /* fsync and its like */
	CALL_POLL,
	CALL_SELECT,
	CALL_EPOLL,
};

/* clang-format off */
/* The numbers of the architecture's calls; arm64 has the generic ones. */
#if defined(__TARGET_ARCH_x86)
#define CALL_NUMBERS(X) \
	X(READ, 0, FILE) \
	X(WRITE, 1, FILE) \
	X(POLL, 7, POLL) \
	X(PREAD64, 17, FILE) \
	X(PWRITE64, 18, FILE) \
	X(READV, 19, FILE) \
	X(WRITEV, 20, FILE) \
	X(SELECT, 23, SELECT) \
	X(MSYNC, 26, SYNC) \
	X(NANOSLEEP, 35, SLEEP) \
	X(SENDFILE, 40, FILE) \
	X(CONNECT, 42, SOCKET) \
	X(ACCEPT, 43, SOCKET) \
	X(SENDTO, 44, SOCKET) \
	X(RECVFROM, 45, SOCKET) \
	X(SENDMSG, 46, SOCKET) \
	X(RECVMSG, 47, SOCKET) \
	X(EXECVE, 59, OTHER) \
	X(FSYNC, 74, SYNC) \
	X(FDATASYNC, 75, SYNC) \
	X(SYNC, 162, SYNC) \
	X(FUTEX, 202, FUTEX) \
	X(CLOCK_NANOSLEEP, 230, SLEEP) \
	X(EPOLL_WAIT, 232, EPOLL) \
	X(PSELECT6, 270, SELECT) \
	X(PPOLL, 271, POLL) \
	X(SPLICE, 275, FILE) \
	X(SYNC_FILE_RANGE, 277, SYNC) \
	X(EPOLL_PWAIT, 281, EPOLL) \
	X(ACCEPT4, 288, SOCKET) \
	X(PREADV, 295, FILE) \
	X(PWRITEV, 296, FILE) \
	X(RECVMMSG, 299, SOCKET) \
	X(SYNCFS, 306, SYNC) \
	X(SENDMMSG, 307, SOCKET) \
	X(EXECVEAT, 322, OTHER) \
	X(PREADV2, 327, FILE) \
	X(PWRITEV2, 328, FILE)
#else
#define CALL_NUMBERS(X) \
	X(READ, 63, FILE) \
	X(WRITE, 64, FILE) \
	X(PREAD64, 67, FILE) \
	X(PWRITE64, 68, FILE) \
	X(READV, 65, FILE) \
	X(WRITEV, 66, FILE) \
	X(MSYNC, 227, SYNC) \
	X(NANOSLEEP, 101, SLEEP) \
	X(SENDFILE, 71, FILE) \
	X(CONNECT, 203, SOCKET) \
	X(ACCEPT, 202, SOCKET) \
	X(SENDTO, 206, SOCKET) \
	X(RECVFROM, 207, SOCKET) \
	X(SENDMSG, 211, SOCKET) \
	X(RECVMSG, 212, SOCKET) \
	X(EXECVE, 221, OTHER) \
	X(EXECVEAT, 281, OTHER) \
	X(FSYNC, 82, SYNC) \
	X(FDATASYNC, 83, SYNC) \
	X(SYNC, 81, SYNC) \
	X(FUTEX, 98, FUTEX) \
	X(CLOCK_NANOSLEEP, 115, SLEEP) \
	X(PSELECT6, 72, SELECT) \
	X(PPOLL, 73, POLL) \
	X(SPLICE, 76, FILE) \
	X(SYNC_FILE_RANGE, 84, SYNC) \
	X(EPOLL_PWAIT, 22, EPOLL) \
	X(ACCEPT4, 242, SOCKET) \
	X(PREADV, 69, FILE) \
	X(PWRITEV, 70, FILE) \
	X(RECVMMSG, 243, SOCKET) \
	X(SYNCFS, 267, SYNC) \
	X(SENDMMSG, 269, SOCKET) \
	X(PREADV2, 286, FILE) \
	X(PWRITEV2, 287, FILE)
#endif
/* Of these all architectures have the same number. */
#define CALL_NUMBERS_COMMON(X) \
	X(EPOLL_PWAIT2, 441, EPOLL) \
	X(FUTEX_WAITV, 449, FUTEX) \
	X(FUTEX_WAIT, 455, FUTEX)
/* clang-format on */

enum call_number {
#define NUMBER(name, nr, kind) CALL_NR_##name = nr,
	CALL_NUMBERS(NUMBER) CALL_NUMBERS_COMMON(NUMBER)
#undef NUMBER
};

static __always_inline enum call_kind call_kind(__u32 nr)
{
	switch (nr) {
#define KIND(name, nr, kind)                                                                       \
	case nr:                                                                                   \
		return CALL_##kind;
		CALL_NUMBERS(KIND)
		CALL_NUMBERS_COMMON(KIND)
#undef KIND
	default:
		return CALL_OTHER;
	}
}

/* In a page fault or an interrupt of user code the number is negative. */
static __always_inline void call_of(struct task_struct *task, struct call *call)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	call->nr = (__u32)regs->orig_ax;
	call->args[0] = regs->di;
	call->args[1] = regs->si;
	call->args[2] = regs->dx;
#else
	call->nr = (__u32)regs->syscallno;
	call->args[0] = regs->orig_x0;
	call->args[1] = regs->user_regs.regs[1];
	call->args[2] = regs->user_regs.regs[2];
#endif
}

#endif
