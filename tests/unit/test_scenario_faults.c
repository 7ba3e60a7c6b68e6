/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "scenario/scenario.h"

#define MSEC 1000000ULL

/* A driver without keys of its own. */
static const struct yaml_schema empty_schema = {.name = "none", .size = 1};

static const struct yaml_schema *schema_of(const char *driver)
{
	return strcmp(driver, "none") != 0 ? NULL : &empty_schema;
}

static const char head[] = "driver: none\n"
			   "phases:\n"
			   "  - {name: warm, role: warmup, duration: 5s}\n"
			   "  - {name: calm, role: measured, duration: 10s}\n"
			   "  - {name: storm, role: measured, duration: 20s}\n"
			   "components: [{name: db, command: [sleep, 9]}]\n"
			   "proxies: [{name: slow_db, to: \"127.0.0.1:${port.db}\"}]\n"
			   "faults:\n";

static struct scenario *load(const char *faults, struct error *err)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s", head, faults);
	return scenario_load_memory("s.yaml", text, strlen(text), schema_of, err);
}

static struct scenario *take(const char *faults)
{
	struct error err;
	struct scenario *scenario = load(faults, &err);

	if (!scenario)
		fail_msg("refused: %s", err.text);
	return scenario;
}

/* The first fault is in line 9. */
static void refuse(const char *faults, const char *begins, const char *holds)
{
	struct error err = {0};
	struct scenario *scenario = load(faults, &err);

	if (scenario)
		fail_msg("taken: %s", faults);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
}

static void all_kinds(void **state)
{
	struct scenario *scenario =
		take("  - {name: freeze, kind: signal, signal: STOP, component: db, phase: storm,"
		     " at: 2s, for: 3s}\n"
		     "  - {name: fail over, kind: signal, signal: KILL, leader: [etcdctl, x],"
		     " restart: true, for: 1s}\n"
		     "  - {name: hog, kind: cpu, workers: 2, at: 9s}\n"
		     "  - {name: swell, kind: memory, bytes: 64MiB}\n"
		     "  - {name: write, kind: io}\n"
		     "  - {name: crowd, kind: connections, count: 100, address: '127.0.0.1:80'}\n"
		     "  - {name: late, kind: proxy, proxy: slow_db, effect: delay, delay: 50ms,"
		     " probability: 0.05, for: 2s}\n"
		     "  - {name: narrow, kind: proxy, proxy: slow_db, effect: bandwidth,"
		     " bandwidth: 1MiB, at: 2s}\n");
	const struct fault *fault = scenario->faults;

	(void)state;
	assert_int_equal(scenario->n_faults, 8);
	assert_int_equal(fault[0].kind, FAULT_SIGNAL);
	assert_int_equal(fault[0].at_ns, 2000 * MSEC);
	assert_int_equal(fault[0].duration_ns, 3000 * MSEC);
	assert_int_equal(fault_phase(scenario, &fault[0]), 2);
	assert_int_equal(fault_phase(scenario, &fault[1]), 1);
	assert_string_equal(fault[1].leader[1], "x");
	assert_true(fault[1].restart);
	assert_int_equal(fault[2].workers, 2);
	assert_int_equal(fault[3].bytes, 64 << 20);
	assert_int_equal(fault[5].count, 100);
	assert_true(fault[5].probability == 1);
	assert_int_equal(fault[6].delay_ns, 50 * MSEC);
	assert_true(fault[6].probability == 0.05);
	assert_int_equal(fault[7].effect, PROXY_BANDWIDTH);
	assert_int_equal(fault[7].bytes_per_second, 1 << 20);
	assert_string_equal(scenario->proxies[0].to, "127.0.0.1:${port.db}");
	scenario_free(scenario);
}

static void signals(void **state)
{
	(void)state;
	assert_int_equal(fault_signal_number("KILL"), SIGKILL);
	assert_int_equal(fault_signal_number("STOP"), SIGSTOP);
	assert_int_equal(fault_signal_number("kill"), 0);
	assert_int_equal(fault_signal_number("CHLD"), 0);
	assert_true(fault_signal_ends(SIGTERM));
	assert_false(fault_signal_ends(SIGSTOP));
	assert_false(fault_signal_ends(SIGHUP));
}

