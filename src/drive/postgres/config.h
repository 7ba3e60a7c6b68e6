/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section `postgres:` of a scenario, as its file says it. */
#ifndef PERFBPF_DRIVE_POSTGRES_CONFIG_H
#define PERFBPF_DRIVE_POSTGRES_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/load/load_driver.h"

#define STATEMENTS_MAX   64
#define DIMENSIONS_MAX   16000 /* pgvector's */
#define NAMESPACES_MAX   1000000
#define BATCH_MAX        10000
#define PARAMETERS_MAX   64
#define PARAMETERS_TOTAL 65535 /* of a statement, as its protocol has it */

/* A value that is made anew for each request: one of these. */
struct postgres_parameter {
	size_t n_integer;
	char **integer; /* [lowest, highest] */
	int text;       /* letters */
	int vector;     /* dimensions */
	int name_of;    /* one of so many namespaces */
	size_t n_names_of;
	char **names_of; /* [k, n]: an array of k different ones of n */
	size_t n_words;
	char **words; /* one of them */
};

struct postgres_statement {
	char *name;
	double weight;
	char *sql;    /* with $1 … */
	char *values; /* of one row, "($1, $2)", put behind sql once for each row of a batch */
	int batch;
	size_t n_parameters;
	struct postgres_parameter *parameters;
	int rows, rows_min; /* that it has to return or change; -1: not looked at */
	size_t n_transaction;
	char **transaction; /* names of statements, in place of sql */
};

/* Rows of memories with their vectors, made from the seed. */
struct postgres_dataset {
	char *table; /* NULL: no data */
	int rows, dimensions, namespaces;
	bool replace; /* a table of that name is dropped first */
	bool index;   /* HNSW, where the extension is there */
};

struct postgres_metric {
	char *name, *sql;
};

struct postgres_config {
	struct load_config load;
	char *connection; /* as of libpq, with variables */
	uint64_t setup_timeout_ns;
	size_t n_prepare;
	char **prepare; /* SQL before the load, after the data */
	struct postgres_dataset dataset;
	size_t n_statements;
	struct postgres_statement *statements;
	size_t n_metrics;
	struct postgres_metric *metrics;
};

extern const struct yaml_schema postgres_schema;

/* What the tables cannot say; see struct yaml_schema. */
int postgres_check(const void *config, const char *key, const struct yaml_file *file,
		   struct error *err);

#endif
