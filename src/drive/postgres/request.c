/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "drive/postgres/session.h"
#include "util/clock.h"

/* A server that is away refuses at once: a user that cannot connect comes to its error only after
 * this time, so that users do not take the CPUs that it needs to come back. */
#define HOLD_NS (100 * NSEC_PER_MSEC)

enum stage {
	STAGE_NONE, /* no request is under way */
	STAGE_CONNECT,
	STAGE_BEGIN,
	STAGE_PREPARE,
	STAGE_EXECUTE,
	STAGE_COMMIT,
	STAGE_ROLLBACK,
	STAGE_HOLD, /* it could not connect */
};

struct user {
	struct session session;
	bool is_watched;
	int fd; /* that is watched */
	uint32_t events;
	bool has_timer;
	int timer_fd;
	uint64_t prepared; /* a bit for each statement of the plan */
	const struct script_request *request;
	enum stage stage;
	size_t step;
	uint64_t random;
	uint64_t rows, bytes;
	char error[SESSION_ERROR_MAX]; /* "": none yet */
};

_Static_assert(STATEMENTS_MAX <= 64, "a bit for each");

static int no_memory(struct error *err)
{
	return error_set(err, EXIT_CODE_FAILED, "postgres: out of memory");
}

static void unwatch(struct load_user *user)
{
	struct user *state = load_user_state(user);

	if (state->is_watched)
		load_unwatch(user, state->fd);
	state->is_watched = false;
}

/* Watches the session's socket for what it waits for. */
static int watch(struct load_user *user, struct error *err)
{
	struct user *state = load_user_state(user);
	int fd = session_fd(&state->session), rc;

	if (state->is_watched && state->fd == fd && state->events == state->session.events)
		return 0;
	rc = load_watch(user, fd, state->session.events);
	if (rc)
		return error_set(err, EXIT_CODE_FAILED, "postgres: cannot watch a connection: %s",
				 strerror(-rc));
	state->is_watched = true;
	state->fd = fd;
	state->events = state->session.events;
	return 0;
}

static void disconnect(struct load_user *user)
{
	struct user *state = load_user_state(user);

	unwatch(user);
	session_close(&state->session);
	state->prepared = 0;
}

static void end_request(struct load_user *user)
{
	struct user *state = load_user_state(user);
	struct load_outcome outcome = {
		.error = *state->error ? state->error : NULL,
		.bytes = state->bytes,
		.rows = state->rows,
	};

	session_forget(&state->session);
	state->stage = STAGE_NONE;
	load_done(user, &outcome);
}

static int hold(struct load_user *user, struct error *err)
{
	struct itimerspec after = {.it_value.tv_nsec = HOLD_NS};
	struct user *state = load_user_state(user);
	int rc;

	if (!state->has_timer) {
		state->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		state->has_timer = state->timer_fd >= 0;
		rc = state->has_timer ? load_watch(user, state->timer_fd, EPOLLIN) : -errno;
		if (rc)
			return error_set(err, EXIT_CODE_FAILED, "postgres: no timer: %s",
					 strerror(-rc));
	}
	state->stage = STAGE_HOLD;
	if (timerfd_settime(state->timer_fd, 0, &after, NULL))
		return error_set(err, EXIT_CODE_FAILED, "postgres: no timer: %s", strerror(errno));
	return 0;
}

/* The connection has gone, or could not be made. */
static int lose(struct load_user *user, struct error *err)
{
	struct user *state = load_user_state(user);
	bool was_connecting = state->stage == STAGE_CONNECT;

	if (!*state->error)
		session_error(&state->session, state->error);
	disconnect(user);
	if (state->stage == STAGE_NONE)
		return 0;
	if (was_connecting)
		return hold(user, err);
	end_request(user);
	return 0;
}

static bool send_values(struct requests *all, struct user *state,
			const struct script_statement *statement, struct error *err)
{
	values_clear(&all->values);
	for (size_t row = 0; row < statement->batch; row++)
		for (size_t i = 0; i < statement->n_values; i++)
			if (!values_add(&all->values, &statement->values[i], &state->random)) {
				no_memory(err);
				return false;
			}
	return session_execute(&state->session, statement->name, values_texts(&all->values),
			       (int)all->values.n);
}

/* -1 with @err: no memory. What cannot be sent is a lost connection. */
static int send_stage(struct load_user *user, struct requests *all, struct error *err)
{
	struct user *state = load_user_state(user);
	const struct script_statement *statement = NULL;
	struct error problem = {0};
	bool sent = false;

	if (state->step < state->request->n_steps)
		statement = state->request->steps[state->step];
	if (state->stage == STAGE_BEGIN)
		sent = session_query(&state->session, "BEGIN");
	else if (state->stage == STAGE_COMMIT)
		sent = session_query(&state->session, "COMMIT");
	else if (state->stage == STAGE_ROLLBACK)
		sent = session_query(&state->session, "ROLLBACK");
	else if (state->stage == STAGE_PREPARE)
		sent = session_prepare(&state->session, statement->name, statement->sql);
	else
		sent = send_values(all, state, statement, &problem);
	if (*problem.text) {
		if (err)
			*err = problem;
		return -1;
	}
	return sent ? watch(user, err) : lose(user, err);
}

/* What the present step of the request needs first. */
static enum stage step_stage(const struct requests *all, const struct user *state)
{
	size_t i = (size_t)(state->request->steps[state->step] - all->script.statements);

	return state->prepared & (1ULL << i) ? STAGE_EXECUTE : STAGE_PREPARE;
}

