/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "drive/postgres/config.h"
#include "drive/postgres/sql.h"
#include "drive/postgres/values.h"

#define WHERE_MAX 160

/* A table's name is put into SQL as it is. */
static bool is_table_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789";

	return *name && strspn(name, letters) == strlen(name) && (*name < '0' || *name > '9');
}

static const struct postgres_statement *find_statement(const struct postgres_config *config,
						       const char *name)
{
	for (size_t i = 0; i < config->n_statements; i++)
		if (!strcmp(config->statements[i].name, name))
			return &config->statements[i];
	return NULL;
}

static int check_parameters(const struct postgres_statement *statement, const char *where,
			    const struct yaml_file *file, struct error *err)
{
	unsigned long used = sql_parameters(statement->sql);
	char at[WHERE_MAX + 64];

	if (statement->values && used)
		return yaml_file_error(file, where, err,
				       "has parameters in 'sql' and a row of 'values'; put them "
				       "all into 'values'");
	if (statement->values)
		used = sql_parameters(statement->values);
	if (used != statement->n_parameters)
		return yaml_file_error(file, where, err,
				       "uses $1 to $%lu and has %zu parameters; make them as many",
				       used, statement->n_parameters);
	if (used * (unsigned long)statement->batch > PARAMETERS_TOTAL)
		return yaml_file_error(file, where, err,
				       "has more than %d parameters in a batch; make it smaller",
				       PARAMETERS_TOTAL);
	for (size_t i = 0; i < statement->n_parameters; i++) {
		struct value value;
		const char *wrong = value_read(&statement->parameters[i], &value);

		if (!wrong)
			continue;
		snprintf(at, sizeof(at), "%s.parameters[%zu]", where, i);
		return yaml_file_error(file, at, err, "%s", wrong);
	}
	return 0;
}

static int check_transaction(const struct postgres_config *config,
			     const struct postgres_statement *statement, const char *where,
			     const struct yaml_file *file, struct error *err)
{
	char at[WHERE_MAX + 64];

	if (statement->n_parameters || statement->values || statement->rows >= 0 ||
	    statement->rows_min >= 0)
		return yaml_file_error(file, where, err,
				       "is a transaction, whose statements have parameters and "
				       "rows of their own; leave them out");
	for (size_t i = 0; i < statement->n_transaction; i++) {
		const struct postgres_statement *part =
			find_statement(config, statement->transaction[i]);

		if (part && part->sql)
			continue;
		snprintf(at, sizeof(at), "%s.transaction[%zu]", where, i);
		return yaml_file_error(file, at, err,
				       "'%.60s' is no statement with 'sql'; name one of this list",
				       statement->transaction[i]);
	}
	return 0;
}

static int check_rows(const struct postgres_statement *statement, const char *where,
		      const struct yaml_file *file, struct error *err)
{
	if (statement->batch > 1 && !statement->values)
		return yaml_file_error(file, where, err,
				       "has a batch and no 'values'; write one row: ($1, $2)");
	if (statement->rows >= 0 && statement->rows_min >= 0)
		return yaml_file_error(file, where, err,
				       "has rows and rows_min; leave one of them");
	return 0;
}

static int check_statement(const struct postgres_config *config, size_t i, const char *key,
			   const struct yaml_file *file, struct error *err)
{
	const struct postgres_statement *statement = &config->statements[i];
	char where[WHERE_MAX];

	snprintf(where, sizeof(where), "%.60s.statements[%zu]", key, i);
	if (find_statement(config, statement->name) != statement)
		return yaml_file_error(file, where, err,
				       "'%.60s' is taken by an earlier statement; choose another "
				       "name",
				       statement->name);
	if (!statement->sql == !statement->n_transaction)
		return yaml_file_error(file, where, err,
				       "needs either 'sql' or a 'transaction' of other statements");
	if (check_rows(statement, where, file, err))
		return -1;
	if (statement->n_transaction)
		return check_transaction(config, statement, where, file, err);
	return check_parameters(statement, where, file, err);
}

static int check_metrics(const struct postgres_config *config, const char *key,
			 const struct yaml_file *file, struct error *err)
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < config->n_metrics; i++)
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->metrics[i].name, config->metrics[j].name) != 0)
				continue;
			snprintf(where, sizeof(where), "%.60s.side_metrics[%zu].name", key, i);
			return yaml_file_error(file, where, err,
					       "'%.60s' is taken by an earlier one; choose another",
					       config->metrics[i].name);
		}
	return 0;
}

int postgres_check(const void *object, const char *key, const struct yaml_file *file,
		   struct error *err)
{
	const struct postgres_config *config = object;
	double weight = 0;
	char where[WHERE_MAX];

	snprintf(where, sizeof(where), "%.60s.dataset.table", key);
	if (config->dataset.table && !is_table_name(config->dataset.table))
		return yaml_file_error(file, where, err,
				       "'%.60s' is no plain name; write small letters, digits and "
				       "'_'",
				       config->dataset.table);
	snprintf(where, sizeof(where), "%.60s.statements", key);
	if (config->n_statements > STATEMENTS_MAX)
		return yaml_file_error(file, where, err, "has %zu statements; write at most %d",
				       config->n_statements, STATEMENTS_MAX);
	for (size_t i = 0; i < config->n_statements; i++) {
		if (check_statement(config, i, key, file, err))
			return -1;
		weight += config->statements[i].weight;
	}
	if (weight <= 0)
		return yaml_file_error(file, where, err,
				       "has no statement with a weight above 0; add one");
	return check_metrics(config, key, file, err);
}
