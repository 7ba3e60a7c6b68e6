/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is done before the load: the extension for vectors or what stands in for it, the table and
 * its rows, and the scenario's own SQL. */
#ifndef PERFBPF_DRIVE_POSTGRES_SETUP_H
#define PERFBPF_DRIVE_POSTGRES_SETUP_H

#include "drive/postgres/config.h"
#include "drive/postgres/dialogue.h"

/* What came of it. */
struct setup {
	bool has_extension;
	char vector_type[32]; /* "vector(384)" or "float4[]" */
	char extension_version[32];
	char server_version[64];
	char why_not[256];   /* the extension could not be had; "": it is simply not there */
	double load_seconds; /* of the rows; 0: no dataset */
};

/* "float4[]" has no distance: SQL for one by the operator that the extension has. To be freed. */
char *setup_distance_sql(int dimensions);
/* The @i-th line of the dataset, as COPY takes it, into @line with room for setup_line_size(); its
 * length. @vector has room for the dimensions. */
size_t setup_line(const struct postgres_dataset *dataset, uint64_t seed, uint64_t i,
		  const char *brackets, float *vector, char *line);
size_t setup_line_size(const struct postgres_dataset *dataset);

/*
 * All of it, on a session that is connected. @variables is for the texts of `prepare`; room for one
 * more, ${vector}, is behind its @n. -1 with @err.
 */
int setup_run(struct setup *setup, const struct postgres_config *config, struct dialogue *dialogue,
	      struct variable *variables, size_t n, struct error *err);

#endif
