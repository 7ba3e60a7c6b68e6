/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The checker, fed through a pipe as a target would. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive/kubelogs/check.h"
#include "util/random.h"
#include "util/clock.h"

#define PODS 20

/* A window of one second that is over: lines of [from, to) of each pod lie in it. */
struct fixture {
	struct source source;
	struct check *check;
	uint64_t open_ns, close_ns;
	uint64_t from[PODS], to[PODS];
	uint64_t in_window;
	int read_fd, write_fd;
};

static int set_up_with(void **state, const struct filter *filter)
{
	struct schedule_config config = {
		.deployments = 10, .replicas = 2, .rate = 14000, .seed = 1, .bursts = true};
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;
	int fds[2];

	assert_non_null(f);
	*state = f;
	/* It began four seconds ago; the window was from the second to the third. */
	f->open_ns = clock_now_ns() - 2 * NSEC_PER_SEC;
	f->close_ns = f->open_ns + NSEC_PER_SEC;
	if (source_open(&f->source, "perf-test", &config, f->open_ns - 2 * NSEC_PER_SEC,
			1732000000 * NSEC_PER_SEC, &err) ||
	    content_set_filter(f->source.content, filter, &err))
		return -1;
	f->check = check_new(&f->source);
	for (uint32_t pod = 0; pod < PODS; pod++) {
		f->from[pod] = source_due(&f->source, pod, f->open_ns - 1);
		f->to[pod] = source_due(&f->source, pod, f->close_ns - 1);
		f->in_window += f->to[pod] - f->from[pod];
	}
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -1;
	f->read_fd = fds[0];
	f->write_fd = fds[1];
	check_open_window(f->check, f->open_ns, 100 * NSEC_PER_MSEC);
	check_close_window(f->check, f->close_ns);
	return !f->check;
}

static int set_up(void **state)
{
	return set_up_with(state, &(struct filter){0});
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	check_free(f->check);
	source_close(&f->source);
	close(f->read_fd);
	if (f->write_fd >= 0)
		close(f->write_fd);
	free(f);
	return 0;
}

/* Writes all, reading on the other side where the pipe is full. */
static void print(struct fixture *f, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(f->write_fd, text, length);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(check_read(f->check, f->read_fd), 0);
			continue;
		}
		text += n;
		length -= (size_t)n;
	}
}

static void print_text(struct fixture *f, const char *text)
{
	print(f, text, strlen(text));
}

/* A line with what a tool puts before it, and perhaps behind it. */
static void print_line(struct fixture *f, const char *prefix, uint32_t pod, uint64_t seq,
		       const char *suffix)
{
	char line[CONTENT_LINE_MAX + 1];
	size_t length = source_line(&f->source, pod, seq, line);

	print_text(f, prefix);
	print(f, line, length - 1);
	print_text(f, suffix);
	print_text(f, "\n");
}

static void print_window(struct fixture *f, const char *prefix, const char *suffix)
{
	for (uint32_t pod = 0; pod < PODS; pod++)
		for (uint64_t seq = f->from[pod]; seq < f->to[pod]; seq++)
			print_line(f, prefix, pod, seq, suffix);
}

/* Closes the output and counts. */
static const struct check_counts *counted(struct fixture *f)
{
	int rc;

	close(f->write_fd);
	f->write_fd = -1;
	do
		rc = check_read(f->check, f->read_fd);
	while (!rc);
	assert_int_equal(rc, 1);
	check_settle(f->check);
	return check_counts(f->check);
}

static void expect_clean(const struct check_counts *counts)
{
	assert_int_equal(counts->duplicated, 0);
	assert_int_equal(counts->reordered, 0);
	assert_int_equal(counts->malformed, 0);
	assert_int_equal(counts->foreign, 0);
	assert_int_equal(counts->unwanted, 0);
}

static void exact_output_is_complete(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;
	uint64_t bytes = 0;
	char line[CONTENT_LINE_MAX];

	print_window(f, "", "");
	for (uint32_t pod = 0; pod < PODS; pod++)
		for (uint64_t seq = f->from[pod]; seq < f->to[pod]; seq++)
			bytes += source_line(&f->source, pod, seq, line);
	counts = counted(f);
	expect_clean(counts);
	assert_in_range(f->in_window, 13000, 16000);
	assert_int_equal(counts->expected, f->in_window);
	assert_int_equal(counts->found, f->in_window);
	assert_int_equal(counts->lines, f->in_window);
	assert_int_equal(counts->bytes, bytes);
	assert_int_equal(counts->delivery.count, f->in_window);
	/* Seen after the window, and at most some seconds later. */
	assert_true(counts->delivery.min_ns >= NSEC_PER_SEC);
	assert_true(counts->delivery.max_ns < 60 * NSEC_PER_SEC);
	assert_true(check_is_complete(f->check));
}

