/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/http/response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* No body is longer; it keeps sums from overflowing. */
#define LENGTH_MAX (1ULL << 60)

void response_begin(struct response *response, bool is_head)
{
	char *line = response->line;
	size_t room = response->line_room;

	*response = (struct response){
		.is_head_wanted = is_head,
		.line = line,
		.line_room = room,
	};
}

void response_clear(struct response *response)
{
	free(response->line);
	memset(response, 0, sizeof(*response));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static void take_status(struct response *response, const char *line, size_t size)
{
	response->state = RESPONSE_MALFORMED;
	if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' ||
	    line[8] != ' ' || (size > 12 && line[12] != ' '))
		return;
	for (int i = 9; i < 12; i++)
		if (line[i] < '0' || line[i] > '9')
			return;
	response->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	/* Nobody asked for another protocol. */
	if (response->status < 100 || response->status == 101)
		return;
	response->keeps_alive = line[7] != '0';
	response->is_chunked = response->has_other_coding = response->has_length = false;
	response->length = 0;
	response->state = RESPONSE_HEADERS;
}

/* The next of the words that commas separate, without blanks around it. false: there is none. */
static bool next_word(const char **at, const char *end, const char **word, size_t *size)
{
	while (*at < end && (is_blank(**at) || **at == ','))
		++*at;
	*word = *at;
	while (*at < end && **at != ',')
		++*at;
	*size = (size_t)(*at - *word);
	while (*size && is_blank((*word)[*size - 1]))
		--*size;
	return *size > 0;
}

static bool is_word(const char *word, size_t size, const char *what)
{
	return size == strlen(what) && !strncasecmp(word, what, size);
}

static void take_length(struct response *response, const char *value, size_t size)
{
	uint64_t length = 0;

	for (size_t i = 0; i < size; i++) {
		if (value[i] < '0' || value[i] > '9' || length > LENGTH_MAX / 10)
			size = 0;
		else
			length = length * 10 + (uint64_t)(value[i] - '0');
	}
	if (!size || (response->has_length && response->length != length))
		response->state = RESPONSE_MALFORMED;
	response->has_length = true;
	response->length = length;
}

static void take_header(struct response *response, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size), *end = line + size, *at, *word;
	size_t name_size, word_size;

	/* A line that goes on with the one before says nothing that is wanted. */
	if (is_blank(line[0]))
		return;
	if (!colon || colon == line || is_blank(colon[-1])) {
		response->state = RESPONSE_MALFORMED;
		return;
	}
	name_size = (size_t)(colon - line);
	for (at = colon + 1; at < end && is_blank(*at);)
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	if (is_word(line, name_size, "content-length")) {
		take_length(response, at, (size_t)(end - at));
	} else if (is_word(line, name_size, "transfer-encoding")) {
		/* The last one says how the end is found. */
		while (next_word(&at, end, &word, &word_size)) {
			response->is_chunked = is_word(word, word_size, "chunked");
			response->has_other_coding = true;
		}
	} else if (is_word(line, name_size, "connection")) {
		while (next_word(&at, end, &word, &word_size)) {
			if (is_word(word, word_size, "close"))
				response->keeps_alive = false;
			else if (is_word(word, word_size, "keep-alive"))
				response->keeps_alive = true;
		}
	}
}

