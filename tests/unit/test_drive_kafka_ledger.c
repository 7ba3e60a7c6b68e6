/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "drive/kafka/ledger.h"

#define PRODUCERS  2
#define PARTITIONS 4

/* Message @sequence of producer @producer, in the window. */
static struct ledger_message message(uint32_t producer, uint64_t sequence)
{
	return (struct ledger_message){producer, sequence, true};
}

static void acknowledge(struct ledger *ledger, uint32_t producer, uint64_t sequence)
{
	struct ledger_message m = message(producer, sequence);

	ledger_acknowledge(ledger, &m);
}

static void deliver_not(struct ledger *ledger, uint32_t producer, uint64_t sequence)
{
	struct ledger_message m = message(producer, sequence);

	ledger_fail(ledger, &m);
}

static int consume(struct ledger *ledger, uint32_t group, uint32_t producer, uint64_t sequence,
		   int64_t offset)
{
	struct ledger_message m = message(producer, sequence);

	return ledger_consume(ledger, group, ledger_partition(ledger, sequence), offset, &m);
}

static const struct ledger_group_counts *of(const struct ledger *ledger, uint32_t group)
{
	return ledger_group_counts(ledger, group, true);
}

static void all_is_well(void **state)
{
	struct ledger *ledger = ledger_new(PRODUCERS, PARTITIONS, 2);

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		for (uint32_t producer = 0; producer < PRODUCERS; producer++)
			acknowledge(ledger, producer, i);
	assert_int_equal(ledger_counts(ledger, true)->acknowledged, 2000);
	assert_int_equal(ledger_counts(ledger, false)->acknowledged, 0);
	assert_int_equal(ledger_missing(ledger, 0, true), 2000);
	/* Partitions are read one after the other, which is no other order. */
	for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
		assert_false(ledger_has_read(ledger, 0, partition));
		for (uint64_t i = partition; i < 1000; i += PARTITIONS)
			for (uint32_t producer = 0; producer < PRODUCERS; producer++)
				assert_int_equal(consume(ledger, 0, producer, i,
							 (int64_t)(i * 2 + producer)),
						 LEDGER_NEW);
		assert_true(ledger_has_read(ledger, 0, partition));
	}
	assert_int_equal(of(ledger, 0)->consumed, 2000);
	assert_int_equal(of(ledger, 0)->reordered, 0);
	assert_int_equal(of(ledger, 0)->duplicated, 0);
	assert_int_equal(ledger_missing(ledger, 0, true), 0);
	assert_int_equal(ledger_missing(ledger, 1, true), 2000);
	ledger_free(ledger);
}

/* Whatever is dropped, doubled and exchanged at random is counted, to the message. */
static void faults_are_counted_exactly(void **state)
{
	enum { N = 200000 };
	struct ledger *ledger = ledger_new(1, 1, 1);
	uint64_t dropped = 0, doubled = 0, exchanged = 0;
	unsigned int seed = 1;

	(void)state;
	for (uint64_t i = 0; i < N; i++)
		acknowledge(ledger, 0, i);
	for (uint64_t i = 0; i < N; i++) {
		int what = rand_r(&seed) % 100;

		if (what == 0) {
			dropped++;
		} else if (what == 1) {
			consume(ledger, 0, 0, i, (int64_t)i);
			assert_int_equal(consume(ledger, 0, 0, i, (int64_t)i + 1), LEDGER_AGAIN);
			doubled++;
		} else if (what == 2 && i + 1 < N) {
			assert_int_equal(consume(ledger, 0, 0, i + 1, (int64_t)i), LEDGER_NEW);
			assert_int_equal(consume(ledger, 0, 0, i, (int64_t)i + 1), LEDGER_LATE);
			exchanged++;
			i++;
		} else {
			assert_int_equal(consume(ledger, 0, 0, i, (int64_t)i), LEDGER_NEW);
		}
	}
	assert_true(dropped > 1000 && doubled > 1000 && exchanged > 1000);
	assert_int_equal(ledger_missing(ledger, 0, true), dropped);
	assert_int_equal(of(ledger, 0)->duplicated, doubled);
	assert_int_equal(of(ledger, 0)->redelivered, 0);
	assert_int_equal(of(ledger, 0)->reordered, exchanged);
	ledger_free(ledger);
}

static void who_reads_again_is_told_from_who_stored_twice(void **state)
{
	struct ledger *ledger = ledger_new(1, 1, 1);

	(void)state;
	for (int64_t i = 0; i < 10; i++)
		consume(ledger, 0, 0, (uint64_t)i, i);
	for (int64_t i = 6; i < 10; i++)
		assert_int_equal(consume(ledger, 0, 0, (uint64_t)i, i), LEDGER_AGAIN);
	assert_int_equal(consume(ledger, 0, 0, 9, 10), LEDGER_AGAIN);
	assert_int_equal(of(ledger, 0)->duplicated, 5);
	assert_int_equal(of(ledger, 0)->redelivered, 4);
	ledger_free(ledger);
}

