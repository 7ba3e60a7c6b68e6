/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/file.h"

/* What a command is made of; the variables have room for three more than the caller gave. */
struct maker {
	const struct target *target;
	const struct filter *filter;
	struct variable *vars;
	size_t n_vars;
	struct command *command;
	struct error *err;
};

static int no_memory(struct maker *m)
{
	return error_set(m->err, EXIT_CODE_FAILED, "out of memory");
}

static int fail_program(struct maker *m, const char *program)
{
	const char *install = m->target->install;

	if (strchr(program, '/'))
		return error_set(m->err, EXIT_CODE_USAGE,
				 "'%s' is no program that can be run; %s%s", program,
				 install ? "to get it: " : "check the path",
				 install ? install : "");
	return error_set(m->err, EXIT_CODE_USAGE, "'%s' is not on PATH; %s%s", program,
			 install ? "to get it: " : "install it, or write its whole path",
			 install ? install : "");
}

static int append_words(struct maker *m, struct command_stage *stage, size_t *n, char *const *words,
			size_t n_words)
{
	for (size_t i = 0; i < n_words; i++) {
		stage->argv[*n] = variables_fill(words[i], m->vars, m->n_vars, m->err);
		if (!stage->argv[*n])
			return -1;
		(*n)++;
	}
	return 0;
}

static int add_stage(struct maker *m, char *const *words, size_t n_words, char *const *more,
		     size_t n_more)
{
	struct command_stage *stage = &m->command->stages[m->command->n_stages++];
	size_t n = 0;

	stage->argv = calloc(n_words + n_more + 1, sizeof(*stage->argv));
	if (!stage->argv)
		return no_memory(m);
	if (append_words(m, stage, &n, words, n_words) || append_words(m, stage, &n, more, n_more))
		return -1;
	stage->file = path_find(stage->argv[0]);
	return stage->file ? 0 : fail_program(m, stage->argv[0]);
}

/* A stage behind a pipe; takes @pattern. */
static int add_filter_stage(struct maker *m, char *pattern)
{
	const struct target *target = m->target;
	int result;

	if (!pattern)
		return no_memory(m);
	m->vars[m->n_vars++] = (struct variable){"pattern", pattern};
	result = add_stage(m, target->filter_stage, target->n_filter_stage, NULL, 0);
	m->n_vars--;
	free(pattern);
	return result;
}

static int add_filter_stages(struct maker *m)
{
	const struct filter *filter = m->filter;

	if (filter->regex)
		return add_filter_stage(
			m, strdup(filter->prefixed_regex ? filter->prefixed_regex : filter->regex));
	for (size_t i = 0; i < filter->n_clauses; i++)
		if (add_filter_stage(m, filter_clause_regex(&filter->clauses[i])))
			return -1;
	return 0;
}

static int add_stages(struct maker *m)
{
	const struct target *target = m->target;
	bool filters = !filter_is_empty(m->filter);

	m->command->stages = calloc(m->filter->n_clauses + 2, sizeof(*m->command->stages));
	if (!m->command->stages)
		return no_memory(m);
	if (add_stage(m, target->command, target->n_command,
		      filters ? target->filter_arguments : target->unfiltered_arguments,
		      filters ? target->n_filter_arguments : target->n_unfiltered_arguments))
		return -1;
	return filters && target->n_filter_stage ? add_filter_stages(m) : 0;
}

static int add_environment(struct maker *m)
{
	const struct target *target = m->target;
	struct command *command = m->command;

	command->environment = calloc(target->n_environment + 1, sizeof(*command->environment));
	if (!command->environment)
		return no_memory(m);
	for (size_t i = 0; i < target->n_environment; i++) {
		const struct target_variable *variable = &target->environment[i];
		char *value = variables_fill(variable->value, m->vars, m->n_vars, m->err);
		char *text;
		int n;

		if (!value)
			return -1;
		n = asprintf(&text, "%s=%s", variable->name, value);
		free(value);
		if (n < 0)
			return no_memory(m);
		command->environment[command->n_environment++] = text;
	}
	return 0;
}

static int make(struct maker *m)
{
	char *regex = filter_regex(m->filter), *words = filter_words(m->filter);
	int result;

	if (!filter_is_empty(m->filter) && (!regex || !words)) {
		result = no_memory(m);
		goto out;
	}
	if (regex) {
		m->vars[m->n_vars++] = (struct variable){"filter_regex", regex};
		m->vars[m->n_vars++] = (struct variable){"filter_words", words};
	}
	result = add_stages(m);
	if (!result)
		result = add_environment(m);
out:
	free(regex);
	free(words);
	return result;
}

struct command *target_command(const struct target *target, const struct filter *filter,
			       const struct variable *vars, size_t n_vars, struct error *err)
{
	struct maker m = {
		.target = target,
		.filter = filter,
		.vars = calloc(n_vars + 3, sizeof(*vars)),
		.n_vars = n_vars,
		.command = calloc(1, sizeof(struct command)),
		.err = err,
	};
	int result = -1;

	if (!m.vars || !m.command) {
		no_memory(&m);
	} else {
		if (n_vars)
			memcpy(m.vars, vars, n_vars * sizeof(*vars));
		result = make(&m);
	}
	free(m.vars);
	if (!result)
		return m.command;
	if (target->name)
		error_prefix(err, "target '%s'", target->name);
	command_free(m.command);
	return NULL;
}

struct command *command_of_words(char *const *words, size_t n, const struct yaml_pair *environment,
				 size_t n_environment, const struct variable *vars, size_t n_vars,
				 struct error *err)
{
	static const struct filter none;
	struct target target = {
		.command = (char **)words,
		.n_command = n,
		.environment = (struct target_variable *)environment,
		.n_environment = n_environment,
	};

	return target_command(&target, &none, vars, n_vars, err);
}

void command_free(struct command *command)
{
	if (!command)
		return;
	for (size_t i = 0; i < command->n_stages; i++) {
		for (char **word = command->stages[i].argv; word && *word; word++)
			free(*word);
		free(command->stages[i].argv);
		free(command->stages[i].file);
	}
	free(command->stages);
	for (size_t i = 0; i < command->n_environment; i++)
		free(command->environment[i]);
	free(command->environment);
	free(command);
}
