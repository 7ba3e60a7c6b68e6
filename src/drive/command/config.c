/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `command:` of a scenario. */
#include "drive/command/command.h"

static const char *const unit_names[] = {
	[UNIT_NONE] = "none",       [UNIT_OPERATIONS] = "ops",
	[UNIT_NANOSECONDS] = "ns",  [UNIT_MICROSECONDS] = "us",
	[UNIT_MILLISECONDS] = "ms", [UNIT_SECONDS] = "s",
	[UNIT_BYTES] = "bytes",     NULL,
};

static const char *const kind_names[] = {
	[METRIC_NUMBER] = "number",
	[METRIC_LATENCY] = "latency",
	[METRIC_OPERATIONS] = "operations",
	[METRIC_ERRORS] = "errors",
	NULL,
};

_Static_assert(sizeof(enum metric_unit) == sizeof(int) && sizeof(enum metric_kind) == sizeof(int),
	       "a YAML_ENUM is an int");

static const struct yaml_field metric_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct command_metric, name),
		.required = true,
		.help = "what reports call it; of a latency min, mean, p50, p90, p95, p99, p999 or "
			"max",
	},
	{
		.key = "regex",
		.type = YAML_STRING,
		.offset = offsetof(struct command_metric, regex),
		.required = true,
		.help = "an extended regular expression with one group around the number, over "
			"single lines of the output; the last line that matches counts",
	},
	{
		.key = "unit",
		.type = YAML_ENUM,
		.offset = offsetof(struct command_metric, unit),
		.choices = unit_names,
		.help = "ns, us, ms, s, bytes or ops, where the number is printed without one",
	},
	{
		.key = "as",
		.type = YAML_ENUM,
		.offset = offsetof(struct command_metric, kind),
		.choices = kind_names,
		.help = "number, latency, operations or errors",
	},
	{
		.key = "optional",
		.type = YAML_BOOL,
		.offset = offsetof(struct command_metric, optional),
		.help = "true: it is printed only where it is not 0, as counts of errors often are",
	},
};

static const struct yaml_schema metric_schema = {
	.name = "a metric",
	.size = sizeof(struct command_metric),
	.fields = metric_fields,
	.n_fields = sizeof(metric_fields) / sizeof(metric_fields[0]),
};

static const struct yaml_field fields[] = {
	{
		.key = "command",
		.type = YAML_STRINGS,
		.offset = offsetof(struct command_config, command),
		.count_offset = offsetof(struct command_config, n_command),
		.required = true,
		.help = "the program and its arguments; ${port} and the like are filled in",
	},
	{
		.key = "environment",
		.type = YAML_PAIRS,
		.offset = offsetof(struct command_config, environment),
		.count_offset = offsetof(struct command_config, n_environment),
		.help = "NAME: value, over what perfbpf was started with",
	},
	{
		.key = "expect_exit",
		.type = YAML_INT,
		.offset = offsetof(struct command_config, expect_exit),
		.max = 255,
		.help = "the exit code of a good run (0)",
	},
	{
		.key = "timeout",
		.type = YAML_DURATION,
		.offset = offsetof(struct command_config, timeout_ns),
		.max = 7.0 * 24 * 3600,
		.help = "it is ended after that long; without it, when the measured phases end",
	},
	{
		.key = "metrics",
		.type = YAML_MAPS,
		.offset = offsetof(struct command_config, metrics),
		.count_offset = offsetof(struct command_config, n_metrics),
		.nested = &metric_schema,
		.help = "a list of {name, regex, unit, as, optional}: what its output tells",
	},
};

const struct yaml_schema command_driver_schema = {
	.name = "command",
	.size = sizeof(struct command_config),
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};
