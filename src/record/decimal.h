/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers as decimal text, with the very results of strtod() and printf("%.15g"), but a tenth of
 * their time: a long run has millions. What the short ways cannot do exactly goes to those two.
 * Pure.
 */
#ifndef PERFBPF_RECORD_DECIMAL_H
#define PERFBPF_RECORD_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that decimal_format() may write, with the NUL. */
#define DECIMAL_MAX 32
/* A number of more bytes is none that anybody wrote down. */
#define DECIMAL_MAX_TEXT 1000

/* A number as JSON writes it: [-] digits [. digits] [e exponent]. */
struct decimal {
	const char *text;
	size_t length;
	bool negative;
	bool is_integer;   /* neither '.' nor exponent */
	bool is_exact;     /* mantissa and exponent are all of it */
	uint64_t mantissa; /* without sign and point */
	int exponent;      /* of ten */
};

/* The number at @at, which ends before @end: its bytes, 0 where there is none. */
size_t decimal_parse(const char *at, const char *end, struct decimal *out);
/* The nearest double; infinite where it is too large for one. */
double decimal_real(const struct decimal *decimal);
/* false where it is no integer, or too large for an int64_t. */
bool decimal_integer(const struct decimal *decimal, int64_t *out);
/* As printf("%.15g"), of a finite number; the bytes without the NUL. */
size_t decimal_format(char buf[DECIMAL_MAX], double value);

#endif
