/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MySQL and MariaDB, which take turns. Each command that has an answer is a request; an answer
 * of rows ends with the next command. How a session begins is not counted.
 */
#include <string.h>

#include "protocol/internal.h"

#define HEADER_SIZE    4
#define SQL_MAX        512 /* of a text, what its label is sought in */
#define STATEMENT_SIZE 4

#define CLIENT_COMPRESS 0x20U
#define CLIENT_SSL      0x800U
/* The fixed part of a client's answer to the greeting; all of a request for TLS. */
#define LOGIN_SIZE 32

enum command {
	COM_QUIT = 0x01,
	COM_QUERY = 0x03,
	COM_STMT_PREPARE = 0x16,
	COM_STMT_EXECUTE,
	COM_STMT_SEND_LONG_DATA,
	COM_STMT_CLOSE,
	COM_STMT_RESET,
	COM_STMT_FETCH = 0x1c,
	COM_STMT_BULK_EXECUTE = 0xfa, /* MariaDB */
};

static const char *const commands[] = {
	[COM_QUIT] = "QUIT",
	[0x02] = "INIT DB",
	[COM_QUERY] = "QUERY",
	[0x04] = "FIELD LIST",
	[0x05] = "CREATE DB",
	[0x06] = "DROP DB",
	[0x07] = "REFRESH",
	[0x08] = "SHUTDOWN",
	[0x09] = "STATISTICS",
	[0x0a] = "PROCESS INFO",
	[0x0c] = "PROCESS KILL",
	[0x0d] = "DEBUG",
	[0x0e] = "PING",
	[0x11] = "CHANGE USER",
	[0x12] = "BINLOG DUMP",
	[0x13] = "TABLE DUMP",
	[0x15] = "REGISTER SLAVE",
	[COM_STMT_PREPARE] = "PREPARE",
	[COM_STMT_EXECUTE] = "EXECUTE",
	[COM_STMT_SEND_LONG_DATA] = "SEND LONG DATA",
	[COM_STMT_CLOSE] = "CLOSE",
	[COM_STMT_RESET] = "RESET STATEMENT",
	[0x1b] = "SET OPTION",
	[COM_STMT_FETCH] = "FETCH",
	[0x1e] = "BINLOG DUMP GTID",
	[0x1f] = "RESET CONNECTION",
};

struct mysql {
	bool is_login; /* the client's next packet is its login */
	bool is_begun; /* commands came */
	bool has_end[DIRECTIONS];
	char prepared[PROTOCOL_LABEL_MAX]; /* what the open PREPARE is about */
	struct names statements;
};

static const char *name_of(uint8_t command)
{
	if (command == COM_STMT_BULK_EXECUTE)
		return "EXECUTE";
	return command < ARRAY_SIZE(commands) ? commands[command] : NULL;
}

/* "\x03SELECT 1": a packet with number 0, its command known. */
static enum look look_command(const struct view *view)
{
	static const uint8_t bare[] = {COM_QUIT, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x0e, 0x1f};
	uint32_t length;

	if (view->n >= 4 && view->at[3])
		return LOOK_NO;
	if (view->n < 4)
		return LOOK_MORE;
	length = le24(view->at);
	if (!length)
		return LOOK_NO;
	if (view->n == HEADER_SIZE)
		return LOOK_MORE;
	if (!name_of(view->at[4]))
		return LOOK_NO;
	if (length == 1 || memchr(bare, view->at[4], sizeof(bare)))
		return length <= 2 && memchr(bare, view->at[4], sizeof(bare)) ? LOOK_YES : LOOK_NO;
	if (view->at[4] != COM_QUERY && view->at[4] != COM_STMT_PREPARE)
		return LOOK_YES;
	/* Attributes of the query come before its text. */
	if (view->n == 6 && view->at[5] < 0x20)
		return LOOK_MORE;
	if (view->n > 6 && view->at[5] < 0x20 && view->at[6] == 1)
		return LOOK_YES;
	for (size_t i = HEADER_SIZE + 1; i < view->n && i < length + HEADER_SIZE && i < 24; i++)
		if (view->at[i] < 0x20 && (view->at[i] < '\t' || view->at[i] > '\r'))
			return LOOK_NO;
	return LOOK_YES;
}

