/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP/1.x. A request is a head with its body; its answer is the first that is not 1xx. What
 * follows 101 or a CONNECT that was granted is another protocol's.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "protocol/internal.h"

#define METHOD_MAX     20
#define CHUNK_LINE_MAX 256

enum phase {
	HEAD, /* and the body, where its length is told */
	CHUNKS,
	TRAILER,
};

struct http1 {
	enum phase phase[DIRECTIONS];
	bool is_last; /* the connection is not HTTP any more, after this answer */
};

enum kind { OTHER, HEAD_METHOD, CONNECT };

struct head {
	size_t n;     /* with the empty line at its end; 0 where that is not known */
	int64_t body; /* -1 where it is not told */
	bool is_chunked;
};

/* The bytes of the line at @at, with its end; 0 where that is not there. */
static size_t line_size(const uint8_t *at, size_t n)
{
	const uint8_t *end = n ? memchr(at, '\n', n) : NULL;

	return end ? (size_t)(end - at) + 1 : 0;
}

static bool is_value_of(const uint8_t *line, size_t n, const char *name, const char **value)
{
	size_t length = strlen(name);

	if (n <= length || line[length] != ':' || strncasecmp((const char *)line, name, length))
		return false;
	*value = (const char *)line + length + 1;
	return true;
}

static int64_t number(const char *at, const char *end)
{
	int64_t value = 0;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || !isdigit((uint8_t)*at))
		return -1;
	for (; at < end && isdigit((uint8_t)*at); at++)
		if (value < UNIT_MAX / 16)
			value = value * 10 + (*at - '0');
	return value;
}

static void read_field(struct head *head, const uint8_t *line, size_t n)
{
	const char *end = (const char *)line + n, *value;

	if (is_value_of(line, n, "content-length", &value)) {
		head->body = number(value, end);
	} else if (is_value_of(line, n, "transfer-encoding", &value)) {
		for (; value + 7 <= end && !head->is_chunked; value++)
			head->is_chunked = !strncasecmp(value, "chunked", 7);
	}
}

static struct head read_head(const uint8_t *at, size_t n)
{
	struct head head = {.body = -1};
	size_t from = 0, size;

	while ((size = line_size(at + from, n - from)) != 0) {
		if (at[from] == '\n' || (at[from] == '\r' && size == 2)) {
			head.n = from + size;
			break;
		}
		read_field(&head, at + from, size);
		from += size;
	}
	return head;
}

static bool is_separator(uint8_t byte)
{
	return byte == '\r' || byte == '\n';
}

/* "GET /path HTTP/1.1"; as much of it as is there. */
static enum look look_request(const struct view *view)
{
	const uint8_t *at = view->at;
	size_t method = 0, end;

	while (method < view->n && (isupper(at[method]) || (method && at[method] == '-')))
		method++;
	if (method == view->n && method <= METHOD_MAX)
		return LOOK_MORE;
	if (method < 3 || method > METHOD_MAX || at[method] != ' ')
		return LOOK_NO;
	if (method == 3 && !memcmp(at, "PRI", 3)) /* HTTP/2 */
		return LOOK_NO;
	for (end = method + 1; end < view->n && at[end] > ' ' && at[end] < 0x7f; end++)
		;
	if (end == view->n)
		return view->is_cut && end > method + 1 ? LOOK_YES : LOOK_MORE;
	if (end == method + 1 || at[end] != ' ')
		return LOOK_NO;
	at += end + 1;
	end = view->n - end - 1;
	if (memcmp(at, "HTTP/1.", end < 7 ? end : 7))
		return LOOK_NO;
	return end >= 7 || view->is_cut ? LOOK_YES : LOOK_MORE;
}

/* "HTTP/1.1 200" */
static enum look look_answer(const struct view *view)
{
	static const char pattern[] = "HTTP/1.x ddd";
	size_t n = view->n < sizeof(pattern) - 1 ? view->n : sizeof(pattern) - 1;

	for (size_t i = 0; i < n; i++) {
		bool is_digit = isdigit(view->at[i]);

		if (pattern[i] == 'x' || pattern[i] == 'd' ? !is_digit : view->at[i] != pattern[i])
			return LOOK_NO;
	}
	return n == sizeof(pattern) - 1 ? LOOK_YES : LOOK_MORE;
}

static enum look http1_look(const struct protocol_connection *connection, enum direction direction,
			    const struct view *view)
{
	if (direction == REQUESTS)
		return look_request(view);
	return connection->spoken ? look_answer(view) : LOOK_NO;
}

static int64_t with_body(const struct head *head)
{
	return (int64_t)head->n + (head->body > 0 ? head->body : 0);
}

