/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Thresholds: what is understood, what is not, and whether they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/threshold.h"
#include "sample_load.h"

static struct threshold parse(const char *metric, const char *expression)
{
	struct threshold_problem problem;
	struct threshold threshold;

	if (threshold_parse(metric, expression, &threshold, &problem))
		fail_msg("%s of %s: %s", expression, metric, problem.text);
	return threshold;
}

static void refuse(const char *metric, const char *expression, bool in_metric, const char *part)
{
	struct threshold_problem problem;
	struct threshold threshold;

	if (!threshold_parse(metric, expression, &threshold, &problem))
		fail_msg("%s of %s is taken", expression, metric);
	if (problem.in_metric != in_metric || !strstr(problem.text, part))
		fail_msg("%s of %s: '%s'", expression, metric, problem.text);
}

/* "METRIC|EXPRESSION" of a text, "-" where it is neither. */
static void test_split(void **state)
{
	static const char *const texts[][2] = {
		{"latency.response:p(99)<200ms", "latency.response|p(99)<200ms"},
		{"cpu.total_seconds<30", "cpu.total_seconds|<30"},
		{"cpu.total_seconds:value<30", "cpu.total_seconds|value<30"},
		{"latency.response{phase:m}:p(95)<1s", "latency.response{phase:m}|p(95)<1s"},
		{"work.errors{phase:a<b}==0", "work.errors{phase:a<b}|==0"},
		{"cpu.total_seconds", "-"},
		{"latency.response{phase:m", "-"},
		{"<30", "-"},
		{"", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t length;
		const char *expression = threshold_split(texts[i][0], &length);
		char split[100] = "-";

		if (expression)
			snprintf(split, sizeof(split), "%.*s|%s", (int)length, texts[i][0],
				 expression);
		assert_string_equal(split, texts[i][1]);
	}
}

static void test_grammar(void **state)
{
	struct threshold t = parse("latency.response", "p(95)<50ms");

	(void)state;
	assert_int_equal(t.class, THRESHOLD_LATENCY);
	assert_string_equal(t.name, "response");
	assert_int_equal(t.aggregate, THRESHOLD_PERCENTILE);
	assert_true(fabs(t.quantile - 0.95) < 1e-12 && t.bound == 0.05);
	assert_int_equal(t.relation, THRESHOLD_LESS);
	assert_string_equal(t.unit, "s");
	t = parse("latency.response", "  p(99.9) >=\t1.5s ");
	assert_true(fabs(t.quantile - 0.999) < 1e-12 && t.bound == 1.5);
	assert_int_equal(t.relation, THRESHOLD_GREATER_EQUAL);
	assert_int_equal(parse("latency.x", "avg<=1s").relation, THRESHOLD_LESS_EQUAL);
	assert_int_equal(parse("latency.x", "med > 1us").aggregate, THRESHOLD_MED);
	assert_int_equal(parse("latency.x", "min==0").relation, THRESHOLD_EQUAL);
	assert_int_equal(parse("latency.x", "max!=1h").relation, THRESHOLD_NOT_EQUAL);
	assert_int_equal(parse("latency.x", "max===1h").relation, THRESHOLD_EQUAL);
	t = parse("latency.x", "count>14k");
	assert_true(t.bound == 14000);
	assert_string_equal(t.unit, "");
	assert_true(parse("work.success", "rate>0.99").bound == 0.99);
	assert_true(fabs(parse("work.errors", "rate<1%").bound - 0.01) < 1e-15);
	assert_true(parse("memory.rss_peak_bytes", "value<512MiB").bound == 512.0 * 1048576);
	assert_true(parse("cpu.total_seconds", "value<30s").bound == 30);
	assert_true(parse("cpu.total_seconds", "<30").bound == 30);
	assert_int_equal(parse("cpu.total_seconds", "<30").aggregate, THRESHOLD_VALUE);
	assert_true(parse("latency.response.p99_seconds", " >= 200ms").bound == 0.2);
	assert_int_equal(parse("work.errors", "==0").aggregate, THRESHOLD_VALUE);
	assert_true(parse("cpu.utilization_peak", "value<50%").bound == 0.5);
	assert_true(parse("side_metrics.lag", "value>-3").bound == -3);
	assert_true(parse("side_metrics.lag", "avg<20ms").bound == 0.02);
	assert_true(parse("side_metrics.table", "value<1GiB").bound == 1073741824);
	assert_int_equal(parse("operations", "rate>10").class, THRESHOLD_OF_OPERATIONS);
	assert_int_equal(parse("recovery.outage_seconds", "value<10s").class, THRESHOLD_OF_METRIC);
	t = parse("latency.response.p95_seconds", "value<10ms"); /* of the worst round */
	assert_int_equal(t.class, THRESHOLD_OF_METRIC);
}

static void test_selectors(void **state)
{
	struct threshold t = parse("latency.response{phase:peak load}", "p(95)<50ms");

	(void)state;
	assert_string_equal(t.name, "response");
	assert_string_equal(t.phase, "peak load");
	t = parse("latency.service{kind:GET /a{b}:c}", "p(95)<50ms");
	assert_string_equal(t.name, "service GET /a{b}:c");
	assert_string_equal(t.phase, "");
	assert_string_equal(parse("work.success{phase:x}", "rate>0.9").phase, "x");
	refuse("latency.queue{phase:x}", "p(95)<1s", true, "are known by phase");
	refuse("cpu.total_seconds{phase:x}", "value<1s", true, "are known by phase");
	refuse("work.errors{kind:x}", "count<1", true, "known by kind");
	refuse("latency.response{x}", "p(95)<1s", true, "write {phase:NAME}");
	refuse("latency.response{phase:}", "p(95)<1s", true, "write {phase:NAME}");
	refuse("latency.response{phase:x", "p(95)<1s", true, "lacks the closing brace");
}

static void test_refusals(void **state)
{
	char longer[THRESHOLD_NAME_MAX + 8];

	(void)state;
	refuse("latency.response", "p95<50ms", false, "write p(95), avg");
	refuse("latency.response", "p(0)<50ms", false, "is not understood");
	refuse("latency.response", "p(101)<50ms", false, "is not understood");
	refuse("latency.response", "p(nan)<50ms", false, "is not understood");
	refuse("latency.response", "p(95<50ms", false, "is not understood");
	refuse("latency.response", "", false, "is not understood");
	refuse("latency.response", "avgs<1s", false, "is not understood");
	refuse("latency.response", "p(95)<50", false, "write one with its unit, as in 50ms");
	refuse("latency.response", "p(95)<", false, "is no time");
	refuse("latency.response", "p(95)50ms", false, "lacks an operator behind 'p(N)'");
	refuse("latency.response", "p(95)=50ms", false, "lacks an operator");
	refuse("latency.response", "p(95)<50ms and more", false, "is no time");
	refuse("latency.response", "rate>1", false, "has p(N), avg, med, min, max, count");
	refuse("cpu.total_seconds", "p(95)<1s", false, "has no p(N)");
	refuse("cpu.total_seconds", "value<1%", false, "is no time");
	refuse("latency.response", "<1s", false, "write p(95)");
	refuse("operations", "<100", false, "is not understood");
	refuse("latency.response", "p(95)<1", false, "is no time");
	refuse("memory.rss_peak_bytes", "value<1s", false, "is no size");
	refuse("work.errors", "count<many", false, "is no number");
	refuse("work.errors", "count<5ms", false, "is no number");
	refuse("cpu.total_second", "value<1s", true, "did you mean 'cpu.total_seconds'?");
	refuse("nonsense", "value<1s", true, "no metric is named");
	refuse("latency.", "avg<1s", true, "no metric is named");
	refuse("", "avg<1s", true, "no metric is named");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	refuse(longer, "avg<1s", true, "bytes long");
	refuse("latency.x", longer, false, "too long");
}

/* The only threshold of @rec, on the side @side. */
static const struct record_threshold *judge(struct record *rec, enum side side, const char *metric,
					    const char *expression)
{
	struct threshold_rule rule = {metric, expression, NULL};

	assert_int_equal(record_thresholds(rec, &rule, 1), 0);
	for (size_t i = 0; i < rec->n_thresholds; i++)
		if (rec->thresholds[i].side == side)
			return &rec->thresholds[i];
	fail_msg("nothing was judged");
	return NULL;
}

static void assert_judged(struct record *rec, const char *metric, const char *expression,
			  bool passed, double value)
{
	const struct record_threshold *t = judge(rec, SIDE_A, metric, expression);

	if (t->passed != passed || !(fabs(t->value / value - 1) < 0.01))
		fail_msg("%s of %s: %d, %g", expression, metric, t->passed, t->value);
	assert_int_equal(record_thresholds_failed(rec), !passed);
}

static void test_times(void **state)
{
	struct record *rec = sample_loaded(3, false);

	(void)state;
	/* The times lie from 0.9 ms / e to 0.9 ms · e, evenly in their logarithm. */
	assert_judged(rec, "latency.response", "p(95)<2.3ms", true, 0.9e-3 * exp(0.9));
	assert_judged(rec, "latency.response", "p(95)<2.1ms", false, 0.9e-3 * exp(0.9));
	assert_judged(rec, "latency.response", "med>0.8ms", true, 0.9e-3);
	assert_judged(rec, "latency.response", "max<1s", true, 0.9e-3 * exp(1));
	assert_judged(rec, "latency.response", "p(100)<1s", true, 0.9e-3 * exp(1));
	assert_judged(rec, "latency.response", "min>0.3ms", true, 0.9e-3 / exp(1));
	assert_judged(rec, "latency.response", "avg<1.5ms", true, 0.9e-3 * sinh(1));
	assert_judged(rec, "latency.response", "count==60000", true, 60000);
	assert_judged(rec, "latency.response{phase:peak}", "p(95)<6ms", true, 2e-3 * exp(0.9));
	assert_judged(rec, "latency.service{phase:normal}", "med<1.1ms", true, 1e-3);
	assert_judged(rec, "latency.delivery", "count>1", true, 420000);
	record_free(rec);
}

/* Too few values for a percentile: the largest is above it, so it may stand for an upper bound. */
static void test_few_times(void **state)
{
	struct record *rec = sample_loaded(1, false);
	const struct record_threshold *t;

	(void)state;
	assert_judged(rec, "latency.connect", "p(99)<1ms", true, 120e-6 * exp(11.0 / 12));
	assert_non_null(strstr(rec->thresholds[0].text, "the largest value"));
	assert_judged(rec, "latency.connect", "p(99)<0.2ms", false, 120e-6 * exp(11.0 / 12));
	t = judge(rec, SIDE_A, "latency.connect", "p(99)>1us");
	assert_false(t->passed);
	assert_true(isnan(t->value));
	assert_non_null(strstr(t->text, "too few values"));
	record_free(rec);
}

/* A source that gives percentiles and no buckets: the worst round's. */
static void test_times_without_buckets(void **state)
{
	struct record *rec = sample_record(2, false);

	(void)state;
	rec->rounds[1].latency[0].p95_seconds = 3e-3;
	assert_judged(rec, "latency.delivery", "p(95)<5ms", true, 3e-3);
	assert_judged(rec, "latency.delivery", "p(95)>1us", true, 8e-4);
	/* A percentile that it does not give is not above the largest. */
	assert_judged(rec, "latency.delivery", "p(97)<1h", true, 0.021);
	assert_non_null(rec->thresholds[0].text);
	record_free(rec);
}

static void test_numbers(void **state)
{
	struct record *rec = sample_loaded(3, false);

	(void)state;
	/* 1, 1.1 and 1.2 s of CPU time. */
	assert_judged(rec, "cpu.total_seconds", "value<1.25s", true, 1.2);
	assert_judged(rec, "cpu.total_seconds", "value<1.15s", false, 1.2);
	assert_judged(rec, "cpu.total_seconds", "value>0.9s", true, 1.0);
	assert_judged(rec, "cpu.total_seconds", "value!=1100ms", false, 1.1);
	assert_judged(rec, "cpu.total_seconds", "med==1100ms", true, 1.1);
	assert_judged(rec, "cpu.total_seconds", "avg<1.11s", true, 1.1);
	assert_judged(rec, "cpu.total_seconds", "max<1.15s", false, 1.2);
	assert_judged(rec, "cpu.total_seconds", "min<1.05s", true, 1.0);
	assert_judged(rec, "operations", "count>=19980", true, 19980);
	assert_judged(rec, "operations", "rate>2k", false, 1998);
	assert_judged(rec, "operations{phase:peak}", "rate>2k", true, 2996);
	assert_judged(rec, "work.errors", "count<=20", true, 20);
	assert_judged(rec, "work.errors", "rate<0.2%", true, 20.0 / 20006);
	assert_judged(rec, "work.dropped", "value<5", false, 6);
	assert_judged(rec, "work.success", "rate>=0.999", true, 0.999);
	assert_judged(rec, "work.success{phase:normal}", "rate>99%", true, 5000.0 / 5010);
	assert_judged(rec, "recovery.outage_seconds", "value<1s", false, 1.22);
	assert_judged(rec, "side_metrics.cache_hit_ratio", "value>0.9", true, 0.97);
	rec->rounds[1].work.errors = 30;
	assert_judged(rec, "work.errors", "count<=20", false, 30);
	record_free(rec);
}

/* Where there is no value, nothing holds, not even "!=". */
static void test_no_value(void **state)
{
	static const struct {
		const char *metric, *expression;
	} rows[] = {
		{"latency.nothing", "p(95)<1h"},    {"latency.nothing", "max!=1h"},
		{"latency.nothing", "count!=1"},    {"latency.response{phase:x}", "p(95)<1h"},
		{"operations{phase:x}", "count>0"}, {"side_metrics.nothing", "value!=1"},
		{"side_metrics.nothing", "avg<1"},  {"side_metrics.sometimes", "value<100"},
	};
	struct record *rec = sample_loaded(2, false);

	(void)state;
	record_add_side_metric(&rec->rounds[0], "sometimes", 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct record_threshold *t =
			judge(rec, SIDE_A, rows[i].metric, rows[i].expression);

		if (t->passed)
			fail_msg("%s of %s holds", rows[i].expression, rows[i].metric);
		assert_non_null(t->text);
		assert_true(isnan(t->value) || !strcmp(rows[i].metric, "side_metrics.sometimes"));
	}
	record_free(rec);
}

static void test_sides_and_levels(void **state)
{
	static const struct threshold_rule rules[] = {
		{"latency.response", "p(95)<2.5ms", "critical"},
		{"latency.response", "p(95)<1ms", "target"},
	};
	struct record *rec = sample_loaded(1, true);

	(void)state;
	assert_int_equal(record_thresholds(rec, rules, 2), 0);
	assert_int_equal(record_thresholds(rec, rules, 2), 0); /* not twice */
	assert_int_equal(rec->n_thresholds, 4);
	assert_true(rec->thresholds[0].side == SIDE_A && rec->thresholds[0].passed);
	assert_true(rec->thresholds[1].side == SIDE_A && !rec->thresholds[1].passed);
	assert_true(rec->thresholds[2].side == SIDE_B && !rec->thresholds[2].passed);
	assert_true(record_thresholds_failed(rec));
	rec->thresholds[2].passed = true;
	assert_false(record_thresholds_failed(rec)); /* a target is only shown */
	assert_true(threshold_is_gate(NULL) && threshold_is_gate("critical"));
	assert_false(threshold_is_gate("good") || threshold_is_gate("acceptable"));
	assert_true(threshold_is_level("poor") && !threshold_is_level("bad"));
	assert_int_equal(record_thresholds(rec, NULL, 0), 0);
	assert_int_equal(rec->n_thresholds, 0);
	assert_false(record_thresholds_failed(rec));
	record_free(rec);
}

static void test_live(void **state)
{
	static const struct {
		const char *metric, *expression;
		bool fails;
	} rows[] = {
		{"latency.response", "p(95)<1ms", true},
		{"latency.response", "p(95)<10ms", false},
		{"latency.response", "count>1M", false}, /* may yet come */
		{"latency.response", "count<10", true},
		{"latency.response", "max>1s", false},
		{"latency.response", "max<1ms", true},
		{"latency.response", "min>1s", true},
		{"latency.response", "min<1us", false},
		{"latency.connect", "p(99)<1us", false}, /* too few values */
		{"latency.nothing", "p(95)<1ms", false},
		{"work.errors", "count<10", true},
		{"work.errors", "count>100", false},
		{"work.success", "rate>0.9999", true},
		{"work.success", "value>0.9999", true},
		{"operations", "count>1M", false},
		{"operations{phase:peak}", "rate>1M", true},
		{"side_metrics.cache_hit_ratio", "value>0.99", false},
		{"side_metrics.cache_hit_ratio", "value<0.9", true},
		{"latency.response", "nonsense", false},
	};
	struct record *rec = sample_loaded(1, false);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (threshold_fails_live(rows[i].metric, rows[i].expression, &rec->rounds[0]) !=
		    rows[i].fails)
			fail_msg("%s of %s", rows[i].expression, rows[i].metric);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_few_times),
		cmocka_unit_test(test_times_without_buckets),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_no_value),
		cmocka_unit_test(test_sides_and_levels),
		cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
