/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Conversations to feed to a tracker, and what it is to make of them, however they are cut. */
#ifndef PERFBPF_TESTS_PROTOCOL_TALK_H
#define PERFBPF_TESTS_PROTOCOL_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What one side says without being interrupted. */
struct talk {
	bool is_request;
	const char *bytes;
	size_t n;
};

#define ASK(text)                                                                                  \
	{                                                                                          \
		true, text, sizeof(text) - 1                                                       \
	}
#define REPLY(text)                                                                                \
	{                                                                                          \
		false, text, sizeof(text) - 1                                                      \
	}

struct expected {
	const char *protocol, *label;
	bool failed;
};

#define HEARD_MAX 128

/* A connection, and what was made of it. */
struct heard {
	struct protocol_connection *connection;
	uint64_t now_ns;
	size_t n, n_untold;
	struct protocol_request requests[HEARD_MAX];
};

static inline void heard_request(void *context, const struct protocol_request *request)
{
	struct heard *heard = context;

	assert_true(heard->n < HEARD_MAX);
	assert_true(request->label[0]);
	heard->requests[heard->n++] = *request;
}

static inline struct heard *heard_new(unsigned int set)
{
	struct heard *heard = calloc(1, sizeof(*heard));

	assert_non_null(heard);
	heard->connection = protocol_connection_new(set);
	assert_non_null(heard->connection);
	heard->now_ns = 100;
	return heard;
}

static inline void heard_free(struct heard *heard)
{
	protocol_connection_free(heard->connection);
	free(heard);
}

/* A piece of @length bytes of which the first @n are known; a request comes 5 ns before it is read,
 * and each piece takes 100 ns. */
static inline bool hear(struct heard *heard, bool is_request, const void *bytes, size_t n,
			size_t length)
{
	/* A copy of the right size lets the sanitizer see what is read behind it. */
	uint8_t *copy = n ? malloc(n) : NULL;
	struct protocol_chunk chunk = {
		.is_request = is_request,
		.arrived_ns = heard->now_ns - (is_request ? 5 : 0),
		.time_ns = heard->now_ns,
		.length = (uint32_t)length,
		.n_prefix = (uint32_t)n,
		.prefix = copy,
	};
	bool is_told;

	if (n)
		memcpy(copy, bytes, n);
	is_told = protocol_connection_feed(heard->connection, &chunk, heard_request, heard);
	heard->n_untold += !is_told;
	heard->now_ns += 100;
	free(copy);
	return is_told;
}

static inline void hear_gap(struct heard *heard, bool is_request, const void *bytes, size_t n)
{
	struct protocol_chunk chunk = {
		.is_request = is_request,
		.gap = true,
		.arrived_ns = heard->now_ns,
		.time_ns = heard->now_ns,
		.length = (uint32_t)n,
		.n_prefix = (uint32_t)n,
		.prefix = bytes,
	};

	heard->n_untold +=
		!protocol_connection_feed(heard->connection, &chunk, heard_request, heard);
	heard->now_ns += 100;
}

/* All of it known. */
#define HEAR_ASK(heard, text)   hear(heard, true, text, sizeof(text) - 1, sizeof(text) - 1)
#define HEAR_REPLY(heard, text) hear(heard, false, text, sizeof(text) - 1, sizeof(text) - 1)

static inline void heard_finish(struct heard *heard)
{
	protocol_connection_finish(heard->connection, heard_request, heard);
}

static inline void check_heard(const struct heard *heard, const struct expected *expected, size_t n)
{
	for (size_t i = 0; i < n && i < heard->n; i++) {
		assert_string_equal(heard->requests[i].label, expected[i].label);
		assert_string_equal(heard->requests[i].protocol, expected[i].protocol);
		assert_int_equal(heard->requests[i].failed, expected[i].failed);
		assert_true(heard->requests[i].arrived_ns <= heard->requests[i].read_ns);
		assert_true(heard->requests[i].first_ns <= heard->requests[i].last_ns);
	}
	assert_int_equal(heard->n, n);
}

/* One conversation, with each side's words cut every @step bytes or, where that is 0, the words of
 * number @which cut at @at. */
static inline void check_cut(unsigned int set, const struct talk *talk, size_t n_talk,
			     const struct expected *expected, size_t n, size_t step, size_t which,
			     size_t at)
{
	struct heard *heard = heard_new(set);

	for (size_t i = 0; i < n_talk; i++) {
		for (size_t from = 0, size; from < talk[i].n; from += size) {
			size = step ? step : talk[i].n;
			if (!step && i == which)
				size = from ? talk[i].n - from : at;
			if (size > talk[i].n - from)
				size = talk[i].n - from;
			hear(heard, talk[i].is_request, talk[i].bytes + from, size, size);
		}
	}
	heard_finish(heard);
	check_heard(heard, expected, n);
	assert_int_equal(heard->n_untold, 0);
	heard_free(heard);
}

/* However it is cut, the same comes of it. */
static inline void check_talk(unsigned int set, const struct talk *talk, size_t n_talk,
			      const struct expected *expected, size_t n)
{
	check_cut(set, talk, n_talk, expected, n, SIZE_MAX / 2, 0, 0);
	for (size_t step = 1; step < 10; step++)
		check_cut(set, talk, n_talk, expected, n, step, 0, 0);
	for (size_t which = 0; which < n_talk; which++)
		for (size_t at = 1; at < talk[which].n; at++)
			check_cut(set, talk, n_talk, expected, n, 0, which, at);
}

#define CHECK_TALK(set, talk, expected)                                                            \
	check_talk(set, talk, ARRAY_SIZE(talk), expected, ARRAY_SIZE(expected))

#define ONLY(id) (1U << (id))
#define ALL      ((1U << PROTOCOLS) - 1)

#endif
