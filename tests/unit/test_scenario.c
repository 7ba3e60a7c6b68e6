/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenario/scenario.h"
#include "util/file.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND        1000000000ULL

/* As much of a driver as a scenario needs: the keys that the shipped ones use. */
struct fake_config {
	char *namespace;
	int deployments, replicas, seed;
	double rate;
	bool bursts;
	uint64_t batch_ns;
};

#define FAKE(name, kind, member)                                                                   \
	{                                                                                          \
		.key = (name), .type = (kind), .offset = offsetof(struct fake_config, member)      \
	}

static const struct yaml_field fake_fields[] = {
	FAKE("namespace", YAML_STRING, namespace),
	FAKE("deployments", YAML_INT, deployments),
	FAKE("replicas", YAML_INT, replicas),
	FAKE("seed", YAML_INT, seed),
	FAKE("rate", YAML_COUNT, rate),
	FAKE("bursts", YAML_BOOL, bursts),
	FAKE("batch", YAML_DURATION, batch_ns),
};

static void fake_defaults(void *object)
{
	struct fake_config *config = object;

	config->namespace = strdup("default");
	config->rate = 100;
}

static const struct yaml_schema fake_schema = {
	.name = "kubelogs",
	.size = sizeof(struct fake_config),
	.fields = fake_fields,
	.n_fields = ARRAY_SIZE(fake_fields),
	.defaults = fake_defaults,
};

static const struct yaml_field strict_fields[] = {
	{.key = "seed",
	 .type = YAML_INT,
	 .offset = offsetof(struct fake_config, seed),
	 .required = true},
};

static const struct yaml_schema strict_schema = {
	.name = "strict",
	.size = sizeof(struct fake_config),
	.fields = strict_fields,
	.n_fields = ARRAY_SIZE(strict_fields),
};

static const struct yaml_schema *schema_of(const char *driver)
{
	if (!strcmp(driver, "kubelogs"))
		return &fake_schema;
	return strcmp(driver, "strict") != 0 ? NULL : &strict_schema;
}

static struct scenario *take(const char *text)
{
	struct error err;
	struct scenario *scenario =
		scenario_load_memory("s.yaml", text, strlen(text), schema_of, &err);

	if (!scenario)
		fail_msg("refused: %s", err.text);
	return scenario;
}

static void refuse(const char *text, const char *begins, const char *holds)
{
	struct error err = {0};

	if (scenario_load_memory("s.yaml", text, strlen(text), schema_of, &err))
		fail_msg("taken: %s", text);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
}

#define PHASES "phases: [{name: m, role: measured, duration: 10s}]\n"
#define START  "driver: kubelogs\n" PHASES