static void prefixes_and_colours_are_the_tools_own(void **state)
{
	static const char *const prefixes[] = {
		"[pod/perf-generator-01-x-00000/log-generator] ",
		"perf-generator-01-x-00000 log-generator ",
		"2024-11-19T07:23:24.000000001Z ",
		"\033[36;1mperf-generator\033[0m \033[33mlog\033[0m ",
		"{\"stamp\":\"",
		"#/pb/ # ",
	};
	struct fixture *f = *state;
	const struct check_counts *counts;
	uint64_t lines = 0;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++, lines += 3) {
		print_line(f, prefixes[i], 0, f->from[0] + i, "");
		print_line(f, prefixes[i], 16, f->from[16] + i, "\r");
		print_line(f, prefixes[i], 3, f->from[3] + i, "\033[0m");
	}
	counts = counted(f);
	expect_clean(counts);
	assert_int_equal(counts->lines, lines);
}

static void lost_lines_are_missed(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;
	uint64_t lost = 0;

	for (uint32_t pod = 0; pod < PODS; pod++)
		for (uint64_t seq = f->from[pod]; seq < f->to[pod]; seq++) {
			if (seq % 100 == 7)
				lost++;
			else
				print_line(f, "", pod, seq, "");
		}
	counts = counted(f);
	expect_clean(counts);
	assert_int_equal(counts->expected - counts->found, lost);
	assert_false(check_is_complete(f->check));
}

static void duplicates_and_latecomers_are_told_apart(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;
	uint64_t at = f->from[5];
	static const int order[] = {0, 1, 3, 2, 4, 4, 4, 1, 9, 5, 7, 6, 8, 8, 0};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		print_line(f, "x ", 5, at + (uint64_t)order[i], "");
	/* Another pod's order is its own. */
	print_line(f, "", 4, f->from[4], "");
	counts = counted(f);
	assert_int_equal(counts->lines, sizeof(order) / sizeof(order[0]) + 1);
	assert_int_equal(counts->found, 11);
	assert_int_equal(counts->duplicated, 5);
	/* 2; 5, 7, 6, 8 after 9. */
	assert_int_equal(counts->reordered, 5);
	assert_int_equal(counts->malformed, 0);
}

static void lines_of_other_times_do_not_count(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;

	for (uint64_t i = 0; i < 100; i++) {
		print_line(f, "", 2, f->from[2] - 1 - i, "");
		print_line(f, "", 2, f->to[2] + i, "");
	}
	/* Seen after the window, without a time of their own. */
	print_text(f, "hello\npb#broken\n");
	counts = counted(f);
	expect_clean(counts);
	assert_int_equal(counts->lines, 0);
	assert_int_equal(counts->found, 0);
	assert_int_equal(counts->delivery.count, 0);
}

static void changed_lines_are_malformed(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;
	char line[CONTENT_LINE_MAX];
	size_t length;

	/* Cut at its end. */
	length = source_line(&f->source, 0, f->from[0], line);
	print(f, line, length - 5);
	print_text(f, "\n");
	/* Something behind it. */
	print_line(f, "", 0, f->from[0] + 1, " more");
	/* One letter. */
	length = source_line(&f->source, 0, f->from[0] + 2, line);
	line[length - 3] ^= 1;
	print(f, line, length);
	/* Another's text under a true stamp. */
	length = source_line(&f->source, 0, f->from[0] + 3, line);
	print(f, line, (size_t)((char *)memrchr(line, '#', length) + 1 - line));
	print_text(f, " INFO all is well\n");
	/* A JSON line that lost its beginning. */
	length = source_line(&f->source, 16, f->from[16], line);
	print(f, line + 3, length - 3);
	counts = counted(f);
	assert_int_equal(counts->malformed, 5);
	assert_int_equal(counts->lines, 0);
	assert_int_equal(counts->found, 0);
}

