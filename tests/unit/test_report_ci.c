/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What machines of continuous integration are told: JUnit, and both of GitHub's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/outcome.h"
#include "sample_gates.h"

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%.6000s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%.6000s", part, text);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		n++;
	return n;
}

static char *junit_of(const struct record *rec)
{
	return sample_report(rec, &report_junit, 0, false);
}

static char *annotations_of(const struct record *rec)
{
	return sample_report(rec, &report_github_annotations, 0, false);
}

static char *summary_of(const struct record *rec)
{
	return sample_report(rec, &report_github_summary, 0, false);
}

/* --- how things come out ------------------------------------------------------------- */

static size_t states(const struct record *rec, enum outcome_state state)
{
	const struct report_options options = {.all_metrics = false};
	struct summary *summary = summary_new(rec);
	struct outcomes *outcomes = outcomes_new(rec, summary, &options);
	size_t n = outcomes_count(outcomes, state);

	outcomes_free(outcomes);
	summary_free(summary);
	return n;
}

static void test_good(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	assert_int_equal(states(rec, OUTCOME_HOLDS), 4); /* the run, A, B, CPU time */
	assert_int_equal(states(rec, OUTCOME_FAILS), 0);
	assert_int_equal(states(rec, OUTCOME_WARNS), 0);
	assert_int_equal(states(rec, OUTCOME_OPEN), 0);
	record_free(rec);
}

static void test_thresholds(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	sample_threshold(rec, "p(95)<50ms", NULL, false);
	sample_threshold(rec, "p(95)<40ms", "critical", false);
	sample_threshold(rec, "p(95)<20ms", "target", false);
	sample_threshold(rec, "p(95)<90ms", "target", true);
	assert_int_equal(states(rec, OUTCOME_FAILS), 2);
	assert_int_equal(states(rec, OUTCOME_WARNS), 1);
	assert_int_equal(states(rec, OUTCOME_HOLDS), 5);
	record_free(rec);
}

/* B worse fails where a gate was asked for, and only there. */
static void test_gate(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	sample_judge(rec, "cpu.total_seconds", "B_higher");
	sample_judge(rec, "memory.rss_peak_bytes", "inconclusive");
	assert_int_equal(states(rec, OUTCOME_WARNS), 1);
	assert_int_equal(states(rec, OUTCOME_OPEN), 1);
	assert_int_equal(states(rec, OUTCOME_FAILS), 0);
	sample_ask(rec, "cpu.total_seconds");
	sample_ask(rec, "memory.rss_peak_bytes");
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	assert_int_equal(states(rec, OUTCOME_WARNS), 0);
	assert_int_equal(states(rec, OUTCOME_OPEN), 1);
	rec->statistics.strict = true;
	assert_int_equal(states(rec, OUTCOME_FAILS), 2);
	/* A gate on what no round tells would guard nothing. */
	sample_ask(rec, "cpu.of_nobody");
	assert_int_equal(states(rec, OUTCOME_FAILS), 3);
	record_free(rec);
}

/* Without gates --strict is of what names the winner; of a side and itself, of any difference. */
static void test_strict(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	rec->statistics.strict = true;
	sample_replace(&rec->statistics.primary, "cpu.total_seconds");
	sample_judge(rec, "memory.rss_peak_bytes", "inconclusive");
	assert_int_equal(states(rec, OUTCOME_FAILS), 0);
	sample_judge(rec, "cpu.total_seconds", "inconclusive");
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	sample_replace(&rec->argv[1], "noise");
	assert_int_equal(states(rec, OUTCOME_FAILS), 0);
	sample_judge(rec, "cpu.total_seconds", "B_lower");
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	record_free(rec);
}

static void test_higher_is_better(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	sample_ask(rec, "work.lines");
	sample_judge(rec, "work.lines", "B_lower")->lower_is_better = false;
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	sample_judge(rec, "work.lines", "B_higher");
	assert_int_equal(states(rec, OUTCOME_FAILS), 0);
	/* Of a run that is not valid no gate is judged: the run has failed. */
	sample_judge(rec, "work.lines", "B_lower");
	rec->verdict.valid = false;
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	assert_int_equal(states(rec, OUTCOME_OPEN), 1);
	record_free(rec);
}

