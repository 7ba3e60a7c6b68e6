/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is in texts: the parameters ($1, $2 …) of a statement, the code in an error message. Pure.
 */
#ifndef PERFBPF_DRIVE_POSTGRES_SQL_H
#define PERFBPF_DRIVE_POSTGRES_SQL_H

#include <stdbool.h>
#include <stddef.h>

#define SQLSTATE_SIZE 6 /* five letters and a NUL */

/* The highest number of a parameter in @sql, outside of quotes; 0: none. */
unsigned long sql_parameters(const char *sql);

/*
 * @sql and @batch times @row behind it, with commas between; the parameters of each row follow
 * those of the one before: ($1, $2), ($3, $4) for two rows of @n parameters each. To be freed; NULL
 * without memory.
 */
char *sql_batch(const char *sql, const char *row, size_t n, size_t batch);

/* The SQLSTATE in an error message of libpq's ("FATAL:  53300: too many clients") into
 * @code[SQLSTATE_SIZE]. False: there is none. */
bool sql_find_state(const char *message, char *code);

#endif
