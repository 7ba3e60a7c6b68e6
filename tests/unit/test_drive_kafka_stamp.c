/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "drive/kafka/stamp.h"

#define MESSAGE_BYTES 100

static const struct stamp sample = {
	.run = 0x0123456789abcdefULL,
	.sequence = UINT64_MAX - 1,
	.intended_ns = 1234567890123ULL,
	.sent_ns = 1234567890999ULL,
	.producer = 63,
	.flags = STAMP_COUNTED | STAMP_PRELOAD,
	.size = MESSAGE_BYTES,
};

static void what_was_written_is_read(void **state)
{
	unsigned char message[MESSAGE_BYTES] = {0};
	struct stamp read;

	(void)state;
	stamp_write(&sample, message);
	assert_true(stamp_read(&read, message, sizeof(message)));
	assert_memory_equal(&read, &sample, sizeof(read));
	/* What comes behind it is the message's own. */
	message[STAMP_BYTES] = 1;
	assert_true(stamp_read(&read, message, sizeof(message)));
	assert_int_equal(message[0], 'P');
}

static void damage_is_seen(void **state)
{
	unsigned char message[MESSAGE_BYTES] = {0};
	struct stamp read;

	(void)state;
	stamp_write(&sample, message);
	for (size_t bit = 0; bit < (size_t)8 * STAMP_BYTES; bit++) {
		message[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(stamp_read(&read, message, sizeof(message)));
		message[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_true(stamp_read(&read, message, sizeof(message)));
}

static void a_message_that_was_cut_is_none(void **state)
{
	unsigned char message[MESSAGE_BYTES + 1] = {0};
	struct stamp read;

	(void)state;
	stamp_write(&sample, message);
	for (size_t size = 0; size <= sizeof(message); size++)
		assert_int_equal(stamp_read(&read, message, size), size == MESSAGE_BYTES);
}

static void words_that_change_places_are_seen(void **state)
{
	unsigned char message[MESSAGE_BYTES] = {0};
	struct stamp stamp = sample, read;

	(void)state;
	stamp_write(&sample, message);
	stamp.sent_ns = sample.intended_ns;
	stamp.intended_ns = sample.sent_ns;
	stamp_write(&stamp, message);
	/* The checksum of one with the words of the other. */
	memcpy(message + 8, &(uint64_t){sample.run}, 8);
	assert_true(stamp_read(&read, message, sizeof(message)));
	memcpy(message + 24, &(uint64_t){sample.intended_ns}, 8);
	memcpy(message + 32, &(uint64_t){sample.sent_ns}, 8);
	assert_false(stamp_read(&read, message, sizeof(message)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(a_message_that_was_cut_is_none),
		cmocka_unit_test(words_that_change_places_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