static void every_shipped_scenario(void **state)
{
	static const char *const expected[] = {
		"kubelogs/basic",          "kubelogs/complex_filter", "kubelogs/error_filter",
		"kubelogs/high_frequency", "kubelogs/json_filter",
	};
	size_t n, found = 0;
	char **names;

	(void)state;
	assert_int_equal(scenario_names(&names, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct error err;
		struct scenario *scenario;

		assert_null(strstr(names[i], "targets/"));
		assert_true(!i || strcmp(names[i - 1], names[i]) < 0);
		/* Others are read in test_shipped.c, with their drivers' own tables. */
		if (found == ARRAY_SIZE(expected) || strcmp(names[i], expected[found]) != 0)
			continue;
		scenario = scenario_load(names[i], schema_of, &err);
		if (!scenario)
			fail_msg("%s", err.text);
		assert_string_equal(scenario->name, expected[found++]);
		assert_non_null(scenario->description);
		assert_int_equal(scenario_duration_ns(scenario, PHASE_WARMUP), 30 * SECOND);
		assert_int_equal(scenario_duration_ns(scenario, PHASE_MEASURED), 300 * SECOND);
		assert_int_equal(scenario_duration_ns(scenario, PHASE_COOLDOWN), 10 * SECOND);
		assert_true(scenario->rounds >= 8 || !strcmp(scenario->name, "kubelogs/ramp"));
		assert_true(scenario->work_bound == 0.001);
		scenario_free(scenario);
	}
	assert_int_equal(found, ARRAY_SIZE(expected));
	names_free(names, n);
}

static void shipped_values(void **state)
{
	struct scenario *scenario = scenario_load("high_frequency", schema_of, NULL);
	struct fake_config *config;
	char *text;

	(void)state;
	assert_non_null(scenario);
	assert_string_equal(scenario->name, "kubelogs/high_frequency");
	assert_string_equal(scenario->path, "scenarios/kubelogs/high_frequency.yaml");
	config = scenario->driver_config;
	assert_string_equal(config->namespace, "perf-test");
	assert_true(config->rate == 50000);
	assert_int_equal(config->deployments * config->replicas, 20);
	assert_true(config->bursts);
	assert_int_equal(config->batch_ns, 8000000);
	assert_true(filter_is_empty(&scenario->filter));
	scenario_free(scenario);

	scenario = scenario_load("scenarios/kubelogs/complex_filter.yaml", schema_of, NULL);
	assert_string_equal(scenario->name, "kubelogs/complex_filter");
	text = filter_words(&scenario->filter);
	assert_string_equal(text, "(ERROR || WARN) && (user || auth || payment)");
	free(text);
	scenario_free(scenario);
	scenario_free(NULL);
}

/* The regex for tools with a prefix keeps the same messages, with it and without. */
static void prefixed_json(void **state)
{
	struct scenario *scenario = scenario_load("kubelogs/json_filter", schema_of, NULL);
	struct filter prefixed = {0};
	struct filter_matcher *plain, *other;
	static const char *const messages[] = {"{\"a\":1}", "x {\"a\":1}", "[http] {\"a\":1}", "{",
					       "{\"a\":1} x"};

	(void)state;
	assert_non_null(scenario);
	assert_string_equal(scenario->filter.regex, "^\\{.*\\}$");
	prefixed.regex = scenario->filter.prefixed_regex;
	plain = filter_matcher_new(&scenario->filter, NULL);
	other = filter_matcher_new(&prefixed, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		bool expected = filter_matches(plain, messages[i], strlen(messages[i]));
		char line[128];

		assert_int_equal(expected, i == 0);
		assert_int_equal(filter_matches(other, messages[i], strlen(messages[i])), expected);
		snprintf(line, sizeof(line), "[pod/perf-generator-01-x-00000/log-generator] %s",
			 messages[i]);
		assert_int_equal(filter_matches(other, line, strlen(line)), expected);
	}
	filter_matcher_free(plain);
	filter_matcher_free(other);
	scenario_free(scenario);
}

static void every_shipped_target(void **state)
{
	static const char *const expected[] = {"curl", "kubectl", "stern", "wake"};
	size_t n, found = 0;
	char **names;

	(void)state;
	assert_int_equal(target_names(&names, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct error err;
		struct target *target = target_load(names[i], &err);

		if (!target)
			fail_msg("%s", err.text);
		assert_string_equal(target->name, names[i]);
		assert_non_null(target->description);
		assert_non_null(target->install);
		assert_true(target->n_version > 0);
		for (size_t j = 0; j < ARRAY_SIZE(expected); j++)
			found += !strcmp(expected[j], names[i]);
		target_free(target);
	}
	assert_int_equal(found, ARRAY_SIZE(expected));
	names_free(names, n);
}

static void unknown_names(void **state)
{
	struct error err;

	(void)state;
	assert_null(target_load("sterm", &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_string_equal(err.text, "unknown target 'sterm'; did you mean 'stern'?");
	assert_null(scenario_load("kubelogs/basics", schema_of, &err));
	assert_string_equal(err.text,
			    "unknown scenario 'kubelogs/basics'; did you mean 'kubelogs/basic'?");
	assert_null(scenario_load("basics", schema_of, &err));
	assert_string_equal(err.text, "unknown scenario 'basics'; did you mean 'kubelogs/basic'?");
	assert_null(scenario_load("../README", schema_of, &err));
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_null(scenario_load("targets/wake", schema_of, &err));
	assert_non_null(strstr(err.text, "unknown scenario"));
	assert_null(target_load("quite-another", &err));
	assert_non_null(strstr(err.text, "'perfbpf list targets' shows"));
	assert_null(scenario_load("./absent.yaml", schema_of, &err));
	assert_string_equal(err.text, "cannot read './absent.yaml': No such file or directory; "
				      "check the path");
}

static void names_and_commands(void **state)
{
	(void)state;
	assert_true(target_is_name("stern"));
	assert_true(target_is_name("curl"));
	assert_true(target_is_name("sterm"));
	assert_true(target_is_name("scenarios/targets/wake.yaml"));
	assert_true(target_is_name("./absent.yaml"));
	assert_false(target_is_name("sh"));
	assert_false(target_is_name("grep -c x big"));
	assert_false(target_is_name("cat notes.yaml"));
	assert_false(target_is_name("/bin/sh"));
	assert_false(target_is_name("./tool"));
	assert_false(target_is_name("pid:7"));
	assert_false(target_is_name("Sterm"));
	assert_false(target_is_name(""));
}

static void write_file(const char *path)
{
	static const char text[] = "driver: kubelogs\n" PHASES;
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void other_folder(void **state)
{
	char folder[] = "/tmp/perfbpf-test-XXXXXX", path[128];
	struct scenario *scenario;
	struct error err;
	char **names;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/", folder);
	setenv("PERFBPF_SCENARIOS", path, 1);
	assert_int_equal(scenario_names(&names, &n, NULL), 0);
	assert_int_equal(n, 0);
	names_free(names, n);
	assert_int_equal(target_names(&names, &n, NULL), 0);
	assert_int_equal(n, 0);
	names_free(names, n);
	for (const char *const *name = (const char *const[]){"a", "b", "targets", ".c", NULL};
	     *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", folder, *name);
		assert_int_equal(dir_make(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/%s/same.yaml", folder, *name);
		write_file(path);
	}
	snprintf(path, sizeof(path), "%s/top.yaml", folder);
	write_file(path);
	snprintf(path, sizeof(path), "%s/a/notes.txt", folder);
	write_file(path);
	assert_int_equal(scenario_names(&names, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_string_equal(names[0], "a/same");
	assert_string_equal(names[1], "b/same");
	assert_string_equal(names[2], "top");
	names_free(names, n);
	assert_null(scenario_load("same", schema_of, &err));
	assert_string_equal(err.text,
			    "scenario 'same' is both 'a/same' and 'b/same'; write one of these");
	snprintf(path, sizeof(path), "%s/b/same.yaml", folder);
	scenario = scenario_load(path, schema_of, &err);
	assert_non_null(scenario);
	assert_string_equal(scenario->name, "b/same");
	scenario_free(scenario);
	assert_int_equal(dir_remove(folder), 0);
	assert_int_equal(scenario_names(&names, &n, &err), -1);
	assert_non_null(strstr(err.text, "which is no folder; correct or unset it"));
	setenv("PERFBPF_SCENARIOS", "scenarios", 1);
}

static void defaults(void **state)
{
	struct scenario *scenario = take(START);
	struct fake_config *config = scenario->driver_config;

	(void)state;
	assert_string_equal(scenario->name, "s.yaml");
	assert_int_equal(scenario->rounds, 8);
	assert_true(scenario->work_bound == 0.001);
	assert_int_equal(scenario->ready_timeout_ns, 30 * SECOND);
	assert_int_equal(scenario->graceful_stop_ns, 30 * SECOND);
	assert_ptr_equal(scenario->driver_schema, &fake_schema);
	assert_string_equal(config->namespace, "default");
	assert_true(config->rate == 100);
	scenario_free(scenario);
	scenario = take(START "rounds: 1\nwork_bound: 0\nready_timeout: 5s\ngracefulStop: 0s\n"
			      "kubelogs: {rate: 5k}\ndescription: d\n");
	assert_int_equal(scenario->rounds, 1);
	assert_true(scenario->work_bound == 0);
	assert_int_equal(scenario->ready_timeout_ns, 5 * SECOND);
	assert_int_equal(scenario->graceful_stop_ns, 0);
	config = scenario->driver_config;
	assert_true(config->rate == 5000);
	assert_string_equal(config->namespace, "default");
	scenario_free(scenario);
}

static void drivers(void **state)
{
	(void)state;
	refuse(PHASES, "s.yaml:1:1: key 'driver': ", "is missing");
	refuse("driver: [a]\n" PHASES, "s.yaml:1:9: key 'driver': ", "is a list");
	refuse("driver:\n" PHASES, "s.yaml:1:8: key 'driver': ", "is empty");
	refuse("driver: kubelog\nkubelogs: {}\n" PHASES, "s.yaml:1:9: key 'driver': ",
	       "no driver is named 'kubelog'; did you mean 'kubelogs'?");
	refuse("driver: nope\n" PHASES, "s.yaml:1:9: key 'driver': ", "no driver is named 'nope'");
	refuse("driver: kubelogs\nkubelog: {}\n" PHASES,
	       "s.yaml:2:1: key 'kubelog': ", "did you mean 'kubelogs'?");
	refuse("driver: kubelogs\nstrict: {seed: 1}\n" PHASES,
	       "s.yaml:2:1: key 'strict': ", "is unknown");
	refuse("driver: kubelogs\nkubelogs: {rat: 1}\n" PHASES,
	       "s.yaml:2:12: key 'kubelogs.rat': ", "did you mean 'rate'?");
	refuse("driver: strict\n" PHASES, "s.yaml:1:1: key 'strict': ", "is missing");
	refuse("driver: strict\nstrict: {}\n" PHASES,
	       "s.yaml:2:9: key 'strict.seed': ", "is missing");
	refuse("name: x\n" START, "s.yaml:1:1: key 'name': ", "is unknown");
}

/* What an executor does not go by is not taken in silence. */
static void keys_of_executors(void **state)
{
	static const struct {
		const char *phase, *key, *holds;
	} rows[] = {
		{"executor: constant-vus, vus: 2, rate: 7", "rate",
		 "executor constant-vus, whose keys are vus, spawn_rate;"},
		{"executor: constant-arrival-rate, rate: 7, vus: 2", "vus",
		 "goes by it: constant-vus, per-vu-iterations"},
		{"executor: constant-vus, vus: 2, iterations: 5", "iterations",
		 "goes by it: per-vu-iterations"},
		{"executor: constant-vus, vus: 2, timeUnit: 1s", "timeUnit", "constant-vus"},
		{"executor: per-vu-iterations, vus: 2, iterations: 5, maxVUs: 9", "maxVUs",
		 "per-vu-iterations"},
		{"executor: constant-vus, vus: 2, stages: [{duration: 10s, target: 1}]", "stages",
		 "goes by it: ramping-arrival-rate, ramping-vus"},
		{"rate: 7", "rate", "without an executor"},
		{"executor: ramping-vus, vus: 1, stages: [{duration: 10s, target: 1}]", "vus",
		 "whose keys are startVUs, stages"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300], begins[100], key[32];

		snprintf(text, sizeof(text),
			 "driver: kubelogs\nphases:\n"
			 "  - {name: m, role: measured, duration: 10s, %s}\n",
			 rows[i].phase);
		snprintf(key, sizeof(key), " %s: ", rows[i].key);
		snprintf(begins, sizeof(begins), "s.yaml:3:%zu: key 'phases[0].%s': ",
			 (size_t)(strstr(text, key) - strstr(text, "  - ")) + strlen(key) + 1,
			 rows[i].key);
		refuse(text, begins, rows[i].holds);
	}
}

static void words_of_k6(void **state)
{
	(void)state;
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, preAllocatedVUs: 5}\n",
	       "s.yaml:3:31: key 'phases[0].preAllocatedVUs': ", "is k6's; users are made");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, maxDuration: 5s}\n",
	       "s.yaml:3:31: key 'phases[0].maxDuration': ", "write duration");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, startTime: 5s}\n",
	       "s.yaml:3:31: key 'phases[0].startTime': ", "follow one another");
	refuse("driver: kubelogs\nphases:\n"
	       "  - {name: m, role: measured, duration: 1s, executor: shared-iterations}\n",
	       "s.yaml:3:55: key 'phases[0].executor': ", "write per-vu-iterations");
	refuse(START "thresholds: {http_req_duration: p(95)<1s}\n",
	       "s.yaml:3:14: key 'thresholds.http_req_duration': ", "write latency.response");
	refuse(START "scenarios: {}\n", "s.yaml:3:1: key 'scenarios': ", "write phases");
}

static void phases(void **state)
{
	(void)state;
	refuse("driver: kubelogs\n", "s.yaml:1:1: key 'phases': ", "is missing");
	refuse("driver: kubelogs\nphases: []\n",
	       "s.yaml:2:9: key 'phases': ", "has no phase with role measured");
	refuse("driver: kubelogs\nphases:\n  - {name: w, role: warmup, duration: 1s}\n",
	       "s.yaml:3:3: key 'phases': ", "has no phase with role measured");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, duration: 0}\n",
	       "s.yaml:3:41: key 'phases[0].duration': ", "is 0; a measured phase has to last");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measurd, duration: 1s}\n",
	       "s.yaml:3:21: key 'phases[0].role': ", "did you mean 'measured'?");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, duration: 5}\n",
	       "s.yaml:3:41: key 'phases[0].duration': ", "write a duration such as 250ms");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured}\n",
	       "s.yaml:3:5: key 'phases[0].duration': ", "is 0; a measured phase has to last");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, duration: 169h}\n",
	       "s.yaml:3:41: key 'phases[0].duration': ", "out of bounds; write 0 to 168h");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, duration: 1s}\n"
	       "  - {name: w, role: warmup, duration: 1s}\n",
	       "s.yaml:4:21: key 'phases[1].role': ", "'warmup' comes after 'measured'");
	refuse("driver: kubelogs\nphases:\n  - {name: m, role: measured, duration: 1s}\n"
	       "  - {name: m, role: measured, duration: 1s}\n",
	       "s.yaml:4:12: key 'phases[1].name': ", "'m' is taken");
	scenario_free(take("driver: kubelogs\nphases:\n  - {name: w, role: warmup, duration: 0}\n"
			   "  - {name: m, role: measured, duration: 1s}\n"
			   "  - {name: c, role: cooldown, duration: 0s}\n"));
}

