/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a run has pairs enough, and how many the command line and the scenario want. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conduct/plan.h"
#include "record/noise.h"
#include "record/stopping.h"
#include "sample_record.h"

/* Pairs around 10 %, so far apart. */
static void spread(double *ln, size_t n, double by)
{
	for (size_t i = 0; i < n; i++)
		ln[i] = log(1.1) + by * ((double)(i % 5) - 2) / 2;
}

static struct stopping_state judge(const struct stopping *stopping, size_t n, double by, int done)
{
	struct stopping_state state;
	double ln[64];

	spread(ln, n, by);
	stopping_judge(stopping, ln, n, done, &state);
	return state;
}

static void a_fixed_number(void **state)
{
	const struct stopping stopping = {10, 10, NAN};

	(void)state;
	/* However clear or narrow it is, and however wide. */
	for (int done = 1; done < 10; done++)
		assert_false(judge(&stopping, (size_t)done, 1e-9, done).is_over);
	assert_true(judge(&stopping, 10, 1, 10).is_over);
	assert_true(judge(&stopping, 0, 0, 10).is_over);
	assert_false(judge(&stopping, 10, 1e-9, 10).is_reached);
	assert_int_equal(judge(&stopping, 3, 1, 3).expected_pairs, 10);
}

static void a_width(void **state)
{
	const struct stopping stopping = {6, 50, 0.02};
	struct stopping_state now;

	(void)state;
	/* No interval, no end: five pairs that are all alike say nothing yet. */
	now = judge(&stopping, 5, 0.0001, 5);
	assert_true(isnan(now.width));
	assert_false(now.is_over || now.is_reached);
	assert_int_equal(now.expected_pairs, 6);
	assert_int_equal(judge(&(struct stopping){3, 4, 0.02}, 2, 1, 2).expected_pairs, 4);
	now = judge(&stopping, 6, 0.001, 6);
	assert_true(now.width > 0 && now.width < 0.002);
	assert_true(now.is_over && now.is_reached);
	assert_int_equal(now.expected_pairs, 6);
	/* A clear difference that is not narrow goes on. */
	now = judge(&stopping, 10, 0.08, 10);
	assert_true(now.width > 0.02);
	assert_false(now.is_over);
	assert_in_range(now.expected_pairs, 11, 50);
	now = judge(&stopping, 10, 0.8, 10);
	assert_int_equal(now.expected_pairs, 50);
	/* The cap. */
	now = judge(&stopping, 50, 0.8, 50);
	assert_true(now.is_over);
	assert_false(now.is_reached);
	/* Pairs without a ratio count as pairs, but say nothing. */
	assert_true(judge(&stopping, 3, 0.001, 50).is_over);
	assert_false(judge(&stopping, 3, 0.001, 49).is_over);
}

static void the_fewest_come_first(void **state)
{
	const struct stopping stopping = {12, 50, 0.02};
	struct stopping_state now = judge(&stopping, 11, 0.001, 11);

	(void)state;
	assert_true(now.is_reached);
	assert_false(now.is_over);
	assert_int_equal(now.expected_pairs, 12);
	assert_true(judge(&stopping, 12, 0.001, 12).is_over);
}

static void fewest_pairs(void **state)
{
	(void)state;
	/* 2/2^n below 0.05, times the gates. */
	assert_int_equal(stopping_fewest(0), 6);
	assert_int_equal(stopping_fewest(1), 6);
	assert_int_equal(stopping_fewest(2), 7);
	assert_int_equal(stopping_fewest(3), 7);
	assert_int_equal(stopping_fewest(4), 8);
	assert_int_equal(stopping_fewest(10), 9);
}

