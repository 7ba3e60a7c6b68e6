/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kafka/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS (LEDGER_WINDOW / 64)

/* What a group has got of a stream. */
struct seen {
	uint64_t *bits; /* of number n at n % LEDGER_WINDOW; made when first needed */
	uint64_t next;  /* the highest that was seen, and 1 */
};

/* Numbers @first to @last of a stream were told to have failed. */
struct failed {
	uint32_t stream;
	uint64_t first, last;
};

struct ledger {
	uint32_t n_producers, n_partitions, n_groups;
	struct seen *seen; /* of group g and stream s at g * n_streams + s */
	int64_t *offsets;  /* the highest that group g got of partition p, g * n_partitions + p */
	size_t n_failed;
	struct failed failed[LEDGER_FAILED_MAX]; /* sorted */
	struct ledger_counts counts[2];
	struct ledger_group_counts *groups; /* two of each */
};

static uint32_t n_streams(const struct ledger *ledger)
{
	return ledger->n_producers * ledger->n_partitions;
}

struct ledger *ledger_new(uint32_t n_producers, uint32_t n_partitions, uint32_t n_groups)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return NULL;
	ledger->n_producers = n_producers;
	ledger->n_partitions = n_partitions;
	ledger->n_groups = n_groups;
	ledger->seen = calloc((size_t)n_groups * n_streams(ledger) + 1, sizeof(*ledger->seen));
	ledger->offsets = calloc((size_t)n_groups * n_partitions + 1, sizeof(*ledger->offsets));
	ledger->groups = calloc(2 * (size_t)n_groups + 1, sizeof(*ledger->groups));
	if (!ledger->seen || !ledger->offsets || !ledger->groups) {
		ledger_free(ledger);
		return NULL;
	}
	for (size_t i = 0; i < (size_t)n_groups * n_partitions; i++)
		ledger->offsets[i] = -1;
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; ledger->seen && i < (size_t)ledger->n_groups * n_streams(ledger); i++)
		free(ledger->seen[i].bits);
	free(ledger->seen);
	free(ledger->offsets);
	free(ledger->groups);
	free(ledger);
}

uint32_t ledger_partition(const struct ledger *ledger, uint64_t sequence)
{
	return (uint32_t)(sequence % ledger->n_partitions);
}

static uint32_t stream_of(const struct ledger *ledger, const struct ledger_message *message)
{
	return message->producer * ledger->n_partitions +
	       ledger_partition(ledger, message->sequence);
}

static struct seen *seen_of(const struct ledger *ledger, uint32_t group, uint32_t stream)
{
	return &ledger->seen[(size_t)group * n_streams(ledger) + stream];
}

static struct ledger_group_counts *counts_of(const struct ledger *ledger, uint32_t group,
					     bool counted)
{
	return &ledger->groups[2 * (size_t)group + counted];
}

/* --- numbers that were seen ----------------------------------------------------- */

static void clear_bits(struct seen *seen, uint64_t from, uint64_t to)
{
	if (to - from >= LEDGER_WINDOW) {
		memset(seen->bits, 0, LEDGER_WINDOW / 8);
		return;
	}
	for (; from < to; from++)
		seen->bits[from % LEDGER_WINDOW / 64] &= ~(1ULL << (from % 64));
}

static bool is_set(const struct seen *seen, uint64_t number)
{
	return seen->bits[number % LEDGER_WINDOW / 64] & 1ULL << (number % 64);
}

static void set(struct seen *seen, uint64_t number)
{
	seen->bits[number % LEDGER_WINDOW / 64] |= 1ULL << (number % 64);
}

/* Is @number so far behind that nothing is known of it? */
static bool is_forgotten(const struct seen *seen, uint64_t number)
{
	return seen->next > number && seen->next - number > LEDGER_WINDOW;
}

static int mark(struct seen *seen, uint64_t number)
{
	if (!seen->bits) {
		seen->bits = calloc(WORDS, sizeof(*seen->bits));
		if (!seen->bits)
			return -ENOMEM;
	}
	if (number >= seen->next) {
		clear_bits(seen, seen->next, number + 1);
		set(seen, number);
		seen->next = number + 1;
		return LEDGER_NEW;
	}
	if (is_forgotten(seen, number) || is_set(seen, number))
		return LEDGER_AGAIN;
	set(seen, number);
	return LEDGER_LATE;
}

/* --- numbers that failed -------------------------------------------------------- */