static void filters(void **state)
{
	(void)state;
	refuse(START "filter: {match: [[a b]]}\n",
	       "s.yaml:3:19: key 'filter.match[0][0]': ", "'a b' is no plain word");
	refuse(START "filter: {match: [[a], ['b|c']]}\n",
	       "s.yaml:3:24: key 'filter.match[1][0]': ", "is no plain word");
	refuse(START "filter: {match: [[\"\xc3\xa9\"]]}\n",
	       "s.yaml:3:19: key 'filter.match[0][0]': ", "is no plain word");
	refuse(START "filter: {match: [[a], []]}\n",
	       "s.yaml:3:23: key 'filter.match[1]': ", "has no words");
	refuse(START "filter: {match: [[a], [b], [c], [d], [e]]}\n",
	       "s.yaml:3:17: key 'filter.match': ", "has 5 clauses; write at most 4");
	refuse(START "filter: {match: [[user], [users]]}\n",
	       "s.yaml:3:27: key 'filter.match[1][0]': ", "'users' can share letters with 'user'");
	refuse(START "filter: {match: [[error], [x], [rate]]}\n",
	       "s.yaml:3:33: key 'filter.match[2][0]': ", "'rate' can share letters with 'error'");
	refuse(START "filter: {match: [[a]], regex: b}\n",
	       "s.yaml:3:31: key 'filter.regex': ", "excludes 'match'");
	refuse(START "filter: {prefixed_regex: b}\n",
	       "s.yaml:3:26: key 'filter.prefixed_regex': ", "without 'regex'");
	refuse(START "filter: {regex: '(a'}\n",
	       "s.yaml:3:17: key 'filter.regex': ", "'(a' is no extended regular expression");
	refuse(START "filter: {regex: a, prefixed_regex: '[a'}\n",
	       "s.yaml:3:36: key 'filter.prefixed_regex': ", "is no extended regular expression");
	refuse(START "filter: {regex: ''}\n", "s.yaml:3:17: key 'filter.regex': ", "is empty");
	refuse(START "filter: {regex: '(a)\\1'}\n",
	       "s.yaml:3:17: key 'filter.regex': ", "not every tool takes");
	refuse(START "filter: {regex: '((a{99}){99}){99}'}\n",
	       "s.yaml:3:17: key 'filter.regex': ", "repeats too often");
	scenario_free(take(START "filter: {match: [[error], [rate]]}\n"));
	scenario_free(take(START "filter: {regex: 'a{2,3}\\{b{4}'}\n"));
}

