/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PostgreSQL, protocol 3. A request is a simple query, or what was sent of an extended one up to
 * its Sync, labelled by the first statement that it executes; it is answered by ReadyForQuery.
 * How a session begins is not counted.
 */
#include <string.h>

#include "protocol/internal.h"

#define CODE_SSL    80877103U
#define CODE_GSS    80877104U
#define CODE_CANCEL 80877102U
#define STARTUP_MIN 8
#define STARTUP_MAX 10000
#define MESSAGE_MAX (1U << 30)
#define SQL_MAX     512 /* of a text, what its label is sought in */
#define HEADER_SIZE 5
#define UNNAMED     0 /* the key of the statement without a name */

enum asked { NOTHING, ENCRYPTION };

struct postgres {
	enum asked asked;
	bool is_starting;         /* up to the first ReadyForQuery no request is answered */
	bool is_copying;          /* the Sync behind what is copied ends nothing */
	bool has_end[DIRECTIONS]; /* the unit ends the request, or its answer */
	struct names statements;
};

/* What the open request is known by. */
enum kind { GROUP, PREPARING, EXECUTING };

static bool is_startup_code(uint32_t code)
{
	return code == CODE_SSL || code == CODE_GSS || code == CODE_CANCEL || code >> 16 == 3;
}

static enum look look_startup(const struct view *view)
{
	uint32_t length;

	if (view->n < 4)
		return LOOK_MORE;
	length = be32(view->at);
	if (length < STARTUP_MIN || length > STARTUP_MAX)
		return LOOK_NO;
	if (view->n < 6)
		return LOOK_MORE;
	if (view->n < 8)
		return be16(view->at + 4) == 3 || be16(view->at + 4) == CODE_SSL >> 16 ? LOOK_MORE
										       : LOOK_NO;
	return is_startup_code(be32(view->at + 4)) ? LOOK_YES : LOOK_NO;
}

/* Text without control bytes, up to a NUL; @n bytes after @at are known. */
static bool is_text(const uint8_t *at, size_t n)
{
	for (; n && *at; at++, n--)
		if (*at < 0x20 && (*at < '\t' || *at > '\r'))
			return false;
	return true;
}

static enum look postgres_look(const struct protocol_connection *connection,
			       enum direction direction, const struct view *view)
{
	uint32_t length;
	size_t n;

	(void)connection;
	if (direction == ANSWERS)
		return LOOK_NO;
	if (!view->n)
		return LOOK_MORE;
	if (!view->at[0])
		return look_startup(view);
	if (!strchr("QPBS", view->at[0]))
		return LOOK_NO;
	if (view->n > 1 && view->at[1] > MESSAGE_MAX >> 24)
		return LOOK_NO;
	if (view->n < HEADER_SIZE)
		return LOOK_MORE;
	length = be32(view->at + 1);
	n = view->n - HEADER_SIZE;
	if (view->at[0] == 'S')
		return length == 4 ? LOOK_YES : LOOK_NO;
	if (length < 5 || length > MESSAGE_MAX)
		return LOOK_NO;
	if (n >= length - 4 && view->at[0] == 'Q')
		n = view->at[length] ? 0 : length - 4;
	else if (!n)
		return LOOK_MORE;
	return n && is_text(view->at + HEADER_SIZE, n) ? LOOK_YES : LOOK_NO;
}

/* The open request, or a new one. */
static struct pending *open_group(struct protocol_connection *connection)
{
	struct pending *open = pending_open(connection);

	return open ? open : pending_push(connection, 0);
}

/* The NUL-terminated string at @at of which @n bytes are known: its bytes without the NUL. */
static size_t string_size(const uint8_t *at, size_t n)
{
	const uint8_t *nul = n ? memchr(at, '\0', n) : NULL;

	return nul ? (size_t)(nul - at) : n;
}

static uint64_t key_of(const uint8_t *name, size_t n)
{
	return n ? statements_hash(name, n) : UNNAMED;
}

