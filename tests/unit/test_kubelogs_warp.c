/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rates of phases: both ways of the map agree, and it holds as many lines as the rates say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drive/kubelogs/warp.h"
#include "util/clock.h"

#define SECOND NSEC_PER_SEC

static struct phase constant(double rate, uint64_t duration_ns)
{
	return (struct phase){
		.name = (char *)"constant",
		.role = PHASE_MEASURED,
		.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE,
		.duration_ns = duration_ns,
		.rate = rate,
		.time_unit_ns = SECOND,
	};
}

static struct phase ramp(double from, struct phase_stage *stages, size_t n)
{
	struct phase phase = {
		.name = (char *)"ramp",
		.role = PHASE_MEASURED,
		.executor = EXECUTOR_RAMPING_ARRIVAL_RATE,
		.start_rate = from,
		.time_unit_ns = SECOND,
		.n_stages = n,
		.stages = stages,
	};

	for (size_t i = 0; i < n; i++)
		phase.duration_ns += stages[i].duration_ns;
	return phase;
}

static struct phase plain(uint64_t duration_ns)
{
	return (struct phase){.name = (char *)"plain", .duration_ns = duration_ns};
}

static void no_rates(void **state)
{
	struct phase phases[] = {plain(SECOND), plain(2 * SECOND)};
	struct warp *warp;

	(void)state;
	assert_int_equal(warp_new(&warp, phases, 2, 1000, NULL), 0);
	assert_null(warp);
}

static void users(void **state)
{
	struct phase phase = plain(SECOND);
	struct warp *warp;
	struct error err;

	(void)state;
	phase.executor = EXECUTOR_CONSTANT_VUS;
	assert_int_equal(warp_new(&warp, &phase, 1, 1000, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
}

/* 1 s as it is, 2 s at the double, then as it is for ever. */
static void steps(void **state)
{
	struct phase phases[] = {plain(SECOND), constant(2000, 2 * SECOND)};
	struct warp *warp;

	(void)state;
	assert_int_equal(warp_new(&warp, phases, 2, 1000, NULL), 0);
	assert_int_equal(warp_to_schedule(warp, 0), 0);
	assert_int_equal(warp_to_schedule(warp, SECOND), SECOND);
	assert_int_equal(warp_to_schedule(warp, 2 * SECOND), 3 * SECOND);
	assert_int_equal(warp_to_schedule(warp, 3 * SECOND), 5 * SECOND);
	assert_int_equal(warp_to_schedule(warp, 7 * SECOND), 9 * SECOND);
	assert_int_equal(warp_to_real(warp, 5 * SECOND), 3 * SECOND);
	assert_int_equal(warp_to_real(warp, 9 * SECOND), 7 * SECOND);
	warp_free(warp);
}

/* From 0 to the double and back in 2 s, nothing for 1 s: as much as 2 s as it is. */
static void ramps(void **state)
{
	struct phase_stage stages[] = {
		{SECOND, 2000}, {SECOND, 0}, {SECOND, 0}, {0, 500}, {2 * SECOND, 500}};
	struct phase phases[] = {ramp(0, stages, 5)};
	struct warp *warp;

	(void)state;
	assert_int_equal(warp_new(&warp, phases, 1, 1000, NULL), 0);
	assert_in_range(warp_to_schedule(warp, SECOND / 2), SECOND / 4 - 1, SECOND / 4);
	assert_in_range(warp_to_schedule(warp, SECOND), SECOND - 1, SECOND);
	assert_in_range(warp_to_schedule(warp, 2 * SECOND), 2 * SECOND - 2, 2 * SECOND);
	assert_int_equal(warp_to_schedule(warp, 3 * SECOND), warp_to_schedule(warp, 2 * SECOND));
	assert_in_range(warp_to_schedule(warp, 5 * SECOND), 3 * SECOND - 2, 3 * SECOND);
	/* The first moment, where time stands still. */
	assert_in_range(warp_to_real(warp, warp_to_schedule(warp, 3 * SECOND)), 2 * SECOND - 100000,
			2 * SECOND);
	warp_free(warp);
}

static void both_ways(void **state)
{
	struct phase_stage stages[] = {{SECOND, 90000}, {3 * SECOND, 17}, {SECOND, 4000}};
	struct phase phases[] = {constant(12345, 777777777), ramp(3, stages, 3), plain(SECOND)};
	struct warp *warp;

	(void)state;
	assert_int_equal(warp_new(&warp, phases, 3, 7000, NULL), 0);
	for (uint64_t at = 1; at < 20 * SECOND; at += 1234567) {
		uint64_t real = warp_to_real(warp, at);

		assert_true(warp_to_schedule(warp, real) >= at);
		assert_true(!real || warp_to_schedule(warp, real - 1) < at);
	}
	for (uint64_t at = 0; at < 8 * SECOND; at += 98765)
		assert_true(warp_to_schedule(warp, at) <= warp_to_schedule(warp, at + 98765));
	warp_free(warp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rates), cmocka_unit_test(users),     cmocka_unit_test(steps),
		cmocka_unit_test(ramps),    cmocka_unit_test(both_ways),
	};

	return cmocka_run_group_tests_name("kubelogs_warp", tests, NULL, NULL);
}
