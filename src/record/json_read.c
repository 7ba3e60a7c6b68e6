/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/record.h"

#define MEMORY_MIN_BYTES (64ULL << 20)
/* A number of two bytes becomes eight; all else is longer in the file than in memory. */
#define MEMORY_PER_BYTE 8
#define FIRST_ELEMENTS  16

/* Appends a step to the path and returns its length before, for leave(). */
size_t json_read_enter(struct json_reader *reader, const char *separator, const char *step)
{
	char *path = reader->scan.path;
	size_t length = strlen(path);

	snprintf(path + length, sizeof(reader->scan.path) - length, "%s%.60s",
		 length ? separator : "", step);
	return length;
}

static size_t enter_element(struct json_reader *reader, size_t i)
{
	char step[32];

	snprintf(step, sizeof(step), "[%zu]", i);
	return json_read_enter(reader, "", step);
}

static void leave(struct json_reader *reader, size_t length)
{
	reader->scan.path[length] = '\0';
}

int json_read_no_memory(struct json_reader *reader)
{
	return error_set(reader->scan.err, EXIT_CODE_FAILED, "%s: out of memory",
			 reader->scan.file);
}

/* What the value at hand is, which is not taken; NULL where it is none. */
static const char *type_of(struct json_reader *reader)
{
	struct json_scan here;
	struct decimal decimal;

	switch (json_scan_peek(&reader->scan)) {
	case '{':
		return "an object";
	case '[':
		return "an array";
	case '"':
		return "a string";
	}
	here = reader->scan;
	here.source.is_open = false; /* a word is in memory as a whole */
	if (json_scan_null(&here))
		return "null";
	switch (json_scan_boolean(&here)) {
	case 0:
		return "false";
	case 1:
		return "true";
	}
	if (!json_scan_decimal(&here, &decimal))
		return NULL;
	return decimal.is_integer ? "an integer" : "a number";
}

int json_read_wrong_type(struct json_reader *reader, const char *wanted)
{
	const char *type = type_of(reader);

	if (!type)
		return json_scan_broken(&reader->scan, "a value is missing");
	return error_set(reader->scan.err, EXIT_CODE_USAGE, "%s: %s%smust be %s, not %s",
			 reader->scan.file, reader->scan.path, *reader->scan.path ? ": " : "",
			 wanted, type);
}

int json_read_wrong_value(struct json_reader *reader, const char *wanted, const char *value)
{
	return error_set(reader->scan.err, EXIT_CODE_USAGE, "%s: %s: must be %s, not \"%.40s\"",
			 reader->scan.file, reader->scan.path, wanted, value);
}

static int charge(struct json_reader *reader, uint64_t bytes)
{
	reader->used += bytes;
	if (reader->used <= MEMORY_MIN_BYTES + MEMORY_PER_BYTE * json_scan_offset(&reader->scan))
		return 0;
	return error_set(reader->scan.err, EXIT_CODE_USAGE,
			 "%s: %s: is more than this file can stand for", reader->scan.file,
			 reader->scan.path);
}

static int get_string(struct json_reader *reader, char **out)
{
	char *text;

	if (json_scan_peek(&reader->scan) != '"')
		return json_read_wrong_type(reader, "a string");
	if (json_scan_string(&reader->scan, &text))
		return -1;
	free(*out);
	*out = text;
	return 0;
}

static int get_boolean(struct json_reader *reader, bool *out)
{
	int value = json_scan_boolean(&reader->scan);

	if (value < 0)
		return json_read_wrong_type(reader, "true or false");
	*out = value;
	return 0;
}

static int get_real(struct json_reader *reader, double *out)
{
	struct decimal decimal;

	if (!json_scan_decimal(&reader->scan, &decimal))
		return json_read_wrong_type(reader, "a number or null");
	*out = decimal_real(&decimal);
	if (!isfinite(*out))
		return json_scan_unfit(&reader->scan, "smaller: no double holds this number");
	reader->scan.at += decimal.length;
	return 0;
}

