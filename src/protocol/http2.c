/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP/2 in clear, and gRPC in it. A stream that the client opens is a request; it is answered
 * with the frame that ends the stream. Streams that are reset are not counted.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/hpack.h"
#include "protocol/internal.h"

#define PREFACE      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_SIZE (sizeof(PREFACE) - 1)
#define FRAME_HEADER 9
/* The greatest frame that is believed in; peers may agree on more than the usual 16 KiB. */
#define FRAME_MAX (1U << 20)
#define BLOCK_MAX (2 * HELD_MAX)

enum frame_type {
	DATA,
	HEADERS,
	PRIORITY,
	RST_STREAM,
	SETTINGS,
	PUSH_PROMISE,
	PING,
	GOAWAY,
	WINDOW_UPDATE,
	CONTINUATION,
	FRAME_TYPES,
};

#define FLAG_END_STREAM  0x01
#define FLAG_END_HEADERS 0x04
#define FLAG_PADDED      0x08
#define FLAG_PRIORITY    0x20

struct frame {
	uint32_t length;
	uint8_t type, flags;
	uint32_t stream;
};

/* One direction. */
struct side {
	struct hpack hpack;
	uint8_t *block; /* of headers that go on in another frame */
	size_t n_block;
	bool is_cut;     /* something of the block is missing */
	bool is_promise; /* the block is no message's */
	bool ends;       /* the frame, or that whose block goes on, ends the stream */
	bool is_last;    /* the unit is the stream's last */
};

struct http2 {
	struct side sides[DIRECTIONS];
	uint32_t last_stream; /* the latest that the client opened */
};

/* What a header block says. */
struct fields {
	char method[32];
	char path[HPACK_VALUE_MAX + 1];
	int status;      /* 0: not said, as in trailers */
	int grpc_status; /* -1: not said */
	bool is_grpc;
};

static struct frame frame_at(const uint8_t *at)
{
	return (struct frame){
		.length = be32(at) >> 8,
		.type = at[3],
		.flags = at[4],
		.stream = be32(at + 5) & 0x7fffffff,
	};
}

static bool is_plausible(const struct frame *frame, enum direction direction)
{
	/* A client opens odd streams, and only a server promises others. */
	bool has_stream = frame->stream && (direction == ANSWERS || frame->stream & 1);

	if (frame->length > FRAME_MAX)
		return false;
	switch (frame->type) {
	case DATA:
		return has_stream && !(frame->flags & ~(FLAG_END_STREAM | FLAG_PADDED));
	case HEADERS:
		return has_stream && frame->length &&
		       !(frame->flags &
			 ~(FLAG_END_STREAM | FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY));
	case PRIORITY:
		return frame->stream && frame->length == 5;
	case RST_STREAM:
		return frame->stream && frame->length == 4;
	case SETTINGS:
		return !frame->stream && frame->length % 6 == 0 && frame->length < 600;
	case PUSH_PROMISE:
		return direction == ANSWERS && frame->stream && frame->length >= 4;
	case PING:
		return !frame->stream && frame->length == 8;
	case GOAWAY:
		return !frame->stream && frame->length >= 8;
	case WINDOW_UPDATE:
		return frame->length == 4;
	case CONTINUATION:
		return frame->stream != 0;
	}
	return false;
}

