/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pieces of payload as the kernel tells them, and the kinds of requests that come of them. */
#include "sample_kinds.h"

static void an_http_server(void **state)
{
	struct talk talk = talk_of(*state, 1, PB_ROLE_SERVER);
	const struct kind *kind;

	ask(&talk, GET("/users/42?page=2"), 700);
	talk.now_ns += 3000;
	answer(&talk, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
	assert_int_equal(n_kinds(*state), 0);
	talk.now_ns += 5000;
	answer(&talk, "def");
	kind = kind_of(*state, "http", PB_ROLE_SERVER, "GET /users/:id");
	assert_int_equal(kind->count, 1);
	assert_int_equal(kind->errors, 0);
	/* From its read to the answer's first byte; from its arrival to the last one. */
	assert_once(kind->service, 3000);
	assert_once(kind->response, 8700);
	assert_int_equal(n_kinds(*state), 1);
	assert_int_equal(kinds_unparsed(*state), 0);
}

/* Without the time of its arrival, so much of the response as is known. */
static void an_arrival_that_was_not_seen(void **state)
{
	struct talk talk = talk_of(*state, 1, PB_ROLE_SERVER);
	const struct kind *kind;

	ask(&talk, GET("/a"), 0);
	talk.now_ns += 2000;
	answer(&talk, OK);
	kind = kind_of(*state, "http", PB_ROLE_SERVER, "GET /a");
	assert_once(kind->service, 2000);
	assert_once(kind->response, 2000);
}

/* Read in two pieces: the service begins when all of it has been read. */
static void a_request_in_pieces(void **state)
{
	struct talk talk = talk_of(*state, 1, PB_ROLE_SERVER);
	const struct kind *kind;

	ask(&talk, "POST /orders HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", 100);
	talk.now_ns += 1000;
	ask(&talk, "cde", 50);
	talk.now_ns += 400;
	answer(&talk, OK);
	kind = kind_of(*state, "http", PB_ROLE_SERVER, "POST /orders");
	assert_once(kind->service, 400);
	assert_once(kind->response, 1500);
}

static void an_http_client(void **state)
{
	struct talk talk = talk_of(*state, 1, PB_ROLE_CLIENT);
	struct pb_event_payload header;
	const struct kind *kind;

	/* What it writes did not arrive at all, whatever is told of that. */
	ask(&talk, GET("/a"), 700);
	talk.now_ns += 9000;
	/* What it reads came before it looked: that is no matter for the response. */
	header = header_of(&talk, false, sizeof(OK) - 1);
	header.arrived_ns = talk.now_ns - 2500;
	tell(*state, &header, OK, sizeof(OK) - 1);
	kind = kind_of(*state, "http", PB_ROLE_CLIENT, "GET /a");
	assert_int_equal(kind->count, 1);
	assert_once(kind->response, 9000);
	assert_int_equal(kind->service->count, 0);
	assert_int_equal(kinds_unparsed(*state), 0);
}

/* Both ends of a conversation on one machine are two connections, and two kinds. */
static void both_ends(void **state)
{
	struct talk server = talk_of(*state, 1, PB_ROLE_SERVER),
		    client = talk_of(*state, 2, PB_ROLE_CLIENT);

	for (int i = 0; i < 10; i++) {
		ask(&client, GET("/a"), 0);
		ask(&server, GET("/a"), 10);
		answer(&server, i < 3 ? NOT_FOUND : OK);
		answer(&client, i < 3 ? NOT_FOUND : OK);
	}
	assert_int_equal(n_kinds(*state), 2);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /a")->count, 10);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /a")->errors, 3);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_CLIENT, "GET /a")->count, 10);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_CLIENT, "GET /a")->errors, 3);
}

