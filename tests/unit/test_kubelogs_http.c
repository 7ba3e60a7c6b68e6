/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests as clients really send them, and as they should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/kubelogs/http.h"

#define POD "/api/v1/namespaces/perf-test/pods/perf-generator-01-x-00000"

static struct http_request request;

static enum http_status parse(const char *text)
{
	size_t consumed;

	return http_parse(text, strlen(text), &request, &consumed);
}

static enum http_status parse_target(const char *target)
{
	char text[1024];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
	return parse(text);
}

static void a_request_of_stern_is_understood(void **state)
{
	(void)state;
	assert_int_equal(parse("GET " POD "/log?container=log-generator&follow=true&"
			       "sinceSeconds=172800&tailLines=0&timestamps=true HTTP/1.1\r\n"
			       "Host: 127.0.0.1:8080\r\nUser-Agent: stern\r\n"
			       "Accept: application/json, */*\r\nAccept-Encoding: gzip\r\n\r\n"),
			 HTTP_OK);
	assert_int_equal(request.n_segments, 7);
	assert_string_equal(request.segments[5], "perf-generator-01-x-00000");
	assert_string_equal(request.segments[6], "log");
	assert_int_equal(request.n_query, 5);
	assert_string_equal(http_parameter(&request, "sinceSeconds"), "172800");
	assert_null(http_parameter(&request, "limitBytes"));
	assert_true(request.keep_alive);
	assert_false(request.is_http10);
}

static void queries_of_wake_are_tolerated(void **state)
{
	(void)state;
	assert_int_equal(parse_target("/api/v1/pods?"), HTTP_OK);
	assert_int_equal(request.n_query, 0);
	assert_int_equal(parse_target("/api/v1/pods?&limit=500"), HTTP_OK);
	assert_int_equal(request.n_query, 1);
	assert_string_equal(http_parameter(&request, "limit"), "500");
	assert_int_equal(parse_target("/x?&&a&&=b&c="), HTTP_OK);
	assert_string_equal(http_parameter(&request, "a"), "");
	assert_string_equal(http_parameter(&request, ""), "b");
	assert_string_equal(http_parameter(&request, "c"), "");
}

static void escapes_are_decoded(void **state)
{
	(void)state;
	assert_int_equal(parse_target("/a%2Fb/%63?labelSelector=app%3Dperf-generator&x=1+2%2b"),
			 HTTP_OK);
	assert_int_equal(request.n_segments, 2);
	assert_string_equal(request.segments[0], "a/b");
	assert_string_equal(request.segments[1], "c");
	assert_string_equal(http_parameter(&request, "labelSelector"), "app=perf-generator");
	assert_string_equal(http_parameter(&request, "x"), "1 2+");
}

static void targets_that_are_broken_are_refused(void **state)
{
	static const char *const targets[] = {"/%",    "/%4",  "/%zz", "/a%00b",     "/?x=%0",
					      "/?%00", "nope", "*",    "http://host"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		assert_int_equal(parse_target(targets[i]), HTTP_BAD_REQUEST);
	assert_int_equal(parse_target("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"),
			 HTTP_BAD_REQUEST);
	assert_int_equal(parse_target("http://host:1/a//b/"), HTTP_OK);
	assert_int_equal(request.n_segments, 2);
}

static void each_prefix_is_incomplete(void **state)
{
	static const char text[] = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
	size_t consumed;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(http_parse(text, n, &request, &consumed), HTTP_INCOMPLETE);
	assert_int_equal(http_parse(text, sizeof(text) - 1, &request, &consumed), HTTP_OK);
	assert_int_equal(consumed, sizeof(text) - 1);
}

static void requests_can_follow_each_other(void **state)
{
	static const char text[] = "\r\nGET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
	size_t first, second;

	(void)state;
	assert_int_equal(http_parse(text, sizeof(text) - 1, &request, &first), HTTP_OK);
	assert_string_equal(request.segments[0], "a");
	assert_int_equal(http_parse(text + first, sizeof(text) - 1 - first, &request, &second),
			 HTTP_OK);
	assert_string_equal(request.segments[0], "b");
	assert_int_equal(first + second, sizeof(text) - 1);
}

static void bad_requests_have_their_status(void **state)
{
	static const struct {
		const char *text;
		enum http_status status;
	} rows[] = {
		{"POST / HTTP/1.1\r\n\r\n", HTTP_METHOD_NOT_ALLOWED},
		{"HEAD / HTTP/1.1\r\n\r\n", HTTP_METHOD_NOT_ALLOWED},
		{"GET / HTTP/2.0\r\n\r\n", HTTP_VERSION_NOT_SUPPORTED},
		{"GET /\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1 x\r\n\r\n", HTTP_VERSION_NOT_SUPPORTED},
		{"G@T / HTTP/1.1\r\n\r\n", HTTP_BAD_REQUEST},
		{" / HTTP/1.1\r\n\r\n", HTTP_BAD_REQUEST},
		{"\x16\x03\x01\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1\r\nno colon\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1\r\n: x\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD_REQUEST},
		{"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", HTTP_OK},
		{"GET / HTTP/1.1\r\nA:\r\n\r\n", HTTP_OK},
		{"GET / HTTP/1.1\nA: b\n\n", HTTP_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(parse(rows[i].text), rows[i].status);
}

static void heads_have_a_limit(void **state)
{
	char *text = malloc(HTTP_HEAD_MAX + 100);
	size_t length, consumed;

	(void)state;
	assert_non_null(text);
	length = (size_t)sprintf(text, "GET / HTTP/1.1\r\nA: ");
	memset(text + length, 'x', HTTP_HEAD_MAX + 100 - length);
	assert_int_equal(http_parse(text, HTTP_HEAD_MAX - 1, &request, &consumed), HTTP_INCOMPLETE);
	assert_int_equal(http_parse(text, HTTP_HEAD_MAX, &request, &consumed),
			 HTTP_HEADER_TOO_LARGE);
	memcpy(text + HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(http_parse(text, HTTP_HEAD_MAX, &request, &consumed), HTTP_OK);
	free(text);
}

static void a_query_of_many_parameters_is_cut(void **state)
{
	char target[900] = "/?";

	(void)state;
	for (int i = 0; i < 100; i++)
		sprintf(target + strlen(target), "p%d=%d&", i, i);
	assert_int_equal(parse_target(target), HTTP_OK);
	assert_int_equal(request.n_query, HTTP_QUERY_MAX);
	assert_string_equal(http_parameter(&request, "p31"), "31");
}

static void connections_are_kept_as_asked(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/1.1\r\nConnection: Keep-Alive, Close\r\n\r\n"), HTTP_OK);
	assert_false(request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), HTTP_OK);
	assert_true(request.is_http10);
	assert_false(request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\nconnection:keep-alive\r\n\r\n"), HTTP_OK);
	assert_true(request.keep_alive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_stern_is_understood),
		cmocka_unit_test(queries_of_wake_are_tolerated),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(targets_that_are_broken_are_refused),
		cmocka_unit_test(each_prefix_is_incomplete),
		cmocka_unit_test(requests_can_follow_each_other),
		cmocka_unit_test(bad_requests_have_their_status),
		cmocka_unit_test(heads_have_a_limit),
		cmocka_unit_test(a_query_of_many_parameters_is_cut),
		cmocka_unit_test(connections_are_kept_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
