/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The protocol of the load engine: each user has one connection, and prepares in it what it sends,
 * once. */
#ifndef PERFBPF_DRIVE_POSTGRES_REQUEST_H
#define PERFBPF_DRIVE_POSTGRES_REQUEST_H

#include "drive/load/load.h"
#include "drive/postgres/libpq.h"
#include "drive/postgres/script.h"

/* Among what the engine counts: rows that the answers should have had. */
#define ROWS_EXPECTED "rows_expected"

/* Answers of a statement with other rows than expected. */
struct row_faults {
	uint64_t n_short, n_over;
	uint64_t fewest, most; /* rows of these; where there are any */
};

/* What all users share. */
struct requests {
	struct libpq pq;
	struct script script;
	char *connection;
	struct values values;
	struct row_faults faults[STATEMENTS_MAX]; /* as the plan's statements */
};

/* Its context begins with a struct requests. */
extern const struct load_protocol postgres_protocol;

#endif
