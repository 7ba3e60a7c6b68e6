/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drive/load/schedule.h"
#include "util/clock.h"

#define SECOND NSEC_PER_SEC

static struct phase constant(double rate, uint64_t duration_ns)
{
	return (struct phase){
		.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE,
		.duration_ns = duration_ns,
		.rate = rate,
		.spawn_rate = NAN,
		.time_unit_ns = SECOND,
		.max_vus = 100,
	};
}

static struct phase ramp(double start, struct phase_stage *stages, size_t n)
{
	struct phase phase = constant(NAN, 0);

	phase.executor = EXECUTOR_RAMPING_ARRIVAL_RATE;
	phase.start_rate = start;
	phase.stages = stages;
	phase.n_stages = n;
	for (size_t i = 0; i < n; i++)
		phase.duration_ns += stages[i].duration_ns;
	return phase;
}

static void a_constant_rate_is_exact(void **state)
{
	struct phase phases[] = {constant(3, 2 * SECOND), constant(7, 10 * SECOND)};
	struct schedule *schedule = schedule_new(phases, 2);

	(void)state;
	assert_non_null(schedule);
	assert_int_equal(schedule_arrivals(schedule, 0), 6);
	assert_int_equal(schedule_arrivals(schedule, 1), 70);
	for (uint64_t i = 0; i < 70; i++)
		assert_int_equal(schedule_arrival_ns(schedule, 1, i),
				 2 * SECOND + (uint64_t)llround((double)i * 1e9 / 7));
	assert_int_equal(schedule_phase_begin_ns(schedule, 2), 12 * SECOND);
	schedule_free(schedule);
}

static void a_time_unit_is_that_of_the_rate(void **state)
{
	struct phase phase = constant(90, 60 * SECOND);
	struct schedule *schedule;

	(void)state;
	phase.time_unit_ns = 60 * SECOND;
	schedule = schedule_new(&phase, 1);
	assert_int_equal(schedule_arrivals(schedule, 0), 90);
	assert_int_equal(schedule_arrival_ns(schedule, 0, 3), 2 * SECOND);
	schedule_free(schedule);
}

/* Half an arrival more, and one more is due before the end. */
static void a_part_of_an_arrival_counts_where_it_begins(void **state)
{
	struct phase phases[] = {constant(10, SECOND / 4), constant(10, SECOND)};
	struct schedule *schedule = schedule_new(phases, 2);

	(void)state;
	assert_int_equal(schedule_arrivals(schedule, 0), 3);
	assert_int_equal(schedule_arrival_ns(schedule, 0, 2), SECOND / 5);
	assert_int_equal(schedule_arrivals(schedule, 1), 10);
	schedule_free(schedule);
}

/* The integral of the rate up to @t of the phase, by its definition. */
static double integral(const struct phase *phase, double t_ns)
{
	double sum = 0, rate = phase->start_rate;

	for (size_t i = 0; i < phase->n_stages; i++) {
		double length = (double)phase->stages[i].duration_ns;
		double target = phase->stages[i].target, at = fmin(t_ns, length);

		if (length > 0 && at > 0)
			sum += (rate * at + (target - rate) * at * at / (2 * length)) / 1e9;
		t_ns -= length;
		rate = target;
	}
	return sum;
}

static void a_ramp_s_arrivals_are_where_its_integral_says(void **state)
{
	struct phase_stage stages[] = {{10 * SECOND, 1000}, {5 * SECOND, 1000}, {0, 200},
				       {5 * SECOND, 200},   {2 * SECOND, 0},    {SECOND, 0},
				       {3 * SECOND, 300}};
	struct phase phase = ramp(0, stages, 7);
	struct schedule *schedule = schedule_new(&phase, 1);
	uint64_t n = schedule_arrivals(schedule, 0), last = 0;

	(void)state;
	/* 5000 + 5000 + 1000 + 200 + 450 */
	assert_int_equal(n, 11650);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = schedule_arrival_ns(schedule, 0, i);

		assert_true(at >= last && at < phase.duration_ns);
		/* To the nanosecond: the rate is at most 1000/s. */
		assert_true(fabs(integral(&phase, (double)at) - (double)i) < 1e-5);
		last = at;
	}
	/* The first comes with the beginning, and in the pause none does. */
	assert_int_equal(schedule_arrival_ns(schedule, 0, 0), 0);
	assert_int_equal(schedule_arrival_ns(schedule, 0, 11200), 23 * SECOND);
	schedule_free(schedule);
}

static void a_day_is_exact_to_the_end(void **state)
{
	struct phase phase = constant(20000, 86400 * SECOND);
	struct schedule *schedule = schedule_new(&phase, 1);

	(void)state;
	assert_int_equal(schedule_arrivals(schedule, 0), 20000ULL * 86400);
	assert_int_equal(schedule_arrival_ns(schedule, 0, 20000ULL * 86400 - 1),
			 86400 * SECOND - 50000);
	schedule_free(schedule);
}

