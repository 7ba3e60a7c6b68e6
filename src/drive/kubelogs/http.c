/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/http.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A piece of the request that has not been looked at yet. */
struct piece {
	const char *at, *end;
};

/* The next line without its end; false where there is none. */
static bool next_line(struct piece *head, struct piece *line)
{
	const char *newline = memchr(head->at, '\n', (size_t)(head->end - head->at));

	if (!newline)
		return false;
	line->at = head->at;
	line->end = newline > head->at && newline[-1] == '\r' ? newline - 1 : newline;
	head->at = newline + 1;
	return true;
}

/* Length of the head with the empty line that ends it, 0 where it is not all there. */
static size_t head_length(const char *buffer, size_t length)
{
	struct piece head = {buffer, buffer + length}, line;
	bool is_first = true;

	while (next_line(&head, &line)) {
		/* Empty lines before a request are to be overlooked (RFC 9112, 2.2). */
		if (line.at == line.end && !is_first)
			return (size_t)(head.at - buffer);
		if (line.at != line.end)
			is_first = false;
	}
	return 0;
}

static bool is_word(struct piece piece, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(piece.end - piece.at) == length && !strncasecmp(piece.at, word, length);
}

static struct piece trim(struct piece piece)
{
	while (piece.at < piece.end && (*piece.at == ' ' || *piece.at == '\t'))
		piece.at++;
	while (piece.at < piece.end && (piece.end[-1] == ' ' || piece.end[-1] == '\t'))
		piece.end--;
	return piece;
}

/* What stands before @separator; it moves behind that. */
static struct piece cut(struct piece *from, char separator)
{
	const char *at = memchr(from->at, separator, (size_t)(from->end - from->at));
	struct piece part = {from->at, at ? at : from->end};

	from->at = at ? at + 1 : from->end;
	return part;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Decodes @from to the end of @request->text, where @used bytes are taken: the
 * string, or NULL. Decoded text is never longer than what it came from, and one NUL
 * takes the place of the separator, so that the head's size is room enough.
 */
static const char *decode(struct http_request *request, size_t *used, struct piece from,
			  bool is_query)
{
	char *out = request->text + *used, *limit = request->text + sizeof(request->text) - 1;
	char *start = out;

	for (; from.at < from.end && out < limit; from.at++) {
		int high, low;

		*out = *from.at == '+' && is_query ? ' ' : *from.at;
		if (*from.at == '%') {
			if (from.end - from.at < 3)
				return NULL;
			high = hex_value(from.at[1]);
			low = hex_value(from.at[2]);
			if (high < 0 || low < 0)
				return NULL;
			*out = (char)(high * 16 + low);
			from.at += 2;
		}
		if (!*out)
			return NULL;
		out++;
	}
	if (from.at < from.end)
		return NULL;
	*out++ = '\0';
	*used = (size_t)(out - request->text);
	return start;
}

static bool parse_target(struct http_request *request, struct piece target)
{
	struct piece path, part;
	size_t used = 0;

	/* "http://host/path" is what a proxy gets; the host is of no interest. */
	if (target.end - target.at > 7 && !strncasecmp(target.at, "http://", 7)) {
		target.at += 7;
		while (target.at < target.end && *target.at != '/')
			target.at++;
	}
	if (target.at == target.end || *target.at != '/')
		return false;
	path = cut(&target, '?');
	while (path.at < path.end) {
		part = cut(&path, '/');
		if (part.at == part.end)
			continue;
		if (request->n_segments == HTTP_SEGMENTS_MAX)
			return false;
		request->segments[request->n_segments] = decode(request, &used, part, false);
		if (!request->segments[request->n_segments++])
			return false;
	}
	while (target.at < target.end && request->n_query < HTTP_QUERY_MAX) {
		struct http_parameter *parameter = &request->query[request->n_query];

		part = cut(&target, '&');
		if (part.at == part.end)
			continue;
		parameter->name = decode(request, &used, cut(&part, '='), true);
		parameter->value = decode(request, &used, part, true);
		if (!parameter->name || !parameter->value)
			return false;
		request->n_query++;
	}
	return true;
}

static enum http_status parse_request_line(struct http_request *request, struct piece line)
{
	struct piece method = cut(&line, ' '), target = cut(&line, ' ');

