/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of docs/run-json.md, from the tables that read and write run.json. */
#include "record/shape.h"

static const char *type_of(const struct field *field)
{
	static const char *const types[FIELD_KINDS] = {
		[FIELD_STRING] = "string or null",
		[FIELD_REAL] = "number or null",
		[FIELD_INTEGER] = "integer or null",
		[FIELD_BOOLEAN] = "true or false",
		[FIELD_SIDE] = "string",
		[FIELD_WINNER] = "string or null",
		[FIELD_BETTER] = "string",
		[FIELD_SEED] = "integer or string",
		[FIELD_STRINGS] = "array of strings",
		[FIELD_REALS] = "array of numbers",
		[FIELD_OBJECT] = "object",
		[FIELD_LIST] = "array of objects",
		[FIELD_MAP] = "object of objects",
	};

	if (field->kind == FIELD_STRING && field->required)
		return "string";
	if (field->kind == FIELD_OBJECT && field->aux_offset != FIELD_NO_OFFSET)
		return "object or null";
	return types[field->kind];
}

static const char *suffix_of(enum field_kind kind)
{
	switch (kind) {
	case FIELD_STRINGS:
	case FIELD_REALS:
	case FIELD_LIST:
		return "[]";
	case FIELD_MAP:
		return ".NAME";
	default:
		return "";
	}
}

static void print_shape(const struct shape *shape, const char *prefix, FILE *out)
{
	char path[128];

	for (size_t i = 0; i < shape->n; i++) {
		const struct field *field = &shape->fields[i];

		snprintf(path, sizeof(path), "%s%s%s%s", prefix, *prefix ? "." : "", field->key,
			 suffix_of(field->kind));
		fprintf(out, "| `%s` | %s | %s |\n", path, type_of(field), field->text);
		if (field->shape)
			print_shape(field->shape, path, out);
	}
}

void record_print_markdown(FILE *out)
{
	fputs("| path | type | meaning |\n|---|---|---|\n", out);
	print_shape(&record_shape, "", out);
}
