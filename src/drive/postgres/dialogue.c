/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/dialogue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "util/clock.h"

#define RETRY_MS      50
#define PATIENCE_MAX  1000 /* ms; then the deadline is looked at again */
#define MESSAGE_TEXT  600
#define STARTING_CODE "sqlstate 57P03"

static int fail(const struct dialogue *dialogue, struct error *err)
{
	char message[MESSAGE_TEXT];

	session_message(&dialogue->session, message, sizeof(message));
	return error_set(err, EXIT_CODE_FAILED, "%s",
			 *message ? message : "the connection was lost");
}

/* Waits until @fd (-1: none) has @events, at most @ms. 1: it has; 0: not yet; -1 with @err where it
 * is time to give up. */
static int wait_for(const struct dialogue *dialogue, int fd, short events, int ms,
		    struct error *err)
{
	struct pollfd fds[] = {{.fd = fd, .events = events},
			       {.fd = dialogue->end_fd, .events = POLLIN}};

	if (poll(fds, 2, ms) < 0) {
		if (errno == EINTR)
			return 0;
		return error_set(err, EXIT_CODE_FAILED, "poll: %s", strerror(errno));
	}
	if (fds[1].revents)
		return error_set(err, EXIT_CODE_FAILED, "it was given up");
	if (fds[0].revents)
		return 1;
	if (clock_now_ns() >= dialogue->deadline_ns)
		return error_set(err, EXIT_CODE_FAILED, "the server did not answer in time");
	return 0;
}

/* Advances the session until it is done. 0, 1: it was lost, -1 with @err: time to give up. */
static int advance(struct dialogue *dialogue, struct error *err)
{
	struct session *session = &dialogue->session;

	for (;;) {
		short events = (short)((session->events & EPOLLIN ? POLLIN : 0) |
				       (session->events & EPOLLOUT ? POLLOUT : 0));
		int ready = wait_for(dialogue, session_fd(session), events, PATIENCE_MAX, err);

		if (ready < 0)
			return -1;
		/* libpq takes being called for a sign that the socket is ready. */
		if (!ready)
			continue;
		switch (session_advance(session)) {
		case SESSION_DONE:
			return 0;
		case SESSION_LOST:
			return 1;
		case SESSION_WAITS:
			break;
		}
	}
}

/* Is it of use to try again? */
static bool may_come(const struct session *session)
{
	char kind[SESSION_ERROR_MAX];

	session_error(session, kind);
	return !strcmp(kind, STARTING_CODE) || !strcmp(kind, "connection");
}

int dialogue_connect(struct dialogue *dialogue, const char *connection, struct error *err)
{
	struct session *session = &dialogue->session;

	for (;;) {
		struct error ignored;
		int rc;

		if (!session_connect(session, connection))
			return error_set(err, EXIT_CODE_FAILED, "out of memory");
		rc = session->pq->status(session->conn) == CONNECTION_BAD ? 1
									  : advance(dialogue, err);
		if (rc <= 0)
			return rc;
		fail(dialogue, err);
		if (!may_come(session) || wait_for(dialogue, -1, 0, RETRY_MS, &ignored))
			return error_prefix(err, "cannot connect");
		session_close(session);
	}
}

static int finish(struct dialogue *dialogue, bool begun, struct error *err)
{
	int rc = begun ? advance(dialogue, err) : 1;

	if (rc < 0)
		return -1;
	return rc || !session_succeeded(&dialogue->session) ? fail(dialogue, err) : 0;
}

int dialogue_run(struct dialogue *dialogue, const char *sql, struct error *err)
{
	return finish(dialogue, session_query(&dialogue->session, sql), err);
}

int dialogue_drain(struct dialogue *dialogue, struct error *err)
{
	int rc = dialogue->session.events & EPOLLOUT ? advance(dialogue, err) : 0;

	return rc > 0 ? fail(dialogue, err) : rc;
}

int dialogue_copy_end(struct dialogue *dialogue, struct error *err)
{
	return finish(dialogue, session_copy_end(&dialogue->session), err);
}
