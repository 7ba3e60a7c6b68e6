/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kafka/stamp.h"

#include <endian.h>
#include <string.h>

#define MAGIC 0x314b4250U /* "PBK1" */

/* As it lies in a message, in little endian. */
struct wire {
	uint32_t magic, check;
	uint64_t run, sequence, intended_ns, sent_ns;
	uint16_t producer, flags;
	uint32_t size;
};

_Static_assert(sizeof(struct wire) == STAMP_BYTES, "no padding");

/* Of all behind itself; the words are mixed so that none can make up for another. */
static uint32_t checksum(const struct wire *wire)
{
	uint64_t words[(sizeof(*wire) - offsetof(struct wire, run)) / sizeof(uint64_t)];
	uint64_t sum = MAGIC;

	memcpy(words, &wire->run, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		sum = (sum ^ le64toh(words[i])) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
	}
	return (uint32_t)(sum >> 32);
}

void stamp_write(const struct stamp *stamp, void *into)
{
	struct wire wire = {
		.magic = htole32(MAGIC),
		.run = htole64(stamp->run),
		.sequence = htole64(stamp->sequence),
		.intended_ns = htole64(stamp->intended_ns),
		.sent_ns = htole64(stamp->sent_ns),
		.producer = htole16(stamp->producer),
		.flags = htole16(stamp->flags),
		.size = htole32(stamp->size),
	};

	wire.check = htole32(checksum(&wire));
	memcpy(into, &wire, sizeof(wire));
}

bool stamp_read(struct stamp *stamp, const void *message, size_t size)
{
	struct wire wire;

	if (size < sizeof(wire))
		return false;
	memcpy(&wire, message, sizeof(wire));
	if (le32toh(wire.magic) != MAGIC || le32toh(wire.check) != checksum(&wire) ||
	    le32toh(wire.size) != size)
		return false;
	*stamp = (struct stamp){
		.run = le64toh(wire.run),
		.sequence = le64toh(wire.sequence),
		.intended_ns = le64toh(wire.intended_ns),
		.sent_ns = le64toh(wire.sent_ns),
		.producer = le16toh(wire.producer),
		.flags = le16toh(wire.flags),
		.size = le32toh(wire.size),
	};
	return true;
}
