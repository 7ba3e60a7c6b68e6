/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the driver share: its section of a scenario, and a command ready to be run. */
#ifndef PERFBPF_DRIVE_EXEC_EXEC_H
#define PERFBPF_DRIVE_EXEC_EXEC_H

#include <regex.h>

#include "drive/exec/template.h"
#include "drive/load/load_driver.h"

/* An item of `commands`. */
struct exec_command {
	char *name;
	double weight;
	size_t n_command;
	char **command;
	size_t n_environment;
	struct yaml_pair *environment;
	int expect_exit;
	char *expect_output; /* NULL: whatever it prints */
	char *expect_regex;
	char *input; /* NULL: /dev/null */
};

/* The section `exec:` of a scenario. */
struct exec_config {
	struct load_config load; /* first: see load_driver.h */
	size_t n_commands;
	struct exec_command *commands;
};

extern const struct yaml_schema exec_schema;

/* One of them, with the target's variables filled in. */
struct exec_plan {
	const struct exec_command *command;
	char *file; /* full path of its program */
	char **environment;
	size_t n_arguments; /* with the program's name */
	struct template *arguments;
	size_t arguments_size; /* of them all, filled */
	struct template input, expect_output;
	regex_t regex;
	bool has_regex;
};

/* -1 with @err, which names the command; exec_plan_clear() in any case. */
int exec_plan_make(struct exec_plan *plan, const struct exec_command *command,
		   const struct variable *variables, size_t n_variables, struct error *err);
void exec_plan_clear(struct exec_plan *plan);
/* The argv of a request, in one piece to be freed; NULL without memory. */
char **exec_plan_argv(const struct exec_plan *plan, const struct template_values *values);
/* Does @output, NUL-terminated, hold what is expected? Without memory it does not. */
bool exec_plan_expects(const struct exec_plan *plan, const struct template_values *values,
		       const char *output);
/* Is the output looked at? */
bool exec_plan_reads_output(const struct exec_plan *plan);

#endif