/* The empty line behind the headers: how the body ends (RFC 9112, 6.3). */
static void end_headers(struct response *response)
{
	response->head_bytes = 0;
	if (response->status < 200) {
		response->state = RESPONSE_STATUS;
	} else if (response->is_head_wanted || response->status == 204 || response->status == 304) {
		response->state = RESPONSE_ENDED;
	} else if (response->is_chunked) {
		response->state = RESPONSE_CHUNK_SIZE;
	} else if (response->has_other_coding || !response->has_length) {
		response->state = RESPONSE_UNTIL_CLOSE;
		response->keeps_alive = false;
	} else {
		response->left = response->length;
		response->state = response->left ? RESPONSE_BODY : RESPONSE_ENDED;
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b" or "1a2b;extension"; 0 is the last one. */
static void take_chunk_size(struct response *response, const char *line, size_t size)
{
	uint64_t length = 0;
	size_t i = 0;

	for (; i < size && digit(line[i]) >= 0; i++) {
		if (length > LENGTH_MAX / 16)
			break;
		length = length * 16 + (uint64_t)digit(line[i]);
	}
	response->left = length;
	response->state = length ? RESPONSE_CHUNK : RESPONSE_TRAILERS;
	if (!i || (i < size && line[i] != ';' && !is_blank(line[i])))
		response->state = RESPONSE_MALFORMED;
}

static void take_line(struct response *response, const char *line, size_t size)
{
	switch (response->state) {
	case RESPONSE_STATUS:
		take_status(response, line, size);
		break;
	case RESPONSE_HEADERS:
		if (size)
			take_header(response, line, size);
		else
			end_headers(response);
		break;
	case RESPONSE_CHUNK_SIZE:
		take_chunk_size(response, line, size);
		break;
	case RESPONSE_CHUNK_END:
		response->state = size ? RESPONSE_MALFORMED : RESPONSE_CHUNK_SIZE;
		break;
	case RESPONSE_TRAILERS:
		if (!size)
			response->state = RESPONSE_ENDED;
		break;
	default:
		response->state = RESPONSE_MALFORMED;
	}
}

static bool keep_line(struct response *response, const char *data, size_t size)
{
	size_t wanted = response->line_size + size, room = response->line_room;
	char *line;

	if (wanted > RESPONSE_LINE_MAX)
		return false;
	while (room < wanted)
		room = room ? 2 * room : 256;
	if (room > response->line_room) {
		line = realloc(response->line, room);
		if (!line)
			return false;
		response->line = line;
		response->line_room = room;
	}
	memcpy(response->line + response->line_size, data, size);
	response->line_size = wanted;
	return true;
}

/* One line, or the part of one that is there. */
static size_t take_line_part(struct response *response, const char *data, size_t size)
{
	const char *newline = memchr(data, '\n', size), *line = data;
	size_t taken = newline ? (size_t)(newline - data) + 1 : size;
	size_t line_size = taken - (newline != NULL);

	response->head_bytes += taken;
	if (response->head_bytes > RESPONSE_HEAD_MAX && response->state != RESPONSE_CHUNK_SIZE &&
	    response->state != RESPONSE_CHUNK_END) {
		response->state = RESPONSE_MALFORMED;
		return taken;
	}
	if (response->line_size || !newline) {
		if (!keep_line(response, data, line_size)) {
			response->state = RESPONSE_MALFORMED;
			return taken;
		}
		line = response->line;
		line_size = response->line_size;
	}
	if (!newline)
		return taken;
	response->line_size = 0;
	if (line_size > RESPONSE_LINE_MAX) {
		response->state = RESPONSE_MALFORMED;
		return taken;
	}
	if (line_size && line[line_size - 1] == '\r')
		line_size--;
	take_line(response, line, line_size);
	return taken;
}

static size_t take_body(struct response *response, const char *data, size_t size)
{
	bool is_endless = response->state == RESPONSE_UNTIL_CLOSE;
	size_t taken = !is_endless && response->left < size ? (size_t)response->left : size;

	response->piece = data;
	response->piece_size = taken;
	if (is_endless)
		return taken;
	response->left -= taken;
	if (!response->left)
		response->state =
			response->state == RESPONSE_BODY ? RESPONSE_ENDED : RESPONSE_CHUNK_END;
	response->head_bytes = 0;
	return taken;
}

size_t response_take(struct response *response, const char *data, size_t size)
{
	size_t taken;

	response->piece = NULL;
	response->piece_size = 0;
	if (!size || response_is_over(response))
		return 0;
	switch (response->state) {
	case RESPONSE_BODY:
	case RESPONSE_CHUNK:
	case RESPONSE_UNTIL_CLOSE:
		taken = take_body(response, data, size);
		break;
	default:
		taken = take_line_part(response, data, size);
	}
	response->bytes += taken;
	return taken;
}

void response_close(struct response *response)
{
	if (response->state == RESPONSE_UNTIL_CLOSE)
		response->state = RESPONSE_ENDED;
	else if (!response_is_over(response))
		response->state = RESPONSE_MALFORMED;
	response->keeps_alive = false;
}