static void of_a_record(void **state)
{
	const struct stopping stopping = {6, 50, 0.02};
	struct record *rec = sample_record(8, true);
	struct stopping_state now;
	struct noise noise;

	(void)state;
	assert_int_equal(stopping_look(&stopping, rec, "cpu.total_seconds", 8, &now), 0);
	assert_false(isnan(now.width));
	/* A metric that nobody knows never is narrow. */
	assert_int_equal(stopping_look(&stopping, rec, "no.metric", 8, &now), 0);
	assert_true(isnan(now.width) && !now.is_over);
	assert_int_equal(stopping_look(&stopping, rec, NULL, 50, &now), 0);
	assert_true(now.is_over && !now.is_reached);
	/* All zero: no ratio, and as narrow as can be, as the verdict is that they are the same. */
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].memory.major_faults = 0;
	assert_int_equal(noise_of(rec, metric_find("memory.major_faults"), &noise), 0);
	assert_int_equal(noise.n, 8);
	assert_int_equal(noise.without, 0);
	assert_true(noise.by_difference && noise.spread == 0 && isnan(noise.pairs[0]));
	assert_int_equal(stopping_look(&stopping, rec, "memory.major_faults", 8, &now), 0);
	assert_true(now.width == 0 && now.is_reached && now.is_over);
	/* One zero among them: all pairs by their differences, over the larger median. */
	for (size_t i = 0; i < rec->n_rounds; i++)
		rec->rounds[i].memory.major_faults =
			i < 2 ? 0
			      : 1000 + (rec->rounds[i].side == SIDE_B ? rec->rounds[i].pair : 0);
	assert_int_equal(noise_of(rec, metric_find("memory.major_faults"), &noise), 0);
	assert_true(noise.by_difference && noise.n == 8);
	assert_true(noise.spread > 0.002 && noise.spread < 0.003);
	assert_int_equal(noise.pairs[0], 6);
	assert_int_equal(stopping_look(&stopping, rec, "memory.major_faults", 8, &now), 0);
	assert_true(now.width > 0.002 && now.width < 0.005 && now.is_reached);
	record_free(rec);
}

/* By hand: pairs of which one half is up by 1 %, the other down by as much. */
static void noise_by_hand(void **state)
{
	struct record *rec = sample_record(10, true);
	double sd = log(1.01) * sqrt(10.0 / 9);
	struct noise noise;

	(void)state;
	for (size_t i = 0; i < rec->n_rounds; i++) {
		struct record_round *round = &rec->rounds[i];

		round->cpu.total_seconds = round->side == SIDE_A ? 2
					   : round->pair % 2     ? 2 * 1.01
								 : 2 / 1.01;
	}
	assert_int_equal(noise_of(rec, metric_find("cpu.total_seconds"), &noise), 0);
	assert_int_equal(noise.n, 10);
	assert_float_equal(noise.spread, sd, 1e-9);
	assert_float_equal(noise.detectable, expm1(2.8 * sd / sqrt(10)), 1e-9);
	assert_int_equal((int)noise.pairs[0], (int)ceil(2.8 * 2.8 * 10 / 9));
	/* No verdict comes of fewer. */
	assert_int_equal((int)noise.pairs[NOISE_EFFECTS - 1], 6);
	assert_true(isnan(noise_stolen(rec)) || noise_stolen(rec) >= 0);
	record_free(rec);
}

static struct stopping plan(const struct conduct_options *options, const struct scenario *scenario)
{
	struct stopping stopping;

	plan_stopping(options, scenario, &stopping);
	return stopping;
}

static void assert_stopping(struct stopping stopping, int min, int max, double width)
{
	assert_int_equal(stopping.min_pairs, min);
	assert_int_equal(stopping.max_pairs, max);
	assert_true(isnan(width) ? isnan(stopping.until_width) : stopping.until_width == width);
}

static void what_is_asked_for(void **state)
{
	struct scenario scenario = {.rounds = 8, .until_width = NAN, .margin = NAN};
	struct conduct_options options;

	(void)state;
	conduct_options_init(&options);
	options.target = options.versus = "x";
	assert_stopping(plan(&options, NULL), 10, 10, NAN);
	assert_stopping(plan(&options, &scenario), 8, 8, NAN);
	options.until_width = 0.05;
	assert_stopping(plan(&options, NULL), 7, 50, 0.05);
	options.gates[options.n_gates++] = "cpu.total_seconds";
	assert_stopping(plan(&options, NULL), 6, 50, 0.05);
	options.n_gates = 0;
	assert_stopping(plan(&options, &scenario), 8, 50, 0.05);
	options.max_rounds = 7;
	assert_stopping(plan(&options, &scenario), 7, 7, 0.05);
	options.max_rounds = 0;
	options.rounds = 60;
	assert_stopping(plan(&options, NULL), 60, 60, 0.05);
	/* One side has no ratio. */
	options.versus = NULL;
	assert_stopping(plan(&options, NULL), 60, 60, NAN);
	options.versus = "x";
	options.rounds = 0;
	options.until_width = NAN;
	scenario.until_width = 0.01;
	scenario.max_rounds = 20;
	assert_stopping(plan(&options, &scenario), 8, 20, 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixed_number),        cmocka_unit_test(a_width),
		cmocka_unit_test(the_fewest_come_first), cmocka_unit_test(fewest_pairs),
		cmocka_unit_test(of_a_record),           cmocka_unit_test(noise_by_hand),
		cmocka_unit_test(what_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
