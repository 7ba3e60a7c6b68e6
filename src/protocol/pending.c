/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The requests of a connection that wait for their answers, oldest first. */
#include <stdlib.h>
#include <string.h>

#include "protocol/internal.h"

struct pending *pending_first(struct protocol_connection *connection)
{
	return connection->count ? &connection->pending[connection->first] : NULL;
}

struct pending *pending_last(struct protocol_connection *connection)
{
	if (!connection->count)
		return NULL;
	return &connection->pending[connection->first + connection->count - 1];
}

struct pending *pending_open(struct protocol_connection *connection)
{
	struct pending *last = pending_last(connection);

	return last && last->is_open ? last : NULL;
}

struct pending *pending_find(struct protocol_connection *connection, uint64_t key)
{
	/* From the latest: that is who is spoken of most. */
	for (size_t i = connection->first + connection->count; i-- > connection->first;)
		if (connection->pending[i].key == key)
			return &connection->pending[i];
	return NULL;
}

void pending_drop(struct protocol_connection *connection, struct pending *pending)
{
	size_t at = (size_t)(pending - connection->pending) - connection->first;

	if (at == 0)
		connection->first++;
	else
		memmove(pending, pending + 1, (connection->count - at - 1) * sizeof(*pending));
	if (--connection->count == 0)
		connection->first = 0;
}

void pending_clear(struct protocol_connection *connection)
{
	connection->first = connection->count = 0;
}

void pending_complete(struct protocol_connection *connection, struct pending *pending)
{
	struct protocol_request request = pending->request;

	if (!request.label[0])
		label_add_word(request.label, "?");
	if (!pending->is_answered)
		request.first_ns = request.last_ns = connection->time_ns;
	if (request.read_ns < request.arrived_ns)
		request.read_ns = request.arrived_ns;
	if (request.last_ns < request.first_ns)
		request.last_ns = request.first_ns;
	pending_drop(connection, pending);
	connection->fn(connection->context, &request);
}

/* Of those that are matched by key. */
static void complete_doubtful(struct protocol_connection *connection)
{
	for (size_t i = 0; i < connection->count;) {
		struct pending *pending = pending_first(connection) + i;

		if (pending->is_doubtful && pending->is_answered)
			pending_complete(connection, pending);
		else
			i++;
	}
}

void pending_turn(struct protocol_connection *connection)
{
	struct stream *answers = &connection->streams[ANSWERS];
	struct pending *first = pending_first(connection);

	if (connection->spoken->is_keyed) {
		complete_doubtful(connection);
		return;
	}
	if (answers->state == STREAM_IN_STEP)
		return;
	if (first && first->is_answered)
		pending_complete(connection, first);
	/* How many of the others were answered meanwhile is not known. */
	pending_clear(connection);
	stream_restart(answers);
	if (connection->spoken->reset)
		connection->spoken->reset(connection, ANSWERS);
}

static bool make_room(struct protocol_connection *connection)
{
	size_t size = connection->size ? 2 * connection->size : 2;
	struct pending *pending;

	if (connection->first + connection->count < connection->size)
		return true;
	if (connection->first) {
		memmove(connection->pending, pending_first(connection),
			connection->count * sizeof(*pending));
		connection->first = 0;
		return true;
	}
	if (size > PENDING_MAX) {
		/* Of those that name their request the oldest will hardly be answered any more. */
		if (!connection->spoken->is_keyed)
			return false;
		pending_drop(connection, pending_first(connection));
		return make_room(connection);
	}
	pending = realloc(connection->pending, size * sizeof(*pending));
	if (!pending)
		return false;
	connection->pending = pending;
	connection->size = size;
	return true;
}

struct pending *pending_push(struct protocol_connection *connection, uint64_t key)
{
	struct pending *pending;

	pending_turn(connection);
	if (!make_room(connection)) {
		pending_clear(connection);
		return NULL;
	}
	connection->misses = 0;
	pending = &connection->pending[connection->first + connection->count++];
	memset(pending, 0, sizeof(*pending));
	pending->key = key;
	pending->is_open = true;
	pending->request.protocol = connection->spoken->name;
	pending->request.arrived_ns = connection->streams[REQUESTS].begin_ns;
	pending->request.read_ns = connection->time_ns;
	return pending;
}