static void other_bounds(void **state)
{
	(void)state;
	refuse(START "rounds: 0\n", "s.yaml:3:9: key 'rounds': ", "write 1 to 1000");
	refuse(START "work_bound: 1.5\n", "s.yaml:3:13: key 'work_bound': ", "write 0 to 1");
	refuse(START "ready_timeout: 0\n", "s.yaml:3:16: key 'ready_timeout': ", "write 1ms to 1h");
}

static void verdicts(void **state)
{
	struct scenario *scenario = take(START "rounds: 8\n");

	(void)state;
	assert_true(isnan(scenario->margin) && isnan(scenario->until_width));
	assert_int_equal(scenario->n_gates + (size_t)scenario->max_rounds, 0);
	scenario_free(scenario);
	scenario = take(START "margin: 1.5%\nuntil_width: 0.03\nmax_rounds: 20\n"
			      "gates: [cpu.total_seconds, memory.rss_peak_bytes]\n");
	assert_true(scenario->margin == 0.015 && scenario->until_width == 0.03);
	assert_int_equal(scenario->max_rounds, 20);
	assert_int_equal(scenario->n_gates, 2);
	assert_string_equal(scenario->gates[1], "memory.rss_peak_bytes");
	scenario_free(scenario);
	refuse(START "margin: 0\n", "s.yaml:3:9: key 'margin': ", "write 0.01% to 50%");
	refuse(START "margin: 60%\n", "s.yaml:3:9: key 'margin': ", "write 0.01% to 50%");
	refuse(START "margin: 2 %\n", "s.yaml:3:9: key 'margin': ", "a share such as 2%");
	refuse(START "until_width: wide\n", "s.yaml:3:14: key 'until_width': ", "a share such as");
	refuse(START "gates: [window_seconds, cpu.total_second]\n",
	       "s.yaml:3:25: key 'gates[1]': ", "did you mean 'cpu.total_seconds'?");
	refuse(START "gates: cpu.total_seconds\n", "s.yaml:3:8: key 'gates': ", "a list of");
	refuse(START "gates: [side_metrics.x]\n",
	       "s.yaml:3:9: key 'gates[0]': ", "no metric is named");
	refuse(START "max_rounds: 20\n", "s.yaml:3:13: key 'max_rounds': ", "until_width");
	refuse(START "until_width: 2%\nrounds: 8\nmax_rounds: 7\n",
	       "s.yaml:5:13: key 'max_rounds': ", "less than rounds, 8");
}

