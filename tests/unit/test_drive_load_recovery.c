/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/load/recovery.h"
#include "util/clock.h"

#define MS     NSEC_PER_MSEC
#define SECOND NSEC_PER_SEC
#define ORIGIN (5000 * SECOND)

/* Every @every_ns from @from to @to an answer that took @response_ns. */
static void answers(struct recovery *recovery, uint64_t from, uint64_t to, uint64_t every_ns,
		    uint64_t response_ns, bool is_good)
{
	for (uint64_t at = from; at < to; at += every_ns)
		recovery_add(recovery, ORIGIN + at, response_ns, is_good);
}

static json_t *fault_of(struct recovery *recovery, size_t i)
{
	json_t *all = recovery_report(recovery, ORIGIN);
	json_t *fault = json_incref(json_array_get(all, i));

	assert_non_null(fault);
	json_decref(all);
	return fault;
}

static void is_about(const json_t *fault, const char *key, double expected, double within)
{
	const json_t *value = json_object_get(fault, key);

	if (!json_is_number(value) || fabs(json_number_value(value) - expected) > within)
		fail_msg("%s is %g instead of %g", key,
			 json_is_number(value) ? json_number_value(value) : NAN, expected);
}

static void is_unknown(const json_t *fault, const char *key)
{
	assert_true(json_is_null(json_object_get(fault, key)));
}

/* Stopped for 2 s, then all that piled up is answered, then the backlog is gone after 500 ms more.
 */
static void a_stop_is_an_outage_and_a_backlog(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "stop", ORIGIN + 10 * SECOND, false);
	/* What was under way is still answered. */
	answers(recovery, 10 * SECOND, 10 * SECOND + 5 * MS, MS, 2 * MS, true);
	recovery_fault(recovery, "stop", ORIGIN + 12 * SECOND, true);
	answers(recovery, 12 * SECOND, 12 * SECOND + 500 * MS, MS / 4, SECOND, true);
	answers(recovery, 12 * SECOND + 500 * MS, 20 * SECOND, MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	assert_string_equal(json_string_value(json_object_get(fault, "fault")), "stop");
	is_about(fault, "at_seconds", 10, 1e-9);
	is_about(fault, "last_good_seconds", 10.004, 1e-9);
	is_about(fault, "first_good_seconds", 12, 1e-9);
	is_about(fault, "outage_seconds", 1.996, 1e-9);
	is_about(fault, "normal_p95_seconds", 0.002, 0.0002);
	is_about(fault, "p95_normal_after_seconds", 2.5, 0.11);
	json_decref(fault);
	recovery_free(recovery);
}

/* Errors are answers that are not normal. */
static void errors_are_an_outage(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "kill", ORIGIN + 10 * SECOND, false);
	answers(recovery, 10 * SECOND, 13 * SECOND, MS, MS, false);
	answers(recovery, 13 * SECOND, 16 * SECOND, MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "outage_seconds", 3.001, 1e-9);
	is_about(fault, "p95_normal_after_seconds", 3, 0.11);
	json_decref(fault);
	recovery_free(recovery);
}

static void what_does_no_harm_is_normal_at_once(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "nothing", ORIGIN + 10 * SECOND, false);
	answers(recovery, 10 * SECOND, 13 * SECOND, MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "outage_seconds", 0, 0);
	is_unknown(fault, "last_good_seconds");
	is_unknown(fault, "first_good_seconds");
	is_about(fault, "p95_normal_after_seconds", 0, 0);
	json_decref(fault);
	recovery_free(recovery);
}

/* Answers come in bursts, as they did before: the times between these are no outages. */
static void gaps_that_were_there_before_are_no_outage(void **state)
{
	for (int longer = 0; longer < 2; longer++) {
		struct recovery *recovery = recovery_new();
		json_t *fault;

		(void)state;
		for (uint64_t at = 0; at < 20; at++) {
			if (at == 10)
				recovery_fault(recovery, "nothing", ORIGIN + 10 * SECOND - MS,
					       false);
			if (longer && at == 12)
				continue;
			answers(recovery, at * SECOND, at * SECOND + 100 * MS, MS, 2 * MS, true);
		}
		fault = fault_of(recovery, 0);
		is_about(fault, "outage_seconds", longer ? 1.901 : 0, 1e-6);
		json_decref(fault);
		recovery_free(recovery);
	}
}

/* Four answers a second: two good ones between bad ones are no recovery, and twenty are. */
static void two_answers_are_not_normal(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, 250 * MS, 2 * MS, true);
	recovery_fault(recovery, "slow", ORIGIN + 10 * SECOND, false);
	for (uint64_t at = 10; at < 20; at++) {
		answers(recovery, at * SECOND, at * SECOND + 500 * MS, 250 * MS, 50 * MS, true);
		answers(recovery, at * SECOND + 500 * MS, (at + 1) * SECOND, 250 * MS, 2 * MS,
			true);
	}
	answers(recovery, 20 * SECOND, 22 * SECOND, 250 * MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_unknown(fault, "p95_normal_after_seconds");
	json_decref(fault);
	answers(recovery, 22 * SECOND, 30 * SECOND, 250 * MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "p95_normal_after_seconds", 9.3, 0.11);
	json_decref(fault);
	recovery_free(recovery);
}

