/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a scenario, as a target and as a command line: each is taken or
 * refused with one line that says why. With -DFUZZ_STANDALONE it has a main that
 * runs over the files given, for debuggers and for compilers without libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"
#include "util/file.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A driver's section with each type that a scenario itself does not use. */
struct config {
	char *namespace;
	int deployments;
	double rate;
	bool bursts;
	uint64_t batch_ns, bytes;
	size_t n_labels;
	struct yaml_pair *labels;
};

static const struct yaml_field config_fields[] = {
	{.key = "namespace", .type = YAML_STRING, .offset = offsetof(struct config, namespace)},
	{.key = "deployments",
	 .type = YAML_INT,
	 .offset = offsetof(struct config, deployments),
	 .min = 1,
	 .max = 100},
	{.key = "rate", .type = YAML_COUNT, .offset = offsetof(struct config, rate)},
	{.key = "bursts", .type = YAML_BOOL, .offset = offsetof(struct config, bursts)},
	{.key = "batch", .type = YAML_DURATION, .offset = offsetof(struct config, batch_ns)},
	{.key = "bytes", .type = YAML_SIZE, .offset = offsetof(struct config, bytes)},
	{.key = "labels",
	 .type = YAML_PAIRS,
	 .offset = offsetof(struct config, labels),
	 .count_offset = offsetof(struct config, n_labels)},
};

static const struct yaml_schema config_schema = {
	.name = "kubelogs",
	.size = sizeof(struct config),
	.fields = config_fields,
	.n_fields = ARRAY_SIZE(config_fields),
};

static const struct yaml_schema *schema_of(const char *driver)
{
	return strcmp(driver, "kubelogs") != 0 ? NULL : &config_schema;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* A refusal is one line for the user. */
static void check_refusal(const struct error *err)
{
	require(err->exit_code == EXIT_CODE_USAGE);
	require(err->text[0] && memchr(err->text, '\0', sizeof(err->text)));
	for (const char *c = err->text; *c; c++)
		require((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static const struct variable vars[] = {
	{"namespace", "n"},       {"home", "/h"},   {"port", "1"},
	{"kubeconfig", "/k"},     {"url", "http:"}, {"selector", "a=b"},
	{"pods_glob", "p-[1-2]"},
};

static void use_target(struct target *target, const struct filter *filter)
{
	struct error err = {0};
	struct command *command = target_command(target, filter, vars, ARRAY_SIZE(vars), &err);

	if (command)
		require(command->n_stages >= 1 && command->stages[0].argv[0]);
	else
		check_refusal(&err);
	command_free(command);
}

static void use_filter(const struct filter *filter, const char *text, size_t size)
{
	struct filter_matcher *matcher = filter_matcher_new(filter, NULL);
	char *regex = filter_regex(filter), *words = filter_words(filter);
	struct target *target = target_from_command("sh -c ${filter_words} ${filter_regex}", NULL);

	require(matcher && target && !regex == filter_is_empty(filter));
	filter_matches(matcher, text, size < 256 ? size : 256);
	use_target(target, filter);
	target_free(target);
	filter_matcher_free(matcher);
	free(regex);
	free(words);
}

static void as_scenario(const char *text, size_t size)
{
	struct error err = {0};
	struct scenario *scenario = scenario_load_memory("fuzz.yaml", text, size, schema_of, &err);
	uint64_t total;

	if (!scenario) {
		check_refusal(&err);
		return;
	}
	total = scenario_duration_ns(scenario, PHASE_MEASURED);
	require(total && scenario->rounds >= 1);
	use_filter(&scenario->filter, text, size);
	if (!scenario_set_duration(scenario, PHASE_MEASURED, total / 3, &err))
		require(scenario_duration_ns(scenario, PHASE_MEASURED) == total / 3);
	scenario_set_duration(scenario, PHASE_WARMUP, 0, &err);
	scenario_set_duration(scenario, PHASE_COOLDOWN, 1000, &err);
	require(!scenario_duration_ns(scenario, PHASE_WARMUP));
	require(scenario_duration_ns(scenario, PHASE_COOLDOWN) == 1000);
	scenario_free(scenario);
}

static void as_target(const char *text, size_t size)
{
	static char word[] = "ERROR";
	static char *words[] = {word};
	static struct filter_clause clause = {1, words};
	const struct filter none = {0}, some = {.n_clauses = 1, .clauses = &clause};
	struct error err = {0};
	struct target *target = target_load_memory("fuzz.yaml", text, size, &err);

	if (!target) {
		check_refusal(&err);
		return;
	}
	use_target(target, &none);
	use_target(target, &some);
	target_free(target);
}

static void as_command(const char *text)
{
	const struct filter none = {0};
	struct error err = {0};
	struct target *target = target_from_command(text, &err);

	if (!target) {
		check_refusal(&err);
		return;
	}
	use_target(target, &none);
	target_free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the exact size, so that a read behind it is found. */
	char *text = malloc(size ? size : 1), *line = strndup((const char *)data, size);

	require(text && line);
	memcpy(text, data, size);
	as_command(line);
	as_scenario(text, size);
	as_target(text, size);
	free(text);
	free(line);
	return 0;
}

#include "standalone.h"