/* Parse: the statement's name, its text. */
static bool on_parse(struct protocol_connection *connection, const uint8_t *at, size_t n)
{
	struct postgres *postgres = connection->state;
	struct pending *open = open_group(connection);
	char label[PROTOCOL_LABEL_MAX] = "";
	size_t name = string_size(at, n);

	if (!open)
		return false;
	if (name < n)
		label_add_sql(label, at + name + 1, n - name - 1);
	else
		label_add_word(label, "?");
	statements_put(&postgres->statements, key_of(at, name), label);
	if (open->kind == GROUP) {
		open->kind = PREPARING;
		open->request.label[0] = '\0';
		label_add_word(open->request.label, "PREPARE ");
		label_add_word(open->request.label, label);
	}
	return true;
}

/* Bind: the portal's name, the statement's. */
static bool on_bind(struct protocol_connection *connection, const uint8_t *at, size_t n)
{
	struct postgres *postgres = connection->state;
	struct pending *open = open_group(connection);
	size_t portal = string_size(at, n), name;
	const char *label = NULL;

	if (!open)
		return false;
	if (portal < n) {
		at += portal + 1;
		n -= portal + 1;
		name = string_size(at, n);
		if (name < n)
			label = statements_get(&postgres->statements, key_of(at, name));
	}
	if (open->kind != EXECUTING) {
		open->kind = EXECUTING;
		open->request.label[0] = '\0';
		label_add_word(open->request.label, label ? label : "EXECUTE");
	}
	return true;
}

static bool on_query(struct protocol_connection *connection, const uint8_t *at, size_t n)
{
	struct postgres *postgres = connection->state;
	struct pending *pending = pending_push(connection, 0);

	if (!pending)
		return false;
	label_add_sql(pending->request.label, at, n);
	postgres->has_end[REQUESTS] = true;
	return true;
}

/* A message that has no label of its own: Describe, Execute, Close, Flush, FunctionCall. */
static bool on_other(struct protocol_connection *connection, uint8_t type)
{
	struct postgres *postgres = connection->state;
	struct pending *open = open_group(connection);
	const char *word = type == 'E' ? "EXECUTE" : type == 'D' ? "DESCRIBE" : "CLOSE";

	if (!open)
		return false;
	postgres->has_end[REQUESTS] = type == 'F';
	if (!open->request.label[0])
		label_add_word(open->request.label, type == 'F' ? "FUNCTION" : word);
	return true;
}

static bool on_sync(struct protocol_connection *connection)
{
	struct postgres *postgres = connection->state;
	struct pending *open = pending_open(connection);

	if (!open && postgres->is_copying) {
		postgres->is_copying = false;
		return true;
	}
	open = open_group(connection);
	if (!open)
		return false;
	if (!open->request.label[0])
		label_add_word(open->request.label, "SYNC");
	postgres->has_end[REQUESTS] = true;
	return true;
}

static int64_t startup_unit(struct protocol_connection *connection, const struct view *view)
{
	struct postgres *postgres = connection->state;
	uint32_t code;

	if (view->n < 8)
		return look_startup(view) == LOOK_NO ? UNIT_LOST : UNIT_MORE;
	if (look_startup(view) != LOOK_YES)
		return UNIT_LOST;
	code = be32(view->at + 4);
	connection->streams[REQUESTS].is_aside = true;
	if (code == CODE_SSL || code == CODE_GSS)
		postgres->asked = ENCRYPTION;
	else if (code != CODE_CANCEL)
		postgres->is_starting = true;
	return be32(view->at);
}

static bool on_message(struct protocol_connection *connection, uint8_t type, const uint8_t *at,
		       size_t n)
{
	struct postgres *postgres = connection->state;

	postgres->has_end[REQUESTS] = false;
	switch (type) {
	case 'Q':
		return on_query(connection, at, n);
	case 'P':
		return on_parse(connection, at, n);
	case 'B':
		return on_bind(connection, at, n);
	case 'S':
		return on_sync(connection);
	case 'D':
	case 'E':
	case 'C':
	case 'F':
		return on_other(connection, type);
	default: /* Flush, what is copied, passwords, Terminate */
		return true;
	}
}

