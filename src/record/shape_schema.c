/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * docs/run.schema.json, from the tables that read and write run.json: JSON Schema 2020-12. It says
 * what this version writes, but for keys that an earlier one did not know yet: none of those is
 * required.
 */
#include "record/json_put.h"
#include "record/record.h"
#include "record/shape.h"

static void put_line(FILE *out, int depth)
{
	fprintf(out, "\n%*s", depth, "");
}

static void put_object(FILE *out, const struct shape *shape, int depth);

/* What an element of an array or a mapping is. */
static void put_elements(FILE *out, const char *key, const struct field *field, int depth)
{
	putc(',', out);
	put_line(out, depth);
	fprintf(out, "\"%s\": {", key);
	put_line(out, depth + 1);
	fputs("\"type\": \"object\"", out);
	put_object(out, field->shape, depth + 1);
	put_line(out, depth);
	putc('}', out);
}

static const char *type_of(const struct field *field)
{
	static const char *const types[FIELD_KINDS] = {
		[FIELD_STRING] = "\"type\": [\"string\", \"null\"]",
		[FIELD_REAL] = "\"type\": [\"number\", \"null\"]",
		[FIELD_INTEGER] = "\"type\": [\"integer\", \"null\"]",
		[FIELD_BOOLEAN] = "\"type\": \"boolean\"",
		[FIELD_SIDE] = "\"enum\": [\"A\", \"B\"]",
		[FIELD_WINNER] = "\"enum\": [\"A\", \"B\", null]",
		[FIELD_BETTER] = "\"enum\": [\"lower\", \"higher\"]",
		[FIELD_SEED] = "\"type\": [\"integer\", \"string\"], \"minimum\": 0, "
			       "\"pattern\": \"^[0-9]+$\"",
		[FIELD_STRINGS] = "\"type\": \"array\", \"items\": {\"type\": [\"string\", "
				  "\"null\"]}",
		[FIELD_REALS] = "\"type\": [\"array\", \"null\"], \"items\": {\"type\": "
				"[\"number\", \"null\"]}",
		[FIELD_OBJECT] = "\"type\": \"object\"",
		[FIELD_LIST] = "\"type\": \"array\"",
		[FIELD_MAP] = "\"type\": \"object\"",
	};

	if (field == record_shape.fields)
		return "\"const\": \"" RECORD_SCHEMA "\"";
	if (field->kind == FIELD_STRING && field->required)
		return "\"type\": \"string\"";
	if (field->kind == FIELD_OBJECT && field->aux_offset != FIELD_NO_OFFSET)
		return "\"type\": [\"object\", \"null\"]";
	return types[field->kind];
}

static void put_field(FILE *out, const struct field *field, int depth)
{
	fprintf(out, "\"%s\": {%s, \"description\": ", field->key, type_of(field));
	json_put_string(out, field->text);
	if (field->kind == FIELD_OBJECT)
		put_object(out, field->shape, depth + 1);
	else if (field->kind == FIELD_LIST)
		put_elements(out, "items", field, depth + 1);
	else if (field->kind == FIELD_MAP)
		put_elements(out, "additionalProperties", field, depth + 1);
	if (field->shape)
		put_line(out, depth);
	putc('}', out);
}

static void put_required(FILE *out, const struct shape *shape, int depth)
{
	bool any = false;

	for (size_t i = 0; i < shape->n; i++) {
		if (!shape->fields[i].required)
			continue;
		if (!any)
			put_line(out, depth);
		fprintf(out, "%s\"%s\"", any ? ", " : "\"required\": [", shape->fields[i].key);
		any = true;
	}
	fputs(any ? "]," : "", out);
}

/* The rest of a schema whose type has been told. */
static void put_object(FILE *out, const struct shape *shape, int depth)
{
	putc(',', out);
	put_required(out, shape, depth);
	put_line(out, depth);
	fputs("\"properties\": {", out);
	for (size_t i = 0; i < shape->n; i++) {
		fputs(i ? "," : "", out);
		put_line(out, depth + 1);
		put_field(out, &shape->fields[i], depth + 1);
	}
	put_line(out, depth);
	putc('}', out);
}

void record_print_schema(FILE *out)
{
	fputs("{\n \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	      " \"$id\": \"urn:perfbpf:run:1\",\n"
	      " \"title\": \"run.json of perfbpf\",\n"
	      " \"description\": \"Everything that a run has measured: docs/run-json.md says how "
	      "to "
	      "read it. Other keys than these may be there: a later version may add some.\",\n"
	      " \"type\": \"object\"",
	      out);
	put_object(out, &record_shape, 1);
	fputs("\n}\n", out);
}