static int get_integer(struct json_reader *reader, int64_t *out)
{
	struct decimal decimal;

	if (!json_scan_decimal(&reader->scan, &decimal) || !decimal.is_integer)
		return json_read_wrong_type(reader, "an integer or null");
	if (!decimal_integer(&decimal, out))
		return json_scan_unfit(&reader->scan, "smaller: 64 bits do not hold this integer");
	reader->scan.at += decimal.length;
	return 0;
}

/* Which of the two words the value is: 0, 1, or -1 with the error. */
static int get_choice(struct json_reader *reader, const char *first, const char *second)
{
	char wanted[64], *text;
	int choice;

	snprintf(wanted, sizeof(wanted), "\"%s\" or \"%s\"", first, second);
	if (json_scan_peek(&reader->scan) != '"')
		return json_read_wrong_type(reader, wanted);
	if (json_scan_string(&reader->scan, &text))
		return -1;
	choice = !strcmp(text, first) ? 0 : !strcmp(text, second) ? 1 : -1;
	if (choice < 0)
		json_read_wrong_value(reader, wanted, text);
	free(text);
	return choice;
}

static int get_seed(struct json_reader *reader, uint64_t *out)
{
	const char *wanted = "a natural number below 2^64";
	struct decimal decimal;
	char *digits, *end;
	int rc = 0;

	if (json_scan_decimal(&reader->scan, &decimal) && decimal.is_integer && !decimal.negative) {
		if (!decimal.is_exact)
			return json_scan_unfit(&reader->scan, wanted);
		*out = decimal.mantissa;
		reader->scan.at += decimal.length;
		return 0;
	}
	if (json_scan_peek(&reader->scan) != '"')
		return json_read_wrong_type(reader, "a natural number, or a string of digits");
	if (json_scan_string(&reader->scan, &digits))
		return -1;
	errno = 0;
	*out = strtoull(digits, &end, 10);
	if (errno || *end || digits[strspn(digits, "0123456789")] || !*digits)
		rc = json_read_wrong_value(reader, wanted, digits);
	free(digits);
	return rc;
}

/*
 * Makes room for one more element of @size behind *@n, zeroed; NULL with the error. The array grows
 * by halves, and is counted by what it holds.
 */
static void *grow(struct json_reader *reader, void **list, size_t n, size_t size)
{
	/* Full at 16, 32, 64 …: there the room is doubled. */
	if (n == 0 || (n >= FIRST_ELEMENTS && !(n & (n - 1)))) {
		void *larger = reallocarray(*list, n ? 2 * n : FIRST_ELEMENTS, size);

		if (!larger) {
			json_read_no_memory(reader);
			return NULL;
		}
		*list = larger;
	}
	if (charge(reader, size))
		return NULL;
	return memset((char *)*list + n * size, 0, size);
}

/* Gives back what growing has taken too much. */
static void fit(void **list, size_t n, size_t size)
{
	void *smaller = n ? reallocarray(*list, n, size) : NULL;

	if (smaller)
		*list = smaller;
}

static int get_strings(struct json_reader *reader, char ***out, size_t *count)
{
	bool first = true;
	int more;

	if (!json_scan_take(&reader->scan, '['))
		return json_read_wrong_type(reader, "an array of strings");
	while ((more = json_scan_step(&reader->scan, ']', &first)) > 0) {
		size_t length = enter_element(reader, *count);
		char **element = grow(reader, (void **)out, *count, sizeof(**out));

		if (!element)
			return -1;
		++*count;
		if (!json_scan_null(&reader->scan) && get_string(reader, element))
			return -1;
		leave(reader, length);
	}
	fit((void **)out, *count, sizeof(**out));
	return more;
}

/* One value at @n of reader->numbers. The step of the path is made only where it is told. */
static int get_number(struct json_reader *reader, size_t n)
{
	if (n == reader->room) {
		size_t room = n ? 2 * n : 1024;
		double *larger = reallocarray(reader->numbers, room, sizeof(*larger));

		if (!larger)
			return json_read_no_memory(reader);
		reader->numbers = larger;
		reader->room = room;
	}
	reader->numbers[n] = NAN;
	if (json_scan_null(&reader->scan) || !get_real(reader, &reader->numbers[n]))
		return 0;
	/* Once more, for the message. */
	enter_element(reader, n);
	return get_real(reader, &reader->numbers[n]);
}

