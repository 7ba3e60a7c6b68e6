/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/profile.h"
#include "record/record.h"
#include "record/shape.h"
#include "util/file.h"

#define FILE_MAX_BYTES   (256ULL << 20)
#define MEMORY_MIN_BYTES (64ULL << 20)

struct reader {
	const char *file;
	struct error *err;
	/* What the record may still take: a file of few bytes must not claim gigabytes by empty
	 * objects. */
	size_t budget;
	char path[256]; /* of the value at hand: "rounds[3].cpu" */
};

/* Appends a step to the path and returns its length before, for leave(). */
static size_t enter(struct reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static size_t enter(struct reader *reader, const char *fmt, ...)
{
	size_t length = strlen(reader->path);
	va_list args;

	va_start(args, fmt);
	vsnprintf(reader->path + length, sizeof(reader->path) - length, fmt, args);
	va_end(args);
	return length;
}

static void leave(struct reader *reader, size_t length)
{
	reader->path[length] = '\0';
}

static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",  [JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a number",    [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

static int wrong_type(struct reader *reader, const char *wanted, const json_t *value)
{
	return error_set(reader->err, EXIT_CODE_USAGE, "%s: %s: must be %s, not %s", reader->file,
			 reader->path, wanted, type_name(value));
}

static int wrong_value(struct reader *reader, const char *wanted, const json_t *value)
{
	return error_set(reader->err, EXIT_CODE_USAGE, "%s: %s: must be %s, not \"%.40s\"",
			 reader->file, reader->path, wanted, json_string_value(value));
}

/* Room for @n elements of @size, zeroed; NULL with the error. */
static void *take(struct reader *reader, size_t n, size_t size)
{
	void *memory = NULL;

	if (n <= reader->budget / size) {
		reader->budget -= n * size;
		memory = calloc(n, size);
	}
	if (!memory)
		error_set(reader->err, EXIT_CODE_USAGE,
			  "%s: %s: %zu elements are more than this file can stand for",
			  reader->file, reader->path, n);
	return memory;
}

static int get_string(struct reader *reader, json_t *value, char **out)
{
	if (!json_is_string(value))
		return wrong_type(reader, "a string", value);
	free(*out);
	*out = strdup(json_string_value(value));
	if (!*out)
		return error_set(reader->err, EXIT_CODE_FAILED, "%s: out of memory", reader->file);
	return 0;
}

static int get_boolean(struct reader *reader, json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return wrong_type(reader, "true or false", value);
	*out = json_is_true(value);
	return 0;
}

static int get_real(struct reader *reader, json_t *value, double *out)
{
	if (!json_is_number(value))
		return wrong_type(reader, "a number or null", value);
	*out = json_number_value(value);
	return 0;
}

static int get_integer(struct reader *reader, json_t *value, int64_t *out)
{
	if (!json_is_integer(value))
		return wrong_type(reader, "an integer or null", value);
	*out = json_integer_value(value);
	return 0;
}

/* Which of the two words @value is: 0, 1, or -1 with the error. */
static int get_choice(struct reader *reader, json_t *value, const char *first, const char *second)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"%s\" or \"%s\"", first, second);
	if (!json_is_string(value))
		return wrong_type(reader, wanted, value);
	if (!strcmp(json_string_value(value), first))
		return 0;
	if (!strcmp(json_string_value(value), second))
		return 1;
	return wrong_value(reader, wanted, value);
}

static int get_seed(struct reader *reader, json_t *value, uint64_t *out)
{
	const char *digits = json_string_value(value);
	char *end;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = (uint64_t)json_integer_value(value);
		return 0;
	}
	if (!digits)
		return wrong_type(reader, "a natural number, or a string of digits", value);
	errno = 0;
	*out = strtoull(digits, &end, 10);
	if (errno || *end || digits[strspn(digits, "0123456789")] || !*digits)
		return wrong_value(reader, "a natural number below 2^64", value);
	return 0;
}

static int get_strings(struct reader *reader, json_t *value, char ***out, size_t *count)
{
	size_t i;
	json_t *element;

	if (!json_is_array(value))
		return wrong_type(reader, "an array of strings", value);
	if (json_array_size(value) == 0)
		return 0;
	*out = take(reader, json_array_size(value), sizeof(**out));
	if (!*out)
		return -1;
	*count = json_array_size(value);
	json_array_foreach (value, i, element) {
		size_t length = enter(reader, "[%zu]", i);

		if (!json_is_null(element) && get_string(reader, element, &(*out)[i]))
			return -1;
		leave(reader, length);
	}
	return 0;
}

