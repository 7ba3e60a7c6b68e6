/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads an HTTP/1.x response piece by piece, as it comes (RFC 9112). Pure: no clock, no
 * sockets; wherever the pieces are cut, the result is the same. Memory is bounded whatever comes.
 */
#ifndef PERFBPF_DRIVE_HTTP_RESPONSE_H
#define PERFBPF_DRIVE_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_LINE_MAX 16384  /* of the status line, a header or a chunk's size */
#define RESPONSE_HEAD_MAX 262144 /* of all headers or trailers */

enum response_state {
	RESPONSE_STATUS, /* nothing yet, or the status line is on its way */
	RESPONSE_HEADERS,
	RESPONSE_BODY,        /* @left bytes of it */
	RESPONSE_UNTIL_CLOSE, /* the connection's end is the body's */
	RESPONSE_CHUNK_SIZE,
	RESPONSE_CHUNK,     /* @left bytes of it */
	RESPONSE_CHUNK_END, /* the line end behind it */
	RESPONSE_TRAILERS,
	RESPONSE_ENDED,
	RESPONSE_MALFORMED,
};

struct response {
	enum response_state state;
	int status; /* of the final one; those of 1xx are passed over */
	bool is_head_wanted;
	bool keeps_alive; /* the connection can be used again */
	bool is_chunked, has_other_coding, has_length;
	uint64_t left, length;
	uint64_t bytes, head_bytes; /* taken in all; of the present headers */
	/* The stretch of body in what the last response_take() took; NULL: none. */
	const char *piece;
	size_t piece_size;
	/* The beginning of a line that did not come as a whole. */
	char *line;
	size_t line_size, line_room;
};

/* Begins the response to a request; @is_head: HEAD, which is answered without a body. @response is
 * zeroed or was used before. */
void response_begin(struct response *response, bool is_head);
/*
 * Takes some of @size bytes at @data, at most up to the end of a stretch of body, and returns how
 * many; to be called until all are taken or the response has ended or is malformed (0 only
 * then).
 */
size_t response_take(struct response *response, const char *data, size_t size);
/* The connection has ended. Afterwards it is RESPONSE_ENDED only if the response is whole. */
void response_close(struct response *response);
static inline bool response_is_over(const struct response *response)
{
	return response->state >= RESPONSE_ENDED;
}
/* Frees what hangs on it; zeroed afterwards. */
void response_clear(struct response *response);

#endif
