/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages between perfbpf and its keeper: a type, a payload of numbers and
 * strings, and open files, over a stream socket. Both ends are the same program, so
 * there is no versioning; a message that does not parse is a broken peer.
 */
#ifndef PERFBPF_CONDUCT_WIRE_H
#define PERFBPF_CONDUCT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_FDS   8
#define WIRE_MAX_BYTES (8 * 1024 * 1024)

struct wire_message {
	uint32_t type;
	char *data;
	size_t size, capacity;
	size_t read; /* how far the getters have come */
	bool broken; /* a getter ran past the end, or memory ran out while putting */
	int fds[WIRE_MAX_FDS];
	size_t n_fds;
};

void wire_begin(struct wire_message *message, uint32_t type);
void wire_put_i64(struct wire_message *message, int64_t value);
void wire_put_string(struct wire_message *message, const char *text);      /* NULL is kept */
void wire_put_strings(struct wire_message *message, char *const *strings); /* NULL-terminated */
void wire_put_fd(struct wire_message *message, int fd);

int64_t wire_get_i64(struct wire_message *message);
/* Points into the message; NULL as it was put. */
const char *wire_get_string(struct wire_message *message);
/* A NULL-terminated array of pointers into the message, to be freed; NULL when broken. */
char **wire_get_strings(struct wire_message *message);

/* Blocking. 0, or -errno (-EPIPE: the peer is gone). */
int wire_send(int fd, const struct wire_message *message);
/* Blocking. Received files are close-on-exec and the caller's. 0 or -errno. */
int wire_receive(int fd, struct wire_message *message);
/* Frees the payload; files are not closed. */
void wire_free(struct wire_message *message);

#endif