static enum look http2_look(const struct protocol_connection *connection, enum direction direction,
			    const struct view *view)
{
	size_t n = view->n < PREFACE_SIZE ? view->n : PREFACE_SIZE;
	struct frame frame;

	if (!n)
		return LOOK_MORE;
	if (direction == REQUESTS && !memcmp(view->at, PREFACE, n))
		return n == PREFACE_SIZE ? LOOK_YES : LOOK_MORE;
	if (!connection->spoken && direction == ANSWERS)
		return LOOK_NO;
	if (view->at[0] > FRAME_MAX >> 16)
		return LOOK_NO;
	if (view->n < FRAME_HEADER)
		return LOOK_MORE;
	frame = frame_at(view->at);
	if (!is_plausible(&frame, direction))
		return LOOK_NO;
	/* Of a connection whose beginning was not seen, only what is no chance. */
	if (!connection->spoken && (frame.type != HEADERS || frame.length > 16384) &&
	    frame.type != SETTINGS && frame.type != PING)
		return LOOK_NO;
	return LOOK_YES;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

static void on_field(void *context, enum hpack_name name, const char *value)
{
	struct fields *fields = context;

	switch (name) {
	case HPACK_METHOD:
		copy(fields->method, sizeof(fields->method), value);
		break;
	case HPACK_PATH:
		copy(fields->path, sizeof(fields->path), value);
		break;
	case HPACK_STATUS:
		fields->status = atoi(value);
		break;
	case HPACK_CONTENT_TYPE:
		fields->is_grpc = !strncmp(value, "application/grpc", 16);
		break;
	case HPACK_GRPC_STATUS:
		fields->grpc_status = atoi(value);
		break;
	case HPACK_OTHER:
		break;
	}
}

static void set_label(struct protocol_request *request, const struct fields *fields)
{
	if (fields->is_grpc) {
		request->protocol = "grpc";
		label_add_word(request->label, fields->path[0] ? fields->path : "?");
		return;
	}
	label_add_word(request->label, fields->method[0] ? fields->method : "?");
	label_add_word(request->label, " ");
	if (fields->path[0])
		label_add_route(request->label, fields->path, strlen(fields->path));
	else
		label_add_word(request->label, "?");
}

static bool on_request(struct protocol_connection *connection, const struct fields *fields,
		       uint32_t stream)
{
	struct http2 *http2 = connection->state;

	/* Trailers are no request of their own. */
	if (stream > http2->last_stream) {
		struct pending *pending = pending_push(connection, stream);

		if (!pending)
			return false;
		set_label(&pending->request, fields);
		http2->last_stream = stream;
	}
	connection->focus[REQUESTS] = stream;
	return true;
}

static void become_grpc(struct protocol_request *request)
{
	char *path = strchr(request->label, ' ');

	request->protocol = "grpc";
	if (path)
		memmove(request->label, path + 1, strlen(path));
}

static void on_answer(struct protocol_connection *connection, const struct fields *fields,
		      uint32_t stream)
{
	struct pending *pending = pending_find(connection, stream);

	/* An interim answer. */
	if (fields->status >= 100 && fields->status < 200) {
		connection->streams[ANSWERS].is_aside = true;
		return;
	}
	if (!pending)
		return;
	/* What the request's headers did not show, for want of its entries, the answer's may. */
	if (fields->is_grpc || fields->grpc_status >= 0)
		become_grpc(&pending->request);
	if (fields->status >= 400 || fields->grpc_status > 0)
		pending->request.failed = true;
}

/* What of a frame's payload is a header block; false where there is none. */
static bool strip(const struct frame *frame, const uint8_t **at, size_t *n, size_t length)
{
	size_t before = 0, after = 0;

	if (frame->type != CONTINUATION && frame->flags & FLAG_PADDED) {
		if (!*n)
			return false;
		before = 1;
		after = (*at)[0];
	}
	if (frame->type == HEADERS && frame->flags & FLAG_PRIORITY)
		before += 5;
	if (frame->type == PUSH_PROMISE)
		before += 4;
	if (before + after > length || before > *n)
		return false;
	length -= after;
	*n = (*n < length ? *n : length) - before;
	*at += before;
	return true;
}

static void add_to_block(struct side *side, const uint8_t *at, size_t n)
{
	uint8_t *grown;

	if (!n || side->is_cut)
		return;
	grown = side->n_block + n <= BLOCK_MAX ? realloc(side->block, side->n_block + n) : NULL;
	if (!grown) {
		side->is_cut = true;
		return;
	}
	memcpy(grown + side->n_block, at, n);
	side->block = grown;
	side->n_block += n;
}

static void drop_block(struct side *side)
{
	free(side->block);
	side->block = NULL;
	side->n_block = 0;
	side->is_cut = false;
}

/* HEADERS, PUSH_PROMISE or CONTINUATION of which @n bytes of payload are known. */
static bool on_headers(struct protocol_connection *connection, enum direction direction,
		       const struct frame *frame, const uint8_t *at, size_t n)
{
	struct http2 *http2 = connection->state;
	struct side *side = &http2->sides[direction];
	struct fields fields = {.grpc_status = -1};
	bool is_whole = n == frame->length;

	if (frame->type != CONTINUATION) {
		drop_block(side);
		side->is_promise = frame->type == PUSH_PROMISE;
		side->ends = frame->type == HEADERS && frame->flags & FLAG_END_STREAM;
	}
	if (!strip(frame, &at, &n, frame->length))
		return false;
	add_to_block(side, at, n);
	side->is_cut |= !is_whole;
	if (!(frame->flags & FLAG_END_HEADERS))
		return true;
	if (!hpack_decode(&side->hpack, side->block, side->n_block, on_field, &fields) ||
	    side->is_cut)
		hpack_clear(&side->hpack);
	drop_block(side);
	if (side->is_promise)
		return true;
	side->is_last = side->ends;
	if (direction == REQUESTS)
		return on_request(connection, &fields, frame->stream);
	on_answer(connection, &fields, frame->stream);
	return true;
}

static bool on_frame(struct protocol_connection *connection, enum direction direction,
		     const struct frame *frame, const struct view *view)
{
	struct http2 *http2 = connection->state;
	struct side *side = &http2->sides[direction];
	size_t n = view->n - FRAME_HEADER;
	struct pending *pending;

	side->is_last = false;
	connection->focus[direction] = frame->stream;
	switch (frame->type) {
	case DATA:
		side->is_last = frame->flags & FLAG_END_STREAM;
		return true;
	case HEADERS:
	case CONTINUATION:
	case PUSH_PROMISE:
		return on_headers(connection, direction, frame, view->at + FRAME_HEADER,
				  n < frame->length ? n : frame->length);
	case RST_STREAM:
		pending = pending_find(connection, frame->stream);
		if (pending)
			pending_drop(connection, pending);
		return true;
	default:
		connection->streams[direction].is_aside = true;
		return true;
	}
}

static int64_t http2_unit(struct protocol_connection *connection, enum direction direction,
			  const struct view *view)
{
	struct http2 *http2 = connection->state;
	size_t n = view->n < PREFACE_SIZE ? view->n : PREFACE_SIZE;
	struct frame frame;

	if (direction == REQUESTS && view->at[0] == 'P') {
		if (memcmp(view->at, PREFACE, n) != 0)
			return UNIT_LOST;
		connection->streams[REQUESTS].is_aside = true;
		http2->sides[REQUESTS].is_last = false;
		return n == PREFACE_SIZE ? (int64_t)n : UNIT_MORE;
	}
	if (view->n < FRAME_HEADER)
		return view->at[0] > FRAME_MAX >> 16 ? UNIT_LOST : UNIT_MORE;
	frame = frame_at(view->at);
	if (frame.length > FRAME_MAX ||
	    (frame.type < FRAME_TYPES && !is_plausible(&frame, direction)))
		return UNIT_LOST;
	if ((frame.type == HEADERS || frame.type == CONTINUATION || frame.type == PUSH_PROMISE) &&
	    view->n < frame.length + FRAME_HEADER && !view->is_cut)
		return UNIT_MORE;
	if (!on_frame(connection, direction, &frame, view))
		return UNIT_LOST;
	return (int64_t)frame.length + FRAME_HEADER;
}

static void http2_unit_end(struct protocol_connection *connection, enum direction direction)
{
	struct http2 *http2 = connection->state;
	struct pending *pending;

	if (!http2->sides[direction].is_last || connection->streams[direction].is_aside)
		return;
	pending = pending_find(connection, connection->focus[direction]);
	if (!pending)
		return;
	if (direction == REQUESTS)
		pending->is_open = false;
	else
		pending_complete(connection, pending);
}

/* What was inserted while nobody looked on is not known. */
static void http2_reset(struct protocol_connection *connection, enum direction direction)
{
	struct http2 *http2 = connection->state;

	drop_block(&http2->sides[direction]);
	hpack_clear(&http2->sides[direction].hpack);
}

static void http2_free(void *state)
{
	struct http2 *http2 = state;

	for (int i = 0; i < DIRECTIONS; i++) {
		drop_block(&http2->sides[i]);
		hpack_clear(&http2->sides[i].hpack);
	}
}

const struct protocol protocol_http2 = {
	.id = PROTOCOL_HTTP,
	.name = "http2",
	.is_keyed = true,
	.state_size = sizeof(struct http2),
	.look = http2_look,
	.unit = http2_unit,
	.unit_end = http2_unit_end,
	.reset = http2_reset,
	.state_free = http2_free,
};