static void set_durations(void **state)
{
	struct scenario *scenario =
		take("driver: kubelogs\nphases:\n  - {name: a, role: measured, duration: 1s}\n"
		     "  - {name: b, role: measured, duration: 2s}\n"
		     "  - {name: c, role: cooldown, duration: 0}\n"
		     "  - {name: d, role: cooldown, duration: 0}\n");
	struct error err;

	(void)state;
	assert_int_equal(scenario_set_duration(scenario, PHASE_MEASURED, 10 * SECOND, &err), 0);
	assert_int_equal(scenario->phases[0].duration_ns, 3333333333);
	assert_int_equal(scenario->phases[1].duration_ns, 6666666667);
	assert_int_equal(scenario_set_duration(scenario, PHASE_COOLDOWN, 5 * SECOND, &err), 0);
	assert_int_equal(scenario_duration_ns(scenario, PHASE_COOLDOWN), 5 * SECOND);
	assert_int_equal(scenario->phases[2].duration_ns, 5 * SECOND / 2);
	/* One that is not there is made, in its place. */
	assert_int_equal(scenario_set_duration(scenario, PHASE_WARMUP, 3 * SECOND, &err), 0);
	assert_int_equal(scenario->n_phases, 5);
	assert_int_equal(scenario->phases[0].role, PHASE_WARMUP);
	assert_int_equal(scenario->phases[0].duration_ns, 3 * SECOND);
	assert_string_equal(scenario->phases[1].name, "a");
	assert_int_equal(scenario_set_duration(scenario, PHASE_WARMUP, 4 * SECOND, &err), 0);
	assert_int_equal(scenario->phases[0].duration_ns, 4 * SECOND);
	assert_int_equal(scenario_set_duration(scenario, PHASE_COOLDOWN, 0, &err), 0);
	assert_int_equal(scenario_set_duration(scenario, PHASE_WARMUP, 0, &err), 0);
	assert_int_equal(scenario->n_phases, 2);
	assert_string_equal(scenario->phases[1].name, "b");
	assert_int_equal(scenario_set_duration(scenario, PHASE_MEASURED, 0, &err), -1);
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	assert_int_equal(scenario_set_duration(scenario, PHASE_MEASURED, 1, &err), -1);
	assert_int_equal(scenario_set_duration(scenario, PHASE_MEASURED, UINT64_MAX, &err), -1);
	assert_int_equal(scenario_duration_ns(scenario, PHASE_MEASURED), 10 * SECOND);
	scenario_free(scenario);
}

