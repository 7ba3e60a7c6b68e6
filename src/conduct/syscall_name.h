/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of system calls, from the headers that perfbpf was built with. */
#ifndef PERFBPF_CONDUCT_SYSCALL_NAME_H
#define PERFBPF_CONDUCT_SYSCALL_NAME_H

/* "futex"; "call 471" for a number that those headers do not know. To be freed. */
char *syscall_name(int nr);

#endif