static void torn_lines_are_malformed(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;
	char a[CONTENT_LINE_MAX], b[CONTENT_LINE_MAX];
	size_t a_length = source_line(&f->source, 0, f->from[0], a);
	size_t b_length = source_line(&f->source, 7, f->from[7], b);

	/* Two on one line. */
	print(f, a, a_length - 1);
	print(f, b, b_length);
	/* One inside the other: two broken lines, the second without a stamp. */
	a_length = source_line(&f->source, 0, f->from[0] + 1, a);
	b_length = source_line(&f->source, 7, f->from[7] + 1, b);
	print(f, a, 60);
	print(f, b, b_length);
	print(f, a + 60, a_length - 60);
	print_line(f, "", 7, f->from[7] + 2, "");
	counts = counted(f);
	assert_int_equal(counts->malformed, 2);
	assert_int_equal(counts->lines, 1);
}

static void inventions_are_malformed(void **state)
{
	struct fixture *f = *state;
	const struct check_counts *counts;
	char line[CONTENT_LINE_MAX];
	/* Due in an hour: the text is right, but nobody can have it yet. */
	uint64_t seq = source_due(&f->source, 0, clock_now_ns() + 3600 * NSEC_PER_SEC);

	check_close_window(f->check, UINT64_MAX - 1);
	print(f, line, source_line(&f->source, 0, seq, line));
	print_text(f, "pb#99/1/1732000000000000000# INFO no such pod\n");
	print_text(f, "pb#00/18446744073709551615/1732000000000000000# INFO no such line\n");
	close(f->write_fd);
	f->write_fd = -1;
	assert_int_equal(check_read(f->check, f->read_fd), 0);
	check_close_window(f->check, clock_now_ns() + 1);
	counts = (check_settle(f->check), check_counts(f->check));
	assert_int_equal(counts->malformed, 3);
	assert_int_equal(counts->lines, 0);
}

static void the_filter_says_what_is_expected(void **state)
{
	char word[] = "ERROR", *words[] = {word};
	struct filter_clause clause = {1, words};
	struct filter filter = {.n_clauses = 1, .clauses = &clause};
	const struct check_counts *counts;
	struct fixture *f;
	uint64_t errors = 0;

	tear_down(state);
	assert_int_equal(set_up_with(state, &filter), 0);
	f = *state;
	for (uint32_t pod = 0; pod < PODS; pod++)
		for (uint64_t seq = f->from[pod]; seq < f->to[pod]; seq++) {
			char line[CONTENT_LINE_MAX];
			size_t length = source_line(&f->source, pod, seq, line);
			bool is_error = memmem(line, length, word, sizeof(word) - 1);

			errors += is_error;
			/* Besides, two that nobody asked for. */
			if (is_error || (pod == 0 && seq < f->from[0] + 2))
				print(f, line, length);
		}
	counts = counted(f);
	assert_in_range(errors, 500, 3000);
	assert_int_equal(counts->expected, errors);
	assert_int_equal(counts->found, errors);
	assert_int_equal(counts->unwanted, counts->lines - errors);
	assert_int_equal(counts->malformed, 0);
	assert_int_equal(check_wanted_seen(f->check), errors);
}

/* Told late of both ends, it counts the same: lines are kept until they have settled. */
static void a_window_may_be_told_a_little_late(void **state)
{
	struct fixture *f = *state;
	struct check *check = check_new(&f->source);
	uint64_t expected = 0;

	assert_non_null(check);
	for (uint64_t at = f->open_ns - 500 * NSEC_PER_MSEC; at < f->close_ns + 600 * NSEC_PER_MSEC;
	     at += NSEC_PER_MSEC) {
		for (uint32_t pod = 0; pod < PODS; pod++)
			for (uint64_t seq = source_due(&f->source, pod, at - NSEC_PER_MSEC);
			     seq < source_due(&f->source, pod, at); seq++) {
				char line[CONTENT_LINE_MAX];

				check_feed(check, line, source_line(&f->source, pod, seq, line),
					   at);
			}
		if (at == f->open_ns + 100 * NSEC_PER_MSEC)
			check_open_window(check, f->open_ns, 100 * NSEC_PER_MSEC);
		if (at == f->close_ns + 100 * NSEC_PER_MSEC)
			check_close_window(check, f->close_ns);
		check_advance(check, at);
	}
	check_settle(check);
	for (uint32_t pod = 0; pod < PODS; pod++)
		expected += f->to[pod] - f->from[pod];
	expect_clean(check_counts(check));
	assert_int_equal(check_counts(check)->expected, expected);
	assert_int_equal(check_counts(check)->found, expected);
	assert_true(check_counts(check)->delivery.max_ns <= NSEC_PER_MSEC);
	check_free(check);
}

