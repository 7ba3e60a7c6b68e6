/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was acknowledged, and what each group of consumers got of it: lost, doubled and
 * reordered messages, in constant memory. Pure.
 *
 * The messages of one producer go through the partitions in turn; what one producer has in
 * one partition is a stream with numbers from 0 that a broker keeps in order, so a short memory
 * behind its highest number is enough, however far consumers lag behind.
 */
#ifndef PERFBPF_DRIVE_KAFKA_LEDGER_H
#define PERFBPF_DRIVE_KAFKA_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of a stream that are remembered behind the highest; what comes later than that is taken
 * for doubled. */
#define LEDGER_WINDOW (1ULL << 16)
/* Stretches of failed messages that are remembered. */
#define LEDGER_FAILED_MAX 4096

struct ledger;

/* A message, by whom and which. */
struct ledger_message {
	uint32_t producer;
	uint64_t sequence;
	bool counted; /* it belongs to the window */
};

/* Of the messages that are counted, or of all others. */
struct ledger_counts {
	uint64_t acknowledged, failed;
};

struct ledger_group_counts {
	uint64_t consumed;       /* different messages */
	uint64_t unacknowledged; /* of these, how many the producer was told had failed */
	uint64_t duplicated;     /* got once more; of these … */
	uint64_t redelivered;    /* … at the same offset: the group read it again */
	uint64_t reordered;      /* got after a later one of the same stream */
	uint64_t uncertain;      /* failed, and nobody knows any more whether it was got */
};

enum ledger_mark {
	LEDGER_NEW,
	LEDGER_LATE,
	LEDGER_AGAIN,
	LEDGER_ALIEN, /* no message of these producers, or in a partition where it was not sent */
};

/* NULL without memory. */
struct ledger *ledger_new(uint32_t n_producers, uint32_t n_partitions, uint32_t n_groups);
void ledger_free(struct ledger *ledger); /* takes NULL */

uint32_t ledger_partition(const struct ledger *ledger, uint64_t sequence);
void ledger_acknowledge(struct ledger *ledger, const struct ledger_message *message);
/* The producer was told that it could not be delivered, which may be wrong. */
void ledger_fail(struct ledger *ledger, const struct ledger_message *message);
/* A member of @group got it from @partition at @offset. -ENOMEM, or an enum ledger_mark. */
int ledger_consume(struct ledger *ledger, uint32_t group, uint32_t partition, int64_t offset,
		   const struct ledger_message *message);

const struct ledger_counts *ledger_counts(const struct ledger *ledger, bool counted);
const struct ledger_group_counts *ledger_group_counts(const struct ledger *ledger, uint32_t group,
						      bool counted);
/* Acknowledged, and (so far) not got by @group. */
uint64_t ledger_missing(const struct ledger *ledger, uint32_t group, bool counted);
/* Has @group anything of @partition? */
bool ledger_has_read(const struct ledger *ledger, uint32_t group, uint32_t partition);

#endif
