/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JSON text from one end to the other, without a tree in memory: for files with millions of
 * numbers. A file is read piece by piece as it is gone through. Nothing of the text is trusted.
 */
#ifndef PERFBPF_RECORD_JSON_SCAN_H
#define PERFBPF_RECORD_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/decimal.h"
#include "util/error.h"

#define JSON_SCAN_KEY_MAX 32

/* What a file is read through; of a text in memory all is zero. */
struct json_source {
	bool is_open; /* more may follow what is in the buffer */
	int fd;
	char *buffer;
	size_t room;
	uint64_t max; /* bytes that are read at all */
	int error;    /* errno of a read that failed; EFBIG beyond max */
};

struct json_scan {
	const char *at, *end, *begin; /* of what is in memory */
	const char *file;             /* for messages */
	struct error *err;
	bool by_line;   /* messages tell the place by line and column, not by byte */
	char path[256]; /* of the value at hand, for messages: the caller's to keep */
	/* Of what came before @begin and is no longer in memory. */
	uint64_t bytes_before, lines_before, column_before;
	struct json_source source;
};

/*
 * Goes through @fd, which stays the caller's, up to @max bytes. json_scan_close() frees the buffer.
 * -1 without memory.
 */
int json_scan_open(struct json_scan *scan, int fd, uint64_t max);
void json_scan_close(struct json_scan *scan);
/* Back to the begin; false where that cannot be, as of a pipe. */
bool json_scan_rewind(struct json_scan *scan);
/* Bytes from the begin of the text to the place at hand. */
uint64_t json_scan_offset(const struct json_scan *scan);

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
/* The first character of what is next, '\0' at the end; nothing is taken. Never an error. */
char json_scan_peek(struct json_scan *scan);
/* true where null is next, which is taken. */
bool json_scan_null(struct json_scan *scan);
/* 1: true is next, 0: false, and it is taken; -1: neither, without an error. */
int json_scan_boolean(struct json_scan *scan);
/* To be freed; without memory that is the error. A NUL in it is an error, and what is no UTF-8. */
int json_scan_string(struct json_scan *scan, char **out);
/* A natural number up to @max. */
int json_scan_number(struct json_scan *scan, uint64_t max, uint64_t *out);
/* Any number; finite. */
int json_scan_real(struct json_scan *scan, double *out);
/* The number that is next, not taken: its bytes, 0 where there is none. */
size_t json_scan_decimal(struct json_scan *scan, struct decimal *out);
/* Over a value of any kind. */
int json_scan_skip(struct json_scan *scan);
/* Nothing but blanks may follow. */
int json_scan_end(struct json_scan *scan);

#endif