static void test_baseline(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	sample_regression(rec, "cpu.total_seconds", "regressed", "major", "30 % more CPU time");
	sample_regression(rec, "memory.rss_peak_bytes", "inconclusive", NULL, NULL);
	sample_regression(rec, "window_seconds", "improved", NULL, NULL);
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	assert_int_equal(states(rec, OUTCOME_OPEN), 1);
	assert_int_equal(states(rec, OUTCOME_HOLDS), 6);
	rec->baseline.comparable = false; /* and this itself is a warning */
	assert_int_equal(states(rec, OUTCOME_FAILS), 0);
	assert_int_equal(states(rec, OUTCOME_WARNS), 2);
	rec->statistics.strict = true; /* the row that is inconclusive, and that all of it is */
	assert_int_equal(states(rec, OUTCOME_FAILS), 2);
	record_free(rec);
}

static void test_endurance(void **state)
{
	struct record *rec = sample_gated();

	(void)state;
	sample_soak(&rec->rounds[0], "leak", "it grows by 1 MiB an hour");
	sample_soak(&rec->rounds[0], "inconclusive", "too few values");
	sample_soak(&rec->rounds[0], "steady", "steady");
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	assert_int_equal(states(rec, OUTCOME_OPEN), 1);
	assert_int_equal(states(rec, OUTCOME_HOLDS), 5);
	record_free(rec);
}

static void test_invalid(void **state)
{
	struct record *rec = sample_record(2, true);
	char *text;

	(void)state;
	record_invalid(&rec->rounds[1], "12 lines were lost");
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	assert_int_equal(states(rec, OUTCOME_FAILS), 2); /* the run, and the work of B */
	text = junit_of(rec);
	assert_has(text, "<testcase classname=\"basic.validity\" name=\"work of B\" "
			 "time=\"20.000\">\n<failure type=\"validity\" message=\"1 of 2 rounds of "
			 "curl are valid\">1 of 2 rounds of curl are valid\n"
			 "round 1: 12 lines were lost</failure>\n");
	free(text);
	record_free(rec);
}

static void test_incomplete(void **state)
{
	struct record *rec = sample_gated();
	char *text;

	(void)state;
	rec->complete = false;
	assert_int_equal(states(rec, OUTCOME_FAILS), 1);
	text = annotations_of(rec);
	assert_has(text, "%0AThe run did not come to its end");
	free(text);
	record_free(rec);
	rec = record_new();
	assert_int_equal(states(rec, OUTCOME_FAILS), 2); /* nothing of it is there */
	free(junit_of(rec));
	free(annotations_of(rec));
	free(summary_of(rec));
	record_free(rec);
}

/* --- how it is written --------------------------------------------------------------- */

static void test_junit(void **state)
{
	struct record *rec = sample_gated();
	char *text;

	(void)state;
	sample_replace(&rec->scenario.name, "etcd/failover");
	sample_threshold(rec, "p(95)<50ms", NULL, false);
	sample_threshold(rec, "p(95)<20ms", "target", false);
	text = junit_of(rec);
	assert_has(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<testsuites name=\"perfbpf\" tests=\"6\" failures=\"1\" errors=\"0\" "
			 "time=\"60.000\">\n"
			 "<testsuite name=\"etcd/failover\" tests=\"6\" failures=\"1\" "
			 "errors=\"0\" time=\"60.000\" skipped=\"1\" "
			 "timestamp=\"2025-01-01T12:00:00.000Z\" hostname=\"bench\">\n");
	assert_has(text, "<testcase classname=\"etcd.failover.threshold\" "
			 "name=\"A: latency.response p(95)&lt;50ms\" time=\"0.000\">\n"
			 "<failure type=\"threshold\" message=\"does not hold: 51.0 ms\">"
			 "does not hold: 51.0 ms</failure>\n</testcase>\n");
	assert_has(text, "name=\"A: latency.response p(95)&lt;20ms (target)\" time=\"0.000\">\n"
			 "<skipped message=\"does not hold: 51.0 ms (no gate)\"/>\n");
	assert_has(text, "name=\"B against A: cpu.total_seconds\" time=\"0.000\">\n"
			 "<system-out>B is better: B/A is 1.66x (95 % interval 1.60x to 1.72x, "
			 "10 pairs)</system-out>\n");
	assert_int_equal(count(text, "<testcase "), count(text, "</testcase>"));
	free(text);
	record_free(rec);
}

