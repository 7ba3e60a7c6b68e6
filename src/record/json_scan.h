/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JSON text from one end to the other, without a tree in memory: for files with millions of
 * numbers. Nothing of the text is trusted.
 */
#ifndef PERFBPF_RECORD_JSON_SCAN_H
#define PERFBPF_RECORD_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define JSON_SCAN_KEY_MAX 32

struct json_scan {
	const char *at, *end, *begin;
	const char *file; /* for messages */
	struct error *err;
	char path[96]; /* of the value at hand, for messages: the caller's to keep */
};

/*
 * All below: 0 (or what is said), or -1 with the error, which names the file, the path and the
 * byte.
 */

/* A broken text, @what is wrong with it. */
int json_scan_broken(const struct json_scan *scan, const char *what);
/* A value that must be @wanted. */
int json_scan_unfit(const struct json_scan *scan, const char *wanted);
/* Is @c next? Then it is taken. Never an error. */
bool json_scan_take(struct json_scan *scan, char c);
int json_scan_expect(struct json_scan *scan, char c);
/*
 * Steps through an array or object after its opening bracket: 1: an element (or key) follows, 0: it
 * ended with @close. @first is true before the first.
 */
int json_scan_step(struct json_scan *scan, char close, bool *first);
/* A key and its ':'; what does not fit into @key is cut, so that it is none that is known. */
int json_scan_key(struct json_scan *scan, char key[JSON_SCAN_KEY_MAX]);
/* 1 where null is next, which is taken. */
bool json_scan_null(struct json_scan *scan);
/* To be freed; without memory that is the error. A NUL in it is an error. */
int json_scan_string(struct json_scan *scan, char **out);
/* A natural number up to @max. */
int json_scan_number(struct json_scan *scan, uint64_t max, uint64_t *out);
/* Any number; finite. */
int json_scan_real(struct json_scan *scan, double *out);
/* Over a value of any kind. */
int json_scan_skip(struct json_scan *scan);
/* Nothing but blanks may follow. */
int json_scan_end(struct json_scan *scan);

#endif