static void most_requests_first(void **state)
{
	struct talk one = talk_of(*state, 1, PB_ROLE_SERVER),
		    other = talk_of(*state, 2, PB_ROLE_SERVER);
	static const struct {
		const char *label;
		uint64_t count, errors;
	} wanted[] = {{"GET /b", 6, 6}, {"GET /a", 4, 2}, {"GET /c", 4, 0}, {"HEAD /a", 1, 0}};
	const struct kind *list;
	size_t n;

	for (int i = 0; i < 4; i++) {
		ask(&one, GET("/c"), 5);
		answer(&one, OK);
		ask(&other, GET("/a"), 5);
		answer(&other, i % 2 ? OK : BROKEN);
	}
	for (int i = 0; i < 6; i++) {
		ask(i % 2 ? &one : &other, GET("/b"), 5);
		answer(i % 2 ? &one : &other, NOT_FOUND);
	}
	ask(&one, "HEAD /a HTTP/1.1\r\n\r\n", 5);
	answer(&one, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
	list = kinds_list(*state, &n);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(list[i].label, wanted[i].label);
		assert_int_equal(list[i].count, wanted[i].count);
		assert_int_equal(list[i].errors, wanted[i].errors);
		assert_int_equal(list[i].service->count, wanted[i].count);
		assert_int_equal(list[i].response->count, wanted[i].count);
	}
	/* Sorted, they still go on. */
	ask(&one, GET("/c"), 5);
	answer(&one, OK);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /c")->count, 5);
	assert_int_equal(n_kinds(*state), 4);
}

/* A pipeline: each command is a request with its own answer. */
static void a_redis_server(void **state)
{
	struct talk talk = talk_of(*state, 77, PB_ROLE_SERVER);
	const struct kind *set, *get, *push;

	ask(&talk,
	    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\nget\r\n$1\r\na\r\n"
	    "*3\r\n$5\r\nLPUSH\r\n$1\r\na\r\n$1\r\n2\r\n",
	    600);
	talk.now_ns += 1000;
	answer(&talk, "+OK\r\n$1\r\n1\r\n");
	talk.now_ns += 500;
	answer(&talk, "-WRONGTYPE Operation against a key\r\n");
	set = kind_of(*state, "redis", PB_ROLE_SERVER, "SET");
	get = kind_of(*state, "redis", PB_ROLE_SERVER, "GET");
	push = kind_of(*state, "redis", PB_ROLE_SERVER, "LPUSH");
	assert_int_equal(set->count, 1);
	assert_int_equal(set->errors + get->errors, 0);
	assert_int_equal(push->errors, 1);
	assert_once(set->service, 1000);
	assert_once(get->service, 1000);
	assert_once(get->response, 1600);
	assert_once(push->service, 1500);
	assert_once(push->response, 2100);
	assert_int_equal(n_kinds(*state), 3);
	assert_int_equal(kinds_unparsed(*state), 0);
}

