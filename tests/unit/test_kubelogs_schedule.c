/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/random.h"
#include "drive/kubelogs/schedule.h"
#include "util/clock.h"

#define PODS_MAX (50 * 50)

static const struct schedule_config standard = {
	.deployments = 10,
	.replicas = 2,
	.rate = 14000,
	.seed = 1,
	.bursts = true,
};

static struct pod_schedule *filled(const struct schedule_config *config)
{
	struct pod_schedule *pods = calloc(PODS_MAX, sizeof(*pods));

	assert_non_null(pods);
	schedule_fill(config, pods);
	return pods;
}

static uint64_t due_of_all(const struct schedule_config *config, const struct pod_schedule *pods,
			   uint64_t at_ns)
{
	uint64_t lines = 0;

	for (int i = 0; i < config->deployments * config->replicas; i++)
		lines += schedule_due(&pods[i], at_ns);
	return lines;
}

/* Line n is not due a nanosecond before its time, and is at its time. */
static void check_inverse(const struct pod_schedule *pod, uint64_t seq)
{
	uint64_t at = schedule_time_ns(pod, seq);

	assert_true(schedule_due(pod, at) > seq);
	assert_true(at == 0 || schedule_due(pod, at - 1) <= seq);
}

static void the_inverse_is_exact(void **state)
{
	static const double rates[] = {1, 333, 14000, 50000, 500e3, 10e6};
	uint64_t random = 3;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct schedule_config config = standard;
		struct pod_schedule *pods;

		config.rate = rates[i];
		pods = filled(&config);
		for (int pod = 0; pod < 20; pod++) {
			for (uint64_t seq = 0; seq < 5000; seq++)
				check_inverse(&pods[pod], seq);
			for (int n = 0; n < 1000; n++)
				check_inverse(&pods[pod], random_next(&random) >> 36);
		}
		free(pods);
	}
}

static void times_never_go_back(void **state)
{
	struct pod_schedule *pods = filled(&standard);

	(void)state;
	for (int pod = 0; pod < 20; pod++)
		for (uint64_t seq = 1; seq < 10000; seq++)
			assert_true(schedule_time_ns(&pods[pod], seq) >
				    schedule_time_ns(&pods[pod], seq - 1));
	free(pods);
}

static void nothing_is_due_before_the_first_line(void **state)
{
	struct schedule_config config = standard;
	struct pod_schedule *pods;

	(void)state;
	config.rate = 1;
	pods = filled(&config);
	for (int pod = 0; pod < 20; pod++) {
		uint64_t first = schedule_time_ns(&pods[pod], 0);

		assert_int_equal(schedule_due(&pods[pod], first), 1);
		if (first)
			assert_int_equal(schedule_due(&pods[pod], first - 1), 0);
	}
	free(pods);
}

static void the_average_is_the_rate(void **state)
{
	static const double rates[] = {100, 14000, 50000, 1e6};
	static const int shapes[][2] = {{1, 1}, {10, 2}, {11, 3}, {50, 50}};
	/* What is left of a cycle of bursts makes little difference over so long a time. */
	const uint64_t hours = 1000;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t shape = 0; shape < 4; shape++) {
			struct schedule_config config = standard;
			struct pod_schedule *pods;
			double rate;

			config.rate = rates[i];
			config.deployments = shapes[shape][0];
			config.replicas = shapes[shape][1];
			pods = filled(&config);
			rate = (double)due_of_all(&config, pods, hours * 3600 * NSEC_PER_SEC) /
			       (double)(hours * 3600);
			assert_true(fabs(rate / rates[i] - 1) < 2e-3);
			free(pods);
		}
	}
}

/* At 14,122⅔ lines/s the pods have their nominal rates. */
static void each_deployment_has_its_rate(void **state)
{
	static const double nominal[] = {500, 500, 1000, 800, 750, 667, 833, 769, 909};
	struct schedule_config config = standard;
	struct pod_schedule *pods;

	(void)state;
	config.rate = 2 * (6728 + 1000.0 / 3);
	pods = filled(&config);
	for (int deployment = 0; deployment < 9; deployment++)
		for (int replica = 0; replica < 2; replica++) {
			uint64_t lines =
				schedule_due(&pods[deployment * 2 + replica], 100 * NSEC_PER_SEC);

			assert_true(fabs((double)lines - 100 * nominal[deployment]) <= 1);
		}
	free(pods);
}

static void the_tenth_bursts(void **state)
{
	struct schedule_config config = standard;
	const struct pod_schedule *pod;
	struct pod_schedule *pods;

	(void)state;
	config.rate = 2 * (6728 + 1000.0 / 3);
	pods = filled(&config);
	pod = &pods[18];
	for (uint64_t cycle = 0; cycle < 5; cycle++) {
		uint64_t begin = schedule_time_ns(pod, cycle * 2000);
		uint64_t lull = schedule_time_ns(pod, cycle * 2000 + 1000);
		uint64_t end = schedule_time_ns(pod, cycle * 2000 + 2000);

		assert_true(llabs((long long)(lull - begin) - (long long)NSEC_PER_SEC) < 1000);
		assert_true(llabs((long long)(end - lull) - 5 * (long long)NSEC_PER_SEC) < 1000);
	}
	free(pods);
	config.bursts = false;
	pods = filled(&config);
	assert_int_equal(pods[18].fast_interval, pods[18].slow_interval);
	assert_true(fabs((double)schedule_due(&pods[18], 300 * NSEC_PER_SEC) - 100000) <= 1);
	free(pods);
}

static void a_seed_gives_the_same_times_again(void **state)
{
	struct schedule_config other = standard;
	struct pod_schedule *a = filled(&standard), *b = filled(&standard), *c;

	(void)state;
	other.seed = 2;
	c = filled(&other);
	assert_memory_equal(a, b, PODS_MAX * sizeof(*a));
	assert_memory_not_equal(a, c, 20 * sizeof(*a));
	free(a);
	free(b);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_inverse_is_exact),
		cmocka_unit_test(times_never_go_back),
		cmocka_unit_test(nothing_is_due_before_the_first_line),
		cmocka_unit_test(the_average_is_the_rate),
		cmocka_unit_test(each_deployment_has_its_rate),
		cmocka_unit_test(the_tenth_bursts),
		cmocka_unit_test(a_seed_gives_the_same_times_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
