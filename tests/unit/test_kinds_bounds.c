/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* More connections and kinds than there is room for, and events that no kernel would send. */
#include "sample_kinds.h"

static uint64_t random_next(uint64_t *seed)
{
	uint64_t x = (*seed += 0x9e3779b97f4a7c15ULL);

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static void more_connections_than_are_followed(void **state)
{
	enum { BEYOND = 100 };
	struct talk *talks = calloc(KINDS_MAX_CONNECTIONS + BEYOND, sizeof(*talks));
	uint64_t unparsed;

	for (size_t i = 0; i < KINDS_MAX_CONNECTIONS + BEYOND; i++) {
		talks[i] = talk_of(*state, i + 1, PB_ROLE_SERVER);
		ask(&talks[i], GET("/a"), 5);
	}
	assert_int_equal(kinds_unparsed(*state), BEYOND);
	for (size_t i = 0; i < KINDS_MAX_CONNECTIONS + BEYOND; i++)
		answer(&talks[i], OK);
	assert_int_equal(all_requests(*state), KINDS_MAX_CONNECTIONS);
	assert_int_equal(kinds_unparsed(*state), 2 * BEYOND);
	/* There is room again for as many as have ended. */
	for (size_t i = 0; i < BEYOND / 2; i++)
		hang_up(&talks[7 * i]);
	unparsed = kinds_unparsed(*state);
	for (size_t i = KINDS_MAX_CONNECTIONS; i < KINDS_MAX_CONNECTIONS + BEYOND; i++) {
		ask(&talks[i], GET("/b"), 5);
		answer(&talks[i], OK);
	}
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /b")->count, BEYOND / 2);
	assert_int_equal(kinds_unparsed(*state), unparsed + BEYOND);
	free(talks);
}

/* Connections that come and go, each with a request that waits for its answer. */
struct crowd {
	struct talk *talks;
	size_t n, capacity;
	uint64_t seed, next, answered, step;
	bool in_order; /* the kernel counts them; else they are scattered over all numbers */
};

static void crowd_begin(struct crowd *crowd, struct kinds *kinds)
{
	uint64_t number = ++crowd->next;

	if (!crowd->in_order)
		number = number * 0xd1342543de82ef95ULL;
	crowd->talks[crowd->n] = talk_of(kinds, number, PB_ROLE_SERVER);
	ask(&crowd->talks[crowd->n++], GET("/a"), 5);
}

/* It is found: else its answer would be told by nobody. */
static void crowd_answer(struct crowd *crowd, size_t at)
{
	answer(&crowd->talks[at], OK);
	crowd->answered++;
}

static void crowd_end(struct crowd *crowd, size_t at)
{
	crowd_answer(crowd, at);
	hang_up(&crowd->talks[at]);
	crowd->talks[at] = crowd->talks[--crowd->n];
}

static void crowd_step(struct crowd *crowd, struct kinds *kinds)
{
	size_t at = crowd->n ? random_next(&crowd->seed) % crowd->n : 0;
	/* Full, then thin, then full again. */
	uint64_t grows = crowd->step++ / (2 * crowd->capacity) % 2 ? 30 : 70;

	if (crowd->n == 0 ||
	    (crowd->n < crowd->capacity && random_next(&crowd->seed) % 100 < grows)) {
		crowd_begin(crowd, kinds);
	} else if (random_next(&crowd->seed) % 4 == 0) {
		crowd_answer(crowd, at);
		ask(&crowd->talks[at], GET("/a"), 5);
	} else {
		crowd_end(crowd, at);
	}
}

static void come_and_go(bool in_order, uint64_t seed, size_t capacity, int steps)
{
	struct crowd crowd = {.seed = seed, .in_order = in_order, .capacity = capacity};
	struct kinds *kinds = kinds_new(1U << PROTOCOL_HTTP);

	crowd.talks = calloc(capacity, sizeof(*crowd.talks));
	for (int i = 0; i < steps; i++)
		crowd_step(&crowd, kinds);
	while (crowd.n)
		crowd_end(&crowd, random_next(&crowd.seed) % crowd.n);
	assert_int_equal(all_requests(kinds), crowd.answered);
	assert_int_equal(kinds_unparsed(kinds), 0);
	/* All have been forgotten: there is room for as many as ever. */
	for (size_t i = 0; i < capacity; i++)
		crowd_begin(&crowd, kinds);
	for (size_t i = 0; i < capacity; i++)
		crowd_answer(&crowd, i);
	assert_int_equal(all_requests(kinds), crowd.answered);
	assert_int_equal(kinds_unparsed(kinds), 0);
	kinds_free(kinds);
	free(crowd.talks);
}

static void all_are_found(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		come_and_go(seed % 2 == 0, seed, KINDS_MAX_CONNECTIONS, 150000);
	come_and_go(false, 9, 300, 20000);
}

/* "/aaa", "/aab", …: names that are no number of anything. */
static void ask_path(struct talk *talk, unsigned int n)
{
	char text[64];

	snprintf(text, sizeof(text), "GET /%c%c%cx HTTP/1.1\r\n\r\n", 'g' + n / 400,
		 'g' + n / 20 % 20, 'g' + n % 20);
	ask(talk, text, 5);
	talk->now_ns += 10;
	answer(talk, n % 3 ? OK : NOT_FOUND);
}

static void more_kinds_than_are_told_apart(void **state)
{
	struct talk server = talk_of(*state, 1, PB_ROLE_SERVER),
		    client = talk_of(*state, 2, PB_ROLE_CLIENT),
		    redis = talk_of(*state, 3, PB_ROLE_SERVER);
	const struct kind *rest;

	for (unsigned int n = 0; n < KINDS_MAX; n++)
		ask_path(&server, n);
	assert_int_equal(n_kinds(*state), KINDS_MAX);
	for (unsigned int n = 0; n < KINDS_MAX + 60; n++)
		ask_path(&server, n);
	assert_int_equal(n_kinds(*state), KINDS_MAX + 1);
	rest = kind_of(*state, "http", PB_ROLE_SERVER, "(rest)");
	assert_int_equal(rest->count, 60);
	assert_int_equal(rest->errors, 20);
	assert_int_equal(rest->service->count, 60);
	assert_int_equal(rest->response->count, 60);
	assert_int_equal(rest->service->max_ns, 10);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /gggx")->count, 2);
	/* The rest is told apart by protocol and role. */
	for (unsigned int n = 0; n < 5; n++)
		ask_path(&client, n);
	ask(&redis, "*1\r\n$4\r\nPING\r\n", 5);
	answer(&redis, "+PONG\r\n");
	assert_int_equal(n_kinds(*state), KINDS_MAX + 3);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_CLIENT, "(rest)")->count, 5);
	assert_int_equal(kind_of(*state, "redis", PB_ROLE_SERVER, "(rest)")->count, 1);
	assert_int_equal(all_requests(*state), 2 * KINDS_MAX + 60 + 5 + 1);
	assert_int_equal(kinds_unparsed(*state), 0);
}