	if (method.at == method.end || target.at == target.end)
		return HTTP_BAD_REQUEST;
	for (const char *c = method.at; c < method.end; c++)
		if (!isalpha((unsigned char)*c) && *c != '-')
			return HTTP_BAD_REQUEST;
	request->is_http10 = is_word(line, "HTTP/1.0");
	if (!request->is_http10 && !is_word(line, "HTTP/1.1"))
		return line.end - line.at > 5 && !strncmp(line.at, "HTTP/", 5)
			       ? HTTP_VERSION_NOT_SUPPORTED
			       : HTTP_BAD_REQUEST;
	request->keep_alive = !request->is_http10;
	if (!is_word(method, "GET"))
		return HTTP_METHOD_NOT_ALLOWED;
	return parse_target(request, target) ? HTTP_OK : HTTP_BAD_REQUEST;
}

static enum http_status parse_header(struct http_request *request, struct piece line)
{
	struct piece name = cut(&line, ':'), value;

	/* cut() leaves nothing behind where there is no ':' and where nothing follows it. */
	if (name.at == name.end || (line.at == line.end && line.at[-1] != ':'))
		return HTTP_BAD_REQUEST;
	for (const char *c = name.at; c < name.end; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return HTTP_BAD_REQUEST;
	if (is_word(name, "Connection")) {
		while (line.at < line.end) {
			value = trim(cut(&line, ','));
			if (is_word(value, "close"))
				request->keep_alive = false;
			else if (is_word(value, "keep-alive") && request->is_http10)
				request->keep_alive = true;
		}
	} else if (is_word(name, "Content-Length")) {
		if (!is_word(trim(line), "0"))
			return HTTP_BAD_REQUEST;
	} else if (is_word(name, "Transfer-Encoding")) {
		return HTTP_BAD_REQUEST;
	}
	return HTTP_OK;
}

enum http_status http_parse(const char *buffer, size_t length, struct http_request *request,
			    size_t *consumed)
{
	size_t size = head_length(buffer, length < HTTP_HEAD_MAX ? length : HTTP_HEAD_MAX);
	struct piece head = {buffer, buffer + size}, line;
	enum http_status status;

	if (!size)
		return length < HTTP_HEAD_MAX ? HTTP_INCOMPLETE : HTTP_HEADER_TOO_LARGE;
	*consumed = size;
	request->n_segments = 0;
	request->n_query = 0;
	do {
		if (!next_line(&head, &line))
			return HTTP_BAD_REQUEST;
	} while (line.at == line.end);
	status = parse_request_line(request, line);
	while (status == HTTP_OK && next_line(&head, &line) && line.at < line.end)
		status = parse_header(request, line);
	return status;
}

const char *http_parameter(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_query; i++)
		if (!strcmp(request->query[i].name, name))
			return request->query[i].value;
	return NULL;
}

static const char *reason(int status)
{
	switch (status) {
	case HTTP_OK:
		return "OK";
	case HTTP_BAD_REQUEST:
		return "Bad Request";
	case HTTP_NOT_FOUND:
		return "Not Found";
	case HTTP_METHOD_NOT_ALLOWED:
		return "Method Not Allowed";
	case HTTP_UNPROCESSABLE:
		return "Unprocessable Entity";
	case HTTP_HEADER_TOO_LARGE:
		return "Request Header Fields Too Large";
	case HTTP_UNAVAILABLE:
		return "Service Unavailable";
	case HTTP_VERSION_NOT_SUPPORTED:
		return "HTTP Version Not Supported";
	default:
		return "Error";
	}
}

size_t http_write_head(char *out, int status, const char *content_type, size_t body_length,
		       bool keep_alive)
{
	char body[48] = "";
	int n;

	if (body_length == HTTP_CHUNKED)
		snprintf(body, sizeof(body), "Transfer-Encoding: chunked\r\n");
	else if (body_length != HTTP_TILL_CLOSE)
		snprintf(body, sizeof(body), "Content-Length: %zu\r\n", body_length);
	n = snprintf(out, HTTP_ANSWER_HEAD_MAX,
		     "HTTP/1.1 %d %s\r\n%sContent-Type: %s\r\nCache-Control: no-cache\r\n%s%s\r\n",
		     status, reason(status),
		     status == HTTP_METHOD_NOT_ALLOWED ? "Allow: GET\r\n" : "", content_type, body,
		     keep_alive ? "" : "Connection: close\r\n");
	return (size_t)n;
}
