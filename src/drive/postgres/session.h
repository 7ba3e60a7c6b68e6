/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One connection to the server that never blocks: it is begun, told to run something, and advanced
 * whenever its socket has the events that it waits for.
 */
#ifndef PERFBPF_DRIVE_POSTGRES_SESSION_H
#define PERFBPF_DRIVE_POSTGRES_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/postgres/libpq.h"

/* "sqlstate 53300", "connection" */
#define SESSION_ERROR_MAX 32

enum session_state {
	SESSION_CLOSED,
	SESSION_CONNECTING,
	SESSION_IDLE, /* may be told to run something */
	SESSION_BUSY,
	SESSION_COPYING, /* takes the rows of a COPY … FROM STDIN */
};

struct session {
	const struct libpq *pq;
	enum session_state state;
	PGconn *conn;
	PGresult *result; /* of what ran last, and the session's */
	uint32_t events;  /* EPOLLIN, EPOLLOUT: what it waits for */
	bool wants_codes; /* of errors only their SQLSTATE is told, not what they say */
};

enum session_step {
	SESSION_WAITS,
	SESSION_DONE, /* it has connected, takes rows, or has run what it was told; see result */
	SESSION_LOST, /* the connection could not be made, or has broken; see session_error() */
};

/* Begins to connect; all of @session but pq and wants_codes was zero. False: no memory. */
bool session_connect(struct session *session, const char *connection);
/* The socket at present, -1: none. While it connects, another one may take its place at each step.
 */
int session_fd(const struct session *session);
/* Its socket has what it waited for. */
enum session_step session_advance(struct session *session);

/* Each begins to run something on an idle session; false: it is lost. */
bool session_query(struct session *session, const char *sql);
bool session_prepare(struct session *session, const char *name, const char *sql);
bool session_execute(struct session *session, const char *name, const char *const *values, int n);
/* Gives rows, as text with a newline behind each, to a copying one; false: it is lost. */
bool session_copy(struct session *session, const char *bytes, size_t n);
bool session_copy_end(struct session *session);

/* Did the server do what it was told? Not, where it refused or the session was lost. */
bool session_succeeded(const struct session *session);
/* The kind of what went wrong into @kind[SESSION_ERROR_MAX]; and, by session_message(), in the
 * server's words, without a newline at the end, where wants_codes is not set. */
void session_error(const struct session *session, char *kind);
void session_message(const struct session *session, char *text, size_t size);
/* Rows that it returned, or else that it changed. */
uint64_t session_rows(const struct session *session);
/* Bytes of all that it returned. */
uint64_t session_bytes(const struct session *session);
/* Frees what it returned. */
void session_forget(struct session *session);

/* Ends the connection at once. The socket must no longer be watched. */
void session_close(struct session *session);

#endif
