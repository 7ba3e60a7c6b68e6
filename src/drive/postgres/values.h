/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parameters of a request, made from random numbers: the same state makes the same values. */
#ifndef PERFBPF_DRIVE_POSTGRES_VALUES_H
#define PERFBPF_DRIVE_POSTGRES_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/postgres/config.h"

enum value_kind {
	VALUE_INTEGER,
	VALUE_TEXT,
	VALUE_VECTOR,
	VALUE_NAMESPACE,
	VALUE_NAMESPACES,
	VALUE_WORD,
};

/* What a parameter of a scenario asks for. */
struct value {
	enum value_kind kind;
	int64_t low, high;  /* integer: both included; else: how many, and of how many */
	char *const *words; /* the scenario's */
};

/* Reads what @parameter says into @value; NULL, or what is wrong with it, static. */
const char *value_read(const struct postgres_parameter *parameter, struct value *value);

/* The values of one request, one behind the other in one stretch of memory. */
struct values {
	uint64_t seed;        /* of vectors' clusters */
	const char *brackets; /* of vectors: "[]" or "{}" */
	size_t n, n_capacity;
	size_t length, capacity;
	char *bytes;
	size_t *offsets;
	const char **texts;
	float *vector; /* room for the components of one */
};

void values_free(struct values *values); /* what hangs on it */
/* Forgets those of the last request. */
void values_clear(struct values *values);
/* Adds what @value asks for, from splitmix64's @state. False: no memory. */
bool values_add(struct values *values, const struct value *value, uint64_t *state);
/* All of them, for libpq; good until something is added. */
const char *const *values_texts(struct values *values);

/* "ns-17" of the namespace @i into @out[NAMESPACE_TEXT]; its length. */
#define NAMESPACE_TEXT 32
int namespace_write(char *out, uint64_t i);
/* So many characters of words into @out, without a NUL. */
void words_write(char *out, size_t n, uint64_t *state);

#endif
