/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Redis, RESP2 and RESP3. Each command is a request, also those of a pipeline and of MULTI. What
 * the server pushes (messages, invalidations) answers nobody.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "protocol/internal.h"

#define COMMAND_MAX 64 /* of a command's name, what is looked at */
#define LINE_MAX    (HELD_MAX / 2)

struct redis {
	uint64_t n_args;     /* of the request in progress, still to come */
	uint64_t n_elements; /* of the answer in progress, still to come */
	bool is_push;        /* the answer in progress is none */
	bool is_subscriber;  /* messages may come as ordinary arrays */
};

enum kind { OTHER, SUBSCRIBE, STREAM };

/* "<type>123\r\n": the line's size; 0 where it is not whole, -1 where it is none. */
static int number_line(const uint8_t *at, size_t n, int64_t *value)
{
	size_t i = 1, first;
	bool is_negative = n > 1 && at[1] == '-';

	*value = 0;
	i += is_negative;
	for (first = i; i < n && isdigit(at[i]); i++) {
		if (i - first >= 12)
			return -1;
		*value = *value * 10 + (at[i] - '0');
	}
	if (is_negative)
		*value = -*value;
	if (i < n && (i == first || at[i] != '\r'))
		return -1;
	if (i + 1 < n && at[i + 1] != '\n')
		return -1;
	return i + 1 < n ? (int)i + 2 : 0;
}

static bool is_word(const uint8_t *at, size_t n, const char *word)
{
	return n == strlen(word) && !strncasecmp((const char *)at, word, n);
}

static bool is_any(const uint8_t *at, size_t n, const char *const *words)
{
	for (; *words; words++)
		if (is_word(at, n, *words))
			return true;
	return false;
}

static const char *const subscribing[] = {"subscribe",   "psubscribe",   "ssubscribe",
					  "unsubscribe", "punsubscribe", "sunsubscribe",
					  NULL};
static const char *const streaming[] = {"monitor", "psync", "sync", NULL};

static enum look look_inline(const struct view *view)
{
	static const char *const words[] = {"ping", "quit", "info", NULL};
	size_t n = 0;

	while (n < view->n && n < 5 && isalpha(view->at[n]))
		n++;
	if (n == view->n && n < 4)
		return LOOK_MORE;
	if (!is_any(view->at, n, words))
		return LOOK_NO;
	if (n == view->n || (view->at[n] == '\r' && n + 1 == view->n))
		return LOOK_MORE;
	return view->at[n] == '\n' || (view->at[n] == '\r' && view->at[n + 1] == '\n') ? LOOK_YES
										       : LOOK_NO;
}

/* "*2\r\n$3\r\n" */
static enum look redis_look(const struct protocol_connection *connection, enum direction direction,
			    const struct view *view)
{
	int64_t n_args, size;
	int line, second;

	(void)connection;
	if (direction == ANSWERS)
		return LOOK_NO;
	if (!view->n)
		return LOOK_MORE;
	if (view->at[0] != '*')
		return look_inline(view);
	line = number_line(view->at, view->n, &n_args);
	if (line < 0 || (line && (n_args < 1 || n_args > 1 << 20)))
		return LOOK_NO;
	if (!line || view->n == (size_t)line)
		return LOOK_MORE;
	if (view->at[line] != '$')
		return LOOK_NO;
	second = number_line(view->at + line, view->n - line, &size);
	if (second < 0 || (second && (size < 1 || size > COMMAND_MAX)))
		return LOOK_NO;
	return second ? LOOK_YES : LOOK_MORE;
}

static bool begin_command(struct protocol_connection *connection, const uint8_t *at, size_t n,
			  uint64_t n_args)
{
	struct redis *redis = connection->state;
	struct pending *pending = pending_push(connection, 0);

	if (!pending)
		return false;
	label_add_upper(pending->request.label, at, n < COMMAND_MAX ? n : COMMAND_MAX);
	pending->n_left = 1;
	if (is_any(at, n, subscribing)) {
		pending->kind = SUBSCRIBE;
		pending->n_left = n_args > 1 && n_args < 1 << 20 ? (uint32_t)n_args : 1;
		redis->is_subscriber = true;
	}
	if (is_any(at, n, streaming))
		pending->kind = STREAM;
	return true;
}

