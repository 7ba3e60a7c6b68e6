/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which protocol a connection speaks, and its way back into step. */
#include <stdlib.h>
#include <string.h>

#include "protocol/internal.h"

/* Pieces that are no request, one after another, until what is spoken is asked anew. */
#define MISSES_MAX 16

/* In the order in which they are asked: the surest signs first. */
static const struct protocol *const protocols[] = {
	&protocol_http1,    &protocol_http2, &protocol_redis,
	&protocol_postgres, &protocol_kafka, &protocol_mysql,
};

static const char *const names[PROTOCOLS] = {
	[PROTOCOL_HTTP] = "http",   [PROTOCOL_POSTGRES] = "postgres", [PROTOCOL_REDIS] = "redis",
	[PROTOCOL_KAFKA] = "kafka", [PROTOCOL_MYSQL] = "mysql",
};

const char *protocol_name(enum protocol_id id)
{
	return names[id];
}

static bool add_word(const char *word, size_t n, unsigned int *set)
{
	for (unsigned int id = 0; id < PROTOCOLS; id++) {
		if (strlen(names[id]) == n && !memcmp(names[id], word, n)) {
			*set |= 1U << id;
			return true;
		}
	}
	return false;
}

int protocol_set_parse(const char *words, unsigned int *set, char unknown[64])
{
	*set = 0;
	for (;;) {
		size_t n = strcspn(words, ",");

		if (!add_word(words, n, set)) {
			n = n < 63 ? n : 63;
			memcpy(unknown, words, n);
			unknown[n] = '\0';
			return -1;
		}
		if (!words[n])
			return 0;
		words += n + 1;
	}
}

struct protocol_connection *protocol_connection_new(unsigned int set)
{
	struct protocol_connection *connection = calloc(1, sizeof(*connection));

	if (connection)
		connection->wanted = set;
	return connection;
}

static void forget_protocol(struct protocol_connection *connection)
{
	if (connection->spoken && connection->spoken->state_free && connection->state)
		connection->spoken->state_free(connection->state);
	free(connection->state);
	connection->state = NULL;
	connection->spoken = NULL;
	connection->misses = 0;
	pending_clear(connection);
	for (int i = 0; i < DIRECTIONS; i++)
		stream_restart(&connection->streams[i]);
}

void protocol_connection_free(struct protocol_connection *connection)
{
	if (!connection)
		return;
	forget_protocol(connection);
	for (int i = 0; i < DIRECTIONS; i++)
		free(connection->streams[i].held);
	free(connection->pending);
	free(connection);
}

static bool speak(struct protocol_connection *connection, const struct protocol *protocol)
{
	if (protocol->state_size) {
		connection->state = calloc(1, protocol->state_size);
		if (!connection->state)
			return false;
	}
	connection->spoken = protocol;
	return true;
}

static enum look ask_all(struct protocol_connection *connection, enum direction direction,
			 const struct view *view, const struct protocol **found)
{
	enum look best = LOOK_NO;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const struct protocol *protocol = protocols[i];
		enum look look;

		if (!(connection->wanted & 1U << protocol->id))
			continue;
		look = protocol->look(connection, direction, view);
		if (look == LOOK_MORE && view->is_cut)
			continue;
		/* A sure sign is worth waiting for, be another content with what is here. */
		if (look != LOOK_NO && best == LOOK_NO) {
			best = look;
			*found = protocol;
		}
	}
	return best;
}

/* What is held and @chunk together; and where that is nothing, @chunk alone. */
static enum look find_protocol(struct protocol_connection *connection, enum direction direction,
			       const struct protocol_chunk *chunk, const struct protocol **found)
{
	struct stream *stream = &connection->streams[direction];
	struct view view = {chunk->prefix, chunk->n_prefix, chunk->n_prefix < chunk->length};
	uint32_t n_held = stream->n_held;
	enum look look;

	if (n_held && stream_hold(stream, chunk->prefix, chunk->n_prefix, 0)) {
		struct view both = {stream->held, stream->n_held, view.is_cut};

		look = ask_all(connection, direction, &both, found);
		stream->n_held = n_held;
		if (look != LOOK_NO)
			return look;
	}
	stream->n_held = 0;
	return ask_all(connection, direction, &view, found);
}

