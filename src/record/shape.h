/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shape of run.json: one row for each key, with where it lives in record.h and
 * what it means. Writing, reading, freeing and the documentation all walk these
 * tables, so that they cannot disagree. Used inside record/ only.
 */
#ifndef PERFBPF_RECORD_SHAPE_H
#define PERFBPF_RECORD_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum field_kind {
	FIELD_STRING,  /* char * */
	FIELD_REAL,    /* double, NAN is null */
	FIELD_INTEGER, /* int64_t, RECORD_NONE is null */
	FIELD_BOOLEAN, /* bool */
	FIELD_SIDE,    /* enum side: "A" or "B" */
	FIELD_WINNER,  /* int: "A", "B", or -1 for null */
	FIELD_BETTER,  /* bool lower_is_better: "lower" or "higher" */
	FIELD_SEED,    /* uint64_t; a string of digits where an integer of JSON libraries ends */
	FIELD_STRINGS, /* char **, counted */
	FIELD_REALS,   /* double *, counted; several arrays may share one count */
	FIELD_OBJECT,  /* a struct in place; a bool may say that it is not there */
	FIELD_LIST,    /* an array of structs, counted */
	FIELD_MAP,     /* the same as an object, the first char * of each struct is its key */
	FIELD_KINDS,
};

#define FIELD_NO_OFFSET ((size_t)-1)

struct field {
	const char *key;
	enum field_kind kind;
	bool required;     /* a record without it cannot be read */
	size_t offset;     /* in the struct of its shape */
	size_t aux_offset; /* counted: of the size_t; FIELD_OBJECT: of the bool, or FIELD_NO_OFFSET
			    */
	const struct shape *shape;
	const char *text; /* for docs/run-json.md */
};

struct shape {
	const struct field *fields;
	size_t n;
	size_t size;   /* of the struct, for lists and maps */
	bool one_line; /* written on one line */
};

extern const struct shape record_shape, record_round_shape;

/* Sets every field of a zeroed struct to "not known"; lists stay empty. */
void shape_init(const struct shape *shape, void *base);
/* Frees what the struct owns and zeroes those pointers and counts. */
void shape_clear(const struct shape *shape, void *base);

static inline void *field_at(const struct field *field, void *base)
{
	return (char *)base + field->offset;
}

static inline const void *field_in(const struct field *field, const void *base)
{
	return (const char *)base + field->offset;
}

static inline size_t *field_count(const struct field *field, void *base)
{
	return (size_t *)((char *)base + field->aux_offset);
}

static inline size_t field_count_in(const struct field *field, const void *base)
{
	return *(const size_t *)((const char *)base + field->aux_offset);
}

/* Whether an object is there; always so for one without a bool. */
static inline bool field_is_present(const struct field *field, const void *base)
{
	return field->aux_offset == FIELD_NO_OFFSET ||
	       *(const bool *)((const char *)base + field->aux_offset);
}

/* Writes @base as JSON to @out, starting at column 0. */
void shape_write_json(const struct shape *shape, const void *base, FILE *out);
/* The table of all paths in docs/run-json.md. */
void record_print_markdown(FILE *out);

#endif
