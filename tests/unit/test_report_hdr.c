/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_details.h"
#include "sample_report.h"

/* What stands between the heading of a latency and its footer, as a reader of HDR files takes it.
 */
struct section {
	size_t rows;
	double first_ms, last_ms, last_percentile, total;
	double mean_ms, deviation_ms, max_ms, count;
};

static struct section read_section(const char *text, const char *heading)
{
	static const char titles[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
	const char *at = strstr(text, heading);
	struct section section = {0};
	double before_ms = -1, before = -1;

	if (!at)
		fail_msg("no \"%s\" in:\n%.2000s", heading, text);
	at = strchr(at, '\n') + 1;
	assert_true(!strncmp(at, titles, strlen(titles)));
	for (at += strlen(titles); *at != '#'; at = strchr(at, '\n') + 1) {
		double ms, percentile, total, rest;
		int n = sscanf(at, "%lf %lf %lf %lf", &ms, &percentile, &total, &rest);

		if (percentile < 1)
			assert_true(n == 4 && fabs(rest * (1 - percentile) - 1) < 0.01);
		assert_true(n >= 3 && ms >= before_ms && percentile > before);
		assert_true(total >= section.total);
		before_ms = ms;
		before = percentile;
		if (!section.rows++)
			section.first_ms = ms;
		section.last_ms = ms;
		section.last_percentile = percentile;
		section.total = total;
	}
	assert_int_equal(
		sscanf(at, "#[Mean = %lf, StdDeviation = %lf]\n#[Max = %lf, Total count = %lf]",
		       &section.mean_ms, &section.deviation_ms, &section.max_ms, &section.count),
		4);
	return section;
}

static void sections(void **state)
{
	struct record *rec = sample_detailed(2, true);
	struct section section;
	char *text;

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_hdr, 0, false);
	section = read_section(text, "#[Latency A service, target kubectl, 2 valid rounds, 40000 "
				     "values]\n");
	assert_true(section.rows > 30);
	assert_true(section.total == 40000 && section.count == 40000);
	assert_true(section.last_percentile == 1 && section.last_ms == section.max_ms);
	/* 800 us over e to times e, uniform in its logarithm: that has these. */
	assert_true(fabs(section.first_ms / (0.8 / M_E) - 1) < 0.02);
	assert_true(fabs(section.max_ms / (0.8 * M_E) - 1) < 0.001);
	assert_true(fabs(section.mean_ms / (0.8 * sinh(1)) - 1) < 0.001);
	assert_true(fabs(section.deviation_ms / (0.8 * sqrt(sinh(2) / 2 - pow(sinh(1), 2))) - 1) <
		    0.01);
	assert_non_null(strstr(text, ", SubBuckets     =           64]\n"));
	assert_non_null(strstr(text, "#[Latency B service, target curl, 2 valid rounds"));
	assert_null(strstr(text, "delivery")); /* has no buckets */
	free(text);
	record_free(rec);
}

/* A percentile of which fewer than ten values are beyond is not there; the longest is. */
static void few_values(void **state)
{
	struct record *rec = sample_detailed(1, false);
	char *text, *row;
	struct section section;

	(void)state;
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_hdr, 0, false);
	section = read_section(text,
			       "#[Latency A connect, target kubectl, 1 valid round, 12 values]");
	assert_true(section.total == 12);
	/* 0 to 50 % in tenths, and the longest. */
	assert_int_equal(section.rows, 7);
	row = strstr(strstr(text, "Latency A connect"), "0.500000000000");
	assert_non_null(row);
	free(text);
	record_free(rec);
}

static void only_valid_rounds(void **state)
{
	struct record *rec = sample_detailed(2, true);
	char *text;

	(void)state;
	record_invalid(&rec->rounds[0], "lost");
	record_invalid(&rec->rounds[1], "lost");
	record_invalid(&rec->rounds[3], "lost");
	record_compare(rec, &(struct compare_options){.work_bound = 0.001});
	text = sample_report(rec, &report_hdr, 0, false);
	assert_non_null(strstr(text, "#[Latency A queue, target kubectl, 1 valid round, 20000"));
	assert_null(strstr(text, "#[Latency B"));
	free(text);
	record_free(rec);
}

static void planted(void **state)
{
	struct record *rec = sample_planted(PLANTED);
	char *text;

	(void)state;
	sample_details(&rec->rounds[0], 1);
	sample_replace(&rec->rounds[0].latency[1].name, PLANTED);
	rec->rounds[0].validity.valid = true;
	text = sample_report(rec, &report_hdr, 0, false);
	sample_assert_harmless(text, "\n");
	assert_non_null(strstr(text, "#[Latency A <script>\"'`|\\x0a\\x1b[31m"));
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections),
		cmocka_unit_test(few_values),
		cmocka_unit_test(only_valid_rounds),
		cmocka_unit_test(planted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
