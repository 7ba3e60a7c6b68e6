/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is told of requests, waits, storage, peers and system calls, in text and in Markdown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/merged.h"
#include "sample_details.h"
#include "sample_report.h"
#include "util/utf8.h"

static void assert_within(const char *text, size_t width)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t columns = 0, length;
		uint32_t code;

		for (const char *c = line; *c && *c != '\n'; c += length) {
			length = utf8_decode(c, &code);
			assert_true(length > 0);
			columns += (size_t)utf8_columns(code);
		}
		if (columns > width)
			fail_msg("over %zu columns: %.200s", width, line);
	}
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%.900s", part,
			 strstr(text, "\nWhat limited") ? strstr(text, "\nWhat limited") : text);
}

static char *report_of(struct record *rec, const struct report_format *format, int width, bool all)
{
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	return sample_report(rec, format, width, all);
}

static void two_sides(void **state)
{
	static const char *const parts[] = {
		"\nWhat limited the run\nA kubectl: 20 threads shared a lock: 94 % of",
		"\nWhere the time went, all rounds\n"
		"                             share  A kubectl   share  B curl\n"
		"on a CPU                    2.50 %     2.00 s  3.12 %  2.50 s\n",
		"\nwaiting for a lock          20.0 %     16.0 s  20.0 %  16.0 s\n"
		"waiting for another thread  2.50 %     2.00 s  2.50 %  2.00 s\n",
		"\nall threads together         100 %     80.0 s   100 %  80.0 s\n",
		"\nrun queue  A     100,000  5.02 us  12.4 us  13.4 us  13.5 us  13.6 us\n",
		"\nserved                                 40,000  40,000\n",
		"\nconnections that stream, left out           4       4\n",
		"\nrequests per second                     2,000   2,000\n",
		"\nqueue       B     40,000  25.0 us  61.7 us  67.1 us  68.0 us  68.0 us\n",
		"\nround trip  A      1,000  1.99 ms  4.88 ms  5.34 ms        -  5.43 ms\n",
		"\n-: a percentile needs 10 values beyond it: p95 200, p99 1,000 and p99.9 10,000",
		"\nBy protocol of A, all rounds\n",
		"\nhttp      server  GET /users/:id  30,000  0.20 %       2.01 ms  5.34 ms      "
		"2.67",
		"\nfsync        A       600  3.98 ms  9.76 ms       -      -  10.8 ms\n",
		"\nfsyncs that waited          600       600\n",
		"\nfrom 127.0.0.1, port 8080           40    40,000  36.0 MiB  10.0 MiB       0",
		"\nto 192.168.10.20:6379                8     1,000  39.1 KiB  2.00 MiB       4",
		"\nconnect  A         24   110 us        -       -       -  300 us\n",
		"\nfutex   8,000      24   8.50 s  1.06 ms  2.67 ms  2.72 ms\n",
		"\nTo see them cost 310 ns for each call of every process of the machine,",
		"\nhandler  A     60,000  5.01 ms  12.3 ms  13.3 ms  13.6 ms  13.6 ms\n",
		"\nValues behind the percentiles, in each round: delivery 140,000, queue 20,000,",
	};
	struct record *rec = sample_detailed(2, true);
	char *text = report_of(rec, &report_text, 100, false);

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_has(text, parts[i]);
	assert_within(text, 100);
	/* What is nothing, or less than the account's own error, is not shown. */
	assert_null(strstr(text, "unaccounted"));
	assert_null(strstr(text, "taken from it there"));
	assert_null(strstr(text, "without their arrival"));
	assert_null(strstr(text, "failed block requests"));
	free(text);
	record_free(rec);
}

static void one_side(void **state)
{
	struct record *rec = sample_detailed(1, false);
	char *text;

	(void)state;
	rec->rounds[0].time.unaccounted_seconds = -0.05;
	rec->rounds[0].time.stolen_seconds = 0.5;
	text = report_of(rec, &report_text, 100, false);
	assert_has(text, "\nunaccounted                             -0.12 %   -50.0 ms\n");
	assert_has(text, "\ntaken from it there (host, interrupts)   1.25 %     500 ms\n");
	assert_has(text, "\n             count      p50      p95      p99    p99.9      max\n");
	assert_has(text, "\nBy protocol, all rounds\n");
	assert_null(strstr(text, " of A"));
	assert_null(strstr(text, "B curl"));
	free(text);
	record_free(rec);
}

