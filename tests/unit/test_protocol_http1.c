/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "test_protocol_talk.h"

#include <stdio.h>

#define HTTP ONLY(PROTOCOL_HTTP)

static void keep_alive(void **state)
{
	static const struct talk talk[] = {
		ASK("GET /users/123/orders?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
		REPLY("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
		ASK("POST /items HTTP/1.1\r\ncontent-length:3\r\n\r\nabc"),
		REPLY("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
		ASK("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
		REPLY("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
		ASK("DELETE /items/3f2504e0-4f89-11d3-9a0c-0305e82c3301 HTTP/1.1\r\n\r\n"),
		REPLY("HTTP/1.1 204 No Content\r\n\r\n"),
		ASK("GET /x HTTP/1.1\r\nIf-None-Match: \"a\"\r\n\r\n"),
		REPLY("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"),
	};
	static const struct expected expected[] = {
		{"http", "GET /users/:id/orders", false},
		{"http", "POST /items", true},
		{"http", "HEAD /", false},
		{"http", "DELETE /items/:uuid", false},
		{"http", "GET /x", false},
	};

	(void)state;
	CHECK_TALK(HTTP, talk, expected);
	CHECK_TALK(ALL, talk, expected);
}

static void chunked_bodies(void **state)
{
	static const struct talk talk[] = {
		ASK("POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"),
		REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
		      "3\r\nabc\r\n0\r\n\r\n"),
		ASK("GET /b HTTP/1.1\r\n\r\n"),
		REPLY("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	};
	static const struct expected expected[] = {{"http", "POST /up", false},
						   {"http", "GET /b", true}};

	(void)state;
	CHECK_TALK(ALL, talk, expected);
}

static void pipelined(void **state)
{
	static const struct talk talk[] = {
		ASK("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"),
		REPLY("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
		      "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx"),
		ASK("GET /d HTTP/1.1\r\n\r\n"),
		REPLY("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
		      "HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx"),
	};
	static const struct expected expected[] = {
		{"http", "GET /a", false},
		{"http", "GET /b", true},
		{"http", "GET /c", false},
		{"http", "GET /d", true},
	};

	(void)state;
	CHECK_TALK(HTTP, talk, expected);
}

static void interim_answers(void **state)
{
	static const struct talk talk[] = {
		ASK("PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
		REPLY("HTTP/1.1 100 Continue\r\n\r\n"),
		ASK("data"),
		REPLY("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
		      "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
	};
	static const struct expected expected[] = {{"http", "PUT /f", false}};

	(void)state;
	CHECK_TALK(ALL, talk, expected);
}

static void times(void **state)
{
	struct heard *heard = heard_new(HTTP);
	const struct protocol_request *request = heard->requests;

	(void)state;
	HEAR_ASK(heard, "GET ");                                     /* 100 */
	HEAR_ASK(heard, "/ HTTP/1.1\r\n\r\n");                       /* 200 */
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 900"); /* 300 */
	HEAR_REPLY(heard, "\r\n\r\n");                               /* 400 */
	assert_int_equal(heard->n, 0);
	assert_true(hear(heard, false, NULL, 0, 600)); /* 500: sendfile */
	assert_true(hear(heard, false, "x", 1, 300));  /* 600 */
	assert_int_equal(heard->n, 1);
	assert_int_equal(request->arrived_ns, 95);
	assert_int_equal(request->read_ns, 200);
	assert_int_equal(request->first_ns, 300);
	assert_int_equal(request->last_ns, 600);
	heard_free(heard);
}

/* Heads longer than what is captured: the next turn shows that the answer is complete. */
static void cut_heads(void **state)
{
	static const char ask[] = "GET /long HTTP/1.1\r\nCookie: aaaaaaaaaaaaaaaa";
	static const char reply[] = "HTTP/1.1 502 Bad Gateway\r\nX: aaaaaaaaaaaa";
	static const struct expected expected[] = {{"http", "GET /long", true},
						   {"http", "GET /long", true},
						   {"http", "GET /next", false}};
	struct heard *heard = heard_new(HTTP);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(hear(heard, true, ask, sizeof(ask) - 1, 3000));
		assert_true(hear(heard, false, reply, sizeof(reply) - 1, 5000));
		assert_true(hear(heard, false, "<html>", 6, 5000));
	}
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->requests[0].last_ns, 300);
	HEAR_ASK(heard, "GET /next HTTP/1.1\r\n\r\n");
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	check_heard(heard, expected, ARRAY_SIZE(expected));
	heard_free(heard);
}

static void up_to_the_end(void **state)
{
	struct heard *heard = heard_new(HTTP);

	(void)state;
	HEAR_ASK(heard, "GET /old HTTP/1.0\r\n\r\n");
	HEAR_REPLY(heard, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nbody");
	HEAR_REPLY(heard, "more");
	assert_int_equal(heard->n, 0);
	heard_finish(heard);
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->requests[0].last_ns, 300);
	heard_finish(heard);
	assert_int_equal(heard->n, 1);
	heard_free(heard);
}

static void hidden_chunks(void **state)
{
	static const char head[] =
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\nab";
	struct heard *heard = heard_new(HTTP);

	(void)state;
	HEAR_ASK(heard, "GET /a HTTP/1.1\r\n\r\n");
	assert_true(hear(heard, false, head, sizeof(head) - 1, 16000));
	assert_true(hear(heard, false, "zzzz", 4, 16000));
	HEAR_ASK(heard, "GET /b HTTP/1.1\r\n\r\n");
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->requests[0].last_ns, 300);
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(heard->n, 2);
	heard_free(heard);
}

static void attached_late(void **state)
{
	struct heard *heard = heard_new(ALL);

	(void)state;
	assert_false(HEAR_REPLY(heard, "rest of an answer"));
	assert_false(HEAR_ASK(heard, "rest of a body: GET / HTTP/1.1\r\n"));
	HEAR_ASK(heard, "GET /a HTTP/1.1\r\n\r\n");
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	assert_int_equal(heard->n, 1);
	assert_int_equal(heard->n_untold, 2);
	heard_free(heard);
}

static void gaps(void **state)
{
	struct heard *heard = heard_new(HTTP);

	(void)state;
	HEAR_ASK(heard, "GET /a HTTP/1.1\r\n\r\n");
	hear_gap(heard, false, "rest of the answer", 18);
	assert_int_equal(heard->n_untold, 1);
	HEAR_ASK(heard, "GET /b HTTP/1.1\r\n\r\n");
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(heard->n, 1);
	assert_string_equal(heard->requests[0].label, "GET /b");
	hear_gap(heard, true, "GET /c HTTP/1.1\r\n\r\n", 19);
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(heard->n, 2);
	assert_int_equal(heard->n_untold, 1);
	heard_free(heard);
}

static void upgraded(void **state)
{
	static const struct talk talk[] = {
		ASK("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
		REPLY("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"),
		ASK("\x81\x82\1\2\3\4GET / HTTP/1.1\r\n\r\n"),
	};
	static const struct talk tunnel[] = {
		ASK("CONNECT db.example:443 HTTP/1.1\r\nHost: db.example:443\r\n\r\n"),
		REPLY("HTTP/1.1 200 Connection established\r\n\r\n"),
		ASK("\x16\x03\x01\x02"),
	};
	static const struct expected websocket[] = {{"http", "GET /ws", false}};
	static const struct expected connect[] = {{"http", "CONNECT db.example:443", false}};

	(void)state;
	CHECK_TALK(HTTP, talk, websocket);
	CHECK_TALK(HTTP, tunnel, connect);
}

static const char *label_of(const char *target)
{
	static char label[PROTOCOL_LABEL_MAX];
	struct heard *heard = heard_new(HTTP);
	char ask[512];
	int n = snprintf(ask, sizeof(ask), "GET %s HTTP/1.1\r\n\r\n", target);

	hear(heard, true, ask, (size_t)n, (size_t)n);
	HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(heard->n, 1);
	memcpy(label, heard->requests[0].label, sizeof(label));
	heard_free(heard);
	return label;
}

static void routes(void **state)
{
	char longest[201] = "/";

	(void)state;
	assert_string_equal(label_of("/"), "GET /");
	assert_string_equal(label_of("/a/12/b/7?q=1#f"), "GET /a/:id/b/:id");
	assert_string_equal(label_of("/v1/users"), "GET /v1/users");
	assert_string_equal(label_of("/f/12.json"), "GET /f/:id.json");
	assert_string_equal(label_of("/v/1.2.3"), "GET /v/1.2.3");
	assert_string_equal(label_of("/o/507f1f77bcf86cd799439011"), "GET /o/:hex");
	assert_string_equal(label_of("/deadbeef/facade"), "GET /deadbeef/facade");
	assert_string_equal(label_of("/t/eyJhbGciOiJIUzI1NiJ9abc"), "GET /t/:token");
	assert_string_equal(label_of("/a-long-name-of-an-endpoint"),
			    "GET /a-long-name-of-an-endpoint");
	assert_string_equal(label_of("http://host:80/a/1"), "GET /a/:id");
	assert_string_equal(label_of("http://host"), "GET /");
	assert_string_equal(label_of("*"), "GET *");
	memset(longest + 1, 'a', 199);
	assert_int_equal(strlen(label_of(longest)), PROTOCOL_LABEL_MAX - 1);
}

static void garbage(void **state)
{
	static const char *const asks[] = {
		"get / HTTP/1.1\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
		"G / HTTP/1.1\r\n\r\n",   "GET /\r\n\r\n",         "\x16\x03\x01\x02\x03",
		"SSH-2.0-x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct heard *heard = heard_new(HTTP);

		assert_false(hear(heard, true, asks[i], strlen(asks[i]), strlen(asks[i])));
		HEAR_REPLY(heard, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		heard_finish(heard);
		assert_int_equal(heard->n, 0);
		heard_free(heard);
	}
}

/* Nothing is made of a protocol that nobody asked for; words and names belong together. */
static void sets(void **state)
{
	struct heard *heard = heard_new(ONLY(PROTOCOL_REDIS));
	char unknown[64];
	unsigned int set;

	(void)state;
	assert_false(HEAR_ASK(heard, "GET / HTTP/1.1\r\n\r\n"));
	heard_free(heard);
	assert_int_equal(protocol_set_parse("http,mysql", &set, unknown), 0);
	assert_int_equal(set, ONLY(PROTOCOL_HTTP) | ONLY(PROTOCOL_MYSQL));
	for (int id = 0; id < PROTOCOLS; id++) {
		assert_int_equal(protocol_set_parse(protocol_name(id), &set, unknown), 0);
		assert_int_equal(set, ONLY(id));
	}
	assert_int_equal(protocol_set_parse("http,smtp,redis", &set, unknown), -1);
	assert_string_equal(unknown, "smtp");
	assert_int_equal(protocol_set_parse("http,", &set, unknown), -1);
	assert_string_equal(unknown, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keep_alive),    cmocka_unit_test(chunked_bodies),
		cmocka_unit_test(pipelined),     cmocka_unit_test(interim_answers),
		cmocka_unit_test(times),         cmocka_unit_test(cut_heads),
		cmocka_unit_test(up_to_the_end), cmocka_unit_test(hidden_chunks),
		cmocka_unit_test(attached_late), cmocka_unit_test(gaps),
		cmocka_unit_test(upgraded),      cmocka_unit_test(routes),
		cmocka_unit_test(garbage),       cmocka_unit_test(sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