/* Arrays that share a count must agree on it; the first one that has elements sets it. */
static int get_reals(struct json_reader *reader, double **out, size_t *count)
{
	bool first = true;
	size_t n = 0;
	int more;

	if (!json_scan_take(&reader->scan, '['))
		return json_read_wrong_type(reader, "an array of numbers");
	while ((more = json_scan_step(&reader->scan, ']', &first)) > 0)
		if (get_number(reader, n++))
			return -1;
	if (more < 0)
		return -1;
	if (*count && n != *count)
		return error_set(reader->scan.err, EXIT_CODE_USAGE,
				 "%s: %s: has %zu values where the arrays before it have %zu",
				 reader->scan.file, reader->scan.path, n, *count);
	if (n == 0)
		return 0;
	if (charge(reader, n * sizeof(**out)))
		return -1;
	*out = malloc(n * sizeof(**out));
	if (!*out)
		return json_read_no_memory(reader);
	memcpy(*out, reader->numbers, n * sizeof(**out));
	*count = n;
	return 0;
}

static int get_optional(struct json_reader *reader, const struct field *field, void *base)
{
	if (field->aux_offset != FIELD_NO_OFFSET)
		*(bool *)((char *)base + field->aux_offset) = true;
	return json_read_object(reader, field->shape, field_at(field, base));
}

static int get_list(struct json_reader *reader, const struct field *field, void *base)
{
	void **list = field_at(field, base);
	size_t size = field->shape->size, *n = field_count(field, base);
	bool first = true;
	int more;

	if (!json_scan_take(&reader->scan, '['))
		return json_read_wrong_type(reader, "an array of objects");
	while ((more = json_scan_step(&reader->scan, ']', &first)) > 0) {
		size_t length = enter_element(reader, *n);
		void *element = grow(reader, list, *n, size);

		if (!element)
			return -1;
		++*n;
		shape_init(field->shape, element);
		if (json_read_object(reader, field->shape, element))
			return -1;
		leave(reader, length);
	}
	fit(list, *n, size);
	return more;
}