/* "\x0a8.0.36\0": the version of the protocol, that of the server. */
static enum look look_greeting(const struct view *view)
{
	if (view->n < HEADER_SIZE + 3)
		return LOOK_MORE;
	if (view->at[3] || view->at[4] != 10 || le24(view->at) < 30 || le24(view->at) > 512)
		return LOOK_NO;
	return view->at[5] >= '0' && view->at[5] <= '9' &&
			       (view->at[6] == '.' || (view->at[6] >= '0' && view->at[6] <= '9'))
		       ? LOOK_YES
		       : LOOK_NO;
}

static enum look mysql_look(const struct protocol_connection *connection, enum direction direction,
			    const struct view *view)
{
	(void)connection;
	return direction == REQUESTS ? look_command(view) : look_greeting(view);
}

static void add_text(char label[PROTOCOL_LABEL_MAX], const struct view *view, uint32_t length)
{
	const uint8_t *at = view->at + HEADER_SIZE + 1;
	size_t n = view->n - HEADER_SIZE - 1;

	n = n < length - 1 ? n : length - 1;
	/* A client that sends attributes puts their number and that of their sets before. */
	if (n > 2 && at[0] == 0 && at[1] == 1) {
		at += 2;
		n -= 2;
	}
	label_add_sql(label, at, n);
}

static void set_label(struct mysql *mysql, struct pending *pending, const struct view *view)
{
	uint32_t length = le24(view->at);
	uint8_t command = view->at[HEADER_SIZE];
	const char *known = NULL;
	char *label = pending->request.label;

	switch (command) {
	case COM_QUERY:
		add_text(label, view, length);
		return;
	case COM_STMT_PREPARE:
		mysql->prepared[0] = '\0';
		add_text(mysql->prepared, view, length);
		label_add_word(label, "PREPARE ");
		label_add_word(label, mysql->prepared);
		return;
	case COM_STMT_EXECUTE:
	case COM_STMT_BULK_EXECUTE:
		if (view->n >= HEADER_SIZE + 1 + STATEMENT_SIZE && length > STATEMENT_SIZE)
			known = statements_get(&mysql->statements,
					       be32(view->at + HEADER_SIZE + 1));
		break;
	}
	label_add_word(label, known ? known : name_of(command));
}

static int64_t login(struct protocol_connection *connection, const struct view *view)
{
	struct mysql *mysql = connection->state;
	uint32_t length = le24(view->at), flags;

	if (view->n < HEADER_SIZE + 2)
		return length < 2 ? UNIT_LOST : UNIT_MORE;
	flags = view->at[HEADER_SIZE] | (uint32_t)view->at[HEADER_SIZE + 1] << 8;
	mysql->is_login = false;
	if (flags & CLIENT_COMPRESS || (flags & CLIENT_SSL && length == LOGIN_SIZE))
		connection->is_opaque = true;
	return length + HEADER_SIZE;
}

