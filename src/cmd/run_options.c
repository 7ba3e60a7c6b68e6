/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/run_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"
#include "record/gate.h"
#include "util/clock.h"
#include "util/units.h"

#define MIN_TICK_NS   (5 * NSEC_PER_MSEC)
#define MAX_TICK_NS   (60 * NSEC_PER_SEC)
#define MAX_FREQUENCY 10000
#define MAX_PAIRS     10000
#define MIN_SHARE     0.0001

static int duration(const char *option, const char *value, uint64_t *ns, struct error *err)
{
	if (parse_duration_ns(value, ns))
		return error_set(err, EXIT_CODE_USAGE,
				 "--%s '%s' is no duration; write e.g. 250ms, 30s, 5m or 1h",
				 option, value);
	return 0;
}

int set_pairs(const char *option, const char *value, int *pairs, struct error *err)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (*end || end == value || number < 1 || number > MAX_PAIRS)
		return error_set(err, EXIT_CODE_USAGE, "--%s '%s': a whole number from 1 to %d",
				 option, value, MAX_PAIRS);
	*pairs = (int)number;
	return 0;
}

/* "2%" or "0.02", from @min to @max. */
static int share(const char *option, const char *value, double min, double max, const char *example,
		 double *out, struct error *err)
{
	if (parse_share(value, out) || *out < min || *out > max)
		return error_set(err, EXIT_CODE_USAGE,
				 "--%s '%s': a share from %g%% to %g%%, e.g. %s", option, value,
				 min * 100, max * 100, example);
	return 0;
}

int set_margin(void *state, const char *value, struct error *err)
{
	return share("margin", value, MIN_SHARE, GATE_MARGIN_MAX, "2%",
		     &((struct conduct_options *)state)->margin, err);
}

int set_until_width(void *state, const char *value, struct error *err)
{
	return share("until-width", value, MIN_SHARE, 1, "2%",
		     &((struct conduct_options *)state)->until_width, err);
}

int set_work_bound(void *state, const char *value, struct error *err)
{
	return share("work-bound", value, 0, 1, "0.1%",
		     &((struct conduct_options *)state)->work_bound, err);
}

int set_max_rounds(void *state, const char *value, struct error *err)
{
	return set_pairs("max-rounds", value, &((struct conduct_options *)state)->max_rounds, err);
}

int set_strict(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->is_strict = true;
	return 0;
}

static int add_gate(struct conduct_options *options, const char *name, struct error *err)
{
	char problem[GATE_PROBLEM_MAX];
	const char *metric = gate_find(name, problem);

	if (!metric)
		return error_set(err, EXIT_CODE_USAGE, "--gate: %s", problem);
	for (size_t i = 0; i < options->n_gates; i++)
		if (!strcmp(options->gates[i], metric))
			return 0;
	if (options->n_gates == COMPARE_MAX_GATES)
		return error_set(err, EXIT_CODE_USAGE, "more than %d gates", COMPARE_MAX_GATES);
	options->gates[options->n_gates++] = metric;
	return 0;
}

/* Names between commas. */
int add_gates(void *state, const char *value, struct error *err)
{
	for (const char *word = value;;) {
		size_t length = strcspn(word, ",");
		char name[100];

		snprintf(name, sizeof(name), "%.*s", (int)(length < 99 ? length : 99), word);
		if (add_gate(state, name, err))
			return -1;
		if (!word[length])
			return 0;
		word += length + 1;
	}
}

int set_duration(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	if (duration("duration", value, &options->duration_ns, err))
		return -1;
	if (!options->duration_ns)
		return error_set(err, EXIT_CODE_USAGE,
				 "--duration %s measures nothing; write e.g. 30s", value);
	return 0;
}

int set_warmup(void *state, const char *value, struct error *err)
{
	return duration("warmup", value, &((struct conduct_options *)state)->warmup_ns, err);
}

int set_cooldown(void *state, const char *value, struct error *err)
{
	return duration("cooldown", value, &((struct conduct_options *)state)->cooldown_ns, err);
}

int set_ready_timeout(void *state, const char *value, struct error *err)
{
	return duration("ready-timeout", value,
			&((struct conduct_options *)state)->ready_timeout_ns, err);
}

int set_tick(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	if (duration("tick", value, &options->tick_ns, err))
		return -1;
	if (options->tick_ns < MIN_TICK_NS || options->tick_ns > MAX_TICK_NS)
		return error_set(err, EXIT_CODE_USAGE,
				 "--tick %s: 5ms is the shortest, 1m the longest", value);
	return 0;
}

int set_observer(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;

	options->probe.stats = !strcmp(value, "stats");
	if (!options->probe.stats && strcmp(value, "off"))
		return error_set(err, EXIT_CODE_USAGE, "--observer is 'off' or 'stats', not '%s'",
				 value);
	return 0;
}

/* Words between commas; each clears what it names. */
int set_without(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;
	struct {
		const char *name;
		bool *wanted;
	} parts[] = {
		{"requests", &options->probe.requests},
		{"time", &options->probe.time},
		{"io", &options->probe.io},
	};

	for (const char *word = value;;) {
		size_t length = strcspn(word, ","), i;

		for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (strlen(parts[i].name) == length &&
			    !strncmp(word, parts[i].name, length))
				break;
		if (i == sizeof(parts) / sizeof(parts[0]))
			return error_set(err, EXIT_CODE_USAGE,
					 "--without '%.*s': there are requests, time and io",
					 (int)length, word);
		*parts[i].wanted = false;
		if (!word[length])
			return 0;
		word += length + 1;
	}
}

