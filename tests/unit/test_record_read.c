/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files that are no record: one line with file and key, and no crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample_record.h"

#define HEAD "{\"schema\": \"perfbpf.run/1\", "

static void assert_refused(const char *text, size_t size, const char *wanted)
{
	struct error err = {.text = ""};
	struct record *rec = record_parse(text, size, "dir/run.json", &err);

	if (rec)
		fail_msg("was read: %.80s", text);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, "dir/run.json:", strlen("dir/run.json:")))
		fail_msg("does not name the file: %s", err.text);
	if (!strstr(err.text, wanted))
		fail_msg("\"%s\" is not in: %s", wanted, err.text);
	assert_null(strchr(err.text, '\n'));
}

static void test_broken(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"", ":1:1: is no JSON: there is nothing in it"},
		{"nonsense", "is no JSON"},
		{"[]", "must be an object, not an array"},
		{"{}", "schema: is missing"},
		{"{\"schema\": 1}", "schema: must be a string, not an integer"},
		{"{\"schema\": \"other/1\"}", "must be \"perfbpf.run/1\", not \"other/1\""},
		{"{\"schema\": \"perfbpf.run/2\"}", "newer than this program"},
		{"{\"schema\": \"perfbpf.run/0\"}", "must be \"perfbpf.run/1\""},
		{"{\"schema\": \"perfbpf.run/1\"}", "rounds: is missing"},
		{HEAD "\"rounds\": 7}", "rounds: must be an array of objects, not an integer"},
		{HEAD "\"rounds\": [7]}", "rounds[0]: must be an object, not an integer"},
		{HEAD "\"rounds\": [null]}", "rounds[0]: must be an object, not null"},
		{HEAD "\"rounds\": [{}]}", "rounds[0].side: is missing"},
		{HEAD "\"rounds\": [{\"side\": \"C\"}]}", "rounds[0].side: must be \"A\" or \"B\""},
		{HEAD "\"rounds\": [{\"side\": 1}]}", "rounds[0].side: must be \"A\" or \"B\""},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"cpu\": {\"total_seconds\": \"1\"}}]}",
		 "rounds[0].cpu.total_seconds: must be a number or null, not a string"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"pair\": 1.5}]}",
		 "rounds[0].pair: must be an integer or null, not a number"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"validity\": {\"valid\": 1}}]}",
		 "rounds[0].validity.valid: must be true or false"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"validity\": {\"reasons\": \"x\"}}]}",
		 "rounds[0].validity.reasons: must be an array of strings"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"validity\": {\"reasons\": [3]}}]}",
		 "rounds[0].validity.reasons[0]: must be a string"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"latency\": []}]}",
		 "rounds[0].latency: must be an object"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"latency\": {\"x\": 1}}]}",
		 "rounds[0].latency.x: must be an object"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"series\": {\"cpu_utilization\": [1, 2], "
		      "\"rss_bytes\": [1]}}]}",
		 "rounds[0].series.rss_bytes: has 1 values"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"series\": {\"rss_bytes\": [true]}}]}",
		 "rounds[0].series.rss_bytes[0]: must be a number or null, not true"},
		{HEAD "\"rounds\": [], \"perfbpf\": {\"seed\": -1}}", "perfbpf.seed: must be"},
		{HEAD "\"rounds\": [], \"perfbpf\": {\"seed\": \"x\"}}", "perfbpf.seed: must be"},
		{HEAD "\"rounds\": [], \"perfbpf\": {\"seed\": \"99999999999999999999\"}}",
		 "perfbpf.seed: must be"},
		{HEAD "\"rounds\": [], \"verdict\": {\"winner\": \"nobody\"}}",
		 "verdict.winner: must be \"A\" or \"B\", not \"nobody\""},
		{HEAD "\"rounds\": [], \"comparison\": [{\"better\": \"faster\"}]}",
		 "comparison[0].better: must be \"lower\" or \"higher\""},
		{HEAD "\"rounds\": [], \"rounds\": []}", "rounds: is no JSON: is there twice"},
		{HEAD
		 "\"rounds\": [{\"side\": \"A\", \"latency\": {\"a\": {}, \"b\": {}, \"a\": {}}}]}",
		 "rounds[0].latency.a: is no JSON: is there twice"},
		{HEAD "\"rounds\": [], \"host\": {\"cpus\": NaN}}",
		 ":1:60: host.cpus: is no JSON: a value is missing"},
		{HEAD "\"rounds\": [],\n\"host\": {\"cpus\": nul}}",
		 ":2:18: host.cpus: is no JSON: a value is missing"},
		{HEAD "\"rounds\": [], \"host\": {\"cpus\": 99999999999999999999}}",
		 "host.cpus: must be smaller"},
		{HEAD "\"rounds\": [], \"host\": {\"cpus\": 9223372036854775808}}",
		 "host.cpus: must be smaller"},
		{HEAD "\"rounds\": [], \"host\": {\"cpus\": 01}}",
		 "host: is no JSON: ',' is missing"},
		{HEAD "\"rounds\": [], \"host\": {\"cpus\": +1}}",
		 "is no JSON: a value is missing"},
		{HEAD "\"rounds\": [], \"host\": {cpus: 1}}", "host: is no JSON: a key is missing"},
		{HEAD "\"rounds\": [], \"later\": {\"x\": tru}}", "later: is no JSON"},
		{HEAD "\"rounds\": [], \"later\": [1,]}", "later: is no JSON"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"window_seconds\": 1e999}]}",
		 "rounds[0].window_seconds: must be smaller"},
		{HEAD "\"rounds\": [{\"side\": \"A\", \"series\": {\"rss_bytes\": [1, -1e999]}}]}",
		 "rounds[0].series.rss_bytes[1]: must be smaller"},
		{"{\"rounds\": 7}", "schema: is missing: this is no record"},
		{"{\"rounds\": 7, \"schema\": \"perfbpf.run/2\"}", "newer than this program"},
		{"{\"rounds\": 7, \"schema\": \"perfbpf.run/1\"}", "rounds: must be an array"},
		{"{\"rounds\": 7, \"schema\": [}", "rounds: must be an array"},
		{"{\"schema\": \"a\\nb\"}", "not \"a?b\""},
		{HEAD "\"rounds\": [], \"host\": {\"kernel\": \"\xff\xfe\"}}", "is no JSON"},
		{HEAD "\"rounds\": [], \"host\": {\"kernel\": \"a\\u0000b\"}}", "is no JSON"},
		{HEAD "\"rounds\": []} more", "is no JSON"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].wanted);
}

