/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a scenario's statements come to, once it is known what the server has. */
#ifndef PERFBPF_DRIVE_POSTGRES_PLAN_H
#define PERFBPF_DRIVE_POSTGRES_PLAN_H

#include "drive/postgres/config.h"
#include "drive/postgres/values.h"

/* One statement that is prepared in each connection. */
struct plan_statement {
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
struct plan_request {
	size_t n_steps;
	const struct plan_statement **steps;
	bool is_transaction; /* BEGIN before them, COMMIT behind */
	uint64_t rows; /* that it returns or changes where all is as expected; 0: not looked at */
};

struct plan {
	const struct postgres_config *config;
	size_t n_statements; /* as in the config; of a transaction only the place */
	struct plan_statement *statements;
	size_t n_requests; /* statements with a weight: the kinds of the load engine */
	struct plan_request *requests;
};

/* -1 with @err. plan_free() frees what hangs on it, also after a failure. */
int plan_make(struct plan *plan, const struct postgres_config *config, struct error *err);
/* Fills variables into the texts. -1 with @err. */
int plan_fill(struct plan *plan, const struct variable *variables, size_t n, struct error *err);
void plan_free(struct plan *plan);

/* The kinds of requests, as of struct load_driver_ops. */
int plan_kinds(const void *config, struct load_kind **kinds, size_t *n_kinds, struct error *err);

/* NULL where @rows are as expected, or the kind of the error. */
const char *plan_judge_rows(const struct plan_statement *statement, uint64_t rows);

#endif