/* "PING\r\n", as people type it. */
static int64_t inline_command(struct protocol_connection *connection, const struct view *view)
{
	struct redis *redis = connection->state;
	const uint8_t *end = memchr(view->at, '\n', view->n);
	size_t n = 0, limit = end ? (size_t)(end - view->at) : view->n;

	while (n < limit && isalpha(view->at[n]))
		n++;
	if (n == 0 && end && (end == view->at || (limit == 1 && view->at[0] == '\r'))) {
		connection->streams[REQUESTS].is_aside = true;
		return (int64_t)limit + 1;
	}
	if (n == 0 && !(view->n == 1 && view->at[0] == '\r'))
		return UNIT_LOST;
	if (n > COMMAND_MAX || (n < limit && view->at[n] != ' ' && view->at[n] != '\r'))
		return UNIT_LOST;
	if (!end)
		return view->n < LINE_MAX ? UNIT_MORE : UNIT_LOST;
	if (!begin_command(connection, view->at, n, 1))
		return UNIT_LOST;
	redis->n_args = 0;
	return (int64_t)limit + 1;
}

/* "*3\r\n$3\r\nSET\r\n": the number of arguments and the first of them. */
static int64_t command(struct protocol_connection *connection, const struct view *view)
{
	struct redis *redis = connection->state;
	int64_t n_args, size;
	int line = number_line(view->at, view->n, &n_args), second;
	size_t name, n;

	if (line < 0)
		return UNIT_LOST;
	if (line && n_args <= 0) { /* the server passes over it */
		connection->streams[REQUESTS].is_aside = true;
		return line;
	}
	if (!line || view->n == (size_t)line)
		return UNIT_MORE;
	second = number_line(view->at + line, view->n - line, &size);
	if (view->at[line] != '$' || second < 0 || (second && size < 0))
		return UNIT_LOST;
	if (!second)
		return UNIT_MORE;
	name = (size_t)line + second;
	n = view->n - name;
	if (n < (size_t)size && n < COMMAND_MAX && !view->is_cut)
		return UNIT_MORE;
	if (!n || !begin_command(connection, view->at + name, n < (size_t)size ? n : (size_t)size,
				 (uint64_t)n_args - 1))
		return UNIT_LOST;
	redis->n_args = (uint64_t)n_args - 1;
	return (int64_t)name + size + 2;
}

static int64_t request_unit(struct protocol_connection *connection, const struct view *view)
{
	struct redis *redis = connection->state;
	int64_t size;
	int line;

	if (!redis->n_args)
		return view->at[0] == '*' ? command(connection, view)
					  : inline_command(connection, view);
	line = number_line(view->at, view->n, &size);
	if (view->at[0] != '$' || line < 0 || (line && size < 0))
		return UNIT_LOST;
	if (!line)
		return UNIT_MORE;
	redis->n_args--;
	return line + size + 2;
}

/* The word that a pushed array begins with; 0 where it is not yet there, -1 where it has none. */
static int push_word(const struct view *view, size_t line, const uint8_t **word)
{
	int64_t size;
	int second;

	if (view->n == line)
		return 0;
	if (view->at[line] != '$')
		return -1;
	second = number_line(view->at + line, view->n - line, &size);
	if (second < 0 || (second && (size < 1 || size > COMMAND_MAX)))
		return -1;
	if (!second || view->n < line + (size_t)second + (size_t)size)
		return 0;
	*word = view->at + line + second;
	return (int)size;
}

/* Is an array that begins an answer a push? UNIT_MORE where it is too early to tell. */
static int64_t is_pushed(struct protocol_connection *connection, const struct view *view,
			 size_t line)
{
	static const char *const messages[] = {"message", "pmessage", "smessage", NULL};
	struct redis *redis = connection->state;
	struct pending *first = pending_first(connection);
	const uint8_t *word = NULL;
	int n;

	redis->is_push = view->at[0] == '>';
	if (!redis->is_push && !redis->is_subscriber)
		return 1;
	n = push_word(view, line, &word);
	if (n == 0 && !view->is_cut)
		return UNIT_MORE;
	if (n > 0 && is_any(word, (size_t)n, subscribing))
		redis->is_push = !first || first->kind != SUBSCRIBE;
	else if (n > 0 && is_any(word, (size_t)n, messages))
		redis->is_push = true;
	return 1;
}