/* Opened at the very moment, before it, and after it: the numbers' leap is no lost line. */
static void a_restart_is_not_a_billion_lost_lines(void **state)
{
	struct fixture *f = *state;
	static const int64_t offsets_ms[] = {0, -300, 200};

	source_restart(&f->source, f->open_ns);
	for (size_t i = 0; i < sizeof(offsets_ms) / sizeof(offsets_ms[0]); i++) {
		struct check *check = check_new(&f->source);
		uint64_t open_ns = f->open_ns + (uint64_t)(offsets_ms[i] * (int64_t)NSEC_PER_MSEC);

		assert_non_null(check);
		check_open_window(check, open_ns, 100 * NSEC_PER_MSEC);
		for (uint32_t pod = 0; pod < PODS; pod++) {
			uint64_t seq = source_first_since(&f->source, pod, open_ns);

			for (; seq < source_due(&f->source, pod, f->close_ns - 1);
			     seq = source_skip(&f->source, pod, seq + 1)) {
				char line[CONTENT_LINE_MAX];

				check_feed(check, line, source_line(&f->source, pod, seq, line),
					   f->close_ns);
			}
		}
		/* Numbers of the leap itself are nobody's. */
		check_feed(check, "pb#00/900000000/1# x\n", 21, f->close_ns - 1);
		check_advance(check, f->open_ns + NSEC_PER_SEC / 2);
		check_close_window(check, f->close_ns);
		check_settle(check);
		assert_in_range(check_counts(check)->expected, 10000, 20000);
		assert_int_equal(check_counts(check)->found, check_counts(check)->expected);
		assert_int_equal(check_counts(check)->malformed, 1);
		assert_int_equal(check_counts(check)->reordered, 0);
		check_free(check);
	}
}

static void the_series_is_by_the_time_seen(void **state)
{
	struct fixture *f = *state;
	struct check *check = check_new(&f->source);
	const uint64_t *series;
	uint64_t tick_ns, seq = f->from[1] - 20;
	size_t n;

	assert_non_null(check);
	check_open_window(check, f->open_ns, 100 * NSEC_PER_MSEC);
	/* Lines from before the window that are printed in it are seen in it. */
	for (uint64_t tick = 0; tick < 12; tick++)
		for (uint64_t i = 0; i < tick; i++, seq++) {
			char line[CONTENT_LINE_MAX];

			check_feed(check, line, source_line(&f->source, 1, seq, line),
				   f->open_ns + tick * 100 * NSEC_PER_MSEC + 1);
		}
	check_close_window(check, f->close_ns);
	check_settle(check);
	series = check_series(check, &n, &tick_ns);
	assert_int_equal(n, 10);
	assert_int_equal(tick_ns, 100 * NSEC_PER_MSEC);
	for (uint64_t tick = 0; tick < n; tick++)
		assert_int_equal(series[tick], tick);
	check_free(check);
}

static void garbage_is_survived(void **state)
{
	struct fixture *f = *state;
	struct check *check = check_new(&f->source);
	uint64_t random = 9;
	char bytes[4096];

	assert_non_null(check);
	check_open_window(check, f->open_ns, NSEC_PER_SEC);
	for (int i = 0; i < 2000; i++) {
		size_t length = random_below(&random, sizeof(bytes));

		for (size_t at = 0; at < length; at++)
			bytes[at] = (char)random_next(&random);
		/* With true beginnings in it. */
		if (length > 40 && i % 3 == 0)
			memcpy(bytes + length / 2, "pb#00/12/17", 11);
		if (length > 2 * CONTENT_LINE_MAX && i % 3 == 1)
			source_line(&f->source, i % PODS, f->from[0], bytes + length / 3);
		check_feed(check, bytes, length, f->open_ns + 1000);
	}
	check_feed_end(check, f->open_ns + 1000);
	check_close_window(check, f->close_ns);
	check_settle(check);
	assert_true(check_has_output(check));
	assert_true(check_counts(check)->foreign > 1000);
	check_free(check);
}

