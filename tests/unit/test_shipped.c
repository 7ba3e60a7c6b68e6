/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every scenario and target that ships can be read by the program that it ships with: its driver's
 * section and all thresholds too. Runs in the root of the repository, or finds it in
 * PERFBPF_SOURCE_DIR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/driver.h"
#include "scenario/scenario.h"

/* The text of a file's `driver:` decides whether this build can read it. */
static bool is_of_absent_driver(const struct error *err)
{
	char text[100];

	for (size_t i = 0; driver_absent_at(i); i++) {
		snprintf(text, sizeof(text), "'%s'", driver_absent_at(i));
		if (strstr(err->text, "no driver is named") && strstr(err->text, text))
			return true;
	}
	return false;
}

static void scenarios_can_be_read(void **state)
{
	char **names;
	size_t n;

	(void)state;
	assert_int_equal(scenario_names(&names, &n, NULL), 0);
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++) {
		struct error err = {.text = ""};
		struct scenario *scenario = scenario_load(names[i], driver_schema_of, &err);

		if (!scenario && !is_of_absent_driver(&err))
			fail_msg("%s: %s", names[i], err.text);
		if (scenario && !scenario->description)
			fail_msg("%s has no description", names[i]);
		scenario_free(scenario);
	}
	names_free(names, n);
}

/* What a client asks is due by an executor in each phase: the driver would refuse it at its start.
 */
static void clients_have_executors(void **state)
{
	char **names;
	size_t n;

	(void)state;
	assert_int_equal(scenario_names(&names, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct scenario *scenario = scenario_load(names[i], driver_schema_of, NULL);

		if (scenario && !strcmp(scenario->driver, "http"))
			for (size_t j = 0; j < scenario->n_phases; j++)
				if (scenario->phases[j].executor == EXECUTOR_NONE)
					fail_msg("%s: phase '%s' has no executor", names[i],
						 scenario->phases[j].name);
		scenario_free(scenario);
	}
	names_free(names, n);
}

/* Their variables are those of a round, the kinds that thresholds name are the driver's. */
static void drivers_find_what_they_name(void **state)
{
	static const struct variable common[] = {
		{"port", ""}, {"port2", ""}, {"home", ""}, {"user", ""}, {"scripts", ""},
	};
	char **names;
	size_t n;

	(void)state;
	assert_int_equal(scenario_names(&names, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct scenario *scenario = scenario_load(names[i], driver_schema_of, NULL);
		struct error err = {.text = ""};

		if (scenario &&
		    driver_check(scenario, common, sizeof(common) / sizeof(common[0]), true, &err))
			fail_msg("%s: %s", names[i], err.text);
		scenario_free(scenario);
	}
	names_free(names, n);
}

/* Its phases are each harder than the one before: what breaks in one must not be outweighed. */
static void the_stress_ends_by_its_phases(void **state)
{
	struct error err = {.text = ""};
	struct scenario *scenario = scenario_load("kailash/stress", driver_schema_of, &err);
	size_t n = 0;

	(void)state;
	if (!scenario)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < scenario->n_phases; i++) {
		char metric[200];
		bool found = scenario->phases[i].role != PHASE_MEASURED;

		snprintf(metric, sizeof(metric), "work.errors{phase:%s}", scenario->phases[i].name);
		for (size_t j = 0; j < scenario->n_thresholds; j++)
			found |= scenario->thresholds[j].abort_on_fail &&
				 !strcmp(scenario->thresholds[j].metric, metric);
		if (!found)
			fail_msg("no threshold ends phase '%s'", scenario->phases[i].name);
		n += scenario->phases[i].role == PHASE_MEASURED;
	}
	assert_int_equal(n, 5);
	scenario_free(scenario);
}

static void targets_can_be_read(void **state)
{
	char **names;
	size_t n;

	(void)state;
	assert_int_equal(target_names(&names, &n, NULL), 0);
	assert_true(n > 4);
	for (size_t i = 0; i < n; i++) {
		struct error err = {.text = ""};
		struct target *target = target_load(names[i], &err);
		struct scenario *scenario;

		if (!target)
			fail_msg("%s: %s", names[i], err.text);
		if (!target->description || !target->install)
			fail_msg("%s has no description, or does not say how to get it", names[i]);
		scenario = target->scenario
				   ? scenario_load(target->scenario, driver_schema_of, &err)
				   : NULL;
		if (target->scenario && !scenario && !is_of_absent_driver(&err))
			fail_msg("%s: its scenario: %s", names[i], err.text);
		if (scenario && target->driver && strcmp(scenario->driver, target->driver) != 0)
			fail_msg("%s is for driver %s, its scenario for %s", names[i],
				 target->driver, scenario->driver);
		scenario_free(scenario);
		target_free(target);
	}
	names_free(names, n);
}

static int use_shipped(void **state)
{
	const char *root = getenv("PERFBPF_SOURCE_DIR");
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/scenarios", root ? root : ".");
	return setenv("PERFBPF_SCENARIOS", path, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios_can_be_read),
		cmocka_unit_test(clients_have_executors),
		cmocka_unit_test(drivers_find_what_they_name),
		cmocka_unit_test(the_stress_ends_by_its_phases),
		cmocka_unit_test(targets_can_be_read),
	};

	return cmocka_run_group_tests(tests, use_shipped, NULL);
}
