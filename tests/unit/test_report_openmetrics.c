/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/escape.h"
#include "sample_details.h"
#include "sample_report.h"

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("\"%s\" is not in:\n%.4000s", line, text);
}

/* The number behind the sample that begins with @sample. */
static double value_of(const char *text, const char *sample)
{
	const char *at = strstr(text, sample);

	if (!at)
		fail_msg("no %s", sample);
	at = strstr(at, "} ");
	return strtod(at + 2, NULL);
}

static void gauges(void **state)
{
	struct record *rec = sample_detailed(2, true);
	char *text;

	(void)state;
	rec->rounds[1].network.retransmits = RECORD_NONE;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_openmetrics, 0, false);
	assert_has(text, "# HELP perfbpf_cpu_total_seconds CPU time of the whole process tree, "
			 "exact\n# TYPE perfbpf_cpu_total_seconds gauge\n# UNIT "
			 "perfbpf_cpu_total_seconds seconds\nperfbpf_cpu_total_seconds{side=\"A\","
			 "target=\"kubectl\",round=\"1\",pair=\"1\",valid=\"true\"} 1\n");
	assert_has(text, "perfbpf_cpu_total_seconds{side=\"B\",target=\"curl\",round=\"4\","
			 "pair=\"2\",valid=\"true\"} 0.451\n");
	assert_has(text, "# UNIT perfbpf_memory_rss_peak_bytes bytes\n");
	assert_has(text, "perfbpf_requests_per_second{side=\"A\",target=\"kubectl\",round=\"1\","
			 "pair=\"1\",valid=\"true\"} 2000\n");
	/* What is not known in a round is no 0. */
	assert_has(text, "perfbpf_network_retransmits{side=\"A\",target=\"kubectl\",round=\"1\"");
	assert_null(strstr(text, "perfbpf_network_retransmits{side=\"B\",target=\"curl\",round="
				 "\"2\""));
	assert_has(text, "perfbpf_run_info{version=\"");
	/* One family each, and its end. */
	assert_null(strstr(strstr(text, "# TYPE perfbpf_latency_seconds ") + 1,
			   "# TYPE perfbpf_latency_seconds "));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_null(strstr(text, "nan"));
	free(text);
	record_free(rec);
}

/* Buckets are cumulative, and exactly those that the record's buckets add up to. */
static void histograms(void **state)
{
	static const char begin[] = "perfbpf_latency_seconds_bucket{side=\"A\",target=\"kubectl\","
				    "name=\"queue\",le=\"";
	struct record *rec = sample_detailed(2, true);
	struct record_latency sum;
	double before = -1;
	size_t n = 0;
	char *text;

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	latency_init(&sum);
	latency_merge(&sum, latency_find(&rec->rounds[0], "queue"));
	latency_merge(&sum, latency_find(&rec->rounds[2], "queue"));
	text = sample_report(rec, &report_openmetrics, 0, false);
	for (const char *at = strstr(text, begin); at; at = strstr(at + 1, begin), n++) {
		double le = strtod(at + strlen(begin), NULL), count = value_of(at, begin);

		assert_true(count >= before);
		before = count;
		assert_true(count == (isinf(le) ? 40000 : latency_count_within(&sum, le)));
	}
	assert_int_equal(n, 28);
	assert_true(before == 40000);
	assert_has(text, "name=\"queue\",le=\"1.024e-06\"} 0\n");
	assert_has(text, "name=\"queue\",le=\"+Inf\"} 40000\nperfbpf_latency_seconds_sum{side=\"A\""
			 ",target=\"kubectl\",name=\"queue\"} ");
	assert_true(value_of(text, "perfbpf_latency_seconds_count{side=\"A\",target=\"kubectl\","
				   "name=\"queue\"") == 40000);
	assert_true(fabs(value_of(text, "perfbpf_latency_seconds_sum{side=\"A\",target=\"kubectl\","
					"name=\"queue\"") -
			 sum.mean_seconds * 40000) < 1e-9);
	assert_has(text,
		   "perfbpf_request_seconds_bucket{side=\"B\",target=\"curl\",name=\"service\","
		   "protocol=\"http\",role=\"server\",label=\"GET /users/:id\",le=\"");
	latency_clear(&sum);
	free(text);
	record_free(rec);
}

/* A scraped histogram keeps its own bounds, and what is longer than all is in +Inf only. */
static void a_scraped_histogram(void **state)
{
	struct record *rec = sample_record(1, false);
	struct record_latency *latency = latency_add(&rec->rounds[0], "handler");
	char *text;

	(void)state;
	latency->count = 10;
	latency->mean_seconds = 0.25;
	latency->n_buckets = 2;
	latency->bucket_upper_seconds = sample_series(2, 0.1);
	latency->bucket_counts = sample_series(2, 3);
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_openmetrics, 0, false);
	assert_has(text, "name=\"handler\",le=\"0.1\"} 3\n");
	assert_has(text, "name=\"handler\",le=\"0.2\"} 9\n");
	assert_has(text, "name=\"handler\",le=\"+Inf\"} 10\n");
	assert_has(text, "_sum{side=\"A\",target=\"kubectl\",name=\"handler\"} 2.5\n");
	/* One without buckets is no histogram. */
	assert_null(strstr(text, "name=\"delivery\""));
	free(text);
	record_free(rec);
}

static void only_valid_rounds(void **state)
{
	struct record *rec = sample_detailed(2, true);
	char *text;

	(void)state;
	record_invalid(&rec->rounds[0], "lost");
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_openmetrics, 0, false);
	assert_true(value_of(text, "perfbpf_latency_seconds_count{side=\"A\",target=\"kubectl\","
				   "name=\"queue\"") == 20000);
	assert_has(text, "round=\"1\",pair=\"1\",valid=\"false\"} 1\n");
	free(text);
	record_free(rec);
}

static void planted(void **state)
{
	struct record *rec = sample_planted(PLANTED "\\");
	char *text;

	(void)state;
	sample_details(&rec->rounds[0], 1);
	sample_replace(&rec->rounds[0].latency[1].name, PLANTED);
	sample_replace(&rec->rounds[0].protocols[0].label, PLANTED);
	rec->rounds[0].validity.valid = true;
	text = sample_report(rec, &report_openmetrics, 0, false);
	sample_assert_harmless(text, "\n");
	assert_has(text,
		   "target=\"<script>\\\"'`|\\n\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd\\\\\"");
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(!strncmp(line, "# ", 2) || !strncmp(line, "perfbpf_", 8));
	free(text);
	record_free(rec);
}

static void nothing(void **state)
{
	struct record *rec = record_new();
	char *text = sample_report(rec, &report_openmetrics, 0, false);

	(void)state;
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_null(strstr(text, "_bucket"));
	free(text);
	record_free(rec);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gauges),
		cmocka_unit_test(histograms),
		cmocka_unit_test(a_scraped_histogram),
		cmocka_unit_test(only_valid_rounds),
		cmocka_unit_test(planted),
		cmocka_unit_test(nothing),
	};

	/* For a look at a whole one: `test_report_openmetrics openmetrics | promtool check metrics`
	 */
	if (argc == 2 && report_find(argv[1])) {
		struct record *rec = sample_detailed(2, true);
		char *text;

		record_compare(rec, &(struct compare_options){.work_bound = 0.001});
		text = sample_report(rec, report_find(argv[1]), 100, false);
		fputs(text, stdout);
		free(text);
		record_free(rec);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