static void test_annotations(void **state)
{
	struct record *rec = sample_gated();
	char *text;

	(void)state;
	sample_replace(&rec->scenario.name, "a,b:c%");
	sample_threshold(rec, "rate<1%", NULL, false);
	text = annotations_of(rec);
	assert_has(text, "::error title=a%2Cb%3Ac%25 threshold::A: latency.response rate<1%25: "
			 "does not hold: 51.0 ms\n");
	assert_has(text, "::notice title=a%2Cb%3Ac%25 verdict::curl used ");
	free(text);
	/* GitHub shows ten. */
	for (int i = 0; i < 20; i++)
		sample_threshold(rec, "rate<2%", NULL, false);
	text = annotations_of(rec);
	assert_int_equal(count(text, "::error "), 10);
	assert_has(text, " more::and 12 more; the report has all\n");
	free(text);
	record_free(rec);
}

static void test_summary(void **state)
{
	struct record *rec = sample_gated();
	char *text;

	(void)state;
	text = summary_of(rec);
	assert_has(text, "## \xe2\x9c\x85 kubectl (A) against curl (B), basic\n\n**curl used ");
	assert_has(text, "\n| metric | A kubectl | B curl | B/A | interval | verdict |\n"
			 "|---|---:|---:|---:|---|---|\n| CPU time | 1.10 s ");
	assert_has(text, "| 1.66x | 1.60x to 1.72x | B\\_lower |\n");
	free(text);
	sample_threshold(rec, "p(95)<50ms", NULL, false);
	sample_regression(rec, "cpu.total_seconds", "regressed", "major", "30 % more CPU time");
	text = summary_of(rec);
	assert_has(text, "## \xe2\x9d\x8c kubectl");
	assert_has(text, "\n- \xe2\x9d\x8c threshold, A: latency.response p(95)&lt;50ms: "
			 "does not hold: 51.0 ms\n"
			 "- \xe2\x9d\x8c baseline, A: cpu.total\\_seconds: 30 % more CPU "
			 "time\n\n### What it cost");
	assert_int_equal(count(text, "<details>"), count(text, "</details>"));
	free(text);
	record_free(rec);
}

/* --- what means harm ----------------------------------------------------------------- */

#define INJECTED                                                                                   \
	PLANTED "\r\n::error::x%0A]]>--> @you https://x.y www.x.y $x$ \xc0\x80\xed\xa0\x80\x01"

/* Wherever one of the formats takes a string from. */
static struct record *planted_everywhere(void)
{
	struct record *rec = sample_planted(INJECTED);

	for (size_t i = 0; i < rec->n_rounds; i++)
		sample_soak(&rec->rounds[i], "leak", INJECTED);
	sample_replace(&rec->rounds[0].endurance[0].name, INJECTED);
	sample_threshold(rec, INJECTED, INJECTED, false);
	sample_threshold(rec, INJECTED, NULL, false);
	sample_replace(&rec->thresholds[0].metric, INJECTED);
	sample_replace(&rec->thresholds[1].text, INJECTED);
	sample_regression(rec, INJECTED, "regressed", INJECTED, INJECTED);
	sample_replace(&rec->baseline.path, INJECTED);
	rec->baseline.comparable = false;
	rec->baseline.n_differences = 1;
	rec->baseline.differences = calloc(1, sizeof(char *));
	rec->baseline.differences[0] = strdup(INJECTED);
	rec->n_insights = 1;
	rec->insights = calloc(1, sizeof(*rec->insights));
	rec->insights[0] = (struct record_insight){strdup("cause"), NULL, NAN, strdup(INJECTED)};
	sample_replace(&rec->verdict.text, INJECTED);
	sample_judge(rec, "cpu.total_seconds", INJECTED);
	sample_replace(&rec->comparison[0].metric, INJECTED);
	record_note(rec, INJECTED);
	return rec;
}