/* Every prefix of a real record is refused. */
static void test_truncated(void **state)
{
	struct record *rec = sample_record(1, false);
	char *text = record_to_json(rec);
	size_t size = strlen(text) - 2; /* without "}\n" */

	(void)state;
	for (size_t n = 0; n <= size; n += n < size - 64 ? 61 : 1)
		assert_refused(text, n, "is no JSON");
	free(text);
	record_free(rec);
}

static void test_deep(void **state)
{
	enum { DEPTH = 1000000 };
	static const char head[] = HEAD "\"later\": ";
	char *text = malloc(sizeof(head) + DEPTH);

	(void)state;
	memset(text, '[', DEPTH);
	assert_refused(text, DEPTH, "must be an object, not an array");
	memcpy(text, head, strlen(head));
	memset(text + strlen(head), '[', DEPTH);
	assert_refused(text, strlen(head) + DEPTH, "later: is no JSON: too many brackets");
	free(text);
}

/* Few bytes an element, and each would become a round of kilobytes. */
static void test_huge(void **state)
{
	enum { ELEMENTS = 400000 };
	static const char element[] = "{\"side\": \"A\"},";
	size_t head = strlen(HEAD "\"rounds\": ["), size = head + strlen(element) * ELEMENTS;
	char *text = malloc(size), *at = text;

	(void)state;
	at = mempcpy(at, HEAD "\"rounds\": [", head);
	for (int i = 0; i < ELEMENTS; i++)
		at = mempcpy(at, element, strlen(element));
	assert_refused(text, size, "is more than this file can stand for");
	free(text);
}