static int64_t request_unit(struct protocol_connection *connection, const struct view *view)
{
	struct mysql *mysql = connection->state;
	struct pending *pending;
	uint32_t length;
	size_t wanted;

	if (view->n < HEADER_SIZE)
		return UNIT_MORE;
	length = le24(view->at);
	/* A later packet of what was begun: login, a file, the rest of what is too long for one. */
	if (view->at[3]) {
		if (mysql->is_begun && !connection->count)
			return UNIT_LOST;
		connection->streams[REQUESTS].is_aside = mysql->is_login;
		return mysql->is_login ? login(connection, view) : length + HEADER_SIZE;
	}
	if (look_command(view) == LOOK_NO)
		return UNIT_LOST;
	wanted = length < SQL_MAX ? length : SQL_MAX;
	if (view->n < HEADER_SIZE + wanted && !view->is_cut)
		return UNIT_MORE;
	if (view->n == HEADER_SIZE)
		return UNIT_LOST;
	mysql->is_login = false;
	mysql->is_begun = true;
	mysql->has_end[REQUESTS] = length < 0xffffff;
	switch (view->at[HEADER_SIZE]) {
	case COM_QUIT:
	case COM_STMT_CLOSE:
	case COM_STMT_SEND_LONG_DATA:
		connection->streams[REQUESTS].is_aside = true;
		return length + HEADER_SIZE;
	}
	pending = pending_push(connection, 0);
	if (!pending)
		return UNIT_LOST;
	pending->kind = view->at[HEADER_SIZE];
	set_label(mysql, pending, view);
	return length + HEADER_SIZE;
}

/* Is the first packet of an answer all of it? Rows, definitions and files are not. */
static bool is_whole(const struct pending *first, const struct view *view)
{
	uint8_t byte = view->at[HEADER_SIZE];

	if (byte == 0xff || first->kind == 0x09) /* an error; STATISTICS is but a text */
		return true;
	if (first->kind == COM_STMT_PREPARE || first->kind == COM_STMT_FETCH)
		return false;
	return byte == 0;
}

static int64_t answer_unit(struct protocol_connection *connection, const struct view *view)
{
	struct mysql *mysql = connection->state;
	struct pending *first = pending_first(connection);
	uint32_t length;

	if (view->n < HEADER_SIZE + 1 && !view->is_cut)
		return UNIT_MORE;
	if (view->n < HEADER_SIZE + 1 || !le24(view->at))
		return UNIT_LOST;
	length = le24(view->at);
	mysql->has_end[ANSWERS] = false;
	if (!first) {
		connection->streams[ANSWERS].is_aside = true;
		if (look_greeting(view) == LOOK_YES)
			mysql->is_login = true;
		return length + HEADER_SIZE;
	}
	if (first->kind == COM_STMT_PREPARE && view->at[HEADER_SIZE] == 0) {
		if (view->n < HEADER_SIZE + 1 + STATEMENT_SIZE && !view->is_cut)
			return UNIT_MORE;
		if (view->n >= HEADER_SIZE + 1 + STATEMENT_SIZE)
			statements_put(&mysql->statements, be32(view->at + HEADER_SIZE + 1),
				       mysql->prepared);
	}
	first->request.failed = view->at[HEADER_SIZE] == 0xff;
	mysql->has_end[ANSWERS] = is_whole(first, view);
	return mysql->has_end[ANSWERS] ? (int64_t)length + HEADER_SIZE : UNIT_OPEN;
}

static int64_t mysql_unit(struct protocol_connection *connection, enum direction direction,
			  const struct view *view)
{
	return direction == REQUESTS ? request_unit(connection, view)
				     : answer_unit(connection, view);
}

static void mysql_unit_end(struct protocol_connection *connection, enum direction direction)
{
	struct mysql *mysql = connection->state;
	struct pending *pending =
		direction == REQUESTS ? pending_open(connection) : pending_first(connection);

	if (!mysql->has_end[direction] || !pending || connection->streams[direction].is_aside)
		return;
	if (direction == REQUESTS)
		pending->is_open = false;
	else
		pending_complete(connection, pending);
}

static void mysql_free(void *state)
{
	statements_free(&((struct mysql *)state)->statements);
}

const struct protocol protocol_mysql = {
	.id = PROTOCOL_MYSQL,
	.name = "mysql",
	.state_size = sizeof(struct mysql),
	.look = mysql_look,
	.unit = mysql_unit,
	.unit_end = mysql_unit_end,
	.state_free = mysql_free,
};
