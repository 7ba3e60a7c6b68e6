/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes straight from the tables to a stream, without a tree of jansson objects in
 * between: a series of an hour has 36,000 values, and belongs on one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/json_put.h"
#include "record/record.h"
#include "record/shape.h"

#define RUN_JSON     "run.json"
#define RUN_JSON_TMP ".run.json.tmp"

static void put_strings(FILE *out, char *const *strings, size_t n)
{
	putc('[', out);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		json_put_string(out, strings[i]);
	}
	putc(']', out);
}

static void put_reals(FILE *out, const double *values, size_t n)
{
	if (!values && n)
		fputs("null", out);
	else
		json_put_reals(out, values, n);
}

static void put_indent(FILE *out, int depth)
{
	fprintf(out, "\n%*s", 2 * depth, "");
}

static void put_object(FILE *out, const struct shape *shape, const void *base, int depth);

static void put_structs(FILE *out, const struct field *field, const void *base, int depth)
{
	const char *element = *(const char *const *)field_in(field, base);
	size_t n = field_count_in(field, base);
	bool map = field->kind == FIELD_MAP;

	putc(map ? '{' : '[', out);
	for (size_t i = 0; i < n; i++, element += field->shape->size) {
		fputs(i ? "," : "", out);
		put_indent(out, depth + 1);
		if (map) {
			const char *key = *(char *const *)(const void *)element;

			json_put_string(out, key ? key : "");
			fputs(": ", out);
		}
		put_object(out, field->shape, element, depth + 1);
	}
	if (n)
		put_indent(out, depth);
	putc(map ? '}' : ']', out);
}

static void put_integer(FILE *out, int64_t value)
{
	if (value == RECORD_NONE)
		fputs("null", out);
	else
		fprintf(out, "%" PRId64, value);
}

static void put_seed(FILE *out, uint64_t seed)
{
	fprintf(out, seed <= INT64_MAX ? "%" PRIu64 : "\"%" PRIu64 "\"", seed);
}

static void put_winner(FILE *out, int winner)
{
	json_put_string(out, winner < 0 ? NULL : winner == SIDE_A ? "A" : "B");
}

static void put_field(FILE *out, const struct field *field, const void *base, int depth)
{
	const void *at = field_in(field, base);

	switch (field->kind) {
	case FIELD_STRING:
		json_put_string(out, *(char *const *)at);
		break;
	case FIELD_REAL:
		json_put_real(out, *(const double *)at);
		break;
	case FIELD_INTEGER:
		put_integer(out, *(const int64_t *)at);
		break;
	case FIELD_BOOLEAN:
		fputs(*(const bool *)at ? "true" : "false", out);
		break;
	case FIELD_SIDE:
		json_put_string(out, *(const enum side *)at == SIDE_A ? "A" : "B");
		break;
	case FIELD_WINNER:
		put_winner(out, *(const int *)at);
		break;
	case FIELD_BETTER:
		json_put_string(out, *(const bool *)at ? "lower" : "higher");
		break;
	case FIELD_SEED:
		put_seed(out, *(const uint64_t *)at);
		break;
	case FIELD_STRINGS:
		put_strings(out, *(char **const *)at, field_count_in(field, base));
		break;
	case FIELD_REALS:
		put_reals(out, *(double *const *)at, field_count_in(field, base));
		break;
	case FIELD_OBJECT:
		if (field_is_present(field, base))
			put_object(out, field->shape, at, depth);
		else
			fputs("null", out);
		break;
	case FIELD_LIST:
	case FIELD_MAP:
		put_structs(out, field, base, depth);
		break;
	case FIELD_KINDS:
		break;
	}
}

static void put_object(FILE *out, const struct shape *shape, const void *base, int depth)
{
	putc('{', out);
	for (size_t i = 0; i < shape->n; i++) {
		fputs(!i ? "" : shape->one_line ? ", " : ",", out);
		if (!shape->one_line)
			put_indent(out, depth + 1);
		fprintf(out, "\"%s\": ", shape->fields[i].key);
		put_field(out, &shape->fields[i], base, depth + 1);
	}
	if (!shape->one_line)
		put_indent(out, depth);
	putc('}', out);
}

void shape_write_json(const struct shape *shape, const void *base, FILE *out)
{
	put_object(out, shape, base, 0);
	putc('\n', out);
}

void record_print_json(const struct record *rec, FILE *out)
{
	shape_write_json(&record_shape, rec, out);
}

char *record_to_json(const struct record *rec)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	shape_write_json(&record_shape, rec, out);
	if (ferror(out) | fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* 0 or -errno; @fd is closed in any case. */
static int write_file(const struct record *rec, int fd)
{
	FILE *out = fdopen(fd, "w");
	int rc = 0;

	if (!out) {
		rc = -errno;
		close(fd);
		return rc;
	}
	errno = 0;
	shape_write_json(&record_shape, rec, out);
	if (fflush(out) || ferror(out) || fsync(fd))
		rc = errno ? -errno : -EIO;
	if (fclose(out) && !rc)
		rc = -errno;
	return rc;
}

int record_write(const struct record *rec, int dirfd, const char *dir, struct error *err)
{
	int fd, rc;

	/* The folder may belong to another user: never follow what lies there. */
	unlinkat(dirfd, RUN_JSON_TMP, 0);
	fd = openat(dirfd, RUN_JSON_TMP, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	rc = fd < 0 ? -errno : write_file(rec, fd);
	if (!rc && renameat(dirfd, RUN_JSON_TMP, dirfd, RUN_JSON))
		rc = -errno;
	if (!rc)
		return 0;
	unlinkat(dirfd, RUN_JSON_TMP, 0);
	return error_set(
		err, EXIT_CODE_FAILED, "cannot write %s/" RUN_JSON ": %s%s", dir, strerror(-rc),
		rc == -ENOSPC || rc == -EDQUOT ? "; make room, or say another folder with -o DIR"
					       : "");
}
