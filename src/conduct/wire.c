/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire_header {
	uint32_t type;
	uint32_t size;
};

void wire_begin(struct wire_message *message, uint32_t type)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
}

static void put(struct wire_message *message, const void *bytes, size_t size)
{
	if (message->broken)
		return;
	if (message->size + size > WIRE_MAX_BYTES) {
		message->broken = true;
		return;
	}
	if (message->size + size > message->capacity) {
		size_t capacity = (message->size + size) * 2;
		char *larger = realloc(message->data, capacity);

		if (!larger) {
			message->broken = true;
			return;
		}
		message->data = larger;
		message->capacity = capacity;
	}
	memcpy(message->data + message->size, bytes, size);
	message->size += size;
}

void wire_put_i64(struct wire_message *message, int64_t value)
{
	put(message, &value, sizeof(value));
}

void wire_put_string(struct wire_message *message, const char *text)
{
	if (!text) {
		wire_put_i64(message, -1);
		return;
	}
	wire_put_i64(message, (int64_t)strlen(text));
	put(message, text, strlen(text) + 1);
}

void wire_put_strings(struct wire_message *message, char *const *strings)
{
	int64_t n = 0;

	while (strings && strings[n])
		n++;
	wire_put_i64(message, n);
	for (int64_t i = 0; i < n; i++)
		wire_put_string(message, strings[i]);
}

void wire_put_fd(struct wire_message *message, int fd)
{
	if (message->n_fds == WIRE_MAX_FDS)
		message->broken = true;
	else
		message->fds[message->n_fds++] = fd;
}

int64_t wire_get_i64(struct wire_message *message)
{
	int64_t value = 0;

	if (message->broken || message->size - message->read < sizeof(value)) {
		message->broken = true;
		return 0;
	}
	memcpy(&value, message->data + message->read, sizeof(value));
	message->read += sizeof(value);
	return value;
}

const char *wire_get_string(struct wire_message *message)
{
	int64_t length = wire_get_i64(message);
	const char *text;

	if (message->broken || length == -1)
		return NULL;
	if ((uint64_t)length >= message->size - message->read ||
	    message->data[message->read + (size_t)length] != 0) {
		message->broken = true;
		return NULL;
	}
	text = message->data + message->read;
	message->read += (size_t)length + 1;
	return text;
}

char **wire_get_strings(struct wire_message *message)
{
	int64_t n = wire_get_i64(message);
	char **strings;

	/* Each string takes at least its length. */
	if (message->broken || n < 0 || (uint64_t)n > message->size / sizeof(int64_t)) {
		message->broken = true;
		return NULL;
	}
	strings = calloc((size_t)n + 1, sizeof(*strings));
	if (!strings)
		message->broken = true;
	for (int64_t i = 0; !message->broken && i < n; i++) {
		strings[i] = (char *)wire_get_string(message);
		if (!strings[i])
			message->broken = true;
	}
	if (!message->broken)
		return strings;
	free(strings);
	return NULL;
}

static int send_all(int fd, const void *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = (const char *)bytes + n;
		size -= (size_t)n;
	}
	return 0;
}

/* Open files travel with the header, so they never arrive without their message. */
static int send_header(int fd, const struct wire_message *message)
{
	struct wire_header header = {message->type, (uint32_t)message->size};
	struct iovec iov = {&header, sizeof(header)};
	union {
		char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (message->n_fds) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(message->n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(message->n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), message->fds, message->n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return send_all(fd, (char *)&header + n, sizeof(header) - (size_t)n);
}

int wire_send(int fd, const struct wire_message *message)
{
	int failed;

	if (message->broken)
		return -E2BIG;
	failed = send_header(fd, message);
	return failed ? failed : send_all(fd, message->data, message->size);
}

static int receive_all(int fd, void *bytes, size_t size)
{
	while (size) {
		ssize_t n = recv(fd, bytes, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		bytes = (char *)bytes + n;
		size -= (size_t)n;
	}
	return 0;
}

static void take_fds(struct wire_message *message, struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t n;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(message->fds, CMSG_DATA(cmsg), n * sizeof(int));
		message->n_fds = n;
	}
}

int wire_receive(int fd, struct wire_message *message)
{
	struct wire_header header;
	struct iovec iov = {&header, sizeof(header)};
	union {
		char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n;
	int failed;

	memset(message, 0, sizeof(*message));
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	take_fds(message, &msg);
	failed = receive_all(fd, (char *)&header + n, sizeof(header) - (size_t)n);
	if (failed)
		return failed;
	if (header.size > WIRE_MAX_BYTES)
		return -EPROTO;
	message->type = header.type;
	message->size = message->capacity = header.size;
	message->data = malloc(header.size + 1);
	if (!message->data)
		return -ENOMEM;
	return receive_all(fd, message->data, header.size);
}

void wire_free(struct wire_message *message)
{
	free(message->data);
	message->data = NULL;
	message->size = message->capacity = 0;
}