static bool feed_unknown(struct protocol_connection *connection, enum direction direction,
			 const struct protocol_chunk *chunk)
{
	struct stream *stream = &connection->streams[direction];
	const struct protocol *found = NULL;

	/* An answer to what was not understood: that was no beginning. */
	if (direction == ANSWERS)
		connection->streams[REQUESTS].n_held = 0;
	switch (find_protocol(connection, direction, chunk, &found)) {
	case LOOK_YES:
		stream_restart(&connection->streams[!direction]);
		return speak(connection, found) && stream_feed(connection, direction, chunk);
	case LOOK_MORE:
		if (chunk->n_prefix == chunk->length &&
		    stream_hold(stream, chunk->prefix, chunk->n_prefix,
				direction == REQUESTS ? chunk->arrived_ns : chunk->time_ns))
			return true;
		break;
	case LOOK_NO:
		break;
	}
	stream->n_held = 0;
	return false;
}

static bool is_beginning(struct protocol_connection *connection, enum direction direction,
			 const struct protocol_chunk *chunk)
{
	const struct view view = {chunk->prefix, chunk->n_prefix, chunk->n_prefix < chunk->length};

	if (!connection->spoken->is_keyed && (direction == ANSWERS || !connection->is_turn))
		return false;
	return view.n && connection->spoken->look(connection, direction, &view) != LOOK_NO;
}

static void resync(struct protocol_connection *connection, enum direction direction)
{
	struct stream *stream = &connection->streams[direction];

	if (!connection->spoken->is_keyed) {
		if (connection->streams[ANSWERS].state != STREAM_IN_STEP)
			pending_turn(connection);
		else if (stream->state == STREAM_LOST)
			pending_clear(connection);
	}
	stream_restart(stream);
	if (connection->spoken->reset)
		connection->spoken->reset(connection, direction);
}

static bool feed_spoken(struct protocol_connection *connection, enum direction direction,
			const struct protocol_chunk *chunk)
{
	bool is_told;

	if (direction == ANSWERS)
		connection->is_turn = true;
	if (connection->streams[direction].state != STREAM_IN_STEP &&
	    is_beginning(connection, direction, chunk))
		resync(connection, direction);
	is_told = stream_feed(connection, direction, chunk);
	if (direction == REQUESTS && !is_told && connection->is_turn && !connection->is_opaque &&
	    ++connection->misses >= MISSES_MAX)
		forget_protocol(connection);
	return is_told;
}

/* Where each direction stands is not known any more. */
static void lose_step(struct protocol_connection *connection)
{
	for (int i = 0; i < DIRECTIONS; i++) {
		stream_restart(&connection->streams[i]);
		if (connection->spoken)
			connection->streams[i].state = STREAM_LOST;
	}
	for (size_t i = 0; i < connection->count; i++)
		connection->pending[connection->first + i].is_doubtful = true;
	if (!connection->spoken || !connection->spoken->is_keyed)
		pending_clear(connection);
	connection->is_turn = true;
}

bool protocol_connection_feed(struct protocol_connection *connection,
			      const struct protocol_chunk *chunk, protocol_request_fn fn,
			      void *context)
{
	enum direction direction = chunk->is_request ? REQUESTS : ANSWERS;
	struct protocol_chunk piece = *chunk;

	if (piece.n_prefix > piece.length)
		piece.n_prefix = piece.length;
	connection->fn = fn;
	connection->context = context;
	connection->time_ns = piece.time_ns;
	connection->arrived_ns = piece.arrived_ns;
	if (piece.gap)
		lose_step(connection);
	if (!piece.length)
		return true;
	if (connection->is_opaque)
		return connection->is_told;
	if (connection->spoken)
		return feed_spoken(connection, direction, &piece);
	return feed_unknown(connection, direction, &piece);
}

void protocol_connection_finish(struct protocol_connection *connection, protocol_request_fn fn,
				void *context)
{
	connection->fn = fn;
	connection->context = context;
	if (connection->spoken)
		pending_turn(connection);
}
