/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A TCP proxy in a process of its own (`perfbpf proxy`), between a client and what it talks to,
 * that can be told to be a bad network. Without an effect, what comes in goes out as it is,
 * half-closed connections too. The effects: delay      what the backend answers comes later by so
 * much, in order; a delay line, so that as much passes as before (up to PROXY_LANE_BYTES_MAX on its
 * way a connection) stall      nothing passes any more, either way; when undone, all of it does
 *   reset      connections are reset (RST), both ends
 *   bandwidth  so many bytes a second each way, all connections together
 * With a probability below 1 each answer is drawn by itself (of bandwidth: each connection): a
 * delayed one comes late, a stalled one never and its connection stands still, at a reset one the
 * connection is reset in its place. An answer is what the backend sends from the client's last byte
 * until its next. With 1, stall and reset meet all connections at once, and each new one.
 */
#ifndef PERFBPF_FAULT_PROXY_H
#define PERFBPF_FAULT_PROXY_H

#include <stdint.h>

#include "scenario/scenario.h"
#include "util/error.h"

#define PROXY_LANE_BYTES_MAX  (4U << 20)   /* held of one direction of a connection */
#define PROXY_TOTAL_BYTES_MAX (512U << 20) /* held in all; then nothing more is read */
#define PROXY_CONNECTIONS_MAX 20000

/*
 * Serves until the stream @control_fd ends. Messages are lines of JSON:
 *   → {"event":"listening","port":N}
 *   ← {"effect":"delay","delay_ns":N,"probability":P,"seed":N}    the last two may be left out
 *   ← {"effect":"bandwidth","bytes_per_second":N,…}   {"effect":"stall",…}   {"effect":"reset",…}
 *   → {"event":"applied","effect":"delay","connections":N,"at_ns":N}
 *   ← {"effect":"none"}
 *   → {"event":"undone","met":N,"affected":N,"at_ns":N}   answers or connections that the effect
 *                                                       met, and those that it was drawn for
 *   ← {"command":"count"}
 *   → {"event":"count","connections":N,"accepted":N,"refused":N,"turned_away":N,"held_bytes":N,
 *      "met":N,"affected":N}
 *   → {"event":"error","text":"…"}                      what was said is not understood
 * @listen_at and @to are addresses of loopback. Returns the process's exit code; @err is
 * filled where it could not begin.
 */
int proxy_serve(const char *listen_at, const char *to, int control_fd, struct error *err);

#endif
