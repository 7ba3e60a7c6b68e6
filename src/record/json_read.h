/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JSON into structs, by the tables of shape.h: a value goes to its place as it is met, so that what
 * is needed besides is little. Used by record_read.c and json_read.c only.
 */
#ifndef PERFBPF_RECORD_JSON_READ_H
#define PERFBPF_RECORD_JSON_READ_H

#include "record/json_scan.h"
#include "record/shape.h"

struct json_reader {
	struct json_scan scan;
	/* A string that is looked at as soon as it is there. */
	const struct field *checked;
	int (*check)(struct json_reader *reader, const char *value);
	bool has_schema;
	/* What the record takes: a file of few bytes must not claim gigabytes by empty objects. */
	uint64_t used;
	/* Where arrays of numbers grow, so that each then has just the room that it needs. */
	double *numbers;
	size_t room;
};

/* The object at hand into the initialised struct at @base. -1 with the error; what was read by then
 * is in the struct, to be freed with it. */
int json_read_object(struct json_reader *reader, const struct shape *shape, void *base);

/* Appends a step to the path, and returns how long it was before. */
size_t json_read_enter(struct json_reader *reader, const char *separator, const char *step);
/* -1 with the error, which tells what the value at hand is. */
int json_read_wrong_type(struct json_reader *reader, const char *wanted);
int json_read_wrong_value(struct json_reader *reader, const char *wanted, const char *value);
int json_read_no_memory(struct json_reader *reader);

#endif
