/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command with its texts filled in, and what is expected of it. */
#include <stdlib.h>
#include <string.h>

#include "drive/child.h"
#include "drive/exec/exec.h"
#include "util/file.h"

static int make_arguments(struct exec_plan *plan, const struct variable *variables,
			  size_t n_variables, struct error *err)
{
	const struct exec_command *command = plan->command;

	plan->arguments = calloc(command->n_command + 1, sizeof(*plan->arguments));
	if (!plan->arguments)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; i < command->n_command; i++) {
		if (template_make(&plan->arguments[i], command->command[i], variables, n_variables,
				  err))
			return -1;
		plan->n_arguments++;
		plan->arguments_size += plan->arguments[i].size;
	}
	return 0;
}

static int find_program(struct exec_plan *plan, struct error *err)
{
	if (!plan->n_arguments || !*plan->arguments[0].text)
		return error_set(err, EXIT_CODE_USAGE, "has no program; write [program, argument]");
	if (plan->arguments[0].is_varying)
		return error_set(err, EXIT_CODE_USAGE,
				 "the program's name cannot differ from run to run; write one that "
				 "is the same for all");
	plan->file = path_find(plan->arguments[0].text);
	if (!plan->file)
		return error_set(err, EXIT_CODE_USAGE,
				 "there is no program '%.200s' on PATH; install it, or write its "
				 "path",
				 plan->arguments[0].text);
	return 0;
}

static int make_texts(struct exec_plan *plan, const struct variable *variables, size_t n_variables,
		      struct error *err)
{
	const struct exec_command *command = plan->command;
	char why[200];
	int failed;

	if (command->input &&
	    template_make(&plan->input, command->input, variables, n_variables, err))
		return -1;
	if (command->expect_output && template_make(&plan->expect_output, command->expect_output,
						    variables, n_variables, err))
		return -1;
	if (!command->expect_regex)
		return 0;
	failed = regcomp(&plan->regex, command->expect_regex,
			 REG_EXTENDED | REG_NOSUB | REG_NEWLINE);
	if (!failed) {
		plan->has_regex = true;
		return 0;
	}
	regerror(failed, &plan->regex, why, sizeof(why));
	return error_set(err, EXIT_CODE_USAGE, "expect_regex '%.100s': %s", command->expect_regex,
			 why);
}

int exec_plan_make(struct exec_plan *plan, const struct exec_command *command,
		   const struct variable *variables, size_t n_variables, struct error *err)
{
	*plan = (struct exec_plan){.command = command};
	if (!make_arguments(plan, variables, n_variables, err) && !find_program(plan, err) &&
	    !make_texts(plan, variables, n_variables, err)) {
		plan->environment = child_environment(command->environment, command->n_environment,
						      variables, n_variables, err);
		if (plan->environment)
			return 0;
	}
	return error_prefix(err, "exec: command '%.60s'", command->name);
}

void exec_plan_clear(struct exec_plan *plan)
{
	for (size_t i = 0; i < plan->n_arguments; i++)
		template_clear(&plan->arguments[i]);
	free(plan->arguments);
	free(plan->file);
	strings_drop(plan->environment);
	template_clear(&plan->input);
	template_clear(&plan->expect_output);
	if (plan->has_regex)
		regfree(&plan->regex);
}

char **exec_plan_argv(const struct exec_plan *plan, const struct template_values *values)
{
	size_t pointers = (plan->n_arguments + 1) * sizeof(char *);
	char **argv = malloc(pointers + plan->arguments_size), *text;

	if (!argv)
		return NULL;
	text = (char *)argv + pointers;
	for (size_t i = 0; i < plan->n_arguments; i++) {
		argv[i] = text;
		text = template_fill(&plan->arguments[i], values, text);
	}
	argv[plan->n_arguments] = NULL;
	return argv;
}

bool exec_plan_reads_output(const struct exec_plan *plan)
{
	return plan->has_regex || plan->expect_output.text;
}

bool exec_plan_expects(const struct exec_plan *plan, const struct template_values *values,
		       const char *output)
{
	char *wanted;
	bool found;

	if (plan->has_regex && regexec(&plan->regex, output, 0, NULL, 0))
		return false;
	if (!plan->expect_output.text)
		return true;
	wanted = malloc(plan->expect_output.size);
	if (!wanted)
		return false;
	template_fill(&plan->expect_output, values, wanted);
	found = strstr(output, wanted);
	free(wanted);
	return found;
}