/* The key of an element is the first member of its struct. */
static const char *key_of(const void *element)
{
	return *(char *const *)element;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No key may be there twice. They are sorted, since there may be many. */
static int check_keys(struct json_reader *reader, const char *structs, size_t n, size_t size)
{
	const char **keys = calloc(n + 1, sizeof(*keys));
	int rc = 0;

	if (!keys)
		return json_read_no_memory(reader);
	for (size_t i = 0; i < n; i++)
		keys[i] = key_of(structs + i * size);
	qsort(keys, n, sizeof(*keys), by_key);
	for (size_t i = 1; i < n && !rc; i++)
		if (!strcmp(keys[i - 1], keys[i])) {
			json_read_enter(reader, ".", keys[i]);
			rc = json_scan_broken(&reader->scan, "is there twice");
		}
	free(keys);
	return rc;
}

static int get_map(struct json_reader *reader, const struct field *field, void *base)
{
	void **list = field_at(field, base);
	size_t size = field->shape->size, *n = field_count(field, base);
	bool first = true;
	int more;

	if (!json_scan_take(&reader->scan, '{'))
		return json_read_wrong_type(reader, "an object");
	while ((more = json_scan_step(&reader->scan, '}', &first)) > 0) {
		char **element = grow(reader, list, *n, size);
		size_t length;

		if (!element)
			return -1;
		++*n;
		shape_init(field->shape, element);
		if (json_scan_peek(&reader->scan) != '"')
			return json_scan_broken(&reader->scan, "a key is missing");
		if (json_scan_string(&reader->scan, element) ||
		    json_scan_expect(&reader->scan, ':'))
			return -1;
		length = json_read_enter(reader, ".", *element);
		if (json_read_object(reader, field->shape, element))
			return -1;
		leave(reader, length);
	}
	fit(list, *n, size);
	return more ? more : check_keys(reader, *list, *n, size);
}

static int get_field(struct json_reader *reader, const struct field *field, void *base)
{
	void *at = field_at(field, base);
	int choice;

	switch (field->kind) {
	case FIELD_STRING:
		return get_string(reader, at);
	case FIELD_REAL:
		return get_real(reader, at);
	case FIELD_INTEGER:
		return get_integer(reader, at);
	case FIELD_BOOLEAN:
		return get_boolean(reader, at);
	case FIELD_SIDE:
		choice = get_choice(reader, "A", "B");
		*(enum side *)at = choice == 1 ? SIDE_B : SIDE_A;
		return choice < 0 ? -1 : 0;
	case FIELD_WINNER:
		choice = get_choice(reader, "A", "B");
		*(int *)at = choice;
		return choice < 0 ? -1 : 0;
	case FIELD_BETTER:
		choice = get_choice(reader, "lower", "higher");
		*(bool *)at = choice == 0;
		return choice < 0 ? -1 : 0;
	case FIELD_SEED:
		return get_seed(reader, at);
	case FIELD_STRINGS:
		return get_strings(reader, at, field_count(field, base));
	case FIELD_REALS:
		return get_reals(reader, at, field_count(field, base));
	case FIELD_OBJECT:
		return get_optional(reader, field, base);
	case FIELD_LIST:
		return get_list(reader, field, base);
	case FIELD_MAP:
		return get_map(reader, field, base);
	case FIELD_KINDS:
		break;
	}
	return 0;
}

static int missing(struct json_reader *reader)
{
	return error_set(reader->scan.err, EXIT_CODE_USAGE, "%s: %s: is missing", reader->scan.file,
			 reader->scan.path);
}

static int get_known(struct json_reader *reader, const struct field *field, void *base)
{
	if (json_scan_null(&reader->scan))
		return field->required ? missing(reader) : 0;
	if (get_field(reader, field, base))
		return -1;
	/* At once, so that a later layout is named as such and not as a wrong type somewhere. */
	return field == reader->checked ? reader->check(reader, *(char **)field_at(field, base))
					: 0;
}

/* Keys come in the order of the table, mostly: the search begins at @from. */
static const struct field *find_field(const struct shape *shape, size_t from, const char *key)
{
	for (size_t i = 0; i < shape->n; i++) {
		const struct field *field = &shape->fields[(from + i) % shape->n];

		if (!strcmp(field->key, key))
			return field;
	}
	return NULL;
}

static int check_required(struct json_reader *reader, const struct shape *shape, uint64_t seen)
{
	for (size_t i = 0; i < shape->n; i++)
		if (shape->fields[i].required && !(seen >> i & 1)) {
			json_read_enter(reader, ".", shape->fields[i].key);
			return missing(reader);
		}
	return 0;
}

/* Keys that no table knows are passed over: a later 0.x may have added them. */
int json_read_object(struct json_reader *reader, const struct shape *shape, void *base)
{
	uint64_t seen = 0; /* a bit for each field */
	bool first = true;
	size_t next = 0;
	int more;

	if (!json_scan_take(&reader->scan, '{'))
		return json_read_wrong_type(reader, "an object");
	while ((more = json_scan_step(&reader->scan, '}', &first)) > 0) {
		const struct field *field;
		char key[JSON_SCAN_KEY_MAX];
		size_t length;

		if (json_scan_key(&reader->scan, key))
			return -1;
		length = json_read_enter(reader, ".", key);
		field = find_field(shape, next, key);
		if (field) {
			size_t i = (size_t)(field - shape->fields);

			if (seen >> i & 1)
				return json_scan_broken(&reader->scan, "is there twice");
			seen |= 1ULL << i;
			next = i + 1;
		}
		if (field ? get_known(reader, field, base) : json_scan_skip(&reader->scan))
			return -1;
		leave(reader, length);
	}
	return more ? more : check_required(reader, shape, seen);
}
