/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `exec:` of a scenario. */
#include "drive/exec/exec.h"

static const struct yaml_field command_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct exec_command, name),
		.required = true,
		.help = "what reports call it",
	},
	{
		.key = "weight",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct exec_command, weight),
		.min = 0.001,
		.max = 1e6,
		.help = "how often it is drawn, beside the others (1)",
	},
	{
		.key = "command",
		.type = YAML_STRINGS,
		.offset = offsetof(struct exec_command, command),
		.count_offset = offsetof(struct exec_command, n_command),
		.required = true,
		.help = "the program and its arguments; ${port}, ${iteration}, ${user} and "
			"${random} are filled in",
	},
	{
		.key = "environment",
		.type = YAML_PAIRS,
		.offset = offsetof(struct exec_command, environment),
		.count_offset = offsetof(struct exec_command, n_environment),
		.help = "NAME: value, over what perfbpf was started with",
	},
	{
		.key = "expect_exit",
		.type = YAML_INT,
		.offset = offsetof(struct exec_command, expect_exit),
		.max = 255,
		.help = "the exit code of a good run (0)",
	},
	{
		.key = "expect_output",
		.type = YAML_STRING,
		.offset = offsetof(struct exec_command, expect_output),
		.help = "a text that is in the first 64 KiB that it prints",
	},
	{
		.key = "expect_regex",
		.type = YAML_STRING,
		.offset = offsetof(struct exec_command, expect_regex),
		.help = "an extended regular expression that they match",
	},
	{
		.key = "stdin",
		.type = YAML_STRING,
		.offset = offsetof(struct exec_command, input),
		.help = "what it reads; without it /dev/null",
	},
};

static void command_defaults(void *object)
{
	((struct exec_command *)object)->weight = 1;
}

static const struct yaml_schema command_schema = {
	.name = "a command",
	.size = sizeof(struct exec_command),
	.fields = command_fields,
	.n_fields = sizeof(command_fields) / sizeof(command_fields[0]),
	.defaults = command_defaults,
};

static const struct yaml_field fields[] = {
	LOAD_CONFIG_FIELDS,
	{
		.key = "commands",
		.type = YAML_MAPS,
		.offset = offsetof(struct exec_config, commands),
		.count_offset = offsetof(struct exec_config, n_commands),
		.nested = &command_schema,
		.required = true,
		.help = "a list of {name, weight, command, environment, expect_exit, "
			"expect_output, expect_regex, stdin}",
	},
};

static void defaults(void *object)
{
	load_config_defaults(&((struct exec_config *)object)->load);
}

const struct yaml_schema exec_schema = {
	.name = "exec",
	.size = sizeof(struct exec_config),
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.defaults = defaults,
};
