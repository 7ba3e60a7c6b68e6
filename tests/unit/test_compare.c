/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each rule of validity: just within its bound nothing happens, just over it the run is invalid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample_record.h"

static void assert_valid(struct record *rec)
{
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	if (!rec->verdict.valid)
		fail_msg("is invalid: %s", rec->verdict.text);
	for (size_t i = 0; i < rec->n_rounds; i++)
		assert_true(rec->rounds[i].validity.valid);
	record_free(rec);
}

/* Round @index has @reason, and the run is invalid for it. */
static void assert_invalid(struct record *rec, size_t index, const char *reason)
{
	const struct record_validity *validity = &rec->rounds[index].validity;
	char text[256];

	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_false(rec->verdict.valid);
	assert_int_equal(rec->verdict.winner, -1);
	assert_false(validity->valid);
	assert_int_equal(validity->n_reasons, 1);
	assert_string_equal(validity->reasons[0], reason);
	snprintf(text, sizeof(text), "invalid: %s", reason);
	assert_string_equal(rec->verdict.text, text);
	/* A second time changes nothing. */
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_int_equal(validity->n_reasons, 1);
	record_free(rec);
}

static void test_valid(void **state)
{
	struct record *rec = sample_record(3, true);
	const struct record_comparison *cpu = NULL;

	(void)state;
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_true(rec->verdict.valid);
	assert_string_equal(rec->verdict.text,
			    "no conclusion: curl used 0.41x the CPU time of kubectl for the same "
			    "140,000 lines (3 pairs); 3 pairs are too few for an interval, which "
			    "takes 6");
	for (size_t i = 0; i < rec->n_comparison; i++)
		if (!strcmp(rec->comparison[i].metric, "cpu.total_seconds"))
			cpu = &rec->comparison[i];
	assert_non_null(cpu);
	assert_string_equal(cpu->unit, "s");
	assert_true(cpu->lower_is_better);
	assert_true(cpu->a_median == 1.1 && cpu->a_min == 1 && cpu->a_max == 1.2);
	assert_true(fabs(cpu->ratio - 0.41) < 1e-12);
	assert_int_equal(cpu->n, 3);
	assert_true(isnan(cpu->ci_low) && isnan(cpu->difference_high));
	assert_string_equal(cpu->verdict, "inconclusive");
	record_free(rec);
}

static void test_lost(void **state)
{
	struct record *rec = sample_record(2, true);

	(void)state;
	rec->rounds[3].work.lost = 140; /* 0.1 %: the bound itself */
	assert_valid(rec);
	rec = sample_record(2, true);
	rec->rounds[3].work.lost = 1204;
	assert_invalid(rec, 3, "B, pair 2: of 140,000 lines 1,204 lost (0.86 %), bound 0.1 %");
	/* A driver that does not say what was lost: what is missing is lost. */
	rec = sample_record(1, false);
	rec->rounds[0].work.lost = RECORD_NONE;
	rec->rounds[0].work.lines = 70000;
	assert_invalid(rec, 0, "A, pair 1: of 140,000 lines 70,000 lost (50 %), bound 0.1 %");
}

static void test_doubled_and_malformed(void **state)
{
	struct record *rec = sample_record(2, true);

	(void)state;
	rec->rounds[0].work.duplicated = 141;
	assert_invalid(rec, 0, "A, pair 1: of 140,000 lines 141 doubled (0.101 %), bound 0.1 %");
	rec = sample_record(2, true);
	rec->rounds[0].work.malformed = 141;
	assert_invalid(rec, 0, "A, pair 1: of 140,000 lines 141 malformed (0.101 %), bound 0.1 %");
	rec = sample_record(2, true);
	rec->rounds[0].work.lost = 100; /* each within the bound, together over it */
	rec->rounds[0].work.duplicated = 40;
	rec->rounds[0].work.malformed = 1;
	assert_invalid(rec, 0,
		       "A, pair 1: of 140,000 lines 100 lost, 40 doubled, 1 malformed (0.101 %), "
		       "bound 0.1 %");
	rec = sample_record(1, true);
	rec->rounds[0].work.expected_lines = 0;
	rec->rounds[0].work.duplicated = 3;
	assert_invalid(rec, 0, "A, pair 1: 3 doubled, where no lines were expected");
}

static void test_reordered_is_no_fault(void **state)
{
	struct record *rec = sample_record(2, true);

	(void)state;
	rec->rounds[0].work.reordered = 140000;
	assert_valid(rec);
}

static void test_unequal_lines(void **state)
{
	struct record *rec = sample_record(2, true);

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].work.expected_lines = RECORD_NONE;
	rec->rounds[2].work.lines = 139860;
	assert_valid(rec);
	for (int which = 2; which < 4; which++) {
		rec = sample_record(2, true);
		rec->rounds[2].work.lines = 120000;
		assert_invalid(rec, (size_t)which,
			       "pair 2: A delivered 120,000 lines, B 140,000 (14.3 % apart), "
			       "bound 0.1 %: unequal work");
	}
	rec = sample_record(1, true);
	rec->rounds[0].work.lines = rec->rounds[1].work.lines = 0;
	assert_invalid(rec, 1,
		       "pair 1: neither side delivered a line, so there is no work to compare");
	rec = sample_record(1, true);
	rec->rounds[0].work.lines = RECORD_NONE;
	assert_invalid(rec, 0, "pair 1: the lines of one side only were counted");
	rec = sample_record(1, true);
	rec->rounds[0].has_work = false;
	assert_invalid(rec, 0, "pair 1: the work of one side only was counted");
}

