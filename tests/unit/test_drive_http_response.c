/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Responses as servers send them and as they should not, cut at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/http/response.h"

/* What one response was found to be. */
struct found {
	enum response_state state;
	int status;
	bool keeps_alive;
	size_t taken;
	char body[256];
};

static void feed(const char *text, size_t size, size_t first, bool is_head, bool closes,
		 struct found *found)
{
	struct response response = {0};
	size_t end = first;

	memset(found, 0, sizeof(*found));
	response_begin(&response, is_head);
	while (found->taken < size && !response_is_over(&response)) {
		if (found->taken == end)
			end = size;
		found->taken += response_take(&response, text + found->taken, end - found->taken);
		if (response.piece)
			strncat(found->body, response.piece, response.piece_size);
	}
	if (closes)
		response_close(&response);
	found->state = response.state;
	found->status = response.status;
	found->keeps_alive = response.keeps_alive;
	response_clear(&response);
}

/* The same wherever @text is cut in two. */
static struct found read_response(const char *text, bool is_head, bool closes)
{
	size_t size = strlen(text);
	struct found whole, cut;

	feed(text, size, size, is_head, closes, &whole);
	for (size_t i = 0; i < size; i++) {
		feed(text, size, i, is_head, closes, &cut);
		if (memcmp(&whole, &cut, sizeof(whole)) != 0)
			fail_msg("cut at %zu: state %d, status %d, took %zu, body '%s'", i,
				 (int)cut.state, cut.status, cut.taken, cut.body);
	}
	return whole;
}

static struct found whole(const char *text)
{
	struct found found = read_response(text, false, false);

	assert_int_equal(found.state, RESPONSE_ENDED);
	return found;
}

static void malformed(const char *text)
{
	struct found found = read_response(text, false, false);

	if (found.state != RESPONSE_MALFORMED)
		fail_msg("taken as a response: %s", text);
}

static void a_length_says_where_it_ends(void **state)
{
	struct found found =
		whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n");

	(void)state;
	assert_int_equal(found.status, 200);
	assert_string_equal(found.body, "hello");
	assert_true(found.keeps_alive);
	assert_int_equal(found.taken, strlen("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
	found = whole("HTTP/1.1 404 Not Found\r\ncontent-length:0\r\nConnection: close\r\n\r\n");
	assert_int_equal(found.status, 404);
	assert_false(found.keeps_alive);
	/* Said twice, but the same. */
	found = whole("HTTP/1.1 200 \r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok");
	assert_string_equal(found.body, "ok");
}

static void chunks_are_put_together(void **state)
{
	struct found found = whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				   "5\r\nhello\r\nA;x=y\r\n, world! :\r\n1 \r\n)\r\n0\r\n"
				   "Trailer: x\r\n\r\n");

	(void)state;
	assert_string_equal(found.body, "hello, world! :)");
	/* It says more of the body than a length beside it. */
	found = whole("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n"
		      "Transfer-Encoding: gzip, Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
	assert_string_equal(found.body, "x");
}

static void some_have_no_body(void **state)
{
	(void)state;
	whole("HTTP/1.1 204 No Content\r\n\r\n");
	whole("HTTP/1.1 304 Not Modified\r\nContent-Length: 612\r\n\r\n");
	assert_int_equal(
		read_response("HTTP/1.1 200 OK\r\nContent-Length: 612\r\n\r\n", true, false).state,
		RESPONSE_ENDED);
}

static void what_comes_before_the_answer_is_passed_over(void **state)
{
	struct found found = whole("HTTP/1.1 100 Continue\r\n\r\n"
				   "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n"
				   "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx");

	(void)state;
	assert_int_equal(found.status, 201);
	assert_string_equal(found.body, "x");
}

static void the_connection_s_end_ends_what_has_no_length(void **state)
{
	const char *text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall that comes";
	struct found found = read_response(text, false, true);

	(void)state;
	assert_int_equal(found.state, RESPONSE_ENDED);
	assert_string_equal(found.body, "all that comes");
	assert_false(found.keeps_alive);
	assert_int_equal(read_response(text, false, false).state, RESPONSE_UNTIL_CLOSE);
	/* Another coding than chunked says nothing of the end. */
	found = read_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", false, true);
	assert_int_equal(found.state, RESPONSE_ENDED);
}

static void what_ends_early_is_not_whole(void **state)
{
	static const char *const texts[] = {
		"HTTP/1.1 20",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(read_response(texts[i], false, true).state, RESPONSE_MALFORMED);
}

static void old_servers_close(void **state)
{
	(void)state;
	assert_false(whole("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx").keeps_alive);
	assert_true(whole("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\nx")
			    .keeps_alive);
	assert_false(whole("HTTP/1.1 200 OK\nContent-Length: 1\nConnection: foo, close\n\nx")
			     .keeps_alive);
}

static void what_is_no_http_is_malformed(void **state)
{
	(void)state;
	malformed("SSH-2.0-OpenSSH_9.2\r\n");
	malformed("HTTP/2 200 OK\r\n");
	malformed("HTTP/1.1 2x0 OK\r\n");
	malformed("HTTP/1.1 2000\r\n");
	malformed("HTTP/1.1 099 Early\r\n");
	malformed("HTTP/1.1 101 Switching Protocols\r\n");
	malformed("\r\n");
	malformed("HTTP/1.1 200 OK\r\nno colon\r\n");
	malformed("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n");
	malformed("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n");
	malformed("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n");
	malformed("HTTP/1.1 200 OK\r\nContent-Length:\r\n");
	malformed("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n");
	malformed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n");
	malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n");
	malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n");
	malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n");
	malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n");
}

static void memory_is_bounded(void **state)
{
	static char line[RESPONSE_LINE_MAX + 2];
	struct response response = {0};
	size_t taken = 0;

	(void)state;
	/* One line without an end. */
	memset(line, 'x', sizeof(line));
	response_begin(&response, false);
	response_take(&response, "HTTP/1.1 200 OK\r\n", 17);
	for (size_t i = 0; i < sizeof(line) && !response_is_over(&response); i++)
		response_take(&response, line + i, 1);
	assert_int_equal(response.state, RESPONSE_MALFORMED);
	/* Headers without an end. */
	response_begin(&response, false);
	response_take(&response, "HTTP/1.1 200 OK\r\n", 17);
	while (!response_is_over(&response) && taken < 2 * RESPONSE_HEAD_MAX)
		taken += response_take(&response, "Name: value\r\n", 13);
	assert_int_equal(response.state, RESPONSE_MALFORMED);
	assert_true(response.line_room <= 2 * RESPONSE_LINE_MAX);
	assert_int_equal(response_take(&response, "x", 1), 0);
	response_clear(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_says_where_it_ends),
		cmocka_unit_test(chunks_are_put_together),
		cmocka_unit_test(some_have_no_body),
		cmocka_unit_test(what_comes_before_the_answer_is_passed_over),
		cmocka_unit_test(the_connection_s_end_ends_what_has_no_length),
		cmocka_unit_test(what_ends_early_is_not_whole),
		cmocka_unit_test(old_servers_close),
		cmocka_unit_test(what_is_no_http_is_malformed),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