/* What warms up before a ramp does so as the ramp begins, what cools down as it ends. */
static void made_phases_work_as_their_neighbours(void **state)
{
	struct scenario *scenario = take(
		"driver: kubelogs\nphases:\n"
		"  - {name: a, role: measured, executor: ramping-arrival-rate, startRate: 10,\n"
		"     timeUnit: 1m, maxVUs: 7, stages: [{duration: 1s, target: 90}]}\n"
		"  - {name: b, role: measured, executor: ramping-vus,\n"
		"     stages: [{duration: 1s, target: 5}, {duration: 1s, target: 3}]}\n");
	const struct phase *phases;
	struct error err;

	(void)state;
	assert_int_equal(scenario_set_duration(scenario, PHASE_WARMUP, SECOND, &err), 0);
	assert_int_equal(scenario_set_duration(scenario, PHASE_COOLDOWN, SECOND, &err), 0);
	phases = scenario->phases;
	assert_int_equal(scenario->n_phases, 4);
	assert_int_equal(phases[0].executor, EXECUTOR_CONSTANT_ARRIVAL_RATE);
	assert_true(phases[0].rate == 10);
	assert_int_equal(phases[0].time_unit_ns, 60 * SECOND);
	assert_int_equal(phases[0].max_vus, 7);
	assert_int_equal(phases[3].executor, EXECUTOR_CONSTANT_VUS);
	assert_int_equal(phases[3].vus, 3);
	scenario_free(scenario);
}

