/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One client: what came in, what goes out, and which answer is under way. */
#ifndef PERFBPF_DRIVE_KUBELOGS_CONNECTION_H
#define PERFBPF_DRIVE_KUBELOGS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/kubelogs/http.h"
#include "drive/kubelogs/stream.h"

enum connection_state {
	CONNECTION_READING, /* waits for a request */
	CONNECTION_LOG,
	CONNECTION_WATCH,
	CONNECTION_ENDING, /* the last answer goes out, then nothing more */
	CONNECTION_ENDED,  /* waits for the client to close, so that it gets the answer whole */
	CONNECTION_DEAD,   /* to be removed */
};

struct connection {
	int fd, epoll_fd;
	uint64_t tag; /* of its events */
	enum connection_state state;
	bool keep_alive;
	bool chunked;
	bool is_armed;     /* waits for room in the socket */
	bool is_blocked;   /* the socket was full when a log line was due */
	uint64_t until_ns; /* when a watch or the wait for the client's close ends; 0: never */
	struct log_stream stream;
	size_t in_length;
	size_t out_length, out_sent, out_size;
	char *out;
	char in[HTTP_HEAD_MAX];
};

/* Takes @fd. NULL where memory is short. */
struct connection *connection_new(int fd, int epoll_fd, uint64_t tag);
void connection_free(struct connection *connection); /* takes NULL */

/* Room for @size more bytes of output; NULL, and the connection is dead, where memory is short. */
char *connection_room(struct connection *connection, size_t size);
/* Puts @data behind what is to be sent, as one chunk if @chunked. */
void connection_put(struct connection *connection, const void *data, size_t length, bool chunked);
/* Puts the end of a chunked answer. */
void connection_put_end(struct connection *connection);

/* Sends what it can. True: all is out. A client that has gone makes the connection dead. */
bool connection_flush(struct connection *connection);
/* Reads what there is; a client that has gone makes the connection dead. */
void connection_read(struct connection *connection);
/* Ask, or no longer, for an event when the socket has room. */
void connection_arm(struct connection *connection, bool armed);

#endif
