/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "drive/postgres/sql.h"

/* What the server says besides is nobody's here: libpq would print it. */
static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

void session_forget(struct session *session)
{
	if (session->result)
		session->pq->clear(session->result);
	session->result = NULL;
}

bool session_connect(struct session *session, const char *connection)
{
	session->conn = session->pq->connectStart(connection);
	if (!session->conn)
		return false;
	/* Also of a failure to connect, which has no result that the code could be read from. */
	session->pq->setErrorVerbosity(session->conn,
				       session->wants_codes ? PQERRORS_SQLSTATE : PQERRORS_VERBOSE);
	session->pq->setNoticeReceiver(session->conn, ignore_notice, NULL);
	session->state = SESSION_CONNECTING;
	session->events = EPOLLOUT;
	return true;
}

int session_fd(const struct session *session)
{
	return session->conn ? session->pq->socket(session->conn) : -1;
}

static enum session_step go_on_connecting(struct session *session)
{
	if (session->pq->status(session->conn) == CONNECTION_BAD)
		return SESSION_LOST;
	switch (session->pq->connectPoll(session->conn)) {
	case PGRES_POLLING_READING:
		session->events = EPOLLIN;
		return SESSION_WAITS;
	case PGRES_POLLING_OK:
		if (session->pq->setnonblocking(session->conn, 1))
			return SESSION_LOST;
		session->pq->setErrorVerbosity(
			session->conn, session->wants_codes ? PQERRORS_SQLSTATE : PQERRORS_DEFAULT);
		session->state = SESSION_IDLE;
		session->events = EPOLLIN;
		return SESSION_DONE;
	case PGRES_POLLING_FAILED:
		return SESSION_LOST;
	default:
		session->events = EPOLLOUT;
		return SESSION_WAITS;
	}
}

static bool flush(struct session *session)
{
	int left = session->pq->flush(session->conn);

	session->events = left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN;
	return left >= 0;
}

/* Of several results the first failure stays, or else the last one. */
static void keep_result(struct session *session, PGresult *result)
{
	if (session->result && !session_succeeded(session)) {
		session->pq->clear(result);
		return;
	}
	session_forget(session);
	session->result = result;
}

static enum session_step read_results(struct session *session)
{
	while (!session->pq->isBusy(session->conn)) {
		PGresult *result = session->pq->getResult(session->conn);
		ExecStatusType status;

		if (!result) {
			session->state = SESSION_IDLE;
			return session->pq->status(session->conn) == CONNECTION_BAD ? SESSION_LOST
										    : SESSION_DONE;
		}
		status = session->pq->resultStatus(result);
		keep_result(session, result);
		if (status == PGRES_COPY_IN) {
			session->state = SESSION_COPYING;
			return SESSION_DONE;
		}
		/* It would be given again and again. */
		if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
			return SESSION_LOST;
	}
	return SESSION_WAITS;
}

enum session_step session_advance(struct session *session)
{
	if (session->state == SESSION_CONNECTING)
		return go_on_connecting(session);
	if (!session->pq->consumeInput(session->conn) || !flush(session))
		return SESSION_LOST;
	if (session->state == SESSION_COPYING)
		return session->events & EPOLLOUT ? SESSION_WAITS : SESSION_DONE;
	if (session->state == SESSION_BUSY)
		return read_results(session);
	/* An idle connection whose socket is readable: the server has said that it goes. */
	return session->pq->status(session->conn) == CONNECTION_BAD ? SESSION_LOST : SESSION_WAITS;
}

static bool begin(struct session *session, int sent)
{
	session_forget(session);
	session->state = SESSION_BUSY;
	return sent && flush(session);
}

bool session_query(struct session *session, const char *sql)
{
	return begin(session, session->pq->sendQuery(session->conn, sql));
}

bool session_prepare(struct session *session, const char *name, const char *sql)
{
	return begin(session, session->pq->sendPrepare(session->conn, name, sql, 0, NULL));
}

bool session_execute(struct session *session, const char *name, const char *const *values, int n)
{
	return begin(session,
		     session->pq->sendQueryPrepared(session->conn, name, n, values, NULL, NULL, 0));
}

bool session_copy(struct session *session, const char *bytes, size_t n)
{
	return n <= INT_MAX && session->pq->putCopyData(session->conn, bytes, (int)n) >= 0 &&
	       flush(session);
}

bool session_copy_end(struct session *session)
{
	session->state = SESSION_BUSY;
	return session->pq->putCopyEnd(session->conn, NULL) >= 0 && flush(session);
}

bool session_succeeded(const struct session *session)
{
	if (!session->result)
		return false;
	switch (session->pq->resultStatus(session->result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
	case PGRES_COPY_IN:
		return true;
	default:
		return false;
	}
}

void session_error(const struct session *session, char *kind)
{
	const char *code =
		session->result ? session->pq->resultErrorField(session->result, PG_DIAG_SQLSTATE)
				: NULL;
	char found[SQLSTATE_SIZE];

	if (!code && session->conn &&
	    sql_find_state(session->pq->errorMessage(session->conn), found))
		code = found;
	if (code)
		snprintf(kind, SESSION_ERROR_MAX, "sqlstate %.5s", code);
	else
		snprintf(kind, SESSION_ERROR_MAX, "connection");
}

void session_message(const struct session *session, char *text, size_t size)
{
	const char *message = session->result && !session_succeeded(session)
				      ? session->pq->resultErrorMessage(session->result)
			      : session->conn ? session->pq->errorMessage(session->conn)
					      : "";
	size_t n = strcspn(message, "\n");

	snprintf(text, size, "%.*s", (int)(n < size ? n : size), message);
}

uint64_t session_rows(const struct session *session)
{
	if (!session->result)
		return 0;
	if (session->pq->resultStatus(session->result) == PGRES_TUPLES_OK)
		return (uint64_t)session->pq->ntuples(session->result);
	return strtoull(session->pq->cmdTuples(session->result), NULL, 10);
}

uint64_t session_bytes(const struct session *session)
{
	const struct libpq *pq = session->pq;
	uint64_t bytes = 0;
	int rows, columns;

	if (!session->result || pq->resultStatus(session->result) != PGRES_TUPLES_OK)
		return 0;
	rows = pq->ntuples(session->result);
	columns = pq->nfields(session->result);
	for (int row = 0; row < rows; row++)
		for (int column = 0; column < columns; column++)
			bytes += (uint64_t)pq->getlength(session->result, row, column);
	return bytes;
}

void session_close(struct session *session)
{
	session_forget(session);
	if (session->conn)
		session->pq->finish(session->conn);
	session->conn = NULL;
	session->state = SESSION_CLOSED;
	session->events = 0;
}
