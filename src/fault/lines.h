/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages as lines of JSON over a stream, of both ends of a helper process. */
#ifndef PERFBPF_FAULT_LINES_H
#define PERFBPF_FAULT_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 4096 /* bytes of a message */

struct lines {
	int fd;
	bool is_ended; /* the other end has hung up, or says what is no message */
	size_t length;
	char input[LINES_MAX];
};

typedef void lines_take(void *context, const json_t *message);

void lines_init(struct lines *lines, int fd);
/* Takes in what is there without waiting; sets is_ended where the stream has. */
void lines_read(struct lines *lines, lines_take *take, void *context);
/* Takes the reference of @message. -1 where it cannot be said: then is_ended is set. */
int lines_say(struct lines *lines, json_t *message);

#endif
