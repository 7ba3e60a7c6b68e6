/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The API over HTTP on 127.0.0.1: single-threaded, non-blocking, driven by one epoll. */
#ifndef PERFBPF_DRIVE_KUBELOGS_SERVER_H
#define PERFBPF_DRIVE_KUBELOGS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "drive/kubelogs/source.h"
#include "util/error.h"

#define SERVER_CONNECTIONS_MAX 512

/* Events of @epoll_fd with this bit in their data belong to the server; the rest is the caller's.
 */
#define SERVER_TAG (1ULL << 63)

struct server;

struct server_counts {
	uint64_t lines;         /* handed to sockets since the start */
	uint64_t wanted;        /* of these, the ones that the filter wants */
	uint32_t streams;       /* follow streams that are open */
	uint32_t pods_followed; /* pods with at least one of them */
	uint64_t late_max_ns;   /* since server_reset_late() */
};

/* Listens on a port that the kernel picks. NULL with @err. @source stays the caller's. */
struct server *server_open(const struct source *source, int epoll_fd, struct error *err);
void server_close(struct server *server); /* takes NULL */

uint16_t server_port(const struct server *server);
const struct server_counts *server_counts(const struct server *server);
void server_reset_late(struct server *server);

/* An event that carries SERVER_TAG. */
void server_handle(struct server *server, uint64_t tag, uint32_t events);
/* Sends all lines that are due by now. */
void server_emit(struct server *server);
/* Ends what has timed out; to be called a few times a second. */
void server_sweep(struct server *server);

#endif