static void what_does_not_come_back_is_not_known(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "kill", ORIGIN + 10 * SECOND, false);
	/* Some more come before it takes effect. */
	answers(recovery, 10 * SECOND, 10 * SECOND + 20 * MS, MS, 2 * MS, true);
	answers(recovery, 10 * SECOND + 20 * MS, 15 * SECOND, 10 * MS, MS, false);
	fault = fault_of(recovery, 0);
	is_about(fault, "last_good_seconds", 10.019, 1e-9);
	is_unknown(fault, "first_good_seconds");
	is_unknown(fault, "outage_seconds");
	is_unknown(fault, "p95_normal_after_seconds");
	json_decref(fault);
	recovery_free(recovery);
}

static void too_few_answers_are_no_norm(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, SECOND, 2 * MS, true);
	recovery_fault(recovery, "kill", ORIGIN + 9 * SECOND + 500 * MS, false);
	answers(recovery, 12 * SECOND, 20 * SECOND, SECOND, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "outage_seconds", 3, 1e-9);
	is_unknown(fault, "normal_p95_seconds");
	is_unknown(fault, "p95_normal_after_seconds");
	json_decref(fault);
	recovery_free(recovery);
}

/* Ten seconds after the fault's end all was well: a hiccup then is not its doing. */
static void what_comes_later_is_not_the_fault_s(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "slow", ORIGIN + 10 * SECOND, false);
	answers(recovery, 10 * SECOND, 11 * SECOND, MS, 50 * MS, true);
	recovery_fault(recovery, "slow", ORIGIN + 11 * SECOND, true);
	answers(recovery, 11 * SECOND, 30 * SECOND, MS, 2 * MS, true);
	answers(recovery, 40 * SECOND, 41 * SECOND, MS, 50 * MS, true);
	answers(recovery, 41 * SECOND, 43 * SECOND, MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "outage_seconds", 0, 0);
	is_about(fault, "p95_normal_after_seconds", 1, 0.11);
	json_decref(fault);
	recovery_free(recovery);
}

/* At 200/s a slot of 100 ms has 20 answers: five of them are looked at together. */
static void silence_and_low_rates_are_judged_over_longer_stretches(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 10 * SECOND, 5 * MS, 2 * MS, true);
	recovery_fault(recovery, "stop", ORIGIN + 10 * SECOND, false);
	answers(recovery, 40 * SECOND, 45 * SECOND, 5 * MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "outage_seconds", 30.005, 1e-6);
	is_about(fault, "p95_normal_after_seconds", 30, 0.6);
	json_decref(fault);
	recovery_free(recovery);
}

static void each_fault_has_its_own(void **state)
{
	struct recovery *recovery = recovery_new();
	json_t *fault;

	(void)state;
	answers(recovery, 0, 5 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "stop", ORIGIN + 5 * SECOND, false);
	recovery_fault(recovery, "stop", ORIGIN + 6 * SECOND, true);
	answers(recovery, 6 * SECOND, 15 * SECOND, MS, 2 * MS, true);
	recovery_fault(recovery, "stop", ORIGIN + 15 * SECOND, false);
	recovery_fault(recovery, "stop", ORIGIN + 18 * SECOND, true);
	answers(recovery, 18 * SECOND, 25 * SECOND, MS, 2 * MS, true);
	fault = fault_of(recovery, 0);
	is_about(fault, "outage_seconds", 1.001, 1e-6);
	json_decref(fault);
	fault = fault_of(recovery, 1);
	is_about(fault, "outage_seconds", 3.001, 1e-6);
	json_decref(fault);
	recovery_free(recovery);
}

static void too_many_faults_are_counted(void **state)
{
	struct recovery *recovery = recovery_new();

	(void)state;
	for (unsigned int i = 0; i < RECOVERY_FAULTS_MAX + 3; i++)
		recovery_fault(recovery, "stop", ORIGIN + i * SECOND, false);
	assert_int_equal(recovery_faults_left_out(recovery), 3);
	recovery_free(recovery);
	recovery_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_is_an_outage_and_a_backlog),
		cmocka_unit_test(errors_are_an_outage),
		cmocka_unit_test(what_does_no_harm_is_normal_at_once),
		cmocka_unit_test(gaps_that_were_there_before_are_no_outage),
		cmocka_unit_test(two_answers_are_not_normal),
		cmocka_unit_test(what_does_not_come_back_is_not_known),
		cmocka_unit_test(too_few_answers_are_no_norm),
		cmocka_unit_test(what_comes_later_is_not_the_fault_s),
		cmocka_unit_test(silence_and_low_rates_are_judged_over_longer_stretches),
		cmocka_unit_test(each_fault_has_its_own),
		cmocka_unit_test(too_many_faults_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
