/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the API answers, and which lines a log request is answered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "drive/kubelogs/api.h"
#include "drive/kubelogs/stream.h"
#include "util/clock.h"

#define START_NS   (1000 * NSEC_PER_SEC)
#define TO_REAL_NS (1732000000 * NSEC_PER_SEC)
#define POD        "/api/v1/namespaces/perf-test/pods/perf-generator-01-x-00000"

static struct source source;
static struct http_request request;

static int set_up(void **state)
{
	struct schedule_config config = {
		.deployments = 10, .replicas = 2, .rate = 14000, .seed = 1, .bursts = true};
	struct error err;

	(void)state;
	return source_open(&source, "perf-test", &config, START_NS, TO_REAL_NS, &err);
}

static int tear_down(void **state)
{
	(void)state;
	source_close(&source);
	return 0;
}

static enum http_status parse_target(const char *target)
{
	char text[1024];
	size_t consumed;

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
	return http_parse(text, strlen(text), &request, &consumed);
}

static struct api_answer answer;

/* The answer to @target, @after_ns after the start. */
static void ask(const char *target, uint64_t after_ns)
{
	assert_int_equal(parse_target(target), HTTP_OK);
	assert_int_equal(api_answer(&source, &request, START_NS + after_ns, &answer), 0);
}

static json_t *ask_json(const char *target, int status)
{
	json_error_t problem;
	json_t *json;

	ask(target, NSEC_PER_SEC);
	assert_int_equal(answer.status, status);
	assert_string_equal(answer.content_type, "application/json");
	json = json_loads(answer.body, 0, &problem);
	assert_non_null(json);
	free(answer.body);
	return json;
}

static const char *text_at(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void pods_are_listed(void **state)
{
	static const struct {
		const char *target;
		size_t pods;
	} rows[] = {
		{"/api/v1/namespaces/perf-test/pods", 20},
		{"/api/v1/namespaces/perf-test/pods?&limit=500", 20},
		{"/api/v1/pods", 20},
		{"/api/v1/namespaces/other/pods", 0},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=app%3Dperf-generator", 20},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=app%3D%3Dperf-generator", 20},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=app!%3Dperf-generator", 0},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=app", 20},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=!app", 0},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=app%3Dx", 0},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=deployment%3Dperf-generator-03,"
		 "app%3Dperf-generator",
		 2},
		{"/api/v1/namespaces/perf-test/pods?labelSelector=tier%3Dweb", 0},
		{"/api/v1/namespaces/perf-test/pods?fieldSelector=metadata.name%3D"
		 "perf-generator-10-x-00001",
		 1},
		{"/api/v1/pods?fieldSelector=metadata.namespace!%3Dperf-test", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = ask_json(rows[i].target, HTTP_OK);

		assert_string_equal(text_at(json, "kind"), "PodList");
		assert_int_equal(json_array_size(json_object_get(json, "items")), rows[i].pods);
		json_decref(json);
	}
}

static void a_pod_has_what_clients_look_for(void **state)
{
	json_t *json = ask_json(POD, HTTP_OK);
	const char *name = NULL, *container = NULL, *phase = NULL, *started = NULL;

	(void)state;
	assert_int_equal(json_unpack(json, "{s:{s:s}, s:{s:[{s:s}]}, s:{s:s, s:s}}", "metadata",
				     "name", &name, "spec", "containers", "name", &container,
				     "status", "phase", &phase, "startTime", &started),
			 0);
	assert_string_equal(name, "perf-generator-01-x-00000");
	assert_string_equal(container, "log-generator");
	assert_string_equal(phase, "Running");
	assert_string_equal(started, "2024-11-19T07:23:20Z");
	json_decref(json);
}

