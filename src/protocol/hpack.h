/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Header blocks of HTTP/2 (RFC 7541), as one who looks on reads them: only some fields have
 * values here, and what was inserted unseen is not known. Nothing ever has to be evicted for
 * its size, since an encoder does not name what is gone; entries are counted from the newest.
 */
#ifndef PERFBPF_PROTOCOL_HPACK_H
#define PERFBPF_PROTOCOL_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The latest entries that are remembered; and of a value, the bytes. */
#define HPACK_ENTRIES   128
#define HPACK_VALUE_MAX 255

enum hpack_name {
	HPACK_OTHER,
	HPACK_METHOD,
	HPACK_PATH,
	HPACK_STATUS,
	HPACK_CONTENT_TYPE,
	HPACK_GRPC_STATUS,
};

struct hpack_entry {
	enum hpack_name name;
	char *value; /* NULL: of no interest, or not known */
};

/* All 0 is an empty one. */
struct hpack {
	struct hpack_entry entries[HPACK_ENTRIES];
	unsigned int n, newest;
};

/* Called for fields other than HPACK_OTHER whose value is known. NUL-terminated. */
typedef void (*hpack_field_fn)(void *context, enum hpack_name name, const char *value);

/*
 * Reads a whole block. False where it is broken or was cut: what is before that was told, and
 * the entries are to be forgotten with hpack_clear().
 */
bool hpack_decode(struct hpack *hpack, const uint8_t *block, size_t n, hpack_field_fn fn,
		  void *context);
void hpack_clear(struct hpack *hpack);

/* The Huffman code of strings: bytes written, at most @size (the rest is left out); -1 where it is
 * broken. */
int hpack_huffman(const uint8_t *at, size_t n, char *text, size_t size);

#endif