/* Arrays that share a count must agree on it; the first one that has elements sets it. */
static int get_reals(struct reader *reader, json_t *value, double **out, size_t *count)
{
	size_t n, i;
	json_t *element;

	if (!json_is_array(value))
		return wrong_type(reader, "an array of numbers", value);
	n = json_array_size(value);
	if (*count && n != *count)
		return error_set(reader->err, EXIT_CODE_USAGE,
				 "%s: %s: has %zu values where the arrays before it have %zu",
				 reader->file, reader->path, n, *count);
	if (n == 0)
		return 0;
	*out = take(reader, n, sizeof(**out));
	if (!*out)
		return -1;
	*count = n;
	json_array_foreach (value, i, element) {
		size_t length = enter(reader, "[%zu]", i);

		(*out)[i] = NAN;
		if (!json_is_null(element) && get_real(reader, element, &(*out)[i]))
			return -1;
		leave(reader, length);
	}
	return 0;
}

static int get_object(struct reader *reader, const struct shape *shape, json_t *object, void *base);

static int get_optional(struct reader *reader, const struct field *field, json_t *value, void *base)
{
	if (field->aux_offset != FIELD_NO_OFFSET)
		*(bool *)((char *)base + field->aux_offset) = true;
	return get_object(reader, field->shape, value, field_at(field, base));
}

static int get_list(struct reader *reader, const struct field *field, json_t *value, void *base)
{
	size_t size = field->shape->size, i;
	json_t *element;
	char *structs;

	if (!json_is_array(value))
		return wrong_type(reader, "an array of objects", value);
	if (json_array_size(value) == 0)
		return 0;
	structs = take(reader, json_array_size(value), size);
	if (!structs)
		return -1;
	*(void **)field_at(field, base) = structs;
	*field_count(field, base) = json_array_size(value);
	json_array_foreach (value, i, element) {
		size_t length = enter(reader, "[%zu]", i);

		shape_init(field->shape, structs + i * size);
		if (get_object(reader, field->shape, element, structs + i * size))
			return -1;
		leave(reader, length);
	}
	return 0;
}

static int get_map(struct reader *reader, const struct field *field, json_t *value, void *base)
{
	size_t size = field->shape->size, i = 0;
	const char *key;
	json_t *element;
	char *structs;

	if (!json_is_object(value))
		return wrong_type(reader, "an object", value);
	if (json_object_size(value) == 0)
		return 0;
	structs = take(reader, json_object_size(value), size);
	if (!structs)
		return -1;
	*(void **)field_at(field, base) = structs;
	*field_count(field, base) = json_object_size(value);
	json_object_foreach (value, key, element) {
		size_t length = enter(reader, ".%.40s", key);
		char *at = structs + i++ * size;

		shape_init(field->shape, at);
		*(char **)(void *)at = strdup(key);
		if (!*(char **)(void *)at)
			return error_set(reader->err, EXIT_CODE_FAILED, "%s: out of memory",
					 reader->file);
		if (get_object(reader, field->shape, element, at))
			return -1;
		leave(reader, length);
	}
	return 0;
}

static int get_field(struct reader *reader, const struct field *field, json_t *value, void *base)
{
	void *at = field_at(field, base);
	int choice;

	switch (field->kind) {
	case FIELD_STRING:
		return get_string(reader, value, at);
	case FIELD_REAL:
		return get_real(reader, value, at);
	case FIELD_INTEGER:
		return get_integer(reader, value, at);
	case FIELD_BOOLEAN:
		return get_boolean(reader, value, at);
	case FIELD_SIDE:
		choice = get_choice(reader, value, "A", "B");
		*(enum side *)at = choice == 1 ? SIDE_B : SIDE_A;
		return choice < 0 ? -1 : 0;
	case FIELD_WINNER:
		choice = get_choice(reader, value, "A", "B");
		*(int *)at = choice;
		return choice < 0 ? -1 : 0;
	case FIELD_BETTER:
		choice = get_choice(reader, value, "lower", "higher");
		*(bool *)at = choice == 0;
		return choice < 0 ? -1 : 0;
	case FIELD_SEED:
		return get_seed(reader, value, at);
	case FIELD_STRINGS:
		return get_strings(reader, value, at, field_count(field, base));
	case FIELD_REALS:
		return get_reals(reader, value, at, field_count(field, base));
	case FIELD_OBJECT:
		return get_optional(reader, field, value, base);
	case FIELD_LIST:
		return get_list(reader, field, value, base);
	case FIELD_MAP:
		return get_map(reader, field, value, base);
	case FIELD_KINDS:
		break;
	}
	return 0;
}

/* Keys that no table knows are passed over: a later 0.x may have added them. */
static int get_object(struct reader *reader, const struct shape *shape, json_t *object, void *base)
{
	if (!json_is_object(object))
		return wrong_type(reader, "an object", object);
	for (size_t i = 0; i < shape->n; i++) {
		const struct field *field = &shape->fields[i];
		json_t *value = json_object_get(object, field->key);
		size_t length = enter(reader, "%s%s", reader->path[0] ? "." : "", field->key);

		if (!value || json_is_null(value)) {
			if (field->required)
				return error_set(reader->err, EXIT_CODE_USAGE, "%s: %s: is missing",
						 reader->file, reader->path);
		} else if (get_field(reader, field, value, base)) {
			return -1;
		}
		leave(reader, length);
	}
	return 0;
}

