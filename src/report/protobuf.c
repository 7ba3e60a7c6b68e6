/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/protobuf.h"

#include <stdlib.h>
#include <string.h>

#define WIRE_VARINT 0
#define WIRE_BYTES  2

void protobuf_clear(struct protobuf *message)
{
	free(message->data);
	*message = (struct protobuf){0};
}

void protobuf_reset(struct protobuf *message)
{
	message->n = 0;
}

void protobuf_raw(struct protobuf *message, const char *data, size_t n)
{
	size_t room = message->room ? message->room : 256;
	char *longer;

	while (room - message->n < n)
		room *= 2;
	if (room != message->room && !message->failed) {
		longer = realloc(message->data, room);
		message->failed = !longer;
		if (longer) {
			message->data = longer;
			message->room = room;
		}
	}
	if (message->failed || !n)
		return;
	memcpy(message->data + message->n, data, n);
	message->n += n;
}

void protobuf_varint(struct protobuf *message, uint64_t value)
{
	char bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (char)(value | 0x80);
	bytes[n++] = (char)value;
	protobuf_raw(message, bytes, n);
}

void protobuf_number(struct protobuf *message, unsigned int field, uint64_t value)
{
	if (!value)
		return;
	protobuf_varint(message, field << 3 | WIRE_VARINT);
	protobuf_varint(message, value);
}

void protobuf_bytes(struct protobuf *message, unsigned int field, const char *data, size_t n)
{
	protobuf_varint(message, field << 3 | WIRE_BYTES);
	protobuf_varint(message, n);
	protobuf_raw(message, data, n);
}

void protobuf_message(struct protobuf *message, unsigned int field, const struct protobuf *inner)
{
	message->failed |= inner->failed;
	protobuf_bytes(message, field, inner->data, inner->n);
}