static void a_redis_client(void **state)
{
	struct talk talk = talk_of(*state, 77, PB_ROLE_CLIENT);
	const struct kind *kind;

	for (uint64_t i = 1; i <= 3; i++) {
		ask(&talk, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", 0);
		talk.now_ns += 1000 * i;
		answer(&talk, "$-1\r\n");
	}
	kind = kind_of(*state, "redis", PB_ROLE_CLIENT, "GET");
	assert_int_equal(kind->count, 3);
	assert_int_equal(kind->errors, 0);
	assert_int_equal(kind->response->count, 3);
	assert_int_equal(kind->response->min_ns, 1000);
	assert_int_equal(kind->response->max_ns, 3000);
	assert_true(kind->response->sum_ns == 6000);
	assert_int_equal(kind->service->count, 0);
}

/* Only what is wanted is looked for; the rest is not told. */
static void what_is_not_wanted(void **state)
{
	struct kinds *kinds = kinds_new(1U << PROTOCOL_REDIS);
	struct talk http = talk_of(kinds, 1, PB_ROLE_SERVER),
		    redis = talk_of(kinds, 2, PB_ROLE_SERVER);

	(void)state;
	ask(&http, GET("/a"), 5);
	answer(&http, OK);
	ask(&redis, "*1\r\n$4\r\nPING\r\n", 5);
	answer(&redis, "+PONG\r\n");
	assert_int_equal(n_kinds(kinds), 1);
	assert_int_equal(kind_of(kinds, "redis", PB_ROLE_SERVER, "PING")->count, 1);
	assert_int_equal(kinds_unparsed(kinds), 2);
	kinds_free(kinds);
}

/* A hole in the sequence is a loss: what was open then is not told wrongly. */
static void a_piece_was_lost(void **state)
{
	struct talk talk = talk_of(*state, 1, PB_ROLE_SERVER);

	ask(&talk, GET("/first"), 5);
	talk.sequence++;
	talk.now_ns += 1000000;
	ask(&talk, GET("/second"), 5);
	talk.now_ns += 300;
	answer(&talk, NOT_FOUND);
	assert_int_equal(all_requests(*state), 1);
	assert_once(kind_of(*state, "http", PB_ROLE_SERVER, "GET /second")->service, 300);
	/* Followed from the middle, no piece of it was lost. */
	talk = talk_of(*state, 2, PB_ROLE_SERVER);
	talk.sequence = 4711;
	ask(&talk, GET("/first"), 5);
	answer(&talk, OK);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /first")->count, 1);
	/* Numbers begin anew at the end of their range. */
	talk.sequence = UINT32_MAX;
	talk.connection = 3;
	ask(&talk, GET("/first"), 5);
	answer(&talk, OK);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /first")->count, 2);
	assert_int_equal(kinds_unparsed(*state), 0);
}

/* An answer without a length is as long as its connection, or the window. */
static void answers_that_end_with_all(void **state)
{
	static const char endless[] = "HTTP/1.1 200 OK\r\n\r\nabc";
	struct talk ends = talk_of(*state, 1, PB_ROLE_SERVER),
		    stays = talk_of(*state, 2, PB_ROLE_SERVER);

	ask(&ends, GET("/ends"), 5);
	ask(&stays, GET("/stays"), 5);
	ends.now_ns += 100;
	answer(&ends, endless);
	answer(&stays, endless);
	ends.now_ns += 100;
	answer(&ends, "more");
	assert_int_equal(n_kinds(*state), 0);
	ends.now_ns += 5000;
	hang_up(&ends);
	assert_int_equal(n_kinds(*state), 1);
	assert_once(kind_of(*state, "http", PB_ROLE_SERVER, "GET /ends")->response, 205);
	kinds_finish(*state);
	assert_int_equal(n_kinds(*state), 2);
	kinds_finish(*state);
	assert_int_equal(all_requests(*state), 2);
	assert_int_equal(kind_of(*state, "http", PB_ROLE_SERVER, "GET /stays")->errors, 0);
}

static void forgotten_with_its_end(void **state)
{
	struct talk talk = talk_of(*state, 5, PB_ROLE_SERVER);

	/* What was not answered is no request, and its answer is another's. */
	ask(&talk, GET("/open"), 5);
	hang_up(&talk);
	answer(&talk, OK);
	kinds_finish(*state);
	assert_int_equal(n_kinds(*state), 0);
	assert_int_equal(kinds_unparsed(*state), 1);
	/* One that was never heard of. */
	talk.connection = 6;
	hang_up(&talk);
	hang_up(&talk);
	assert_int_equal(n_kinds(*state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_http_server),
		TEST(an_arrival_that_was_not_seen),
		TEST(a_request_in_pieces),
		TEST(an_http_client),
		TEST(both_ends),
		TEST(most_requests_first),
		TEST(a_redis_server),
		TEST(a_redis_client),
		cmocka_unit_test(what_is_not_wanted),
		TEST(a_piece_was_lost),
		TEST(answers_that_end_with_all),
		TEST(forgotten_with_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