static void refuse_target(const char *text, const char *begins, const char *holds)
{
	struct error err = {0};

	if (target_load_memory("t.yaml", text, strlen(text), &err))
		fail_msg("taken: %s", text);
	if (strncmp(err.text, begins, strlen(begins)) || !strstr(err.text, holds))
		fail_msg("'%s' is not '%s…%s'", err.text, begins, holds);
}

static void targets(void **state)
{
	static const char *const outside[] = {"/etc/x", "../x", "a/../x", "a/..",
					      ".",      "a//b", "a/",     "./a"};

	(void)state;
	refuse_target("description: d\n", "t.yaml:1:1: key 'command': ", "is missing");
	refuse_target("command: []\n", "t.yaml:1:10: key 'command': ", "is missing");
	refuse_target("command: ['']\n", "t.yaml:1:10: key 'command': ", "is empty");
	refuse_target("command: [a]\nversion: []\n", "t.yaml:2:10: key 'version': ", "is empty");
	refuse_target("command: [a]\nfilter_stage: []\n",
		      "t.yaml:2:15: key 'filter_stage': ", "is empty");
	refuse_target("command: [a]\nenvironment: {A=B: c}\n",
		      "t.yaml:2:20: key 'environment.A=B': ", "is no name of a variable");
	refuse_target("command: [a]\nenvironment: {9: c}\n",
		      "t.yaml:2:18: key 'environment.9': ", "is no name of a variable");
	refuse_target("command: a b\n", "t.yaml:1:10: key 'command': ", "write a list of texts");
	refuse_target("comand: [a]\n", "t.yaml:1:1: key 'comand': ", "did you mean 'command'?");
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		char text[128];

		snprintf(text, sizeof(text), "command: [a]\nfiles: [{path: '%s', text: x}]\n",
			 outside[i]);
		refuse_target(text, "t.yaml:2:16: key 'files[0].path': ", "private HOME");
	}
}

static int use_shipped(void **state)
{
	(void)state;
	setenv("PATH", "/usr/bin:/bin", 1);
	return setenv("PERFBPF_SCENARIOS", "scenarios", 1);
}