/* --- malformed ---------------------------------------------------------------- */

static void malformed_events(void **state)
{
	struct talk talk = talk_of(*state, 1, PB_ROLE_SERVER);
	struct pb_event_payload good = header_of(&talk, false, 4), bad;
	uint64_t unparsed = 0;

	for (size_t size = 0; size < sizeof(good); size++) {
		kinds_event(*state, &good, size);
		assert_int_equal(kinds_unparsed(*state), ++unparsed);
	}
	/* More than is there, by one or by all that a number can say. */
	for (uint32_t n = 5; n; n = n < 1000 ? n * 3 : n < UINT32_MAX ? UINT32_MAX : 0) {
		bad = good;
		bad.n_prefix = n;
		bad.length = UINT32_MAX;
		tell(*state, &bad, "GET ", 4);
		assert_int_equal(kinds_unparsed(*state), ++unparsed);
	}
	bad = good;
	bad.length = 3;
	tell(*state, &bad, "GET ", 4);
	bad = good;
	bad.length = 0;
	tell(*state, &bad, "GET ", 4);
	bad = good;
	bad.connection = 0;
	tell(*state, &bad, "GET ", 4);
	unparsed += 3;
	assert_int_equal(kinds_unparsed(*state), unparsed);
	/* None of them left anything behind. */
	assert_int_equal(n_kinds(*state), 0);
	ask(&talk, GET("/a"), 5);
	answer(&talk, OK);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /a")->count, 1);
	assert_int_equal(kinds_unparsed(*state), unparsed);
}

/* What the prefix does not hold is unknown, but its length is not. */
static void a_part_of_it_is_known(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
	struct talk talk = talk_of(*state, 1, PB_ROLE_SERVER);
	struct pb_event_payload header;

	for (int i = 0; i < 3; i++) {
		ask(&talk, GET("/a"), 5);
		header = header_of(&talk, true, sizeof(head) - 1 + 5000);
		header.n_prefix = sizeof(head) - 1;
		tell(*state, &header, head, sizeof(head) - 1);
	}
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /a")->count, 3);
	/* More came with the event than its prefix is: that is nobody's. */
	header = header_of(&talk, false, 4);
	header.n_prefix = 4;
	tell(*state, &header, "GET /abc HTTP/1.1\r\n\r\n", 21);
	answer(&talk, OK);
	kinds_finish(*state);
	assert_int_equal(all_requests(*state), 3);
}

static void rubbish(void **state)
{
	uint64_t seed = 1;

	for (int i = 0; i < 20000; i++) {
		struct pb_event_payload header = {.event = {.kind = PB_EVENT_PAYLOAD}};
		uint8_t bytes[PB_PAYLOAD_MAX];
		size_t n = random_next(&seed) % 40;

		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)(random_next(&seed) >> 20);
		header.event.time_ns = random_next(&seed);
		header.arrived_ns = random_next(&seed);
		header.connection = random_next(&seed) % 20;
		header.sequence = (uint32_t)(random_next(&seed) % 4);
		header.length = (uint32_t)(random_next(&seed) % 60);
		header.n_prefix = (uint32_t)(random_next(&seed) % 50);
		header.is_write = (uint16_t)random_next(&seed);
		header.role = (uint16_t)(random_next(&seed) % 5);
		tell(*state, &header, bytes, n);
	}
	kinds_finish(*state);
	assert_true(kinds_unparsed(*state) > 0);
	kinds_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(more_connections_than_are_followed),
		cmocka_unit_test(all_are_found),
		TEST(more_kinds_than_are_told_apart),
		TEST(malformed_events),
		TEST(a_part_of_it_is_known),
		TEST(rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
