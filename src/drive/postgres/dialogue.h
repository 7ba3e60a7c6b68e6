/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A session of a thread of its own, which waits for its answers: what is done before the load, and
 * what is asked at the window's ends. */
#ifndef PERFBPF_DRIVE_POSTGRES_DIALOGUE_H
#define PERFBPF_DRIVE_POSTGRES_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/postgres/session.h"

struct dialogue {
	struct session session;
	int end_fd;           /* readable: give up, -1: there is nobody who would say so */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, of whatever is under way */
};

/*
 * Connects; again and again until the deadline while the server says that it is starting up (57P03)
 * or refuses connections. -1 with @err.
 */
int dialogue_connect(struct dialogue *dialogue, const char *connection, struct error *err);
/* Runs @sql, several statements or one, and has the result of the last in its session. -1 with @err
 * in the server's words. */
int dialogue_run(struct dialogue *dialogue, const char *sql, struct error *err);
/* Sends what has been given to session_copy() until little of it waits in memory. */
int dialogue_drain(struct dialogue *dialogue, struct error *err);
/* Ends a COPY. */
int dialogue_copy_end(struct dialogue *dialogue, struct error *err);

#endif
