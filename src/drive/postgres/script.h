/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a scenario's statements come to, once it is known what the server has. */
#ifndef PERFBPF_DRIVE_POSTGRES_SCRIPT_H
#define PERFBPF_DRIVE_POSTGRES_SCRIPT_H

#include "drive/postgres/config.h"
#include "drive/postgres/values.h"

/* One statement that is prepared in each connection. */
struct script_statement {
	const struct postgres_statement *source;
	char name[32];   /* that the server knows it by */
	char *sql;       /* variables filled in, rows of a batch written out */
	size_t n_values; /* of one row */
	struct value *values;
	size_t batch;
	uint64_t rows_min, rows_max;
	bool looks_at_rows;
};

/* What a request does. */
struct script_request {
	size_t n_steps;
	const struct script_statement **steps;
	bool is_transaction; /* BEGIN before them, COMMIT behind */
};

struct script {
	const struct postgres_config *config;
	size_t n_statements; /* as in the config; of a transaction only the place */
	struct script_statement *statements;
	size_t n_requests; /* statements with a weight: the kinds of the load engine */
	struct script_request *requests;
};

/* -1 with @err. script_free() frees what hangs on it, also after a failure. */
int script_make(struct script *script, const struct postgres_config *config, struct error *err);
/* Fills variables into the texts. -1 with @err. */
int script_fill(struct script *script, const struct variable *variables, size_t n,
		struct error *err);
void script_free(struct script *script);

/* The kinds of requests, as of struct load_driver_ops. */
int script_kinds(const void *config, struct load_kind **kinds, size_t *n_kinds, struct error *err);

/* NULL where @rows are as expected, or the kind of the error. */
const char *script_judge_rows(const struct script_statement *statement, uint64_t rows);

#endif