/* Every '<' is of one of our own elements, and no attribute ends early. */
static void test_junit_planted(void **state)
{
	static const char *const known[] = {
		"?xml ",     "testsuites ", "/testsuites>", "testsuite ",  "/testsuite>",
		"testcase ", "/testcase>",  "failure ",     "/failure>",   "skipped ",
		"property ", "properties>", "/properties>", "system-out>", "/system-out>",
	};
	struct record *rec = planted_everywhere();
	char *text = junit_of(rec);

	(void)state;
	sample_assert_harmless(text, "\n");
	assert_lacks(text, "]]>");
	assert_lacks(text, "\xed\xa0\x80");
	for (const char *at = text; (at = strchr(at, '<')) != NULL; at++) {
		bool is_known = false;
		size_t quotes = 0;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= !strncmp(at + 1, known[i], strlen(known[i]));
		if (!is_known)
			fail_msg("%.60s", at);
		for (const char *c = at; *c != '>'; c++)
			quotes += *c == '"';
		assert_int_equal(quotes % 2, 0);
	}
	free(text);
	record_free(rec);
}

static void test_annotations_planted(void **state)
{
	struct record *rec = planted_everywhere();
	char *text = annotations_of(rec);

	(void)state;
	sample_assert_harmless(text, "\n");
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		assert_true(!strncmp(line, "::error title=", 14) ||
			    !strncmp(line, "::warning title=", 16) ||
			    !strncmp(line, "::notice title=", 15));
		assert_int_equal(line[strcspn(line, "\n")], '\n');
	}
	/* The title ends where it should: nothing in it is the next property, or the text. */
	assert_has(text, "%0D%0A%3A%3Aerror%3A%3Ax%250A]]>-->");
	free(text);
	record_free(rec);
}

/* Nothing in a line is markup but our own: no element, link, mention, formula or cell. */
static void test_summary_planted(void **state)
{
	struct record *rec = planted_everywhere();
	char *text = summary_of(rec), *fence;
	size_t wanted = 0;

	(void)state;
	sample_assert_harmless(text, "\n");
	fence = strstr(text, "\n```"); /* in a block of code markup is no markup */
	assert_non_null(fence);
	*fence = '\0';
	assert_lacks(text, "<script");
	assert_lacks(text, "://");
	assert_lacks(text, "@");
	assert_lacks(text, "$");
	assert_lacks(text, "www.");
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t bars = 0;

		for (const char *c = line; *c && *c != '\n'; c++)
			bars += *c == '|' && (c == line || c[-1] != '\\');
		if (*line != '|')
			bars = 0;
		if (bars && wanted)
			assert_int_equal(bars, wanted);
		wanted = bars;
		if (!line[strcspn(line, "\n")])
			break;
	}
	free(text);
	record_free(rec);
}

/* However much there is: the page has a bound, ends what it began, and has the verdict. */
static void test_summary_is_bounded(void **state)
{
	struct record *rec = sample_gated();
	size_t size = 300000;
	char *huge = malloc(size + 1), *text;

	(void)state;
	memset(huge, '<', size);
	huge[size] = '\0';
	for (int i = 0; i < 500; i++)
		sample_threshold(rec, huge + size - 3000, NULL, i % 2);
	for (size_t i = 0; i < rec->n_rounds; i++)
		for (int j = 0; j < 200; j++)
			record_invalid(&rec->rounds[i], "%s", huge + size - 1000);
	sample_replace(&rec->verdict.text, huge);
	sample_replace(&rec->targets[0].name, huge);
	sample_replace(&rec->argv[1], huge);
	text = summary_of(rec);
	assert_true(strlen(text) <= 32768);
	assert_has(text, "(A) against curl (B)");
	assert_has(text, " lines were left out");
	assert_int_equal(count(text, "<details>"), count(text, "</details>"));
	free(text);
	free(huge);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_higher_is_better),
		cmocka_unit_test(test_baseline),
		cmocka_unit_test(test_endurance),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_junit),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_junit_planted),
		cmocka_unit_test(test_annotations_planted),
		cmocka_unit_test(test_summary_planted),
		cmocka_unit_test(test_summary_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
