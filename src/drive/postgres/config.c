/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/config.h"

#include <stddef.h>

#include "util/clock.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ROWS_MAX      100000000

static const struct yaml_field parameter_fields[] = {
	{
		.key = "int",
		.type = YAML_STRINGS,
		.offset = offsetof(struct postgres_parameter, integer),
		.count_offset = offsetof(struct postgres_parameter, n_integer),
		.help = "a whole number: [lowest, highest]",
	},
	{
		.key = "text",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_parameter, text),
		.min = 1,
		.max = 1000000,
		.help = "words, so many characters in all",
	},
	{
		.key = "vector",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_parameter, vector),
		.min = 1,
		.max = DIMENSIONS_MAX,
		.help = "a vector of so many dimensions, near to some of the dataset's",
	},
	{
		.key = "namespace",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_parameter, name_of),
		.min = 1,
		.max = NAMESPACES_MAX,
		.help = "one of so many namespaces",
	},
	{
		.key = "namespaces",
		.type = YAML_STRINGS,
		.offset = offsetof(struct postgres_parameter, names_of),
		.count_offset = offsetof(struct postgres_parameter, n_names_of),
		.help = "an array of different ones: [5, 200] is 5 of 200",
	},
	{
		.key = "one_of",
		.type = YAML_STRINGS,
		.offset = offsetof(struct postgres_parameter, words),
		.count_offset = offsetof(struct postgres_parameter, n_words),
		.help = "one of these texts",
	},
};

static const struct yaml_schema parameter_schema = {
	.name = "a parameter",
	.size = sizeof(struct postgres_parameter),
	.fields = parameter_fields,
	.n_fields = ARRAY_SIZE(parameter_fields),
};

static const struct yaml_field statement_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_statement, name),
		.required = true,
		.help = "what reports call it",
	},
	{
		.key = "weight",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct postgres_statement, weight),
		.max = 1e6,
		.help = "its share of the requests (1); 0: only a part of transactions",
	},
	{
		.key = "sql",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_statement, sql),
		.help = "one statement with $1 …, prepared once in each connection",
	},
	{
		.key = "values",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_statement, values),
		.help = "one row of an INSERT, put behind sql for each of the batch: ($1, $2)",
	},
	{
		.key = "batch",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_statement, batch),
		.min = 1,
		.max = BATCH_MAX,
		.help = "rows of one INSERT (1)",
	},
	{
		.key = "parameters",
		.type = YAML_MAPS,
		.offset = offsetof(struct postgres_statement, parameters),
		.count_offset = offsetof(struct postgres_statement, n_parameters),
		.nested = &parameter_schema,
		.help = "what $1 … are: {vector: 384}, {int: [1, 100]}, {text: 80} …",
	},
	{
		.key = "rows",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_statement, rows),
		.max = ROWS_MAX,
		.help = "that it returns or changes; with more or less it is an error",
	},
	{
		.key = "rows_min",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_statement, rows_min),
		.max = ROWS_MAX,
		.help = "that it returns or changes at least",
	},
	{
		.key = "transaction",
		.type = YAML_STRINGS,
		.offset = offsetof(struct postgres_statement, transaction),
		.count_offset = offsetof(struct postgres_statement, n_transaction),
		.help = "names of statements between BEGIN and COMMIT, in place of sql",
	},
};

static void statement_defaults(void *object)
{
	struct postgres_statement *statement = object;

	statement->weight = 1;
	statement->batch = 1;
	statement->rows = statement->rows_min = -1;
}

static const struct yaml_schema statement_schema = {
	.name = "a statement",
	.size = sizeof(struct postgres_statement),
	.fields = statement_fields,
	.n_fields = ARRAY_SIZE(statement_fields),
	.defaults = statement_defaults,
};