static void thresholds(void **state)
{
	struct scenario *scenario =
		take(START "soak: true\n"
			   "thresholds:\n"
			   "  latency.response: p(95)<50ms\n"
			   "  latency.response{phase:m}: ['avg<1s', 'p(99)<=2s']\n"
			   "  work.success:\n"
			   "    - threshold: rate>0.99\n"
			   "      abortOnFail: true\n"
			   "      delayAbortEval: 10s\n"
			   "    - {threshold: rate>0.999, level: target}\n"
			   "  operations: {threshold: count>100, level: critical}\n");

	(void)state;
	assert_true(scenario->is_soak);
	assert_int_equal(scenario->n_thresholds, 6);
	assert_string_equal(scenario->thresholds[0].metric, "latency.response");
	assert_string_equal(scenario->thresholds[0].expression, "p(95)<50ms");
	assert_false(scenario->thresholds[0].abort_on_fail);
	assert_null(scenario->thresholds[0].level);
	assert_string_equal(scenario->thresholds[2].metric, "latency.response{phase:m}");
	assert_string_equal(scenario->thresholds[2].expression, "p(99)<=2s");
	assert_true(scenario->thresholds[3].abort_on_fail);
	assert_true(scenario->thresholds[3].delay_abort_ns == 10 * SECOND);
	assert_string_equal(scenario->thresholds[4].level, "target");
	assert_string_equal(scenario->thresholds[5].level, "critical");
	scenario_free(scenario);
	scenario = take(START "thresholds: {}\n");
	assert_int_equal(scenario->n_thresholds, 0);
	assert_false(scenario->is_soak);
	scenario_free(scenario);
}

static void wrong_thresholds(void **state)
{
	static const char *const rows[][2] = {
		/* where, and what; the text is behind START, whose two lines count */
		{"s.yaml:4:21: key 'thresholds.latency.response':", "write one with its unit"},
		{"s.yaml:4:3: key 'thresholds.latency.respons{phase:m}':", "known by phase"},
		{"s.yaml:4:26: key 'thresholds.work.errors':", "is no number"},
		{"s.yaml:4:29: key 'thresholds.work.errors':", "has count, rate, value"},
		{"s.yaml:4:45: key 'thresholds.work.errors':", "is no level"},
		{"s.yaml:4:16: key 'thresholds.work.errors.threshold':", "is missing"},
		{"s.yaml:4:17: key 'thresholds.work.errors.abort':", "abortOnFail"},
		{"s.yaml:3:13: key 'thresholds':", "is a list; write a mapping of metrics"},
		{"s.yaml:4:17: key 'thresholds.work.errors':", "is a list; write an expression"},
		{"s.yaml:4:15: key 'thresholds.work.errors':", "is empty"},
	};
	static const char *const texts[] = {
		"thresholds:\n  latency.response: p(95)<50\n",
		"thresholds:\n  latency.respons{phase:m}: p(95)<50ms\n",
		"thresholds:\n  work.errors: [count<1, count<x]\n",
		"thresholds:\n  work.errors: [{threshold: 'p(95)<1'}]\n",
		"thresholds:\n  work.errors: [{threshold: count<1, level: bad}]\n",
		"thresholds:\n  work.errors: {level: good}\n",
		"thresholds:\n  work.errors: {abort: true, threshold: count<1}\n",
		"thresholds: [count<1]\n",
		"thresholds:\n  work.errors: [[count<1]]\n",
		"thresholds:\n  work.errors: \n",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(text, sizeof(text), START "%s", texts[i]);
		refuse(text, rows[i][0], rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shipped_scenario),
		cmocka_unit_test(shipped_values),
		cmocka_unit_test(prefixed_json),
		cmocka_unit_test(every_shipped_target),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(names_and_commands),
		cmocka_unit_test(other_folder),
		cmocka_unit_test(defaults),
		cmocka_unit_test(drivers),
		cmocka_unit_test(phases),
		cmocka_unit_test(keys_of_executors),
		cmocka_unit_test(words_of_k6),
		cmocka_unit_test(filters),
		cmocka_unit_test(other_bounds),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(set_durations),
		cmocka_unit_test(made_phases_work_as_their_neighbours),
		cmocka_unit_test(targets),
		cmocka_unit_test(thresholds),
		cmocka_unit_test(wrong_thresholds),
	};

	return cmocka_run_group_tests(tests, use_shipped, NULL);
}