/* A record of CPU, memory and sockets has none of it. */
static void nothing_to_tell(void **state)
{
	static const char *const titles[] = {
		"What limited", "What was in use", "Where the time", "Requests", "By protocol",
		"Storage",      "Peers",           "System calls",   "How long", "Other latencies"};
	struct record *rec = sample_record(2, true);
	char *text = report_of(rec, &report_text, 100, true);

	(void)state;
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strstr(text, titles[i]))
			fail_msg("%s is in:\n%s", titles[i], text);
	free(text);
	record_free(rec);
}

static void markdown(void **state)
{
	struct record *rec = sample_detailed(2, true);
	char *text = report_of(rec, &report_markdown, 0, false);

	(void)state;
	assert_has(text,
		   "\n## What limited the run\n\n- A kubectl: 20 threads shared a lock: 94 %");
	assert_has(text, "\n|  | share | A kubectl | share | B curl |\n|---|---:|---:|---:|---:|\n"
			 "| on a CPU | 2.50 % | 2.00 s | 3.12 % | 2.50 s |\n");
	assert_has(text, "\n|  | side | count | p50 | p95 | p99 | p99.9 | max |\n"
			 "|---|---|---:|---:|---:|---:|---:|---:|\n| run queue | A | 100,000 | ");
	assert_has(text, "\n| http | server | GET /users/:id | 30,000 | 0.20 % | 2.01 ms | ");
	assert_has(text, "\n\n- -: a percentile needs 10 values");
	assert_has(text, "\nValues behind the percentiles, in each round: delivery 140,000, ");
	free(text);
	record_free(rec);
}

static void limits_of_rounds(void **state)
{
	struct record *rec = sample_detailed(3, true);
	char *text;

	(void)state;
	sample_replace(&rec->rounds[2].phases[0].limited_by, "cpu");
	sample_replace(&rec->rounds[2].phases[0].limit, "the machine's CPUs");
	for (size_t i = 1; i < 6; i += 2) {
		free(rec->rounds[i].phases[0].limited_by);
		free(rec->rounds[i].phases[0].limit);
		rec->rounds[i].phases[0].limited_by = rec->rounds[i].phases[0].limit = NULL;
	}
	text = report_of(rec, &report_text, 0, false);
	assert_has(text, "A kubectl: 20 threads shared a lock: 94 % of their time went to waiting "
			 "for it, and on average 1.0 of them ran (in 2 of 3 rounds)\n");
	assert_has(text, "B curl: no evidence that anything was short\n");
	free(text);
	record_free(rec);
}

static void add_second_phase(struct record_round *round)
{
	struct record_round_phase *phase;

	round->phases = reallocarray(round->phases, 2, sizeof(*round->phases));
	round->n_phases = 2;
	phase = &round->phases[1];
	*phase = round->phases[0];
	phase->name = strdup("burst");
	phase->limited_by = phase->limit = NULL;
	phase->cpu = (struct record_use){0.98, 1.5, RECORD_NONE};
	phase->network = (struct record_use){0.25, 2.5, 3};
	phase->driver = (struct record_use){0.4, 0.01 * (double)(round->pair + 1), 2};
	/* What nobody knows is left out. */
	phase->disk = (struct record_use){NAN, NAN, RECORD_NONE};
}

static void use_by_phase(void **state)
{
	static const char *const parts[] = {
		"\nWhat was in use by phase, all rounds\n"
		"phase  resource   use of A  use of B  ",
		"\nmain   CPUs         60.0 %    60.0 %     0.1 too many",
		"\n       run queue    90.0 %    90.0 %    10.0 % waited    10.0 % waited          "
		"  "
		"-            -",
		"\n       memory       30.0 %    30.0 %      0 % stalled",
		"\n       disk         20.0 %    20.0 %    0.3 at a time",
		"\n       network           -         -       0 % resent",
		"\n       driver       10.0 %    10.0 %     1.00 ms late",
		"\nburst  CPUs         98.0 %    98.0 %     1.5 too many",
		"\n       network      25.0 %    25.0 %    0.25 % resent",
		/* the most of both rounds, and what they dropped together */
		"\n       driver       40.0 %    40.0 %     20.0 ms late     20.0 ms late          "
		"  "
		"4            4",
		"\nA kubectl, phase main: 20 threads shared a lock",
		"\nA kubectl, phase burst: no evidence",
	};
	struct record *rec = sample_detailed(2, true);
	char *text;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		add_second_phase(&rec->rounds[i]);
	text = report_of(rec, &report_text, 100, false);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_has(text, parts[i]);
	assert_within(text, 100);
	free(text);
	text = report_of(rec, &report_markdown, 0, false);
	assert_has(text, "\n|  | memory | 30.0 % | 30.0 % | 0 % stalled | 0 % stalled | 0 | 0 |\n");
	free(text);
	record_free(rec);
}

