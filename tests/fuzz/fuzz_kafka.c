/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as messages from a broker: each is none of ours, or what its stamp says; what was
 * consumed adds up, whatever comes. The input is pieces of a length, a partition, a group and a
 * message, which is made ours where its first bit says so, as nobody guesses a checksum. With
 * -DFUZZ_STANDALONE it has a main that runs over the files given.
 *
 * needs: rdkafka
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drive/kafka/ledger.h"
#include "drive/kafka/stamp.h"

#define PRODUCERS  2
#define PARTITIONS 3
#define GROUPS     2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* What can be read can be written, and is the same. */
static bool read_stamp(const uint8_t *message, size_t size, struct stamp *stamp)
{
	uint8_t again[STAMP_BYTES];

	if (!stamp_read(stamp, message, size))
		return false;
	expect(stamp->size == size && size >= STAMP_BYTES);
	stamp_write(stamp, again);
	expect(!memcmp(again, message, sizeof(again)));
	return true;
}

/* A message with the numbers that the input says. */
static bool make_stamp(const uint8_t *piece, size_t size, struct stamp *stamp)
{
	uint8_t message[STAMP_BYTES + 255] = {0};
	struct stamp made = {.size = (uint32_t)(STAMP_BYTES + size % 200)};

	memcpy(&made.sequence, piece, size < 8 ? size : 8);
	if (piece[0] & 2)
		made.sequence &= 0xffff;
	made.producer = size > 8 ? piece[8] % (PRODUCERS + 1) : 0;
	made.flags = size > 9 ? piece[9] : STAMP_COUNTED;
	stamp_write(&made, message);
	expect(read_stamp(message, made.size, stamp));
	return true;
}

static void check(const struct ledger *ledger, uint64_t n)
{
	uint64_t sum = 0;

	for (uint32_t group = 0; group < GROUPS; group++)
		for (int counted = 0; counted < 2; counted++) {
			const struct ledger_group_counts *counts =
				ledger_group_counts(ledger, group, counted);

			expect(counts->reordered <= counts->consumed);
			expect(counts->unacknowledged <= counts->consumed);
			expect(counts->redelivered <= counts->duplicated);
			sum += counts->consumed + counts->duplicated;
		}
	expect(sum == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger *ledger = ledger_new(PRODUCERS, PARTITIONS, GROUPS);
	uint64_t n = 0, may_fail[PRODUCERS] = {0};

	expect(ledger);
	for (int64_t offset = 0; size > 4; offset++) {
		size_t length = data[0] % (size - 3) + 1;
		const uint8_t *piece = data + 3;
		struct stamp stamp;
		bool is_ours = data[2] & 1 ? make_stamp(piece, length, &stamp)
					   : read_stamp(piece, length, &stamp);

		if (is_ours) {
			/* A message is in the window or not, and fails once. */
			struct ledger_message message = {stamp.producer, stamp.sequence,
							 stamp.sequence & 1};
			uint32_t partition = data[2] & 2 ? ledger_partition(ledger, stamp.sequence)
							 : data[1] % (PARTITIONS + 1);

			if (data[2] & 4 && stamp.producer < PRODUCERS &&
			    stamp.sequence >= may_fail[stamp.producer] &&
			    stamp.sequence < UINT64_MAX) {
				may_fail[stamp.producer] = stamp.sequence + 1;
				ledger_fail(ledger, &message);
			}
			n += ledger_consume(ledger, data[1] / 16 % GROUPS, partition,
					    data[2] & 8 ? 0 : offset, &message) != LEDGER_ALIEN;
		}
		data += 3 + length;
		size -= 3 + length;
	}
	check(ledger, n);
	ledger_free(ledger);
	return 0;
}

#include "standalone.h"