int set_syscalls(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->probe.syscalls = true;
	return 0;
}

int set_protocols(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;
	char unknown[64];

	if (protocol_set_parse(value, &options->protocols, unknown))
		return error_set(err, EXIT_CODE_USAGE,
				 "--protocols '%s': there are http, postgres, redis, kafka and "
				 "mysql, with commas between them",
				 unknown);
	options->probe.payload = true;
	return 0;
}

/* Words between commas, or none. */
int set_profile(void *state, const char *value, struct error *err)
{
	struct probe_options *probe = &((struct conduct_options *)state)->probe;
	const char *word = value;

	probe->oncpu = probe->offcpu = false;
	probe->must_sample = true;
	if (!strcmp(value, "none"))
		return 0;
	for (;;) {
		size_t length = strcspn(word, ",");

		if (length == 5 && !strncmp(word, "oncpu", length))
			probe->oncpu = true;
		else if (length == 6 && !strncmp(word, "offcpu", length))
			probe->offcpu = true;
		else
			return error_set(err, EXIT_CODE_USAGE,
					 "--profile '%.*s': there are oncpu, offcpu, both with a "
					 "comma between them, and none",
					 (int)length, word);
		if (!word[length])
			return 0;
		word += length + 1;
	}
}

int set_freq(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;
	double frequency;

	if (parse_count(value, &frequency) || frequency < 1 || frequency > MAX_FREQUENCY)
		return error_set(err, EXIT_CODE_USAGE,
				 "--freq '%s': samples a second on each CPU, from 1 to %d", value,
				 MAX_FREQUENCY);
	options->probe.frequency = (uint64_t)frequency;
	return 0;
}

int set_inlines(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->inlines = true;
	return 0;
}

int set_output(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct conduct_options *)state)->output = value;
	return 0;
}

int set_quiet(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->quiet = true;
	return 0;
}

int set_debug(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->debug = true;
	return 0;
}

int set_all(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->all_metrics = true;
	return 0;
}

int set_soak(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct conduct_options *)state)->is_soak = true;
	return 0;
}

/* METRIC:EXPRESSION, or METRIC<BOUND. */
int add_threshold(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;
	struct threshold_problem problem;
	struct threshold_rule *rule;
	struct threshold parsed;
	size_t length;
	const char *expression = threshold_split(value, &length);
	char *metric;

	if (!expression)
		return error_set(err, EXIT_CODE_USAGE,
				 "--threshold '%s': write METRIC:EXPRESSION, as in "
				 "'latency.response:p(95)<50ms' or 'cpu.total_seconds<30s'",
				 value);
	if (options->n_thresholds == CONDUCT_MAX_THRESHOLDS)
		return error_set(err, EXIT_CODE_USAGE, "more than %d thresholds",
				 CONDUCT_MAX_THRESHOLDS);
	rule = &options->thresholds[options->n_thresholds];
	metric = options->threshold_metrics[options->n_thresholds++];
	snprintf(metric, THRESHOLD_NAME_MAX, "%.*s", (int)length, value);
	rule->metric = metric;
	rule->expression = expression;
	if (threshold_parse(rule->metric, rule->expression, &parsed, &problem))
		return error_set(err, EXIT_CODE_USAGE, "--threshold '%s': %s", value, problem.text);
	return 0;
}

int add_pid(void *state, const char *value, struct error *err)
{
	struct conduct_options *options = state;
	char *end;
	long pid = strtol(value, &end, 10);

	if (*end || end == value || pid <= 0 || pid > 0x7fffffff)
		return error_set(err, EXIT_CODE_USAGE, "'%s' is no process id", value);
	if (options->n_pids == CONDUCT_MAX_PIDS)
		return error_set(err, EXIT_CODE_USAGE, "more than %d process ids",
				 CONDUCT_MAX_PIDS);
	options->pids[options->n_pids++] = (pid_t)pid;
	return 0;
}

/* What cannot be had together. */
static int check_probe(const struct conduct_options *options, struct error *err)
{
	if (options->probe.payload && !options->probe.requests)
		return error_set(
			err, EXIT_CODE_USAGE,
			"--protocols cannot be had --without requests: they are what it tells "
			"apart");
	/* Without the time of threads nobody knows which of them wait, and why. */
	if (options->probe.offcpu && !options->probe.time && options->probe.must_sample)
		return error_set(
			err, EXIT_CODE_USAGE,
			"--profile offcpu cannot be had --without time: it is what it tells apart; "
			"say --profile oncpu, or leave --without time out");
	return 0;
}

enum options_result run_options_parse(const struct option_table *table, int argc, char **argv,
				      struct conduct_options *options, struct error *err)
{
	enum options_result result;

	conduct_options_init(options);
	/* The record keeps the whole command line, the program's name too. */
	options->argc = argc + 1;
	options->argv = argv - 1;
	result = options_parse(table, argc, argv, options, err);
	if (result == OPTIONS_OK && check_probe(options, err))
		result = OPTIONS_ERROR;
	options->probe.offcpu = options->probe.offcpu && options->probe.time;
	return result;
}

int run_options_conduct(const struct conduct_options *options)
{
	struct error err = {.text = ""};
	int code = conduct_run(options, &err), said;

	if (!err.text[0])
		return code;
	said = cmd_fail(&err);
	return code ? code : said;
}

int run_by_table(const struct option_table *table, int argc, char **argv)
{
	struct conduct_options options;
	struct error err = {.text = ""};

	switch (run_options_parse(table, argc, argv, &options, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	default:
		return run_options_conduct(&options);
	}
}