/* A terminal is spared what one phase used, unless all is asked for. */
static void use_in_one_phase(void **state)
{
	struct record *rec = sample_detailed(1, false);
	char *text = report_of(rec, &report_text, 100, false);

	(void)state;
	assert_null(strstr(text, "What was in use"));
	free(text);
	text = report_of(rec, &report_text, 100, true);
	assert_has(text, "\nphase  resource      use     saturation  errors\n");
	free(text);
	text = report_of(rec, &report_markdown, 0, false);
	assert_has(text, "\n| phase | resource | use | saturation | errors |\n"
			 "|---|---|---:|---:|---:|\n| main | CPUs | 60.0 % | 0.1 too many | - |\n");
	free(text);
	record_free(rec);
}

static void many_labels(struct record_round *round, size_t n)
{
	char label[160];

	for (size_t i = 0; i < round->n_protocols; i++) {
		free(round->protocols[i].protocol);
		free(round->protocols[i].role);
		free(round->protocols[i].label);
		free(round->protocols[i].response.bucket_upper_seconds);
		free(round->protocols[i].response.bucket_counts);
		free(round->protocols[i].service.bucket_upper_seconds);
		free(round->protocols[i].service.bucket_counts);
	}
	free(round->protocols);
	round->n_protocols = n;
	round->protocols = calloc(n, sizeof(*round->protocols));
	for (size_t i = 0; i < n; i++) {
		snprintf(label, sizeof(label), "GET /%zu/%0*d", i, i ? 3 : 120, 0);
		round->protocols[i].protocol = strdup("http");
		round->protocols[i].label = strdup(label);
		round->protocols[i].count = 100 + (int64_t)i;
		round->protocols[i].errors = RECORD_NONE;
		latency_init(&round->protocols[i].service);
		sample_fill(&round->protocols[i].response, NULL, 1e-3, 100 + i);
	}
}

static void the_most_frequent_labels(void **state)
{
	struct record *rec = sample_detailed(1, false);
	char *text;

	(void)state;
	many_labels(&rec->rounds[0], 14);
	text = report_of(rec, &report_text, 0, false);
	assert_has(text,
		   "\nhttp            GET /13/000    113       -       1.00 ms    -            -"
		   "\nhttp            GET /12/000 ");
	assert_null(strstr(text, "GET /3/000"));
	assert_has(text, "\nand 4 more kinds (--all)\n-: p99 needs 1,000 requests.\n");
	free(text);
	text = report_of(rec, &report_text, 0, true);
	assert_has(text, "GET /3/000");
	assert_has(text, "GET /0/000000000");
	assert_has(text, "\xe2\x80\xa6"); /* cut, though there is no bound to the width */
	assert_null(
		strstr(text, "0000000000000000000000000000000000000000000000000000000000000000"));
	assert_null(strstr(text, "more kinds"));
	free(text);
	record_free(rec);
}

static void peers_of_all_kinds(void **state)
{
	struct record *rec = sample_detailed(1, false);
	char *text;

	(void)state;
	sample_replace(&rec->rounds[0].peers[0].address, "fe80::1");
	sample_replace(&rec->rounds[0].peers[1].address, "unix");
	rec->rounds[0].peers[1].port = RECORD_NONE;
	text = report_of(rec, &report_text, 0, false);
	assert_has(text, "\nto [fe80::1]:6379 ");
	assert_has(text, "\nfrom unix ");
	free(text);
	record_free(rec);
}

/* Rounds of one side are summed, and what is called alike is one thing. */
static void merging(void **state)
{
	struct record *rec = sample_detailed(3, true);
	struct merged *all, *valid;

	(void)state;
	record_invalid(&rec->rounds[2], "lost");
	sample_replace(&rec->rounds[0].protocols[1].label, "GET /other");
	all = merged_new(rec, SIDE_A, false);
	valid = merged_new(rec, SIDE_A, true);
	assert_int_equal(all->rounds, 3);
	assert_int_equal(valid->rounds, 2);
	assert_true(all->sum.window_seconds == 30 && valid->sum.window_seconds == 20);
	assert_int_equal(all->sum.requests.served, 60000);
	assert_int_equal(valid->sum.requests.served, 40000);
	assert_true(fabs(valid->sum.time.lock_seconds - 16) < 1e-9);
	assert_int_equal(valid->sum.io.fsyncs, 600);
	assert_int_equal(all->sum.n_protocols, 4);
	assert_string_equal(all->sum.protocols[0].label, "GET /users/:id");
	assert_int_equal(all->sum.protocols[0].count, 45000);
	assert_int_equal(all->sum.protocols[0].response.count, 45000);
	assert_string_equal(all->sum.protocols[1].label, "POST /orders");
	assert_int_equal(all->sum.protocols[1].count, 10000);
	assert_string_equal(all->sum.protocols[2].label, "GET /other");
	assert_string_equal(all->sum.latency[0].name, "delivery"); /* in the order of a round */
	assert_string_equal(all->sum.latency[1].name, "queue");
	assert_int_equal(latency_find(&all->sum, "queue")->count, 60000);
	assert_int_equal(all->sum.syscalls[0].count, 12000);
	assert_true(fabs(all->sum.peers[1].rtt_mean_seconds - 45e-6) < 1e-12);
	merged_free(all);
	merged_free(valid);
	merged_free(NULL);
	record_free(rec);
}

