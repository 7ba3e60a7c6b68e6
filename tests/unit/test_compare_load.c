/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Equal work of load drivers: each rule just within its bound, and just over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/threshold.h"
#include "sample_load.h"

/* Without faults or errors, so that each test adds its own. */
static struct record *sound(size_t pairs, bool two_sided)
{
	struct record *rec = sample_loaded(pairs, two_sided);

	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		round->work.operations = 20000;
		round->work.errors = round->work.dropped = 0;
		round->n_faults = 0;
		free(round->faults[0].name);
		free(round->faults[0].kind);
		free(round->faults[0].error);
		free(round->faults);
		round->faults = NULL;
	}
	return rec;
}

static struct record_round_phase *phase_named(struct record_round *round, const char *name)
{
	for (size_t i = 0; i < round->n_phases; i++)
		if (!strcmp(round->phases[i].name, name))
			return &round->phases[i];
	fail_msg("there is no phase %s", name);
	return NULL;
}

static void assert_valid(struct record *rec)
{
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	if (!rec->verdict.valid)
		fail_msg("is invalid: %s", rec->verdict.text);
	record_free(rec);
}

static void assert_invalid(struct record *rec, size_t index, const char *reason)
{
	const struct record_validity *validity = &rec->rounds[index].validity;

	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_false(rec->verdict.valid);
	assert_false(validity->valid);
	assert_int_equal(validity->n_reasons, 1);
	assert_string_equal(validity->reasons[0], reason);
	record_free(rec);
}

static void test_sound(void **state)
{
	(void)state;
	assert_valid(sound(2, true));
	assert_valid(sound(1, false));
}

static void test_errors(void **state)
{
	struct record *rec = sound(1, true);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		rec->rounds[i].work.operations = 19980;
		rec->rounds[i].work.errors = 20; /* the bound itself */
	}
	assert_valid(rec);
	rec = sound(1, true);
	rec->rounds[1].work.operations = 19979;
	rec->rounds[1].work.errors = 21;
	assert_invalid(rec, 1,
		       "B, pair 1: 21 of 20,000 operations failed (0.105 %), bound 0.1 %; most "
		       "often: status 503");
}