static void failures_are_status_objects(void **state)
{
	static const struct {
		const char *target;
		int status;
	} rows[] = {
		{"/", 404},
		{"/api/v2", 404},
		{"/apis/apps/v1/deployments", 404},
		{"/api/v1/namespaces/other", 404},
		{"/api/v1/namespaces/perf-test/secrets", 404},
		{"/api/v1/namespaces/perf-test/pods/nope", 404},
		{"/api/v1/namespaces/perf-test/pods/%22%0a%ff", 404},
		{"/api/v1/namespaces/other/pods/perf-generator-01-x-00000/log", 404},
		{POD "/exec", 404},
		{POD "/log/x", 404},
		{POD "/log?container=other", 400},
		{POD "/log?previous=true", 400},
		{POD "/log?tailLines=many", 400},
		{POD "/log?tailLines=-1", 422},
		{POD "/log?sinceSeconds=0", 422},
		{POD "/log?limitBytes=0", 422},
		{POD "/log?tailLines=9999999999999999999999", 400},
		{POD "/log?sinceTime=yesterday", 400},
		{POD "/log?sinceTime=2024-11-19T07:23:20", 400},
		{POD "/log?sinceTime=2024-11-19T07:23:20Zx", 400},
		{POD "/log?sinceTime=2024-11-19T07:23:20Z&sinceSeconds=3", 422},
		{"/api/v1/pods?labelSelector=app%20in%20(a,b)", 400},
		{"/api/v1/pods?labelSelector=%3Dx", 400},
		{"/api/v1/pods?labelSelector=!", 400},
		{"/api/v1/pods?labelSelector=a!%3D%3Db", 400},
		{"/api/v1/pods?fieldSelector=spec.other%3Dx", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = ask_json(rows[i].target, rows[i].status);

		assert_string_equal(text_at(json, "kind"), "Status");
		assert_string_equal(text_at(json, "status"), "Failure");
		assert_int_equal(json_integer_value(json_object_get(json, "code")), rows[i].status);
		json_decref(json);
	}
}

static void discovery_is_answered(void **state)
{
	static const struct {
		const char *target, *key, *value;
	} rows[] = {
		{"/version", "major", "1"},
		{"/api?timeout=32s", "kind", "APIVersions"},
		{"/apis", "kind", "APIGroupList"},
		{"/api/v1", "kind", "APIResourceList"},
		{"/api/v1/namespaces", "kind", "NamespaceList"},
		{"/api/v1/namespaces/perf-test", "kind", "Namespace"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = ask_json(rows[i].target, HTTP_OK);

		assert_string_equal(text_at(json, rows[i].key), rows[i].value);
		json_decref(json);
	}
	ask("/healthz", 0);
	assert_string_equal(answer.body, "ok");
	free(answer.body);
}

static size_t count_events(const char *type)
{
	const char *at = answer.body;
	size_t n = 0;

	for (const char *end; (end = strchr(at, '\n')); at = end + 1) {
		json_error_t problem;
		json_t *event = json_loadb(at, (size_t)(end - at), 0, &problem);

		assert_non_null(event);
		assert_string_equal(text_at(json_object_get(event, "object"), "kind"), "Pod");
		n += !strcmp(text_at(event, "type"), type);
		json_decref(event);
	}
	assert_int_equal(*at, 0);
	return n;
}

static void a_watch_begins_as_its_version_says(void **state)
{
	static const struct {
		const char *query;
		size_t added, bookmarks;
		uint64_t seconds;
	} rows[] = {
		{"watch=true", 20, 0, 0},
		{"watch=1&resourceVersion=0", 20, 0, 0},
		{"watch=true&resourceVersion=", 20, 0, 0},
		{"&watch=true&timeoutSeconds=290&allowWatchBookmarks=true&resourceVersion=1000", 0,
		 0, 290},
		{"watch=true&labelSelector=app%3Dx", 0, 0, 0},
		{"watch=true&fieldSelector=metadata.name%3Dperf-generator-02-x-00000", 1, 0, 0},
		{"watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
		 "allowWatchBookmarks=true",
		 20, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char target[256];

		snprintf(target, sizeof(target), "/api/v1/namespaces/perf-test/pods?%s",
			 rows[i].query);
		ask(target, 0);
		assert_int_equal(answer.kind, API_WATCH);
		assert_int_equal(count_events("ADDED"), rows[i].added);
		assert_int_equal(count_events("BOOKMARK"), rows[i].bookmarks);
		assert_int_equal(answer.watch_ns, rows[i].seconds * NSEC_PER_SEC);
		free(answer.body);
	}
}

/* --- logs ------------------------------------------------------------------- */

static const struct log_request *ask_log(const char *query, uint64_t after_ns)
{
	char target[256];

	snprintf(target, sizeof(target), POD "/log?%s", query);
	ask(target, after_ns);
	assert_int_equal(answer.kind, API_LOG);
	assert_null(answer.body);
	return &answer.log;
}

static void a_log_begins_where_it_was_asked_to(void **state)
{
	const uint64_t now = 10 * NSEC_PER_SEC;
	uint64_t due = source_due(&source, 0, START_NS + now);
	const struct log_request *log = ask_log("", now);

	(void)state;
	assert_int_equal(log->from, 0);
	assert_int_equal(log->end, due);
	assert_false(log->follow);
	log = ask_log("follow=true&tailLines=10", now);
	assert_int_equal(log->from, due - 10);
	assert_true(log->follow && log->end == UINT64_MAX);
	assert_int_equal(ask_log("tailLines=0", now)->from, due);
	assert_int_equal(ask_log("tailLines=1000000", now)->from, 0);
	assert_int_equal(ask_log("sinceSeconds=172800", now)->from, 0);
	assert_int_equal(ask_log("sinceSeconds=2", now)->from,
			 source_due(&source, 0, START_NS + 8 * NSEC_PER_SEC - 1));
	assert_int_equal(ask_log("sinceSeconds=2&tailLines=3", now)->from, due - 3);
	assert_int_equal(ask_log("timestamps=true&limitBytes=77", now)->limit_bytes, 77);
	assert_true(answer.log.timestamps);
	assert_false(ask_log("timestamps=false&follow=0", now)->timestamps);
	assert_false(answer.log.follow);
}

/* The clock of the stamps says START_NS + TO_REAL_NS, 2024-11-19T07:23:20Z, at the start. */
static void a_log_begins_at_a_time(void **state)
{
	const uint64_t now = 10 * NSEC_PER_SEC;
	static const struct {
		const char *time;
		uint64_t after_ns;
	} rows[] = {
		{"2024-11-19T07:23:24Z", 4 * NSEC_PER_SEC},
		{"2024-11-19T07:23:24.25Z", 4250 * NSEC_PER_MSEC},
		{"2024-11-19T08:23:24%2B01:00", 4 * NSEC_PER_SEC},
		{"2024-11-19T08:23:24+01:00", 4 * NSEC_PER_SEC},
		{"2024-11-19T05:53:24-01:30", 4 * NSEC_PER_SEC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char query[80];

		snprintf(query, sizeof(query), "sinceTime=%s", rows[i].time);
		assert_int_equal(ask_log(query, now)->from,
				 source_due(&source, 0, START_NS + rows[i].after_ns - 1));
	}
	assert_int_equal(ask_log("sinceTime=1969-01-01T00:00:00Z", now)->from, 0);
	/* From a time to come, nothing is there yet. */
	ask_log("sinceTime=2024-11-19T08:00:00Z", now);
	assert_int_equal(answer.log.from, answer.log.end);
}

/* Takes chunks apart; the length of their data. */
static size_t unchunk(const char *data, size_t length, char *out)
{
	size_t total = 0;

	while (length) {
		unsigned int n;

		assert_int_equal(sscanf(data, "%4x\r\n", &n), 1);
		assert_in_range(n, 1, STREAM_CHUNK_MAX);
		assert_true(n + 8 <= length);
		memcpy(out + total, data + 6, n);
		/* Whole lines, so that nothing is torn where chunks are handed on as they come. */
		assert_int_equal(data[6 + n - 1], '\n');
		assert_memory_equal(data + 6 + n, "\r\n", 2);
		total += n;
		data += n + 8;
		length -= n + 8;
	}
	return total;
}

static void a_stream_gives_the_lines_of_its_pod(void **state)
{
	char *data = malloc(STREAM_BUFFER), *lines = malloc(STREAM_BUFFER), *at = lines;
	uint64_t now = START_NS + 10 * NSEC_PER_SEC, oldest, seq;
	struct log_stream stream;
	size_t length;

	(void)state;
	ask_log("follow=true&tailLines=100", 10 * NSEC_PER_SEC);
	stream_start(&stream, &source, &answer.log, now);
	seq = answer.log.from;
	length = stream_fill(&stream, &source, now, true, data, STREAM_BUFFER, &oldest);
	/* History is nobody's lateness. */
	assert_true(oldest == UINT64_MAX);
	length = unchunk(data, length, lines);
	for (int i = 0; i < 100; i++) {
		char expected[CONTENT_LINE_MAX];
		size_t n = source_line(&source, 0, seq + (uint64_t)i, expected);

		assert_memory_equal(at, expected, n);
		at += n;
	}
	assert_ptr_equal(at, lines + length);
	assert_false(stream_is_behind(&stream, &source, now));
	assert_int_equal(stream_fill(&stream, &source, now, true, data, STREAM_BUFFER, &oldest), 0);
	assert_false(stream_is_finished(&stream));
	/* The next line, when it is due, and not before. */
	seq += 100;
	now = source_intended_ns(&source, 0, seq);
	assert_false(stream_is_behind(&stream, &source, now - 1));
	assert_true(stream_fill(&stream, &source, now, true, data, STREAM_BUFFER, &oldest) > 0);
	assert_true(oldest == now);
	assert_int_equal(stream.next, seq + 1);
	free(data);
	free(lines);
}

static void a_stream_is_never_fuller_than_its_buffer(void **state)
{
	char *data = malloc(STREAM_BUFFER);
	uint64_t now = START_NS + 100 * NSEC_PER_SEC, oldest, lines = 0;
	struct log_stream stream;

	(void)state;
	ask_log("timestamps=true", 100 * NSEC_PER_SEC);
	stream_start(&stream, &source, &answer.log, now);
	while (!stream_is_finished(&stream)) {
		size_t length =
			stream_fill(&stream, &source, now, lines % 2, data, STREAM_BUFFER, &oldest);

		assert_in_range(length, 1, STREAM_BUFFER);
		lines = stream.lines;
	}
	assert_int_equal(lines, answer.log.end);
	free(data);
}

static void timestamps_are_before_lines(void **state)
{
	char *data = malloc(STREAM_BUFFER), expected[CONTENT_LINE_MAX];
	uint64_t now = START_NS + 3 * NSEC_PER_SEC, oldest, intended;
	struct log_stream stream;
	char stamp[40];

	(void)state;
	ask_log("timestamps=true&tailLines=1", 3 * NSEC_PER_SEC);
	stream_start(&stream, &source, &answer.log, now);
	stream_fill(&stream, &source, now, false, data, STREAM_BUFFER, &oldest);
	intended = source_intended_ns(&source, 0, answer.log.from);
	snprintf(stamp, sizeof(stamp), "2024-11-19T07:23:22.%09uZ ",
		 (unsigned int)(intended % NSEC_PER_SEC));
	assert_memory_equal(data, stamp, 31);
	assert_memory_equal(data + 31, expected,
			    source_line(&source, 0, answer.log.from, expected));
	free(data);
}

static void a_stream_ends_at_its_limit(void **state)
{
	char *data = malloc(STREAM_BUFFER);
	uint64_t now = START_NS + 3 * NSEC_PER_SEC, oldest;
	struct log_stream stream;

	(void)state;
	ask_log("limitBytes=1000&follow=true", 3 * NSEC_PER_SEC);
	stream_start(&stream, &source, &answer.log, now);
	assert_int_equal(stream_fill(&stream, &source, now, false, data, STREAM_BUFFER, &oldest),
			 1000);
	assert_true(stream_is_finished(&stream));
	assert_false(stream_is_behind(&stream, &source, now + NSEC_PER_SEC));
	free(data);
}

static void what_waited_for_the_client_is_not_late(void **state)
{
	char *data = malloc(STREAM_BUFFER);
	uint64_t start = START_NS + NSEC_PER_SEC, free_again = start + 100 * NSEC_PER_MSEC, oldest;
	struct log_stream stream;

	(void)state;
	ask_log("follow=true&tailLines=0", NSEC_PER_SEC);
	stream_start(&stream, &source, &answer.log, start);
	stream_unblocked(&stream, &source, free_again);
	stream_fill(&stream, &source, free_again + 10 * NSEC_PER_MSEC, false, data, STREAM_BUFFER,
		    &oldest);
	assert_true(oldest > free_again && oldest <= free_again + 10 * NSEC_PER_MSEC);
	free(data);
}

/* The lines of a pod from @from to @end as a stream gives them at @at_ns, by their numbers. */
static size_t numbers_of(const struct log_request *log, uint64_t at_ns, uint64_t *numbers)
{
	char *data = malloc(STREAM_BUFFER), *at = data, *end;
	struct log_stream stream;
	uint64_t oldest, intended;
	uint32_t pod;
	size_t n = 0;

	stream_start(&stream, &source, log, at_ns);
	end = data + stream_fill(&stream, &source, at_ns, false, data, STREAM_BUFFER, &oldest);
	for (; at < end; at = (char *)memchr(at, '\n', (size_t)(end - at)) + 1)
		assert_true(
			content_read_stamp(at, (size_t)(end - at), &pod, &numbers[n++], &intended));
	assert_false(stream_is_behind(&stream, &source, at_ns));
	free(data);
	return n;
}

/* After a restart the lines before it are still there, and none between them and the new. */
static void a_restart_leaves_no_gap(void **state)
{
	const uint64_t restart = START_NS + 2 * NSEC_PER_SEC, now = restart + 5 * NSEC_PER_MSEC;
	const uint64_t before = source_due(&source, 0, restart - 1);
	uint64_t numbers[1000];
	size_t n, old = 0;

	(void)state;
	source_restart(&source, restart);
	ask_log("tailLines=50", now - START_NS);
	n = numbers_of(&answer.log, now, numbers);
	assert_int_equal(n, 50);
	while (numbers[old] < SOURCE_RESTART_SEQ)
		old++;
	assert_in_range(old, 40, 49);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(numbers[i],
				 i < old ? before - old + i : SOURCE_RESTART_SEQ + i - old);
	/* Without a line of the new ones yet, and without so many of the old. */
	ask_log("tailLines=3", restart - START_NS);
	assert_int_equal(answer.log.from, before - 3);
	ask_log("tailLines=1000000", now - START_NS);
	assert_int_equal(answer.log.from, 0);
	ask_log("sinceTime=2024-11-19T07:23:22Z", now - START_NS);
	assert_int_equal(answer.log.from, SOURCE_RESTART_SEQ);
	ask_log("follow=true&tailLines=0", now - START_NS);
	assert_int_equal(answer.log.from, source_due(&source, 0, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_are_listed),
		cmocka_unit_test(a_pod_has_what_clients_look_for),
		cmocka_unit_test(failures_are_status_objects),
		cmocka_unit_test(discovery_is_answered),
		cmocka_unit_test(a_watch_begins_as_its_version_says),
		cmocka_unit_test(a_log_begins_where_it_was_asked_to),
		cmocka_unit_test(a_log_begins_at_a_time),
		cmocka_unit_test(a_stream_gives_the_lines_of_its_pod),
		cmocka_unit_test(a_stream_is_never_fuller_than_its_buffer),
		cmocka_unit_test(timestamps_are_before_lines),
		cmocka_unit_test(a_stream_ends_at_its_limit),
		cmocka_unit_test(what_waited_for_the_client_is_not_late),
		cmocka_unit_test(a_restart_leaves_no_gap), /* the last: it changes the source */
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