static void test_ends(void **state)
{
	struct record *rec = sample_commands(2);

	(void)state;
	assert_valid(rec);
	rec = sample_commands(2);
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].exit_code = 1; /* as grep that finds nothing, on both sides */
	assert_valid(rec);
	rec = sample_commands(1);
	rec->rounds[1].exit_code = 2;
	assert_invalid(rec, 0,
		       "pair 1: A ended with exit code 0, B with exit code 2: unequal work");
	rec = sample_commands(1);
	rec->rounds[1].exit_code = RECORD_NONE;
	rec->rounds[1].signal = 9;
	assert_invalid(rec, 1, "pair 1: A ended with exit code 0, B with signal 9: unequal work");
	rec = sample_record(2, false);
	rec->rounds[0].has_work = rec->rounds[1].has_work = false;
	rec->rounds[0].exit_code = 0;
	rec->rounds[1].exit_code = 3;
	assert_invalid(
		rec, 1,
		"A, pair 2: ended with exit code 3, in pair 1 with exit code 0: unequal work");
	/* With work that is counted, how the tool ended is no rule. */
	rec = sample_record(1, true);
	rec->rounds[0].exit_code = 1;
	assert_valid(rec);
}

static void test_observer(void **state)
{
	struct record *rec = sample_record(1, true);

	(void)state;
	rec->rounds[0].observer.losses.stacks = 5;     /* shown, no fault */
	rec->rounds[0].observer.losses.recursion = 50; /* of 50,000 */
	assert_valid(rec);
	rec = sample_record(1, true);
	rec->rounds[0].observer.losses.ring = 1;
	rec->rounds[0].observer.losses.map_full = 2;
	assert_int_equal(rec->rounds[0].n_processes, 2);
	assert_invalid(
		rec, 0,
		"A, pair 1: records of processes lost: 3 of 5, bound 0.1 %; memory and the end "
		"of the window are not whole");
	rec = sample_record(1, true);
	rec->rounds[1].observer.losses.recursion = 51;
	assert_invalid(rec, 1,
		       "B, pair 1: events missed while their own program ran: 51 of 50,000, bound "
		       "0.1 %");
	rec = sample_record(1, true);
	rec->rounds[0].observer.losses.storage = 1;
	assert_invalid(rec, 0,
		       "A, pair 1: tasks that could not be followed, whose cost is missing: 1");
	rec = sample_record(1, true);
	rec->rounds[0].observer.probe_events = RECORD_NONE;
	rec->rounds[0].observer.losses.recursion = 1;
	assert_invalid(
		rec, 0,
		"A, pair 1: events missed while their own program ran: 1 of an unknown number "
		"(--observer off)");
}

/* What the conductor found stays, and is the reason that is named. */
static void test_reason_from_elsewhere(void **state)
{
	struct record *rec = sample_record(1, true);

	(void)state;
	record_invalid(&rec->rounds[1], "the driver fell behind");
	assert_invalid(rec, 1, "the driver fell behind");
}

static void test_nothing_to_compare(void **state)
{
	struct record *rec = sample_record(0, true);

	(void)state;
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_false(rec->verdict.valid);
	assert_string_equal(rec->verdict.text, "invalid: no round was recorded");
	assert_int_equal(rec->n_comparison, 0);
	record_free(rec);
	rec = sample_record(1, true);
	rec->rounds[1].pair = 5; /* B's partner never ran */
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_false(rec->verdict.valid);
	assert_string_equal(rec->verdict.text, "invalid: no pair was completed, so there is "
					       "nothing to compare");
	record_free(rec);
}

static void test_other_sentences(void **state)
{
	struct record *rec = sample_record(3, false);

	(void)state;
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_true(rec->verdict.valid);
	assert_string_equal(rec->verdict.text,
			    "kubectl used 1.10 s of CPU time in 10.0 s, resident "
			    "set up to 32.0 MiB (median of 3 rounds)");
	assert_true(isnan(rec->comparison[0].b_median) && isnan(rec->comparison[0].ratio));
	assert_int_equal(rec->comparison[0].n, 3);
	record_free(rec);
	rec = sample_commands(1);
	free(rec->targets[1].name);
	rec->targets[1].name = strdup("kubectl");
	assert_int_equal(record_compare(rec, &(struct compare_options){.work_bound = 0.001}), 0);
	assert_string_equal(rec->verdict.text,
			    "no conclusion: kubectl (B) took 1.000x the time of kubectl (A) (1 "
			    "pair); 1 pair is too few for an interval, which takes 6");
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_doubled_and_malformed),
		cmocka_unit_test(test_reordered_is_no_fault),
		cmocka_unit_test(test_unequal_lines),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_observer),
		cmocka_unit_test(test_reason_from_elsewhere),
		cmocka_unit_test(test_nothing_to_compare),
		cmocka_unit_test(test_other_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