static void endless_lines_are_one_malformed_line(void **state)
{
	struct fixture *f = *state;
	struct check *check = check_new(&f->source);
	char *text = malloc(3 << 20), line[CONTENT_LINE_MAX];
	size_t length = 200000;

	assert_non_null(check);
	assert_non_null(text);
	check_open_window(check, f->open_ns, NSEC_PER_SEC);
	memset(text, 'x', 3 << 20);
	/* In one piece, and in many; and a good line right behind each. */
	text[length++] = '\n';
	length += source_line(&f->source, 0, f->from[0] - 1, text + length);
	check_feed(check, text, length, f->open_ns + 1);
	memset(text, 'x', 3 << 20);
	for (int i = 0; i < 3 << 10; i++)
		check_feed(check, text, 1024, f->open_ns + 2);
	check_feed(check, "\n", 1, f->open_ns + 3);
	check_feed(check, line, source_line(&f->source, 0, f->from[0] - 2, line), f->open_ns + 4);
	/* The longest that is still a line. */
	text[65535] = '\n';
	check_feed(check, text, 65536, f->open_ns + 5);
	check_close_window(check, f->close_ns);
	check_settle(check);
	assert_int_equal(check_counts(check)->malformed, 2);
	assert_int_equal(check_counts(check)->foreign, 1);
	assert_int_equal(check_wanted_seen(check), 2);
	free(text);
	check_free(check);
}

static void any_split_of_the_output_reads_the_same(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(100 * CONTENT_LINE_MAX);
	size_t length = 0;

	assert_non_null(text);
	for (uint64_t seq = 0; seq < 100; seq++)
		length += source_line(&f->source, 9, f->from[9] + seq, text + length);
	for (size_t piece = 1; piece < 300; piece += 7) {
		struct check *check = check_new(&f->source);

		assert_non_null(check);
		check_open_window(check, f->open_ns, NSEC_PER_SEC);
		check_close_window(check, f->close_ns);
		for (size_t at = 0; at < length; at += piece)
			check_feed(check, text + at, length - at < piece ? length - at : piece,
				   f->close_ns);
		check_settle(check);
		expect_clean(check_counts(check));
		assert_int_equal(check_counts(check)->found, 100);
		check_free(check);
	}
	free(text);
}

static void a_last_line_may_have_no_end(void **state)
{
	struct fixture *f = *state;
	char line[CONTENT_LINE_MAX];

	print(f, line, source_line(&f->source, 0, f->from[0], line) - 1);
	assert_int_equal(counted(f)->found, 1);
}

/* Of a real cluster's output only what is seen in the window is counted. */
static void unknown_lines_are_counted_by_time(void **state)
{
	struct check *check = check_new(NULL);

	(void)state;
	assert_non_null(check);
	check_feed(check, "before\n", 7, 999);
	check_open_window(check, 1000, 100);
	check_feed(check, "one\ntwo\n", 8, 1000);
	check_feed(check, "three\n", 6, 1999);
	check_feed(check, "after\n", 6, 2000);
	check_close_window(check, 2000);
	check_settle(check);
	assert_int_equal(check_counts(check)->lines, 3);
	assert_int_equal(check_counts(check)->bytes, 14);
	assert_int_equal(check_counts(check)->expected, 0);
	check_free(check);
}

#define with_window(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_window(exact_output_is_complete),
		with_window(prefixes_and_colours_are_the_tools_own),
		with_window(lost_lines_are_missed),
		with_window(duplicates_and_latecomers_are_told_apart),
		with_window(lines_of_other_times_do_not_count),
		with_window(changed_lines_are_malformed),
		with_window(torn_lines_are_malformed),
		with_window(inventions_are_malformed),
		with_window(the_filter_says_what_is_expected),
		with_window(a_window_may_be_told_a_little_late),
		with_window(a_restart_is_not_a_billion_lost_lines),
		with_window(the_series_is_by_the_time_seen),
		with_window(garbage_is_survived),
		with_window(endless_lines_are_one_malformed_line),
		with_window(any_split_of_the_output_reads_the_same),
		with_window(a_last_line_may_have_no_end),
		cmocka_unit_test(unknown_lines_are_counted_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