static int64_t aggregate(struct protocol_connection *connection, const struct view *view,
			 bool is_first)
{
	struct redis *redis = connection->state;
	int64_t n;
	int line = number_line(view->at, view->n, &n);

	if (line < 0)
		return UNIT_LOST;
	if (!line)
		return UNIT_MORE;
	if (is_first && n > 0 && is_pushed(connection, view, (size_t)line) == UNIT_MORE)
		return UNIT_MORE;
	if (view->at[0] == '%' || view->at[0] == '|')
		n *= 2;
	/* An attribute goes before the element that it is about. */
	redis->n_elements += (n > 0 ? (uint64_t)n : 0) + (view->at[0] == '|');
	redis->n_elements--;
	return line;
}

static int64_t bulk(struct protocol_connection *connection, const struct view *view)
{
	struct redis *redis = connection->state;
	int64_t size;
	int line = number_line(view->at, view->n, &size);

	if (line < 0)
		return UNIT_LOST;
	if (!line)
		return UNIT_MORE;
	redis->n_elements--;
	return size < 0 ? line : line + size + 2;
}

static int64_t simple(struct protocol_connection *connection, const struct view *view)
{
	struct redis *redis = connection->state;
	const uint8_t *end = memchr(view->at, '\n', view->n);

	if (!end)
		return view->n < LINE_MAX ? UNIT_MORE : UNIT_LOST;
	redis->n_elements--;
	return end - view->at + 1;
}

static int64_t answer_unit(struct protocol_connection *connection, const struct view *view)
{
	struct redis *redis = connection->state;
	struct pending *first = pending_first(connection);
	uint64_t before = redis->n_elements;
	uint8_t type = view->at[0];
	bool is_first = before == 0;
	int64_t length;

	if (!type || !strchr("*~>%|$=!+-:_,#(", type))
		return UNIT_LOST;
	if (is_first) {
		redis->n_elements = 1;
		redis->is_push = false;
	}
	if (strchr("*~>%|", type))
		length = aggregate(connection, view, is_first);
	else if (strchr("$=!", type))
		length = bulk(connection, view);
	else
		length = simple(connection, view);
	if (length <= 0) {
		redis->n_elements = before;
		return length;
	}
	connection->streams[ANSWERS].is_aside = redis->is_push;
	if (is_first && first && !redis->is_push && (type == '-' || type == '!'))
		first->request.failed = true;
	return length;
}

static int64_t redis_unit(struct protocol_connection *connection, enum direction direction,
			  const struct view *view)
{
	return direction == REQUESTS ? request_unit(connection, view)
				     : answer_unit(connection, view);
}

static void redis_unit_end(struct protocol_connection *connection, enum direction direction)
{
	struct redis *redis = connection->state;
	struct pending *pending =
		direction == REQUESTS ? pending_open(connection) : pending_first(connection);

	if (!pending || connection->streams[direction].is_aside)
		return;
	if (direction == REQUESTS) {
		if (!redis->n_args)
			pending->is_open = false;
		return;
	}
	if (redis->n_elements)
		return;
	/* Refused, it has one answer whatever it named. */
	if (pending->n_left > 1 && !pending->request.failed) {
		pending->n_left--;
		return;
	}
	if (pending->kind == STREAM)
		connection->is_opaque = connection->is_told = true;
	pending_complete(connection, pending);
}

static void redis_reset(struct protocol_connection *connection, enum direction direction)
{
	struct redis *redis = connection->state;

	if (direction == REQUESTS)
		redis->n_args = 0;
	else
		redis->n_elements = 0;
}

const struct protocol protocol_redis = {
	.id = PROTOCOL_REDIS,
	.name = "redis",
	.state_size = sizeof(struct redis),
	.look = redis_look,
	.unit = redis_unit,
	.unit_end = redis_unit_end,
	.reset = redis_reset,
};
