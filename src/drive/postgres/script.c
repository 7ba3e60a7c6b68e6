/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/postgres/sql.h"

static int no_memory(struct error *err)
{
	return error_set(err, EXIT_CODE_FAILED, "postgres: out of memory");
}

static int make_statement(struct script_statement *statement,
			  const struct postgres_statement *source, size_t i, struct error *err)
{
	statement->source = source;
	statement->batch = (size_t)source->batch;
	snprintf(statement->name, sizeof(statement->name), "perfbpf_%zu", i);
	statement->values = calloc(source->n_parameters + 1, sizeof(*statement->values));
	if (!statement->values)
		return no_memory(err);
	statement->n_values = source->n_parameters;
	for (size_t j = 0; j < source->n_parameters; j++) {
		const char *wrong = value_read(&source->parameters[j], &statement->values[j]);

		if (wrong)
			return error_set(err, EXIT_CODE_USAGE, "postgres: %s: a parameter %s",
					 source->name, wrong);
	}
	statement->rows_max = UINT64_MAX;
	if (source->rows >= 0)
		statement->rows_min = statement->rows_max = (uint64_t)source->rows;
	else if (source->rows_min >= 0)
		statement->rows_min = (uint64_t)source->rows_min;
	else if (source->values)
		statement->rows_min = statement->rows_max = statement->batch;
	else
		return 0;
	statement->looks_at_rows = true;
	return 0;
}

/* The statement of that name; postgres_check() has seen to it that there is one. */
static const struct script_statement *find(const struct script *script, const char *name)
{
	for (size_t i = 0; i < script->n_statements; i++)
		if (!strcmp(script->config->statements[i].name, name))
			return &script->statements[i];
	return NULL;
}

static int make_request(const struct script *script, struct script_request *request, size_t i,
			struct error *err)
{
	const struct postgres_statement *source = &script->config->statements[i];
	size_t n = source->n_transaction ? source->n_transaction : 1;

	request->steps = calloc(n, sizeof(*request->steps));
	if (!request->steps)
		return no_memory(err);
	request->n_steps = n;
	request->is_transaction = source->n_transaction > 0;
	for (size_t step = 0; step < n; step++) {
		const struct script_statement *statement =
			request->is_transaction ? find(script, source->transaction[step])
						: &script->statements[i];

		if (!statement)
			return error_set(err, EXIT_CODE_USAGE,
					 "postgres: there is no statement '%.60s'",
					 source->transaction[step]);
		request->steps[step] = statement;
	}
	return 0;
}

int script_make(struct script *script, const struct postgres_config *config, struct error *err)
{
	script->config = config;
	script->statements = calloc(config->n_statements, sizeof(*script->statements));
	script->requests = calloc(config->n_statements, sizeof(*script->requests));
	if (!script->statements || !script->requests)
		return no_memory(err);
	script->n_statements = config->n_statements;
	for (size_t i = 0; i < config->n_statements; i++)
		if (make_statement(&script->statements[i], &config->statements[i], i, err))
			return -1;
	for (size_t i = 0; i < config->n_statements; i++)
		if (config->statements[i].weight > 0 &&
		    make_request(script, &script->requests[script->n_requests++], i, err))
			return -1;
	return 0;
}

static int fill_statement(struct script_statement *statement, const struct variable *variables,
			  size_t n, struct error *err)
{
	const struct postgres_statement *source = statement->source;
	char *sql, *row = NULL;

	if (!source->sql)
		return 0;
	sql = variables_fill(source->sql, variables, n, err);
	if (sql && source->values)
		row = variables_fill(source->values, variables, n, err);
	if (!sql || (source->values && !row)) {
		free(sql);
		return error_prefix(err, "postgres: statement '%.60s'", source->name);
	}
	if (!row) {
		statement->sql = sql;
		return 0;
	}
	statement->sql = sql_batch(sql, row, statement->n_values, statement->batch);
	free(sql);
	free(row);
	return statement->sql ? 0 : no_memory(err);
}

int script_fill(struct script *script, const struct variable *variables, size_t n,
		struct error *err)
{
	for (size_t i = 0; i < script->n_statements; i++)
		if (fill_statement(&script->statements[i], variables, n, err))
			return -1;
	return 0;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->n_requests; i++)
		free(script->requests[i].steps);
	for (size_t i = 0; i < script->n_statements; i++) {
		free(script->statements[i].sql);
		free(script->statements[i].values);
	}
	free(script->requests);
	free(script->statements);
	memset(script, 0, sizeof(*script));
}

int script_kinds(const void *object, struct load_kind **kinds, size_t *n_kinds, struct error *err)
{
	const struct postgres_config *config = object;

	*n_kinds = 0;
	*kinds = calloc(config->n_statements, sizeof(**kinds));
	if (!*kinds)
		return no_memory(err);
	for (size_t i = 0; i < config->n_statements; i++)
		if (config->statements[i].weight > 0)
			(*kinds)[(*n_kinds)++] = (struct load_kind){config->statements[i].name,
								    config->statements[i].weight};
	return 0;
}

const char *script_judge_rows(const struct script_statement *statement, uint64_t rows)
{
	if (!statement->looks_at_rows)
		return NULL;
	if (rows < statement->rows_min)
		return "rows short";
	return rows > statement->rows_max ? "rows over" : NULL;
}
