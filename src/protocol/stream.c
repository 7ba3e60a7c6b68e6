/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One direction of a connection, cut into units; what is not known of a unit is stepped over. */
#include <stdlib.h>
#include <string.h>

#include "protocol/internal.h"

/* What is left of a piece: known bytes, and as many unknown ones behind them. */
struct rest {
	const uint8_t *at;
	size_t n;
	uint64_t n_hidden;
};

void stream_restart(struct stream *stream)
{
	stream->state = STREAM_IN_STEP;
	stream->in_unit = false;
	stream->is_aside = false;
	stream->skip = 0;
	stream->n_held = 0;
}

static bool grow(struct stream *stream, size_t n)
{
	uint32_t size = stream->held_size ? stream->held_size : 64;
	uint8_t *held;

	while (size < n)
		size *= 2;
	if (size == stream->held_size)
		return true;
	held = realloc(stream->held, size);
	if (!held)
		return false;
	stream->held = held;
	stream->held_size = size;
	return true;
}

bool stream_hold(struct stream *stream, const uint8_t *at, size_t n, uint64_t now_ns)
{
	if (n > HELD_MAX - stream->n_held || !grow(stream, stream->n_held + n))
		return false;
	if (!stream->n_held)
		stream->held_ns = now_ns;
	if (n)
		memcpy(stream->held + stream->n_held, at, n);
	stream->n_held += (uint32_t)n;
	return true;
}

void stream_touch(struct protocol_connection *connection, enum direction direction,
		  uint64_t time_ns)
{
	struct pending *pending;

	if (connection->streams[direction].is_aside)
		return;
	if (connection->spoken->is_keyed)
		pending = pending_find(connection, connection->focus[direction]);
	else if (direction == REQUESTS)
		pending = pending_open(connection);
	else
		pending = pending_first(connection);
	if (!pending)
		return;
	if (direction == REQUESTS) {
		pending->request.read_ns = time_ns;
		return;
	}
	if (!pending->is_answered)
		pending->request.first_ns = time_ns;
	pending->is_answered = true;
	if (connection->streams[ANSWERS].state == STREAM_IN_STEP)
		pending->is_doubtful = false;
	pending->request.last_ns = time_ns;
}

static uint64_t now_of(const struct protocol_connection *connection, enum direction direction)
{
	return direction == REQUESTS ? connection->arrived_ns : connection->time_ns;
}

/*
 * A single request without an answer owns whatever is answered. With several, those that were
 * being answered may be done or not.
 */
static enum stream_state doubt_answers(struct protocol_connection *connection,
				       enum stream_state state)
{
	struct pending *pending = pending_first(connection);

	if (connection->count == 1) {
		pending->is_doubtful = true;
		connection->focus[ANSWERS] = pending->key;
		return STREAM_OPEN;
	}
	connection->focus[ANSWERS] = 0;
	for (size_t i = 0; i < connection->count; i++)
		pending[i].is_doubtful |= pending[i].is_answered;
	return state;
}

static void leave_step(struct protocol_connection *connection, enum direction direction,
		       enum stream_state state)
{
	struct stream *stream = &connection->streams[direction];

	if (direction == ANSWERS)
		state = doubt_answers(connection, state);
	else
		connection->is_turn = false;
	stream_restart(stream);
	stream->state = state;
}

/* Passes what is there of the unit; false where it goes on in the next piece. */
static bool pass(struct protocol_connection *connection, enum direction direction,
		 struct rest *rest)
{
	struct stream *stream = &connection->streams[direction];
	uint64_t n = stream->skip < stream->n_held ? stream->skip : stream->n_held;

	if (n) {
		stream->n_held -= (uint32_t)n;
		memmove(stream->held, stream->held + n, stream->n_held);
		stream->held_ns = now_of(connection, direction);
		stream->skip -= n;
	}
	n = stream->skip < rest->n ? stream->skip : rest->n;
	if (n) {
		rest->at += n;
		rest->n -= n;
		stream->skip -= n;
	}
	n = stream->skip < rest->n_hidden ? stream->skip : rest->n_hidden;
	rest->n_hidden -= n;
	stream->skip -= n;
	stream_touch(connection, direction, connection->time_ns);
	if (stream->skip)
		return false;
	stream->in_unit = false;
	connection->spoken->unit_end(connection, direction);
	return true;
}

/* Shows the protocol what begins here; false where that is too little to tell. */
static bool parse(struct protocol_connection *connection, enum direction direction,
		  struct rest *rest)
{
	struct stream *stream = &connection->streams[direction];
	struct view view = {rest->at, rest->n, rest->n_hidden || rest->n >= HELD_MAX};
	bool is_fresh = !stream->n_held;
	int64_t length;

	stream->begin_ns = is_fresh ? now_of(connection, direction) : stream->held_ns;
	if (!is_fresh) {
		size_t room = HELD_MAX - stream->n_held, n = rest->n < room ? rest->n : room;

		if (n && stream_hold(stream, rest->at, n, 0)) {
			rest->at += n;
			rest->n -= n;
		}
		view = (struct view){stream->held, stream->n_held, rest->n || rest->n_hidden};
		view.is_cut |= stream->n_held == HELD_MAX;
	}
	stream->is_aside = false;
	length = connection->spoken->unit(connection, direction, &view);
	if (length == UNIT_MORE && !view.is_cut) {
		if (!is_fresh || stream_hold(stream, rest->at, rest->n, stream->begin_ns))
			return false;
	}
	if (length <= 0) {
		leave_step(connection, direction, length == UNIT_OPEN ? STREAM_OPEN : STREAM_LOST);
		return true;
	}
	stream->skip = (uint64_t)length;
	stream->in_unit = true;
	stream_touch(connection, direction,
		     direction == REQUESTS ? connection->time_ns : stream->begin_ns);
	return true;
}

bool stream_feed(struct protocol_connection *connection, enum direction direction,
		 const struct protocol_chunk *chunk)
{
	struct stream *stream = &connection->streams[direction];
	struct rest rest = {chunk->prefix, chunk->n_prefix, chunk->length - chunk->n_prefix};

	while (stream->state == STREAM_IN_STEP && !connection->is_opaque) {
		if (stream->in_unit) {
			if (!pass(connection, direction, &rest))
				return true;
		} else if (rest.n || stream->n_held) {
			if (!parse(connection, direction, &rest))
				return true;
		} else if (rest.n_hidden) {
			/* What is hidden belongs to the request that is open, as far as one can
			 * tell. */
			bool is_open = direction == REQUESTS && !connection->spoken->is_keyed &&
				       pending_open(connection);

			leave_step(connection, direction, is_open ? STREAM_OPEN : STREAM_LOST);
		} else {
			return true;
		}
	}
	if (connection->is_opaque)
		return connection->is_told;
	stream_touch(connection, direction, connection->time_ns);
	return stream->state == STREAM_OPEN;
}
