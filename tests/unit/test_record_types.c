/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What no record may hold, at every key that there is; and records of which bytes were turned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/shape.h"
#include "sample_record.h"

#define MAX_DEPTH 12

/* A record with one value at one place: what comes before it, its path, what comes after. */
struct place {
	char before[2000], path[400], after[200];
};

static size_t cases;

static void assert_refused(const struct place *place, const char *value, const char *step)
{
	char text[2400], wanted[440];
	struct error err = {.text = ""};
	struct record *rec;

	snprintf(text, sizeof(text), "%s%s%s", place->before, value, place->after);
	rec = record_parse(text, strlen(text), "dir/run.json", &err);
	if (rec)
		fail_msg("was read: %s", text);
	cases++;
	assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
	snprintf(wanted, sizeof(wanted), "dir/run.json: %s%s: ", place->path, step);
	if (strncmp(err.text, wanted, strlen(wanted)))
		fail_msg("'%s' does not begin with '%s': %s", err.text, wanted, text);
	assert_null(strchr(err.text, '\n'));
}

static void refuse_values(const struct place *place, const struct field *field)
{
	static const struct {
		const char *value, *step;
	} wrong[FIELD_KINDS][4] = {
		[FIELD_STRING] = {{"1", ""}, {"{}", ""}, {"true", ""}},
		[FIELD_REAL] = {{"\"1\"", ""}, {"false", ""}, {"[]", ""}, {"1e999", ""}},
		[FIELD_INTEGER] = {{"1.5", ""},
				   {"1e3", ""},
				   {"\"1\"", ""},
				   {"1234567890123456789012", ""}},
		[FIELD_BOOLEAN] = {{"1", ""}, {"\"true\"", ""}},
		[FIELD_SIDE] = {{"\"C\"", ""}, {"1", ""}, {"null", ""}},
		[FIELD_WINNER] = {{"\"C\"", ""}, {"1", ""}},
		[FIELD_BETTER] = {{"\"higher \"", ""}, {"true", ""}},
		[FIELD_SEED] = {{"-1", ""}, {"1.5", ""}, {"\"x\"", ""}, {"[]", ""}},
		[FIELD_STRINGS] = {{"{}", ""},
				   {"\"x\"", ""},
				   {"[1]", "[0]"},
				   {"[\"x\", []]", "[1]"}},
		[FIELD_REALS] = {{"{}", ""},
				 {"1", ""},
				 {"[true]", "[0]"},
				 {"[1, null, \"x\"]", "[2]"}},
		[FIELD_OBJECT] = {{"[]", ""}, {"1", ""}},
		[FIELD_LIST] = {{"{}", ""}, {"[1]", "[0]"}, {"[null]", "[0]"}},
		[FIELD_MAP] = {{"[]", ""}, {"{\"x\": 1}", ".x"}, {"{\"x\": null}", ".x"}},
	};

	for (size_t i = 0; i < 4 && wrong[field->kind][i].value; i++)
		assert_refused(place, wrong[field->kind][i].value, wrong[field->kind][i].step);
	if (field->required)
		assert_refused(place, "null", "");
}

static void walk(const struct shape *shape, const struct place *outer, int depth);

/* Into the object, or the first element, that @field holds. */
static void walk_into(const struct field *field, const struct place *place, int depth)
{
	struct place inner = *place;

	if (field->kind == FIELD_LIST) {
		strcat(inner.before, "[");
		strcat(inner.path, "[0]");
		memmove(inner.after + 1, inner.after, strlen(inner.after) + 1);
		inner.after[0] = ']';
	} else if (field->kind == FIELD_MAP) {
		strcat(inner.before, "{\"name\": ");
		strcat(inner.path, ".name");
		memmove(inner.after + 1, inner.after, strlen(inner.after) + 1);
		inner.after[0] = '}';
	}
	walk(field->shape, &inner, depth + 1);
}

static void walk(const struct shape *shape, const struct place *outer, int depth)
{
	assert_in_range(depth, 0, MAX_DEPTH);
	for (size_t i = 0; i < shape->n; i++) {
		const struct field *field = &shape->fields[i];
		struct place place = *outer;
		size_t length;

		strcat(place.before, "{");
		/* What must be there is met first; the schema, in front of all. */
		for (size_t j = 0; j < shape->n; j++)
			if (shape->fields[j].required && j != i &&
			    shape->fields[j].kind != FIELD_LIST) {
				length = strlen(place.before);
				snprintf(place.before + length, sizeof(place.before) - length,
					 "\"%s\": \"%s\", ", shape->fields[j].key,
					 depth ? "A" : RECORD_SCHEMA);
			}
		length = strlen(place.before);
		snprintf(place.before + length, sizeof(place.before) - length,
			 "\"%s\": ", field->key);
		length = strlen(place.path);
		snprintf(place.path + length, sizeof(place.path) - length, "%s%s",
			 length ? "." : "", field->key);
		memmove(place.after + 1, place.after, strlen(place.after) + 1);
		place.after[0] = '}';
		if (depth || i) /* of the schema other things are said */
			refuse_values(&place, field);
		if (field->shape)
			walk_into(field, &place, depth);
	}
}

static void test_types(void **state)
{
	const struct place root = {"", "", ""};

	(void)state;
	walk(&record_shape, &root, 0);
	print_message("%zu cases\n", cases);
	assert_true(cases > 1000);
}

/* Each byte in turn becomes another: read or refused in one line, never more than that. */
static void test_turned_bytes(void **state)
{
	static const char others[] = {'\0', '"', '{', ']', ',', '9', '\xff', '\n', '\\', '-'};
	struct record *rec = sample_record(1, true);
	char *text = record_to_json(rec);
	size_t size = strlen(text);

	(void)state;
	for (size_t i = 0; i < size; i++) {
		char was = text[i];
		struct error err = {.text = ""};
		struct record *read;

		text[i] = others[i % sizeof(others)];
		read = record_parse(text, size, "dir/run.json", &err);
		if (!read) {
			assert_int_equal(err.exit_code, EXIT_CODE_USAGE);
			assert_int_equal(strncmp(err.text, "dir/run.json:", 13), 0);
			for (const char *c = err.text; *c; c++)
				assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
		}
		record_free(read);
		text[i] = was;
	}
	free(text);
	record_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_turned_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