static void test_lenient(void **state)
{
	static const char text[] = HEAD
		"\"rounds\": [{\"side\": \"B\", \"later\": {\"x\": [1]}, \"window_seconds\": 3, "
		"\"work\": {\"lines\": 5}, \"latency\": {\"request\": {\"count\": 2}}, "
		"\"cpu\": null}], \"added\": true}";
	struct error err;
	struct record *rec = record_parse(text, strlen(text), "x", &err);

	(void)state;
	assert_non_null(rec);
	assert_int_equal(rec->n_rounds, 1);
	assert_int_equal(rec->rounds[0].side, SIDE_B);
	assert_true(rec->rounds[0].window_seconds == 3);
	assert_true(isnan(rec->rounds[0].cpu.total_seconds));
	assert_true(rec->rounds[0].has_work);
	assert_int_equal(rec->rounds[0].work.lines, 5);
	assert_true(rec->rounds[0].work.lost == RECORD_NONE);
	assert_false(rec->rounds[0].has_driver);
	assert_string_equal(rec->rounds[0].latency[0].name, "request");
	assert_int_equal(rec->rounds[0].latency[0].count, 2);
	assert_true(rec->complete);
	assert_int_equal(rec->verdict.winner, -1);
	record_free(rec);
}

static void test_absent(void **state)
{
	struct error err;

	(void)state;
	assert_null(record_read("/nonexistent/folder", &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(err.text, "/nonexistent/folder: No such file or directory");
	assert_null(record_read("/dev", &err));
	assert_string_equal(err.text, "/dev/run.json: No such file or directory");
	assert_null(record_read("/dev/null", &err));
	assert_non_null(strstr(err.text, "is no JSON"));
}

/* A file of @text, to be unlinked. */
static void put_file(const char *path, const char *text, size_t size)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

/* Longer than what is read at a time, with a string that is, too. */
static struct record *long_record(void)
{
	struct record *rec = sample_record(150, true);
	char *note = malloc(700001);

	for (int i = 0; i < 700000; i++)
		note[i] = "ab\n\"\\\x01 "[i % 7];
	note[700000] = '\0';
	record_note(rec, note);
	free(note);
	return rec;
}

static void test_long_file(void **state)
{
	char path[] = "/tmp/perfbpf-unit-XXXXXX";
	struct record *rec = long_record(), *again;
	char *text = record_to_json(rec), *second, *at;
	struct error err = {.text = ""};

	(void)state;
	close(mkstemp(path));
	put_file(path, text, strlen(text));
	again = record_read(path, &err);
	assert_string_equal(err.text, "");
	second = record_to_json(again);
	assert_true(!strcmp(text, second));
	/* Far behind the first piece, the place is still told as an editor counts. */
	at = strstr(text + strlen(text) - 4000, "\"rx_bytes\"");
	at = at ? at : strrchr(text, ':');
	*at = '!';
	put_file(path, text, strlen(text));
	assert_null(record_read(path, &err));
	{
		size_t line = 1, column = 1;
		char wanted[64];

		for (const char *c = text; c < at; c++) {
			column++;
			if (*c == '\n') {
				line++;
				column = 1;
			}
		}
		snprintf(wanted, sizeof(wanted), ":%zu:%zu: ", line, column);
		if (!strstr(err.text, wanted))
			fail_msg("%s is not in: %s", wanted, err.text);
	}
	unlink(path);
	free(text);
	free(second);
	record_free(rec);
	record_free(again);
}

/* Writes @text to @fd in pieces that end anywhere. */
static void write_pieces(int fd, const char *text)
{
	size_t left = strlen(text), piece = 1;

	for (; left; piece = piece * 7 % 5003) {
		ssize_t n = write(fd, text, piece < left ? piece : left);

		if (n < 0)
			_exit(1);
		text += n;
		left -= (size_t)n;
	}
	_exit(0);
}

static void test_pipe(void **state)
{
	struct record *rec = sample_record(20, true), *again;
	char *text = record_to_json(rec), *second, path[64];
	struct error err = {.text = ""};
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		write_pieces(fds[1], text);
	}
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	again = record_read(path, &err);
	assert_string_equal(err.text, "");
	second = record_to_json(again);
	assert_string_equal(text, second);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(text);
	free(second);
	record_free(rec);
	record_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken),    cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_deep),      cmocka_unit_test(test_huge),
		cmocka_unit_test(test_lenient),   cmocka_unit_test(test_absent),
		cmocka_unit_test(test_long_file), cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