/* What comes after a stage that went well; STAGE_NONE: the request has come to its end. */
static enum stage next_stage(const struct requests *all, struct user *state)
{
	switch (state->stage) {
	case STAGE_CONNECT:
		return state->request->is_transaction ? STAGE_BEGIN : step_stage(all, state);
	case STAGE_BEGIN:
		return step_stage(all, state);
	case STAGE_PREPARE:
		state->prepared |= 1ULL
				   << (state->request->steps[state->step] - all->script.statements);
		return STAGE_EXECUTE;
	case STAGE_EXECUTE:
		if (++state->step < state->request->n_steps)
			return step_stage(all, state);
		return state->request->is_transaction ? STAGE_COMMIT : STAGE_NONE;
	default:
		return STAGE_NONE;
	}
}

static int go_on(struct load_user *user, struct requests *all, struct error *err)
{
	struct user *state = load_user_state(user);
	enum stage before = state->stage;

	state->stage = next_stage(all, state);
	if (state->stage == STAGE_NONE) {
		end_request(user);
		return 0;
	}
	/* Connecting and preparing are no service of this request's; a transaction that has begun
	 * is. */
	if (before == STAGE_CONNECT || (before == STAGE_PREPARE && !state->request->is_transaction))
		load_sent(user);
	return send_stage(user, all, err);
}

static void judge_rows(struct load_user *user, struct requests *all)
{
	struct user *state = load_user_state(user);
	const struct script_statement *statement = state->request->steps[state->step];
	struct row_faults *faults = &all->faults[statement - all->script.statements];
	uint64_t rows = session_rows(&state->session);
	const char *error = script_judge_rows(statement, rows);

	state->bytes += session_bytes(&state->session);
	state->rows += rows;
	/* Of what nobody has an expectation of, what came is as expected; what never came is an
	 * error of its own. */
	load_count(user, ROWS_EXPECTED, statement->looks_at_rows ? statement->rows_min : rows);
	if (!error)
		return;
	if (rows < statement->rows_min) {
		faults->fewest = faults->n_short++ && faults->fewest < rows ? faults->fewest : rows;
	} else {
		faults->most = faults->n_over++ && faults->most > rows ? faults->most : rows;
	}
	if (!*state->error)
		snprintf(state->error, sizeof(state->error), "%s", error);
}

/* The server has answered what the stage was. */
static int take_answer(struct load_user *user, struct requests *all, struct error *err)
{
	struct user *state = load_user_state(user);

	if (state->stage == STAGE_NONE)
		return watch(user, err);
	if (state->stage == STAGE_CONNECT || session_succeeded(&state->session)) {
		if (state->stage == STAGE_EXECUTE)
			judge_rows(user, all);
		return go_on(user, all, err);
	}
	if (!*state->error)
		session_error(&state->session, state->error);
	if (state->session.state != SESSION_IDLE) {
		/* A COPY, say, which nobody feeds. */
		disconnect(user);
		end_request(user);
		return 0;
	}
	if (!state->request->is_transaction || state->stage == STAGE_BEGIN ||
	    state->stage == STAGE_COMMIT || state->stage == STAGE_ROLLBACK) {
		end_request(user);
		return 0;
	}
	state->stage = STAGE_ROLLBACK;
	return send_stage(user, all, err);
}

static int postgres_begin(void *context, struct load_user *user, size_t kind, struct error *err)
{
	struct requests *all = context;
	struct user *state = load_user_state(user);

	state->request = &all->script.requests[kind];
	state->step = 0;
	state->rows = state->bytes = 0;
	state->error[0] = '\0';
	state->random = load_user_random(user);
	state->stage = STAGE_CONNECT;
	if (state->session.state == SESSION_IDLE) {
		state->stage = next_stage(all, state);
		return send_stage(user, all, err);
	}
	state->session.pq = &all->pq;
	state->session.wants_codes = true;
	if (!session_connect(&state->session, all->connection))
		return no_memory(err);
	if (session_fd(&state->session) < 0)
		return lose(user, err);
	return watch(user, err);
}

static int postgres_ready(void *context, struct load_user *user, int fd, uint32_t events,
			  struct error *err)
{
	struct requests *all = context;
	struct user *state = load_user_state(user);
	uint64_t ticks;

	(void)events;
	if (state->has_timer && fd == state->timer_fd) {
		if (read(fd, &ticks, sizeof(ticks)) == sizeof(ticks) && state->stage == STAGE_HOLD)
			end_request(user);
		return 0;
	}
	if (!state->session.conn)
		return 0;
	/* Another socket may take this one's place, and its number. */
	if (state->session.state == SESSION_CONNECTING)
		unwatch(user);
	switch (session_advance(&state->session)) {
	case SESSION_LOST:
		return lose(user, err);
	case SESSION_DONE:
		return take_answer(user, all, err);
	case SESSION_WAITS:
		break;
	}
	return watch(user, err);
}

static void postgres_give_up(void *context, struct load_user *user)
{
	struct user *state = load_user_state(user);

	(void)context;
	disconnect(user);
	state->stage = STAGE_NONE;
}

static void postgres_close(void *context, struct load_user *user)
{
	struct user *state = load_user_state(user);

	(void)context;
	disconnect(user);
	if (!state->has_timer)
		return;
	load_unwatch(user, state->timer_fd);
	close(state->timer_fd);
	state->has_timer = false;
}

const struct load_protocol postgres_protocol = {
	.user_size = sizeof(struct user),
	.begin = postgres_begin,
	.ready = postgres_ready,
	.give_up = postgres_give_up,
	.close = postgres_close,
};
