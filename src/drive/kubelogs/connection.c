/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection *connection_new(int fd, int epoll_fd, uint64_t tag)
{
	struct connection *connection = malloc(sizeof(*connection));
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = tag};

	if (!connection) {
		close(fd);
		return NULL;
	}
	/* All but the input's buffer. */
	memset(connection, 0, offsetof(struct connection, in));
	connection->fd = fd;
	connection->epoll_fd = epoll_fd;
	connection->tag = tag;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		connection_free(connection);
		return NULL;
	}
	return connection;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	close(connection->fd);
	free(connection->out);
	free(connection);
}

char *connection_room(struct connection *connection, size_t size)
{
	size_t wanted = connection->out_length + size;

	if (wanted > connection->out_size) {
		char *out;

		wanted += connection->out_size;
		out = realloc(connection->out, wanted);
		if (!out) {
			connection->state = CONNECTION_DEAD;
			return NULL;
		}
		connection->out = out;
		connection->out_size = wanted;
	}
	return connection->out + connection->out_length;
}

void connection_put(struct connection *connection, const void *data, size_t length, bool chunked)
{
	char *room = connection_room(connection, length + 24), *p = room;

	if (!room)
		return;
	if (chunked)
		p += sprintf(p, "%zx\r\n", length);
	memcpy(p, data, length);
	p += length;
	if (chunked) {
		memcpy(p, "\r\n", 2);
		p += 2;
	}
	connection->out_length += (size_t)(p - room);
}

void connection_put_end(struct connection *connection)
{
	connection_put(connection, "0\r\n\r\n", 5, false);
}

bool connection_flush(struct connection *connection)
{
	while (connection->out_sent < connection->out_length) {
		ssize_t n = send(connection->fd, connection->out + connection->out_sent,
				 connection->out_length - connection->out_sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				connection->state = CONNECTION_DEAD;
			return false;
		}
		connection->out_sent += (size_t)n;
	}
	connection->out_length = connection->out_sent = 0;
	return true;
}

void connection_read(struct connection *connection)
{
	/* While an answer is under way, or after the last, what comes is kept only while there is
	 * room. */
	bool is_kept = connection->state < CONNECTION_ENDING;
	size_t room = sizeof(connection->in) - connection->in_length;
	char ignored[4096];
	ssize_t n;

	if (is_kept && !room) {
		connection->state = CONNECTION_DEAD;
		return;
	}
	n = recv(connection->fd, is_kept ? connection->in + connection->in_length : ignored,
		 is_kept ? room : sizeof(ignored), MSG_DONTWAIT);
	if (n > 0 && is_kept)
		connection->in_length += (size_t)n;
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		connection->state = CONNECTION_DEAD;
}

void connection_arm(struct connection *connection, bool armed)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | (armed ? EPOLLOUT : 0),
		.data.u64 = connection->tag,
	};

	if (connection->is_armed == armed || connection->state == CONNECTION_DEAD)
		return;
	connection->is_armed = armed;
	if (epoll_ctl(connection->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event))
		connection->state = CONNECTION_DEAD;
}
