/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parameters ($1, $2 …) in a statement's text. Pure. */
#ifndef PERFBPF_DRIVE_POSTGRES_SQL_H
#define PERFBPF_DRIVE_POSTGRES_SQL_H

#include <stddef.h>

/* The highest number of a parameter in @sql, outside of quotes; 0: none. */
unsigned long sql_parameters(const char *sql);

/*
 * @sql and @batch times @row behind it, with commas between; the parameters of each row follow
 * those of the one before: ($1, $2), ($3, $4) for two rows of @n parameters each. To be freed; NULL
 * without memory.
 */
char *sql_batch(const char *sql, const char *row, size_t n, size_t batch);

#endif