static const struct yaml_field dataset_fields[] = {
	{
		.key = "table",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_dataset, table),
		.help = "to be made: id, namespace, content, embedding",
	},
	{
		.key = "rows",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_dataset, rows),
		.max = ROWS_MAX,
		.help = "of the table (20000)",
	},
	{
		.key = "dimensions",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_dataset, dimensions),
		.min = 1,
		.max = DIMENSIONS_MAX,
		.help = "of each vector (384)",
	},
	{
		.key = "namespaces",
		.type = YAML_INT,
		.offset = offsetof(struct postgres_dataset, namespaces),
		.min = 1,
		.max = NAMESPACES_MAX,
		.help = "that the rows are spread over evenly (200)",
	},
	{
		.key = "replace",
		.type = YAML_BOOL,
		.offset = offsetof(struct postgres_dataset, replace),
		.help = "drop a table of that name first (false)",
	},
	{
		.key = "index",
		.type = YAML_BOOL,
		.offset = offsetof(struct postgres_dataset, index),
		.help = "an HNSW index, where the extension vector is there (true)",
	},
};

static void dataset_defaults(void *object)
{
	struct postgres_dataset *dataset = object;

	dataset->rows = 20000;
	dataset->dimensions = 384;
	dataset->namespaces = 200;
	dataset->index = true;
}

static const struct yaml_schema dataset_schema = {
	.name = "dataset",
	.size = sizeof(struct postgres_dataset),
	.fields = dataset_fields,
	.n_fields = ARRAY_SIZE(dataset_fields),
	.defaults = dataset_defaults,
};

static const struct yaml_field metric_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_metric, name),
		.required = true,
		.help = "what reports call it, with its unit",
	},
	{
		.key = "sql",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_metric, sql),
		.required = true,
		.help = "returns one number, read where the window ends; or two that only grow: "
			"the growth of the first in the window by that of the second",
	},
};

static const struct yaml_schema metric_schema = {
	.name = "a side metric",
	.size = sizeof(struct postgres_metric),
	.fields = metric_fields,
	.n_fields = ARRAY_SIZE(metric_fields),
};

static const struct yaml_field fields[] = {
	{
		.key = "connection",
		.type = YAML_STRING,
		.offset = offsetof(struct postgres_config, connection),
		.required = true,
		.help = "as of libpq: host=127.0.0.1 port=${port} user=postgres dbname=postgres",
	},
	LOAD_CONFIG_FIELDS,
	{
		.key = "setup_timeout",
		.type = YAML_DURATION,
		.offset = offsetof(struct postgres_config, setup_timeout_ns),
		.min = 1,
		.max = 86400,
		.help = "of everything before the load (5m)",
	},
	{
		.key = "dataset",
		.type = YAML_MAP,
		.offset = offsetof(struct postgres_config, dataset),
		.nested = &dataset_schema,
		.help = "rows with vectors: {table, rows, dimensions, namespaces}",
	},
	{
		.key = "prepare",
		.type = YAML_STRINGS,
		.offset = offsetof(struct postgres_config, prepare),
		.count_offset = offsetof(struct postgres_config, n_prepare),
		.help = "SQL run once in this order, after the dataset and before the load",
	},
	{
		.key = "statements",
		.type = YAML_MAPS,
		.offset = offsetof(struct postgres_config, statements),
		.count_offset = offsetof(struct postgres_config, n_statements),
		.nested = &statement_schema,
		.required = true,
		.help = "the requests: a list of {name, weight, sql, parameters, rows}",
	},
	{
		.key = "side_metrics",
		.type = YAML_MAPS,
		.offset = offsetof(struct postgres_config, metrics),
		.count_offset = offsetof(struct postgres_config, n_metrics),
		.nested = &metric_schema,
		.help = "what the server counts of itself: a list of {name, sql}",
	},
};

static void defaults(void *object)
{
	struct postgres_config *config = object;

	load_config_defaults(&config->load);
	config->setup_timeout_ns = 300 * NSEC_PER_SEC;
}

const struct yaml_schema postgres_schema = {
	.name = "postgres",
	.size = sizeof(struct postgres_config),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.defaults = defaults,
	.check = postgres_check,
};