/* First of all, so that a later layout is named as such and not as a wrong type somewhere. */
static int check_schema(struct reader *reader, json_t *root)
{
	static const char family[] = "perfbpf.run/";
	const char *schema = json_string_value(json_object_get(root, "schema"));
	unsigned long version;
	char *end;

	if (!schema)
		return error_set(reader->err, EXIT_CODE_USAGE,
				 "%s: schema: is missing: this is no record of perfbpf",
				 reader->file);
	if (!strcmp(schema, RECORD_SCHEMA))
		return 0;
	if (!strncmp(schema, family, strlen(family))) {
		version = strtoul(schema + strlen(family), &end, 10);
		if (version > 1 && !*end)
			return error_set(reader->err, EXIT_CODE_USAGE,
					 "%s: schema: \"%.40s\" is newer than this program, which "
					 "reads \"" RECORD_SCHEMA "\": use a newer perfbpf",
					 reader->file, schema);
	}
	return error_set(reader->err, EXIT_CODE_USAGE,
			 "%s: schema: must be \"" RECORD_SCHEMA "\", not \"%.40s\"", reader->file,
			 schema);
}

static struct record *read_tree(struct reader *reader, json_t *root)
{
	struct record *rec;

	if (!json_is_object(root)) {
		error_set(reader->err, EXIT_CODE_USAGE, "%s: must hold an object, not %s",
			  reader->file, type_name(root));
		return NULL;
	}
	if (check_schema(reader, root))
		return NULL;
	rec = calloc(1, sizeof(*rec));
	if (!rec) {
		error_set(reader->err, EXIT_CODE_FAILED, "%s: out of memory", reader->file);
		return NULL;
	}
	shape_init(&record_shape, rec);
	rec->complete = true; /* unless the file says otherwise */
	if (get_object(reader, &record_shape, root, rec)) {
		record_free(rec);
		return NULL;
	}
	return rec;
}

struct record *record_parse(const char *text, size_t size, const char *name, struct error *err)
{
	struct reader reader = {.file = name, .err = err, .budget = MEMORY_MIN_BYTES + 8 * size};
	struct record *rec;
	json_error_t json_err;
	json_t *root;

	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &json_err);
	if (!root) {
		error_set(err, EXIT_CODE_USAGE, "%s:%d:%d: is no JSON: %s", name, json_err.line,
			  json_err.column, json_err.text);
		return NULL;
	}
	rec = read_tree(&reader, root);
	json_decref(root);
	return rec;
}

static struct record *read_file(const char *path, struct error *err)
{
	struct record *rec;
	size_t size;
	char *text;

	text = file_read(path, FILE_MAX_BYTES, &size);
	if (!text) {
		error_set(err, EXIT_CODE_USAGE, "%s: %s", path,
			  errno == EFBIG ? "is over 256 MiB, too large for a record"
					 : strerror(errno));
		return NULL;
	}
	rec = record_parse(text, size, path, err);
	free(text);
	return rec;
}

/* Are the stacks those of this run? */
static int check_profile(const struct record *rec, const char *path, struct error *err)
{
	const struct profile *profile = rec->profile;

	for (size_t i = 0; i < profile->n_rows; i++) {
		const struct profile_row *row = &profile->rows[i];

		if (row->round >= rec->n_rounds ||
		    (row->phase != PROFILE_NONE && row->phase >= rec->rounds[row->round].n_phases))
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: rows.%s[%zu]: run.json beside it has no such %s: "
					 "they are of different runs",
					 path, row->round >= rec->n_rounds ? "round" : "phase", i,
					 row->round >= rec->n_rounds ? "round" : "phase");
	}
	return 0;
}

/* The stacks beside run.json; a folder without them is that of a run without. */
static int read_profile(struct record *rec, const char *dir, struct error *err)
{
	char *path;
	int rc = 0;

	if (asprintf(&path, "%s/" PROFILE_FILE_NAME, dir) < 0)
		return error_set(err, EXIT_CODE_FAILED, "%s: out of memory", dir);
	if (!access(path, F_OK)) {
		rec->profile = profile_read(path, err);
		rc = rec->profile ? check_profile(rec, path, err) : -1;
	}
	free(path);
	return rc;
}

struct record *record_read(const char *path, struct error *err)
{
	struct record *rec;
	struct stat st;
	char *file;

	if (stat(path, &st)) {
		error_set(err, EXIT_CODE_USAGE, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISDIR(st.st_mode))
		return read_file(path, err);
	if (asprintf(&file, "%s/run.json", path) < 0) {
		error_set(err, EXIT_CODE_FAILED, "%s: out of memory", path);
		return NULL;
	}
	rec = read_file(file, err);
	free(file);
	if (rec && read_profile(rec, path, err)) {
		record_free(rec);
		return NULL;
	}
	return rec;
}
