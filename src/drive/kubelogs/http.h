/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests of HTTP/1.1 out of a buffer, and the heads of answers. Pure. */
#ifndef PERFBPF_DRIVE_KUBELOGS_HTTP_H
#define PERFBPF_DRIVE_KUBELOGS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX     16384
#define HTTP_SEGMENTS_MAX 16
#define HTTP_QUERY_MAX    32 /* parameters behind these are ignored */

/* The answers that http_parse() gives besides those of the API. */
enum http_status {
	HTTP_INCOMPLETE = 0,
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_NOT_FOUND = 404,
	HTTP_METHOD_NOT_ALLOWED = 405,
	HTTP_UNPROCESSABLE = 422,
	HTTP_HEADER_TOO_LARGE = 431,
	HTTP_UNAVAILABLE = 503,
	HTTP_VERSION_NOT_SUPPORTED = 505,
};

struct http_parameter {
	const char *name, *value; /* value is "" where there is none */
};

struct http_request {
	bool keep_alive;
	bool is_http10;    /* takes no chunks */
	size_t n_segments; /* of the path, empty ones left out */
	const char *segments[HTTP_SEGMENTS_MAX];
	size_t n_query;
	struct http_parameter query[HTTP_QUERY_MAX];
	char text[HTTP_HEAD_MAX]; /* what the strings above point into */
};

/*
 * Looks for one whole request head in @buffer. HTTP_INCOMPLETE: more bytes are
 * needed. HTTP_OK: @request is filled and @consumed says how long it was. Anything
 * else is the status to refuse it with; the connection cannot be used further.
 * Only GET without a body is taken.
 */
enum http_status http_parse(const char *buffer, size_t length, struct http_request *request,
			    size_t *consumed);

/* The first value of parameter @name, NULL where it was not given. */
const char *http_parameter(const struct http_request *request, const char *name);

/* Length of an answer's body that is not known before. */
#define HTTP_CHUNKED    ((size_t)-1)
#define HTTP_TILL_CLOSE ((size_t)-2)

/* The head of an answer into @out[HTTP_ANSWER_HEAD_MAX]; its length. */
#define HTTP_ANSWER_HEAD_MAX 256
size_t http_write_head(char *out, int status, const char *content_type, size_t body_length,
		       bool keep_alive);

#endif