static void users_are_constant_or_spawned(void **state)
{
	struct phase phases[] = {{.executor = EXECUTOR_CONSTANT_VUS,
				  .duration_ns = 10 * SECOND,
				  .vus = 8,
				  .spawn_rate = NAN},
				 {.executor = EXECUTOR_PER_VU_ITERATIONS,
				  .duration_ns = 10 * SECOND,
				  .vus = 5,
				  .spawn_rate = 2}};
	struct schedule *schedule = schedule_new(phases, 2);

	(void)state;
	assert_int_equal(schedule_users(schedule, 0), 8);
	assert_int_equal(schedule_users_change_ns(schedule, 0), 10 * SECOND);
	assert_int_equal(schedule_users(schedule, 10 * SECOND - 1), 8);
	assert_int_equal(schedule_users(schedule, 10 * SECOND), 1);
	assert_int_equal(schedule_users_change_ns(schedule, 10 * SECOND), 10 * SECOND + SECOND / 2);
	assert_int_equal(schedule_users(schedule, 10 * SECOND + SECOND / 2 - 1), 1);
	assert_int_equal(schedule_users(schedule, 10 * SECOND + SECOND / 2), 2);
	assert_int_equal(schedule_users(schedule, 12 * SECOND), 5);
	assert_int_equal(schedule_users_change_ns(schedule, 12 * SECOND), 20 * SECOND);
	assert_int_equal(schedule_users(schedule, 20 * SECOND), 0);
	assert_int_equal(schedule_users_change_ns(schedule, 20 * SECOND), UINT64_MAX);
	assert_int_equal(schedule_users_max(schedule), 8);
	schedule_free(schedule);
}

/* Walks from change to change: up one by one, then down one by one. */
static void users_are_ramped_one_by_one(void **state)
{
	struct phase_stage stages[] = {{10 * SECOND, 10}, {5 * SECOND, 10}, {10 * SECOND, 0}};
	struct phase phase = {.executor = EXECUTOR_RAMPING_VUS,
			      .duration_ns = 25 * SECOND,
			      .stages = stages,
			      .n_stages = 3};
	struct schedule *schedule = schedule_new(&phase, 1);
	uint64_t at = 0;

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(schedule_users(schedule, at), i);
		at = schedule_users_change_ns(schedule, at);
		assert_int_equal(at, (i + 1) * SECOND);
		assert_int_equal(schedule_users(schedule, at - 1), i);
	}
	assert_int_equal(schedule_users(schedule, at), 10);
	at = schedule_users_change_ns(schedule, at);
	assert_int_equal(at, 15 * SECOND);
	for (unsigned int i = 10; i > 0; i--) {
		assert_int_equal(schedule_users(schedule, at), i);
		at = schedule_users_change_ns(schedule, at);
		assert_int_equal(at, (26 - i) * SECOND);
	}
	assert_int_equal(schedule_users(schedule, at), 0);
	assert_int_equal(schedule_users_max(schedule), 10);
	schedule_free(schedule);
}

static void a_jump_of_users_takes_no_time(void **state)
{
	struct phase_stage stages[] = {{0, 20}, {3 * SECOND, 20}, {0, 4}, {SECOND, 4}};
	struct phase phase = {.executor = EXECUTOR_RAMPING_VUS,
			      .duration_ns = 4 * SECOND,
			      .start_vus = 1,
			      .stages = stages,
			      .n_stages = 4};
	struct schedule *schedule = schedule_new(&phase, 1);

	(void)state;
	assert_int_equal(schedule_users(schedule, 0), 20);
	assert_int_equal(schedule_users_change_ns(schedule, 0), 3 * SECOND);
	assert_int_equal(schedule_users(schedule, 3 * SECOND), 4);
	schedule_free(schedule);
}

static void phases_are_found_by_time(void **state)
{
	struct phase phases[] = {constant(1, SECOND), constant(1, 0), constant(1, SECOND)};
	struct schedule *schedule = schedule_new(phases, 3);

	(void)state;
	assert_int_equal(schedule_phase_at(schedule, 0), 0);
	assert_int_equal(schedule_phase_at(schedule, SECOND - 1), 0);
	assert_int_equal(schedule_phase_at(schedule, SECOND), 2);
	assert_int_equal(schedule_phase_at(schedule, 2 * SECOND), 3);
	assert_int_equal(schedule_arrivals(schedule, 1), 0);
	assert_true(phase_is_open_loop(&phases[0]));
	schedule_free(schedule);
	schedule_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_constant_rate_is_exact),
		cmocka_unit_test(a_time_unit_is_that_of_the_rate),
		cmocka_unit_test(a_part_of_an_arrival_counts_where_it_begins),
		cmocka_unit_test(a_ramp_s_arrivals_are_where_its_integral_says),
		cmocka_unit_test(a_day_is_exact_to_the_end),
		cmocka_unit_test(users_are_constant_or_spawned),
		cmocka_unit_test(users_are_ramped_one_by_one),
		cmocka_unit_test(a_jump_of_users_takes_no_time),
		cmocka_unit_test(phases_are_found_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
