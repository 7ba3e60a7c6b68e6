/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One message for the user, written where the cause is known and carried upward. */
#ifndef PERFBPF_UTIL_ERROR_H
#define PERFBPF_UTIL_ERROR_H

#include "util/exit_code.h"

struct error {
	enum exit_code exit_code;
	char text[1024]; /* one line: the thing, the place, the remedy; no newline at its end */
};

/*
 * Fills @err (which may be NULL) and returns -1, so that a function can say
 * `return error_set(err, EXIT_CODE_USAGE, "…")`. A message that is already
 * there is replaced. Control characters in the formatted text are replaced
 * by '?', since much of it comes from outside.
 */
int error_set(struct error *err, enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the message that is there. Returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