static int64_t request_unit(struct protocol_connection *connection, const struct view *view)
{
	uint32_t length;
	size_t n;

	if (!view->at[0])
		return startup_unit(connection, view);
	if (!strchr("QPBSDECFHdcfpX", view->at[0]))
		return UNIT_LOST;
	if (view->n < HEADER_SIZE)
		return UNIT_MORE;
	length = be32(view->at + 1);
	if (length < 4 || length > MESSAGE_MAX)
		return UNIT_LOST;
	n = view->n - HEADER_SIZE;
	if (n < length - 4 && n < SQL_MAX && strchr("QPB", view->at[0]) && !view->is_cut)
		return UNIT_MORE;
	if (n > length - 4)
		n = length - 4;
	if (!on_message(connection, view->at[0], view->at + HEADER_SIZE, n))
		return UNIT_LOST;
	return (int64_t)length + 1;
}

static int64_t answer_to_encryption(struct protocol_connection *connection, uint8_t byte)
{
	struct postgres *postgres = connection->state;

	connection->streams[ANSWERS].is_aside = true;
	if (byte == 'S' || byte == 'G')
		connection->is_opaque = true;
	else if (byte != 'N')
		return UNIT_LOST;
	postgres->asked = NOTHING;
	return 1;
}

static int64_t answer_unit(struct protocol_connection *connection, const struct view *view)
{
	struct postgres *postgres = connection->state;
	struct pending *first = pending_first(connection);
	uint8_t type = view->at[0];
	uint32_t length;

	if (postgres->asked == ENCRYPTION && type != 'E')
		return answer_to_encryption(connection, type);
	if (!type || !strchr("RSKZTDCEIN123nstVAGHWdcv", type))
		return UNIT_LOST;
	if (view->n < HEADER_SIZE)
		return UNIT_MORE;
	length = be32(view->at + 1);
	if (length < 4 || length > MESSAGE_MAX || (type == 'Z' && length != 5))
		return UNIT_LOST;
	/* What comes of itself: notices, parameters, notifications. */
	connection->streams[ANSWERS].is_aside =
		postgres->is_starting || strchr("NSA", type) != NULL;
	if (type == 'E' && first && !postgres->is_starting)
		first->request.failed = true;
	if (type == 'G')
		postgres->is_copying = first && !first->is_open;
	if (type == 'W') {
		connection->is_opaque = connection->is_told = true;
		return UNIT_OPEN;
	}
	postgres->has_end[ANSWERS] = type == 'Z';
	return (int64_t)length + 1;
}

static int64_t postgres_unit(struct protocol_connection *connection, enum direction direction,
			     const struct view *view)
{
	return direction == REQUESTS ? request_unit(connection, view)
				     : answer_unit(connection, view);
}

static void postgres_unit_end(struct protocol_connection *connection, enum direction direction)
{
	struct postgres *postgres = connection->state;
	struct pending *pending;

	if (!postgres->has_end[direction])
		return;
	postgres->has_end[direction] = false;
	if (direction == REQUESTS) {
		pending = pending_open(connection);
		if (pending)
			pending->is_open = false;
		return;
	}
	pending = pending_first(connection);
	postgres->is_copying = false;
	if (postgres->is_starting)
		postgres->is_starting = false;
	else if (pending)
		pending_complete(connection, pending);
}

static void postgres_reset(struct protocol_connection *connection, enum direction direction)
{
	struct postgres *postgres = connection->state;

	postgres->has_end[direction] = false;
	postgres->is_copying = false;
	if (direction == ANSWERS) {
		postgres->is_starting = false;
		postgres->asked = NOTHING;
	}
}

static void postgres_free(void *state)
{
	statements_free(&((struct postgres *)state)->statements);
}

const struct protocol protocol_postgres = {
	.id = PROTOCOL_POSTGRES,
	.name = "postgres",
	.state_size = sizeof(struct postgres),
	.look = postgres_look,
	.unit = postgres_unit,
	.unit_end = postgres_unit_end,
	.reset = postgres_reset,
	.state_free = postgres_free,
};