static void refused_names(void **state)
{
	(void)state;
	refuse("  - {name: a, kind: cpu}\n  - {name: a, kind: cpu}\n", "s.yaml:10:12: ", "taken");
	refuse("  - {name: a, kind: heat}\n", "s.yaml:9:", "heat");
	refuse("  - {name: a, kind: cpu, phase: stomr}\n", "s.yaml:9:33: ", "no phase is named");
	refuse("  - {name: a, kind: signal, signal: STOP, component: bd}\n",
	       "s.yaml:9:54: ", "no component 'bd'");
	refuse("  - {name: a, kind: signal, signal: CHLD}\n", "s.yaml:9:37: ", "is no signal");
	refuse("  - {name: a, kind: signal, signal: STOP, component: db, leader: [x]}\n",
	       "s.yaml:9:", "both say");
	refuse("  - {name: a, kind: signal, signal: STOP, component: target.}\n",
	       "s.yaml:9:54: ", "no component");
	refuse("  - {name: a, kind: proxy, proxy: fast_db, effect: stall}\n",
	       "s.yaml:9:35: ", "no proxy 'fast_db'");
}

static void refused_times(void **state)
{
	(void)state;
	refuse("  - {name: a, kind: cpu, at: 10s}\n", "s.yaml:9:30: ", "'calm' has ended");
	refuse("  - {name: a, kind: cpu, at: 8s, for: 2001ms}\n",
	       "s.yaml:9:39: ", "'calm' has ended");
	refuse("  - {name: a, kind: cpu, at: -1s}\n", "s.yaml:9:", "at");
	/* A proxy has one effect at a time. */
	refuse("  - {name: a, kind: proxy, proxy: slow_db, effect: stall, at: 1s, for: 2s}\n"
	       "  - {name: b, kind: proxy, proxy: slow_db, effect: reset, at: 2s}\n",
	       "s.yaml:10:", "one effect at a time");
	scenario_free(
		take("  - {name: a, kind: proxy, proxy: slow_db, effect: stall, at: 1s, for: 2s}\n"
		     "  - {name: b, kind: proxy, proxy: slow_db, effect: reset, at: 3s}\n"
		     "  - {name: c, kind: proxy, proxy: slow_db, effect: reset, phase: storm}\n"));
}

static void refused_keys(void **state)
{
	(void)state;
	refuse("  - {name: a, kind: cpu, signal: KILL}\n", "s.yaml:9:34: ", "no key of kind cpu");
	refuse("  - {name: a, kind: signal}\n", "s.yaml:9:21: ", "needs the key 'signal'");
	refuse("  - {name: a, kind: memory}\n", "s.yaml:9:21: ", "needs the key 'bytes'");
	refuse("  - {name: a, kind: connections, count: 5}\n",
	       "s.yaml:9:21: ", "needs the key 'address'");
	refuse("  - {name: a, kind: connections, count: 5, address: '10.0.0.1:80'}\n",
	       "s.yaml:9:53: ", "not of this machine");
	refuse("  - {name: a, kind: connections, count: 5, address: '127.0.0.1'}\n",
	       "s.yaml:9:53: ", "no address and port");
	refuse("  - {name: a, kind: proxy, proxy: slow_db}\n",
	       "s.yaml:9:21: ", "needs the key 'effect'");
	refuse("  - {name: a, kind: proxy, proxy: slow_db, effect: delay}\n",
	       "s.yaml:9:52: ", "delay needs the key 'delay'");
	refuse("  - {name: a, kind: proxy, proxy: slow_db, effect: stall, delay: 5ms}\n",
	       "s.yaml:9:66: ", "no key of effect stall");
	refuse("  - {name: a, kind: proxy, proxy: slow_db, effect: none}\n",
	       "s.yaml:9:21: ", "needs the key 'effect'");
	refuse("  - {name: a, kind: cpu, probability: 0.5}\n", "s.yaml:9:39: ", "no key of kind");
	refuse("  - {name: a, kind: signal, signal: KILL, for: 3s}\n",
	       "s.yaml:9:48: ", "restart: true");
	refuse("  - {name: a, kind: signal, signal: STOP, restart: true}\n",
	       "s.yaml:9:52: ", "ends nothing");
}