/* That a message failed is what the producer was told; it may be there all the same. */
static void failed_messages_are_not_lost(void **state)
{
	struct ledger *ledger = ledger_new(1, PARTITIONS, 1);

	(void)state;
	acknowledge(ledger, 0, 0);
	deliver_not(ledger, 0, 4);
	assert_int_equal(ledger_counts(ledger, true)->failed, 1);
	consume(ledger, 0, 0, 0, 0);
	assert_int_equal(ledger_missing(ledger, 0, true), 0);
	/* Got after, and before, it was told. */
	consume(ledger, 0, 0, 4, 1);
	assert_int_equal(of(ledger, 0)->unacknowledged, 1);
	consume(ledger, 0, 0, 8, 2);
	deliver_not(ledger, 0, 8);
	assert_int_equal(of(ledger, 0)->unacknowledged, 2);
	/* Neither makes up for one that is lost. */
	acknowledge(ledger, 0, 12);
	assert_int_equal(ledger_missing(ledger, 0, true), 1);
	assert_int_equal(of(ledger, 0)->uncertain, 0);
	ledger_free(ledger);
}

/* Long outages are one stretch each; more of them than there is room for is told. */
static void failed_stretches_are_bounded(void **state)
{
	struct ledger *ledger = ledger_new(1, 1, 1);
	const uint64_t n = LEDGER_FAILED_MAX;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		deliver_not(ledger, 0, i);
	for (uint64_t i = 1; i < n; i++)
		deliver_not(ledger, 0, 100000 + 2 * i);
	assert_int_equal(of(ledger, 0)->uncertain, 0);
	deliver_not(ledger, 0, 100000 + 2 * n);
	assert_int_equal(of(ledger, 0)->uncertain, 1);
	/* In any order, and grown together. */
	deliver_not(ledger, 0, 100003);
	assert_int_equal(of(ledger, 0)->uncertain, 1);
	for (uint64_t i = 0; i < 100000; i++)
		assert_int_equal(consume(ledger, 0, 0, i, (int64_t)i), LEDGER_NEW);
	assert_int_equal(of(ledger, 0)->unacknowledged, 100000);
	assert_int_equal(ledger_missing(ledger, 0, true), 0);
	/* Once they lie behind what is remembered, there is room again. */
	consume(ledger, 0, 0, 10 * LEDGER_WINDOW, 100000);
	deliver_not(ledger, 0, 10 * LEDGER_WINDOW + 5);
	assert_int_equal(of(ledger, 0)->uncertain, 1);
	ledger_free(ledger);
}

static void what_lies_far_behind_is_taken_for_doubled(void **state)
{
	struct ledger *ledger = ledger_new(1, 1, 1);

	(void)state;
	assert_int_equal(consume(ledger, 0, 0, LEDGER_WINDOW, 0), LEDGER_NEW);
	assert_int_equal(consume(ledger, 0, 0, 1, 1), LEDGER_LATE);
	assert_int_equal(consume(ledger, 0, 0, 0, 2), LEDGER_AGAIN);
	assert_int_equal(consume(ledger, 0, 0, 5 * LEDGER_WINDOW, 3), LEDGER_NEW);
	assert_int_equal(consume(ledger, 0, 0, 4 * LEDGER_WINDOW + 1, 4), LEDGER_LATE);
	assert_int_equal(consume(ledger, 0, 0, LEDGER_WINDOW, 5), LEDGER_AGAIN);
	ledger_free(ledger);
}

static void strangers_are_not_counted(void **state)
{
	struct ledger *ledger = ledger_new(PRODUCERS, PARTITIONS, 1);
	struct ledger_message m = message(PRODUCERS, 0);

	(void)state;
	assert_int_equal(ledger_consume(ledger, 0, 0, 0, &m), LEDGER_ALIEN);
	m = message(0, 1);
	assert_int_equal(ledger_consume(ledger, 0, 0, 0, &m), LEDGER_ALIEN);
	assert_int_equal(ledger_consume(ledger, 0, PARTITIONS, 0, &m), LEDGER_ALIEN);
	assert_int_equal(of(ledger, 0)->consumed, 0);
	assert_int_equal(ledger_consume(ledger, 0, 1, 0, &m), LEDGER_NEW);
	/* Outside of the window, it is in counts of its own. */
	m = (struct ledger_message){0, 5, false};
	assert_int_equal(ledger_consume(ledger, 0, 1, 1, &m), LEDGER_NEW);
	assert_int_equal(of(ledger, 0)->consumed, 1);
	assert_int_equal(ledger_group_counts(ledger, 0, false)->consumed, 1);
	ledger_free(ledger);
	ledger_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(faults_are_counted_exactly),
		cmocka_unit_test(who_reads_again_is_told_from_who_stored_twice),
		cmocka_unit_test(failed_messages_are_not_lost),
		cmocka_unit_test(failed_stretches_are_bounded),
		cmocka_unit_test(what_lies_far_behind_is_taken_for_doubled),
		cmocka_unit_test(strangers_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