static int64_t request_head(struct protocol_connection *connection, const struct view *view)
{
	struct http1 *http1 = connection->state;
	enum look look = look_request(view);
	const char *at = (const char *)view->at, *target, *end = at + view->n;
	struct pending *pending;
	struct head head;

	if (look != LOOK_YES)
		return look == LOOK_MORE ? UNIT_MORE : UNIT_LOST;
	head = read_head(view->at, view->n);
	if (!head.n && !view->is_cut)
		return UNIT_MORE;
	pending = pending_push(connection, 0);
	if (!pending)
		return UNIT_LOST;
	target = (const char *)memchr(at, ' ', view->n) + 1;
	label_add(pending->request.label, at, (size_t)(target - at));
	for (end = target; end<at + view->n && * end> ' '; end++)
		;
	label_add_route(pending->request.label, target, (size_t)(end - target));
	if (!strncmp(at, "HEAD ", 5))
		pending->kind = HEAD_METHOD;
	if (!strncmp(at, "CONNECT ", 8))
		pending->kind = CONNECT;
	if (!head.n)
		return UNIT_OPEN;
	http1->phase[REQUESTS] = head.is_chunked ? CHUNKS : HEAD;
	return head.is_chunked ? (int64_t)head.n : with_body(&head);
}

static int64_t answer_head(struct protocol_connection *connection, const struct view *view)
{
	struct http1 *http1 = connection->state;
	struct pending *first = pending_first(connection);
	enum look look = look_answer(view);
	struct head head;
	int status;

	if (look != LOOK_YES)
		return look == LOOK_MORE ? UNIT_MORE : UNIT_LOST;
	head = read_head(view->at, view->n);
	if (!head.n && !view->is_cut)
		return UNIT_MORE;
	status = 100 * (view->at[9] - '0') + 10 * (view->at[10] - '0') + view->at[11] - '0';
	if (status / 100 == 1 && status != 101) {
		connection->streams[ANSWERS].is_aside = true;
		return head.n ? (int64_t)head.n : UNIT_LOST;
	}
	if (first)
		first->request.failed = status >= 400;
	http1->is_last = status == 101 || (first && first->kind == CONNECT && status / 100 == 2);
	http1->phase[ANSWERS] = HEAD;
	if (!head.n && http1->is_last) {
		if (first)
			pending_complete(connection, first);
		connection->is_opaque = connection->is_told = true;
	}
	if (!head.n)
		return UNIT_OPEN;
	if (http1->is_last || status == 204 || status == 304 ||
	    (first && first->kind == HEAD_METHOD))
		return (int64_t)head.n;
	if (head.is_chunked)
		http1->phase[ANSWERS] = CHUNKS;
	else if (head.body < 0) /* up to the end of the connection */
		return UNIT_OPEN;
	return head.is_chunked ? (int64_t)head.n : with_body(&head);
}

/* A chunk's size, and with it the chunk. */
static int64_t body_chunk(struct http1 *http1, enum direction direction, const struct view *view)
{
	size_t line = line_size(view->at, view->n), i;
	int64_t size = 0;

	for (i = 0; i < view->n && isxdigit(view->at[i]); i++) {
		int digit =
			isdigit(view->at[i]) ? view->at[i] - '0' : tolower(view->at[i]) - 'a' + 10;

		if (size < UNIT_MAX / 32)
			size = size * 16 + digit;
	}
	if (i < view->n && (i == 0 || !strchr(" ;\t\r\n", view->at[i]) || !view->at[i]))
		return UNIT_LOST;
	if (!line)
		return view->n < CHUNK_LINE_MAX ? UNIT_MORE : UNIT_LOST;
	if (size == 0)
		http1->phase[direction] = TRAILER;
	return (int64_t)line + (size ? size + 2 : 0);
}

static int64_t trailer_line(struct http1 *http1, enum direction direction, const struct view *view)
{
	size_t line = line_size(view->at, view->n);

	if (line && (view->at[0] == '\n' || (view->at[0] == '\r' && line == 2)))
		http1->phase[direction] = HEAD;
	return line ? (int64_t)line : UNIT_MORE;
}

static int64_t http1_unit(struct protocol_connection *connection, enum direction direction,
			  const struct view *view)
{
	struct http1 *http1 = connection->state;

	switch (http1->phase[direction]) {
	case CHUNKS:
		return body_chunk(http1, direction, view);
	case TRAILER:
		return trailer_line(http1, direction, view);
	case HEAD:
		break;
	}
	/* Empty lines between messages are to be put up with. */
	if (is_separator(view->at[0])) {
		connection->streams[direction].is_aside = true;
		return 1;
	}
	return direction == REQUESTS ? request_head(connection, view)
				     : answer_head(connection, view);
}

static void http1_unit_end(struct protocol_connection *connection, enum direction direction)
{
	struct http1 *http1 = connection->state;
	struct pending *pending =
		direction == REQUESTS ? pending_open(connection) : pending_first(connection);

	if (connection->streams[direction].is_aside || http1->phase[direction] != HEAD)
		return;
	if (direction == REQUESTS && pending)
		pending->is_open = false;
	if (direction == ANSWERS && pending)
		pending_complete(connection, pending);
	if (direction == ANSWERS && http1->is_last)
		connection->is_opaque = connection->is_told = true;
}

static void http1_reset(struct protocol_connection *connection, enum direction direction)
{
	struct http1 *http1 = connection->state;

	http1->phase[direction] = HEAD;
	http1->is_last = false;
}

const struct protocol protocol_http1 = {
	.id = PROTOCOL_HTTP,
	.name = "http",
	.state_size = sizeof(struct http1),
	.look = http1_look,
	.unit = http1_unit,
	.unit_end = http1_unit_end,
	.reset = http1_reset,
};
