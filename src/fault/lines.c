/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fault/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void lines_init(struct lines *lines, int fd)
{
	memset(lines, 0, sizeof(*lines));
	lines->fd = fd;
}

static void take_all(struct lines *lines, lines_take *take, void *context)
{
	char *at = lines->input, *end = lines->input + lines->length, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		json_t *message = json_loadb(at, (size_t)(newline - at), 0, NULL);

		if (!json_is_object(message))
			lines->is_ended = true;
		else
			take(context, message);
		json_decref(message);
		at = newline + 1;
	}
	lines->length = (size_t)(end - at);
	memmove(lines->input, at, lines->length);
	if (lines->length == LINES_MAX)
		lines->is_ended = true;
}

void lines_read(struct lines *lines, lines_take *take, void *context)
{
	while (!lines->is_ended) {
		ssize_t n = recv(lines->fd, lines->input + lines->length, LINES_MAX - lines->length,
				 MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			lines->is_ended = true;
			return;
		}
		lines->length += (size_t)n;
		take_all(lines, take, context);
	}
}

int lines_say(struct lines *lines, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0, sent = 0;

	json_decref(message);
	if (text)
		text[length++] = '\n';
	while (sent < length && !lines->is_ended) {
		ssize_t n = send(lines->fd, text + sent, length - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (n == 0 || errno != EINTR)
			lines->is_ended = true;
	}
	free(text);
	if (!length)
		lines->is_ended = true;
	return lines->is_ended ? -1 : 0;
}
