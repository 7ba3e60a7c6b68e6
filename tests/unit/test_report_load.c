/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What reports tell of a load, of faults, thresholds and soaks, in each format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/threshold.h"
#include "sample_load.h"
#include "sample_report.h"

static const struct threshold_rule rules[] = {
	{"latency.response", "p(95)<2.5ms", NULL},
	{"latency.response", "p(95)<1ms", "target"},
	{"latency.connect", "p(99)<1s", NULL},
};

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%.4000s", part, text);
}

static char *report_of(struct record *rec, const struct report_format *format, int width)
{
	assert_int_equal(record_thresholds(rec, rules, 3), 0);
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	return sample_report(rec, format, width, false);
}

static void text_of_two(void **state)
{
	static const char *const parts[] = {
		"\nThresholds\n"
		"side  metric            threshold    level     value  \n"
		"A     latency.response  p(95)<2.5ms          2.21 ms  holds\n"
		"A     latency.response  p(95)<1ms    target  2.21 ms  does not hold\n"
		"A     latency.connect   p(99)<1s              300 us  holds\n"
		"B     latency.response  p(95)<2.5ms          2.77 ms  FAILS\n",
		"\nA, latency.connect: the largest value, as there are too few for this "
		"percentile\n",
		"\nEndurance\n"
		"side  round          verdict\n"
		"A         1  memory  steady: 1000 B/h\n",
		"\nLoad, all rounds\n"
		"                            A kubectl   B curl\n"
		"good answers                   39,960   39,960\n"
		"errors                             40       40\n"
		"never sent                         12       12\n"
		"rows                          300,000  300,000\n"
		"rows that should have come    300,000  300,000\n"
		"success rate                   99.9 %   99.9 %\n",
		"\nErrors by kind, all rounds\n"
		"            A kubectl  B curl\n"
		"status 503         30      30\n"
		"timeout            10      10\n",
		"\nWhat else the driver counted, all rounds\n",
		"\nLoad by phase of A, all rounds\n"
		"phase   operations  a second  success  response p50      p95      p99  service "
		"p99\n"
		"normal      10,000     1,000   99.8 %       2.01 ms  4.95 ms  5.34 ms      2.67 "
		"ms\n",
		"\npeak: 6 were never sent, as every user was busy\n",
		"\nLoad by phase of B, all rounds\n",
		"\nRequests by kind of A, all rounds\n"
		"kind   operations  success     rows     bytes\n"
		"read       30,000   99.9 %  300,000  30.0 MiB\n",
		"\nProducers of A, all rounds\n",
		"\nFaults\n"
		"side  round  fault   kind     began   ended  took effect  undone\n"
		"A         1  leader  signal  3.00 s  4.50 s  yes          yes\n",
		"\nleader: the leader had to be looked for twice\n",
		"\nRecovery\n"
		"side  round  fault   last good  outage  p95 before  p95 as before after\n"
		"A         1  leader     2.99 s  1.22 s     4.80 ms               2.50 s\n",
		"\nSide metrics: median (range); nothing is judged by them\n"
		"                 A kubectl  B curl\n"
		"cache_hit_ratio       0.97    0.97\n",
		"\nserver response  A     39,960",
		"\n  - B: p(95)<2.5ms of latency.response does not hold: 2.77 ms\n",
	};
	struct record *rec = sample_loaded(2, true);
	char *text = report_of(rec, &report_text, 110);

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_has(text, parts[i]);
	assert_null(strstr(text, "Work: lines"));
	free(text);
	record_free(rec);
}

static void markdown(void **state)
{
	struct record *rec = sample_loaded(1, false);
	char *text;

	(void)state;
	free(rec->rounds[0].endurance[0].verdict);
	rec->rounds[0].endurance[0].verdict = strdup("leak");
	sample_times(&rec->rounds[0], "failed", 0.5);
	text = report_of(rec, &report_markdown, 0);
	assert_has(text, "\n| failed | 19,980 | ");
	assert_has(text, "- A, memory: steady: 1000 B/h\n");
	assert_has(text, "## Thresholds\n\n| metric | threshold | level | value |  |\n");
	assert_has(text, "## Load by phase, all rounds\n");
	assert_has(text, "## Recovery\n");
	assert_null(strstr(text, "## Work"));
	free(text);
	record_free(rec);
}

static void csv_and_openmetrics(void **state)
{
	struct record *rec = sample_loaded(1, true);
	char *text = report_of(rec, &report_csv, 0);

	(void)state;
	assert_has(text, ",errors_by_kind,side_metrics,reasons\r\n");
	assert_has(text, ",status 503=15; timeout=5,cache_hit_ratio=0.97,");
	free(text);
	text = report_of(rec, &report_openmetrics, 0);
	assert_has(text, "\nperfbpf_errors{side=\"A\",target=\"kubectl\",round=\"1\",kind=\"status "
			 "503\"} 15\n");
	assert_has(text,
		   "\nperfbpf_side_metric{side=\"B\",target=\"curl\",round=\"2\",name=\"cache_hit_"
		   "ratio\"} 0.97\n");
	assert_has(text, "\nperfbpf_threshold_passed{side=\"B\",target=\"curl\",metric=\"latency."
			 "response\",threshold=\"p(95)<2.5ms\",level=\"\"} 0\n");
	assert_has(text, "\nperfbpf_work_operations_per_second{");
	free(text);
	record_free(rec);
}

/* Names from outside do no harm, and what is not known is no number. */
static void harm(void **state)
{
	struct record *rec = sample_loaded(1, true);
	struct record_round *round = &rec->rounds[0];
	char *text;

	(void)state;
	sample_replace(&round->errors[0].kind, PLANTED);
	sample_replace(&round->kinds[0].name, PLANTED);
	sample_replace(&round->producers[0].name, PLANTED);
	sample_replace(&round->faults[0].name, PLANTED);
	sample_replace(&round->faults[0].error, PLANTED);
	sample_replace(&round->recovery[0].fault, PLANTED);
	sample_replace(&round->side_metrics[0].name, PLANTED);
	sample_replace(&round->endurance[0].text, PLANTED);
	sample_replace(&round->phases[1].name, PLANTED);
	free(round->counts[0].name);
	round->counts[0].name = NULL;
	free(round->errors[1].kind);
	round->errors[1].kind = NULL;
	round->errors[1].count = RECORD_NONE;
	text = report_of(rec, &report_text, 80);
	sample_assert_harmless(text, "\n");
	free(text);
	text = report_of(rec, &report_markdown, 0);
	assert_null(strstr(text, "<script>"));
	sample_assert_harmless(text, "\n");
	free(text);
	text = report_of(rec, &report_csv, 0);
	free(text);
	text = report_of(rec, &report_openmetrics, 0);
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_two),
		cmocka_unit_test(markdown),
		cmocka_unit_test(csv_and_openmetrics),
		cmocka_unit_test(harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
