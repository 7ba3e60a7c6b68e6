/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages in the wire format of Protocol Buffers; for pprof. Zeroed is an empty message. */
#ifndef PERFBPF_REPORT_PROTOBUF_H
#define PERFBPF_REPORT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct protobuf {
	char *data;
	size_t n, room;
	bool failed; /* memory was short: what is in it is not whole */
};

void protobuf_clear(struct protobuf *message);
/* Empties it, and keeps its memory. */
void protobuf_reset(struct protobuf *message);
/* Bytes of a string that is put together. */
void protobuf_raw(struct protobuf *message, const char *data, size_t n);
/* An element of a packed field. */
void protobuf_varint(struct protobuf *message, uint64_t value);
/* A field with a number; 0 is left out, as it is what a reader takes where there is none. */
void protobuf_number(struct protobuf *message, unsigned int field, uint64_t value);
void protobuf_bytes(struct protobuf *message, unsigned int field, const char *data, size_t n);
void protobuf_message(struct protobuf *message, unsigned int field, const struct protobuf *inner);

#endif
