/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections as the kernel tells of them, piece by piece, and what is asked of the kinds. */
#ifndef PERFBPF_TESTS_SAMPLE_KINDS_H
#define PERFBPF_TESTS_SAMPLE_KINDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/kinds.h"

#define ALL ((1U << PROTOCOLS) - 1)

/* One connection: what it says next, and when. */
struct talk {
	struct kinds *kinds;
	uint64_t connection;
	enum pb_role role;
	uint32_t sequence;
	uint64_t now_ns;
};

static inline struct talk talk_of(struct kinds *kinds, uint64_t connection, enum pb_role role)
{
	return (struct talk){
		.kinds = kinds, .connection = connection, .role = role, .now_ns = 1000000};
}

/* A copy of the right size lets the sanitizer see what is read behind it. */
static inline void tell(struct kinds *kinds, const struct pb_event_payload *header,
			const void *prefix, size_t n)
{
	struct pb_event_payload *event = malloc(sizeof(*event) + n);

	*event = *header;
	if (n)
		memcpy(event + 1, prefix, n);
	kinds_event(kinds, event, sizeof(*event) + n);
	free(event);
}

static inline struct pb_event_payload header_of(struct talk *talk, bool is_write, size_t length)
{
	return (struct pb_event_payload){
		.event = {.kind = PB_EVENT_PAYLOAD, .slot = 1, .id = 1, .time_ns = talk->now_ns},
		.connection = talk->connection,
		.sequence = talk->sequence++,
		.length = (uint32_t)length,
		.n_prefix = (uint32_t)length,
		.is_write = is_write,
		.role = (uint16_t)talk->role,
	};
}

/* What was asked, which is read by a server and written by a client; first came @waited_ns ago. */
static inline void ask(struct talk *talk, const char *text, uint64_t waited_ns)
{
	struct pb_event_payload header =
		header_of(talk, talk->role != PB_ROLE_SERVER, strlen(text));

	header.arrived_ns = waited_ns ? talk->now_ns - waited_ns : 0;
	tell(talk->kinds, &header, text, strlen(text));
}

static inline void answer(struct talk *talk, const char *text)
{
	struct pb_event_payload header =
		header_of(talk, talk->role == PB_ROLE_SERVER, strlen(text));

	tell(talk->kinds, &header, text, strlen(text));
}

static inline void hang_up(struct talk *talk)
{
	struct pb_event_payload header = header_of(talk, false, 0);

	tell(talk->kinds, &header, NULL, 0);
}

static inline const struct kind *kind_of(struct kinds *kinds, const char *protocol,
					 enum pb_role role, const char *label)
{
	size_t n;
	const struct kind *list = kinds_list(kinds, &n);

	for (size_t i = 0; i < n; i++)
		if (list[i].role == role && !strcmp(list[i].protocol, protocol) &&
		    !strcmp(list[i].label, label))
			return &list[i];
	fail_msg("there is no %s '%s'", protocol, label);
	return NULL;
}

static inline size_t n_kinds(struct kinds *kinds)
{
	size_t n;

	kinds_list(kinds, &n);
	return n;
}

static inline uint64_t all_requests(struct kinds *kinds)
{
	uint64_t count = 0;
	size_t n;
	const struct kind *list = kinds_list(kinds, &n);

	for (size_t i = 0; i < n; i++)
		count += list[i].count;
	return count;
}

/* Of exactly one value, in nanoseconds. */
static inline void assert_once(const struct histogram *h, uint64_t ns)
{
	assert_int_equal(h->count, 1);
	assert_int_equal(h->min_ns, ns);
	assert_int_equal(h->max_ns, ns);
}

static inline int set_up(void **state)
{
	*state = kinds_new(ALL);
	return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
	kinds_free(*state);
	return 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define BROKEN    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
