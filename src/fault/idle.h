/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Idle connections, as many as are wanted, in a process of its own (`perfbpf idle`). */
#ifndef PERFBPF_FAULT_IDLE_H
#define PERFBPF_FAULT_IDLE_H

#include "util/error.h"

#define IDLE_CONNECTIONS_MAX 20000

/*
 * Holds @count connections to the loopback address @to until the stream @control_fd ends; what is
 * refused or closed is tried again ten times a second. Whenever it changes, at most as often:
 *   → {"event":"count","established":N,"peak":N,"refused":N,"lost":N,"at_ns":N}
 * At the end all are reset, so that the other end has its room back at once and no port waits.
 * Returns the process's exit code; @err is filled where it could not begin.
 */
int idle_serve(const char *to, int count, int control_fd, struct error *err);

#endif