/* The first stretch that does not lie before @number of @stream. */
static size_t find_failed(const struct ledger *ledger, uint32_t stream, uint64_t number)
{
	size_t low = 0, high = ledger->n_failed;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct failed *failed = &ledger->failed[middle];

		if (failed->stream < stream || (failed->stream == stream && failed->last < number))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_failed(const struct ledger *ledger, uint32_t stream, uint64_t number)
{
	size_t at = find_failed(ledger, stream, number);

	return at < ledger->n_failed && ledger->failed[at].stream == stream &&
	       ledger->failed[at].first <= number;
}

/* Stretches that every group has left so far behind that none of them can come any more. */
static void forget_failed(struct ledger *ledger)
{
	size_t kept = 0;

	for (size_t i = 0; i < ledger->n_failed; i++) {
		bool is_past = true;

		for (uint32_t group = 0; group < ledger->n_groups; group++)
			is_past &= is_forgotten(seen_of(ledger, group, ledger->failed[i].stream),
						ledger->failed[i].last);
		if (!is_past)
			ledger->failed[kept++] = ledger->failed[i];
	}
	ledger->n_failed = kept;
}

/* False: there is no room to remember it. */
static bool remember_failed(struct ledger *ledger, uint32_t stream, uint64_t number)
{
	struct failed *failed = ledger->failed;
	size_t at = find_failed(ledger, stream, number);

	if (at < ledger->n_failed && failed[at].stream == stream && failed[at].first <= number)
		return true;
	if (at && failed[at - 1].stream == stream && failed[at - 1].last + 1 == number) {
		failed[at - 1].last = number;
		return true;
	}
	if (at < ledger->n_failed && failed[at].stream == stream &&
	    failed[at].first == number + 1) {
		failed[at].first = number;
		return true;
	}
	if (ledger->n_failed == LEDGER_FAILED_MAX) {
		forget_failed(ledger);
		if (ledger->n_failed == LEDGER_FAILED_MAX)
			return false;
		at = find_failed(ledger, stream, number);
	}
	memmove(&failed[at + 1], &failed[at], (ledger->n_failed - at) * sizeof(*failed));
	failed[at] = (struct failed){stream, number, number};
	ledger->n_failed++;
	return true;
}

/* --- what happens to a message -------------------------------------------------- */

void ledger_acknowledge(struct ledger *ledger, const struct ledger_message *message)
{
	ledger->counts[message->counted].acknowledged++;
}

void ledger_fail(struct ledger *ledger, const struct ledger_message *message)
{
	uint32_t stream = stream_of(ledger, message);
	uint64_t number = message->sequence / ledger->n_partitions;
	bool is_remembered = !ledger->n_groups || remember_failed(ledger, stream, number);

	ledger->counts[message->counted].failed++;
	for (uint32_t group = 0; group < ledger->n_groups; group++) {
		struct ledger_group_counts *counts = counts_of(ledger, group, message->counted);
		const struct seen *seen = seen_of(ledger, group, stream);

		if (number < seen->next && !is_forgotten(seen, number))
			counts->unacknowledged += is_set(seen, number);
		else if (number < seen->next || !is_remembered)
			counts->uncertain++;
	}
}

int ledger_consume(struct ledger *ledger, uint32_t group, uint32_t partition, int64_t offset,
		   const struct ledger_message *message)
{
	struct ledger_group_counts *counts = counts_of(ledger, group, message->counted);
	uint64_t number = message->sequence / ledger->n_partitions;
	int64_t *highest;
	uint32_t stream;
	int rc;

	if (message->producer >= ledger->n_producers || partition >= ledger->n_partitions ||
	    partition != ledger_partition(ledger, message->sequence))
		return LEDGER_ALIEN;
	stream = stream_of(ledger, message);
	highest = &ledger->offsets[(size_t)group * ledger->n_partitions + partition];
	rc = mark(seen_of(ledger, group, stream), number);
	if (rc < 0)
		return rc;
	if (rc == LEDGER_AGAIN) {
		counts->duplicated++;
		counts->redelivered += offset <= *highest;
	} else {
		counts->consumed++;
		counts->reordered += rc == LEDGER_LATE;
		counts->unacknowledged += has_failed(ledger, stream, number);
	}
	if (offset > *highest)
		*highest = offset;
	return rc;
}

const struct ledger_counts *ledger_counts(const struct ledger *ledger, bool counted)
{
	return &ledger->counts[counted];
}

const struct ledger_group_counts *ledger_group_counts(const struct ledger *ledger, uint32_t group,
						      bool counted)
{
	return counts_of(ledger, group, counted);
}

uint64_t ledger_missing(const struct ledger *ledger, uint32_t group, bool counted)
{
	const struct ledger_group_counts *counts = counts_of(ledger, group, counted);
	uint64_t got = counts->consumed - counts->unacknowledged;
	uint64_t acknowledged = ledger->counts[counted].acknowledged;

	/* A consumer can be told of a message before its producer is. */
	return acknowledged > got ? acknowledged - got : 0;
}

bool ledger_has_read(const struct ledger *ledger, uint32_t group, uint32_t partition)
{
	return ledger->offsets[(size_t)group * ledger->n_partitions + partition] >= 0;
}