static void plant(struct record_round *round, const char *text)
{
	sample_replace(&round->latency[round->n_latency - 1].name, text);
	sample_replace(&round->protocols[0].protocol, text);
	sample_replace(&round->protocols[0].role, text);
	sample_replace(&round->protocols[0].label, text);
	sample_replace(&round->peers[0].address, text);
	sample_replace(&round->peers[0].role, text);
	sample_replace(&round->syscalls[0].name, text);
	sample_replace(&round->phases[0].name, text);
	sample_replace(&round->phases[0].limited_by, text);
	sample_replace(&round->phases[0].limit, text);
	sample_replace(&round->threads[0].comm, text);
}

static void planted(void **state)
{
	static const int widths[] = {0, 40, 100};
	struct record *rec = sample_planted(PLANTED);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		sample_details(&rec->rounds[i], 1);
		plant(&rec->rounds[i], PLANTED);
	}
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		char *text = report_of(rec, &report_text, widths[i], i % 2);

		sample_assert_harmless(text, "\n");
		if (widths[i])
			assert_within(text, (size_t)widths[i]);
		free(text);
		text = report_of(rec, &report_markdown, 0, i % 2);
		sample_assert_harmless(text, "\n");
		*strstr(text, "## To run it again") = '\0'; /* code blocks need no escapes */
		assert_null(strstr(text, "<script"));
		free(text);
		text = report_of(rec, &report_csv, 0, i % 2);
		sample_assert_harmless(text, "\r\n");
		free(text);
	}
	record_free(rec);
}

/* Names that are missing, counts that are none, and a time that nobody knows. */
static void unknown_details(void **state)
{
	struct record *rec = sample_detailed(1, true);
	struct record_round *round = &rec->rounds[0];
	char *text;

	(void)state;
	plant(round, "x");
	free(round->protocols[0].label);
	free(round->peers[0].address);
	free(round->syscalls[0].name);
	free(round->phases[0].limit);
	round->protocols[0].label = round->peers[0].address = NULL;
	round->syscalls[0].name = round->phases[0].limit = NULL;
	round->protocols[0].count = round->syscalls[0].count = RECORD_NONE;
	round->time.lock_seconds = NAN;
	round->time.wall_seconds = NAN;
	round->requests.served = RECORD_NONE;
	round->window_seconds = NAN;
	rec->rounds[1].has_time = rec->rounds[1].has_requests = rec->rounds[1].has_io = false;
	text = report_of(rec, &report_text, 100, true);
	assert_has(text, "A kubectl: x\n"); /* the name of a limit that has no sentence */
	assert_null(strstr(text, "nan"));
	free(text);
	text = report_of(rec, &report_markdown, 0, true);
	assert_null(strstr(text, "nan"));
	free(text);
	record_free(rec);
}

static void columns_of_csv(void **state)
{
	struct record *rec = sample_detailed(1, true);
	char *text = report_of(rec, &report_csv, 0, false);

	(void)state;
	assert_has(text, ",latency.queue.p99_seconds,");
	assert_has(text, ",time.lock_seconds,");
	assert_has(text, ",io.fsyncs,");
	assert_has(text, ",requests.per_second,");
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_sides),
		cmocka_unit_test(one_side),
		cmocka_unit_test(nothing_to_tell),
		cmocka_unit_test(markdown),
		cmocka_unit_test(limits_of_rounds),
		cmocka_unit_test(use_by_phase),
		cmocka_unit_test(use_in_one_phase),
		cmocka_unit_test(the_most_frequent_labels),
		cmocka_unit_test(peers_of_all_kinds),
		cmocka_unit_test(merging),
		cmocka_unit_test(planted),
		cmocka_unit_test(unknown_details),
		cmocka_unit_test(columns_of_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