/* A fault is there to make errors; a threshold that fails the run says how many there may be. */
static void test_errors_that_are_meant(void **state)
{
	static const struct {
		struct threshold_rule rule;
		bool bounds, bounds_peak;
	} rows[] = {
		{{"work.success", "rate>0.9", NULL}, true, true},
		{{"work.success", "rate>0.9", "critical"}, true, true},
		{{"work.success", "rate>0.9", "target"}, false, false},
		{{"work.errors{phase:peak}", "count<10", NULL}, false, true},
		{{"work.errors{phase:peak}", "count<10", "good"}, false, false},
		{{"latency.response", "p(95)<1s", NULL}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record *rec = sound(1, true);

		rec->rounds[0].work.operations = 15000;
		rec->rounds[0].work.errors = 5000;
		phase_named(&rec->rounds[0], "normal")->load.errors = 0;
		phase_named(&rec->rounds[0], "peak")->load.errors = 5000;
		assert_int_equal(record_thresholds(rec, &rows[i].rule, 1), 0);
		assert_int_equal(record_bounds_errors(rec, NULL), rows[i].bounds);
		assert_int_equal(record_bounds_errors(rec, "normal"), rows[i].bounds);
		assert_int_equal(record_bounds_errors(rec, "peak"), rows[i].bounds_peak);
		if (rows[i].bounds_peak)
			assert_valid(rec);
		else
			assert_invalid(rec, 0,
				       "A, pair 1: 5,000 of 20,000 operations failed (25 %), "
				       "bound 0.1 %; most often: status 503");
	}
}

/* What is bounded in one phase is not allowed in another. */
static void test_errors_of_another_phase(void **state)
{
	static const struct threshold_rule rule = {"work.errors{phase:peak}", "count<10", NULL};
	struct record *rec = sound(1, true);

	(void)state;
	rec->rounds[0].work.operations = 19000;
	rec->rounds[0].work.errors = 1000;
	phase_named(&rec->rounds[0], "normal")->load.operations = 4000;
	phase_named(&rec->rounds[0], "normal")->load.errors = 1000;
	assert_int_equal(record_thresholds(rec, &rule, 1), 0);
	assert_invalid(rec, 0,
		       "A, pair 1, phase 'normal': 1,000 of 5,000 operations failed (20 %), bound "
		       "0.1 %; most often: status 503");
}

/* A round of "normal" in [0, 5) and "peak" in [5, 10), in which @fails, one of the two, goes wrong
 * in ticks [@from, @to) of 100 ms, and a fault is felt from @applied to @ended. */
static struct record *faulty(const char *fails, bool dropped, size_t from, size_t to,
			     double applied, double ended)
{
	struct record *rec = sound(1, true);
	struct record_round *round = &rec->rounds[0];
	struct record_round_phase *phase = phase_named(round, fails);
	struct record_fault *fault = record_add_fault(round, "kill", "signal");

	fault->applied_at = applied;
	fault->ended_at = ended;
	phase_named(round, "normal")->started_at = 0;
	phase_named(round, "peak")->started_at = 5;
	*(dropped ? &round->work.dropped : &round->work.errors) = 1000;
	round->work.operations = 19000;
	phase->load.operations = 4000;
	*(dropped ? &phase->load.dropped : &phase->load.errors) = 1000;
	round->series.interval_seconds = 0.1;
	free(round->series.errors_per_second);
	round->series.errors_per_second = calloc(100, sizeof(double));
	for (size_t i = from; i < to; i++)
		round->series.errors_per_second[i] = 10000.0 / (double)(to - from);
	/* The other series have three points, which nobody looks at here. */
	round->series.n = 100;
	return rec;
}

static void free_faulty(struct record *rec)
{
	rec->rounds[0].series.n = 3;
	record_free(rec);
}

static void test_errors_of_a_fault(void **state)
{
	static const struct {
		const char *fails;
		size_t from, to; /* when the errors came */
		double applied, ended;
		bool dropped, valid;
	} rows[] = {
		/* In its phase, in another one, and for ever after. */
		{"peak", 60, 80, 6, 8, false, true},
		{"normal", 10, 30, 6, 8, false, false},
		{"peak", 60, 80, 1, 3, false, false},
		{"peak", 60, 80, 1, NAN, false, true},
		{"peak", 60, 80, NAN, NAN, false, false},
		/* Due before it, under way when it began. */
		{"normal", 50, 55, 5, 8, false, true},
		/* It ends with its phase, and the target is back in a moment, or never is. */
		{"peak", 50, 53, 2, 5.01, false, true},
		{"peak", 50, 90, 2, 5.01, false, false},
		/* What was never sent has no time of its own. */
		{"peak", 0, 0, 6, 8, true, true},
		{"normal", 0, 0, 6, 8, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record *rec = faulty(rows[i].fails, rows[i].dropped, rows[i].from,
					    rows[i].to, rows[i].applied, rows[i].ended);

		assert_int_equal(
			record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
		if (rec->rounds[0].validity.valid != rows[i].valid)
			fail_msg("row %zu: %s", i, rec->verdict.text);
		free_faulty(rec);
	}
}

static void test_nothing_good(void **state)
{
	static const struct threshold_rule rule = {"work.errors", "count>=0", NULL};
	struct record *rec = sound(1, false);

	(void)state;
	rec->rounds[0].work.operations = 0;
	rec->rounds[0].work.errors = 20000;
	assert_int_equal(record_thresholds(rec, &rule, 1), 0);
	assert_invalid(rec, 0,
		       "A, pair 1: not one good answer (20,000 errors; most often: status 503), so "
		       "there is no work to compare");
}

static void test_dropped(void **state)
{
	struct record *rec = sound(1, true);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		rec->rounds[i].work.operations = 19980;
		rec->rounds[i].work.dropped = 20;
	}
	assert_valid(rec);
	rec = sound(1, true);
	rec->rounds[0].work.operations = 18000;
	rec->rounds[0].work.dropped = 2000;
	assert_invalid(rec, 0,
		       "A, pair 1: 2,000 of 20,000 operations were never sent (10 %), bound 0.1 %: "
		       "every user was waiting for the target; lower the rate or raise maxVUs");
}

static void test_rows(void **state)
{
	struct record *rec = sound(1, true);

	(void)state;
	rec->rounds[1].work.rows = 149850; /* the bound itself */
	assert_valid(rec);
	/* A query that returns 3 of 10 rows. */
	rec = sound(1, true);
	rec->rounds[1].work.rows = 45000;
	assert_invalid(rec, 1,
		       "B, pair 1: 105,000 of 150,000 rows did not come (70 %), bound 0.1 %");
	/* Nobody says how many there should be: the sides are held against each other. */
	rec = sound(1, true);
	rec->rounds[0].work.rows_expected = rec->rounds[1].work.rows_expected = RECORD_NONE;
	rec->rounds[1].work.rows = 45000;
	assert_invalid(rec, 0,
		       "pair 1: A gave rows: 150,000, B 45,000 (70 % apart), bound 0.1 %: unequal "
		       "work");
}

static void test_messages(void **state)
{
	struct record *rec = sound(1, true);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		rec->rounds[i].work.rows = rec->rounds[i].work.rows_expected = RECORD_NONE;
		rec->rounds[i].work.lost = rec->rounds[i].work.duplicated = 20;
	}
	assert_valid(rec);
	rec = sound(1, true);
	rec->rounds[0].work.rows = rec->rounds[0].work.rows_expected = RECORD_NONE;
	rec->rounds[0].work.lost = 21;
	assert_invalid(rec, 0, "A, pair 1: 21 of 20,000 messages were lost (0.105 %), bound 0.1 %");
	rec = sound(1, true);
	rec->rounds[0].work.rows = rec->rounds[0].work.rows_expected = RECORD_NONE;
	rec->rounds[0].work.duplicated = 21;
	assert_invalid(rec, 0,
		       "A, pair 1: 21 of 20,000 messages came twice (0.105 %), bound 0.1 %");
}

static void test_unequal_operations(void **state)
{
	struct record *rec = sound(1, true);

	(void)state;
	rec->rounds[1].work.operations = 19980;
	assert_valid(rec);
	rec = sound(1, true);
	rec->rounds[1].work.operations = 10000;
	assert_invalid(rec, 0,
		       "pair 1: A was asked for 20,000, B 10,000 (50 % apart), bound 0.1 %: "
		       "unequal work");
	rec = sound(1, true);
	rec->rounds[1].work.operations = RECORD_NONE;
	assert_invalid(rec, 0, "pair 1: the operations of one side only were counted");
	rec = sound(1, true);
	rec->rounds[1].work.is_fixed = false;
	assert_invalid(rec, 1, "pair 1: the plan fixes the work of one side only");
}

/* It did not have the time for its work, and says nothing of the other side's. */
static void test_aborted(void **state)
{
	struct record *rec = sound(2, true);

	(void)state;
	rec->rounds[3].work.operations = 100;
	rec->rounds[3].work.errors = 4000;
	rec->rounds[3].aborted_by = strdup("rate<0.5 of work.errors");
	assert_true(record_is_aborted(rec));
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_true(rec->verdict.valid);
	assert_int_equal(rec->comparison[0].n, 1);
	record_free(rec);
	rec = sound(1, true);
	assert_false(record_is_aborted(rec));
	rec->rounds[0].work.operations = 0;
	rec->rounds[0].aborted_by = strdup("rate<0.5 of work.errors");
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_true(rec->rounds[0].validity.valid);
	assert_false(rec->verdict.valid);
	assert_string_equal(rec->verdict.text,
			    "invalid: a threshold ended the run before a pair was completed, so "
			    "there is nothing to compare");
	record_free(rec);
}

static const struct record_comparison *find(const struct record *rec, const char *metric)
{
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (!strcmp(rec->comparison[i].metric, metric))
			return &rec->comparison[i];
	fail_msg("%s is not compared", metric);
	return NULL;
}

/* In a closed loop the faster side does more, and each operation has its cost. */
static void test_closed_loop(void **state)
{
	struct record *rec = sound(1, true);
	const struct record_comparison *cpu;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		rec->rounds[i].work.is_fixed = false;
	rec->rounds[1].work.operations = 10000;
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_true(rec->verdict.valid);
	assert_string_equal(rec->verdict.text,
			    "no conclusion: curl used 0.82x the CPU time per operation of kubectl "
			    "(1 pair; closed loop, at 0.50x the operations per second); 1 pair is "
			    "too few for an interval, which takes 6");
	assert_string_equal(rec->statistics.primary, "cpu.seconds_per_thousand_operations");
	assert_true(find(rec, "cpu.total_seconds")->exploratory);
	assert_false(find(rec, "work.operations_per_second")->exploratory);
	assert_false(find(rec, "latency.response.p99_seconds")->exploratory);
	cpu = find(rec, "cpu.seconds_per_thousand_operations");
	assert_true(fabs(cpu->a_median - 1.0 / 20) < 1e-12);
	assert_true(fabs(find(rec, "network.bytes_per_operation")->b_median - 20005000.0 / 10000) <
		    1e-9);
	assert_true(find(rec, "work.operations_per_second")->a_median == 2000);
	assert_false(find(rec, "work.operations_per_second")->lower_is_better);
	assert_true(find(rec, "recovery.outage_seconds")->a_median == 1.22);
	assert_true(find(rec, "latency.response.p95_seconds")->ratio > 1.2);
	record_free(rec);
}

static void test_side_metrics(void **state)
{
	struct record *rec = sound(2, true);
	const struct record_comparison *hits;

	(void)state;
	record_add_side_metric(&rec->rounds[1], "lag", 3);
	record_add_side_metric(&rec->rounds[2], "cache_hit_ratio", 0.5); /* replaces its value */
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	hits = find(rec, "side_metrics.cache_hit_ratio");
	assert_true(hits->exploratory);
	assert_true(hits->a_min == 0.5 && hits->a_max == 0.97 && hits->b_min == 0.97);
	assert_int_equal(hits->n, 2);
	assert_true(isnan(find(rec, "side_metrics.lag")->a_median));
	assert_true(find(rec, "side_metrics.lag")->b_median == 3);
	assert_false(find(rec, "cpu.total_seconds")->exploratory);
	record_free(rec);
}

static void test_side_metrics_are_bounded(void **state)
{
	struct record_round round = {0};
	char name[32];

	(void)state;
	record_round_init(&round);
	for (int i = 0; i < RECORD_MAX_SIDE_METRICS; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_int_equal(record_add_side_metric(&round, name, i), 0);
	}
	assert_true(record_add_side_metric(&round, "one more", 1) < 0);
	assert_int_equal(record_add_side_metric(&round, "m7", 1), 0);
	assert_true(round.side_metrics[7].value == 1);
	record_round_clear(&round);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_errors_that_are_meant),
		cmocka_unit_test(test_errors_of_another_phase),
		cmocka_unit_test(test_errors_of_a_fault),
		cmocka_unit_test(test_nothing_good),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_unequal_operations),
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_closed_loop),
		cmocka_unit_test(test_side_metrics),
		cmocka_unit_test(test_side_metrics_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