static void refused_proxies(void **state)
{
	static const char *const bad[][2] = {
		{"[{name: db, to: '127.0.0.1:1'}]", "taken"},
		{"[{name: a, to: '127.0.0.1:1'}, {name: a, to: '127.0.0.1:2'}]", "taken"},
		{"[{name: 'a b', to: '127.0.0.1:1'}]", "letters"},
		{"[{name: target, to: '127.0.0.1:1'}]", "target"},
		{"[{name: a, to: 'example.org:1'}]", "no address"},
		{"[{name: a}]", "to"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = {0};
		char text[512];

		snprintf(text, sizeof(text),
			 "driver: none\n"
			 "phases: [{name: m, role: measured, duration: 10s}]\n"
			 "components: [{name: db, command: [sleep, 9]}]\n"
			 "proxies: %s\n",
			 bad[i][0]);
		assert_null(scenario_load_memory("s.yaml", text, strlen(text), schema_of, &err));
		assert_int_equal(strncmp(err.text, "s.yaml:4:", 9), 0);
		assert_non_null(strstr(err.text, bad[i][1]));
	}
}

/* --duration keeps the shares of a phase that faults have. */
static void scaled(void **state)
{
	struct scenario *scenario =
		take("  - {name: a, kind: cpu, phase: storm, at: 5s, for: 10s}\n"
		     "  - {name: b, kind: cpu, at: 5s}\n"
		     "  - {name: c, kind: cpu, phase: warm, at: 1s, for: 1s}\n");

	(void)state;
	assert_int_equal(scenario_set_duration(scenario, PHASE_MEASURED, 3000 * MSEC, NULL), 0);
	assert_int_equal(scenario->faults[0].at_ns, 500 * MSEC);
	assert_int_equal(scenario->faults[0].duration_ns, 1000 * MSEC);
	assert_int_equal(scenario->faults[1].at_ns, 500 * MSEC);
	assert_int_equal(scenario->faults[1].duration_ns, 0);
	assert_int_equal(scenario->faults[2].at_ns, 1000 * MSEC);
	/* A phase that is left out: its faults are known to be of none. */
	assert_int_equal(scenario_set_duration(scenario, PHASE_WARMUP, 0, NULL), 0);
	assert_int_equal(fault_phase(scenario, &scenario->faults[2]), scenario->n_phases);
	scenario_free(scenario);
}

static void with_target(void **state)
{
	static const char text[] = "description: x\n"
				   "components: [{name: etcd1, command: [etcd]}]\n";
	static const char clash[] = "description: x\n"
				    "components: [{name: slow_db, command: [etcd]}]\n";
	struct scenario *good =
		take("  - {name: a, kind: signal, signal: KILL, component: target.etcd1}\n");
	struct scenario *bad =
		take("  - {name: a, kind: signal, signal: KILL, component: target.etcd2}\n");
	struct target *target = target_load_memory("t.yaml", text, strlen(text), NULL);
	struct target *other = target_load_memory("t.yaml", clash, strlen(clash), NULL);
	struct error err = {0};

	(void)state;
	assert_non_null(target);
	assert_non_null(other);
	assert_int_equal(faults_check_target(good, target, &err), 0);
	assert_int_equal(faults_check_target(bad, target, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_non_null(strstr(err.text, "did you mean 'etcd1'?"));
	assert_int_equal(faults_check_target(good, other, &err), -1);
	scenario_free(good);
	scenario_free(bad);
	bad = take("  - {name: a, kind: cpu}\n");
	assert_int_equal(faults_check_target(bad, other, &err), -1);
	assert_non_null(strstr(err.text, "rename it"));
	scenario_free(bad);
	target_free(target);
	target_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds),     cmocka_unit_test(signals),
		cmocka_unit_test(refused_names), cmocka_unit_test(refused_times),
		cmocka_unit_test(refused_keys),  cmocka_unit_test(refused_proxies),
		cmocka_unit_test(scaled),        cmocka_unit_test(with_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
