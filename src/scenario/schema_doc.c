/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of docs/scenarios.md and the lines of `perfbpf list keys`. */
#include "scenario/schema_doc.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/units.h"

#define PATH_SIZE 200
#define TEXT_SIZE 400

/* One key, in words. */
struct row {
	char path[PATH_SIZE];
	char type[TEXT_SIZE];   /* what may be written */
	char absent[TEXT_SIZE]; /* what holds where it is not: "required", a default or nothing */
	const char *help;
};

typedef void row_printer(const struct row *row, FILE *out);

static const char *const type_names[] = {
	[YAML_STRING] = "text",
	[YAML_STRINGS] = "list of texts",
	[YAML_BOOL] = "true or false",
	[YAML_INT] = "whole number",
	[YAML_DOUBLE] = "number",
	[YAML_COUNT] = "count",
	[YAML_SHARE] = "share",
	[YAML_DURATION] = "duration",
	[YAML_SIZE] = "size",
	[YAML_ENUM] = "one of",
	[YAML_MAP] = "mapping",
	[YAML_OBJECT] = "mapping",
	[YAML_MAPS] = "list of mappings",
	[YAML_PAIRS] = "mapping of names to texts",
	[YAML_STRING_LISTS] = "list of lists of texts",
};

/* A number of a field's kind as it would be written. */
static char *show(char *buf, size_t size, enum yaml_type type, double value)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	if (type == YAML_DURATION)
		return format_duration_ns(buf, size, (uint64_t)(value * 1e9 + 0.5));
	if (type == YAML_SHARE) {
		snprintf(buf, size, "%.10g%%", value * 100);
		return buf;
	}
	while (type == YAML_SIZE && unit < 4 && value >= 1024 && fmod(value, 1024) == 0) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, size, "%.10g%s", value, units[unit]);
	return buf;
}

static void describe_type(const struct yaml_field *field, char *text, size_t size)
{
	const char *name =
		field->type == YAML_CUSTOM ? field->custom->value : type_names[field->type];
	char min[48], max[48];
	size_t used;

	used = (size_t)snprintf(text, size, "%s", name);
	if (field->type == YAML_ENUM)
		for (size_t i = 0; field->choices[i] && used < size; i++)
			used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : " ",
						 field->choices[i]);
	if ((!field->min && !field->max) || used >= size)
		return;
	show(min, sizeof(min), field->type, field->min);
	show(max, sizeof(max), field->type, field->max);
	if (field->max)
		snprintf(text + used, size - used, ", %s to %s", min, max);
	else
		snprintf(text + used, size - used, ", at least %s", min);
}

/* The value of @field in @object, which has nothing but defaults. Nothing where that is zero: then
 * the key's text says what its absence means. */
static void describe_default(const struct yaml_field *field, const char *object, char *text,
			     size_t size)
{
	const char *at = object + field->offset;
	double value = NAN;

	switch (field->type) {
	case YAML_STRING:
		if (*(char *const *)(const void *)at)
			snprintf(text, size, "%s", *(char *const *)(const void *)at);
		return;
	case YAML_BOOL:
		snprintf(text, size, "%s", *(const bool *)at ? "true" : "");
		return;
	case YAML_ENUM:
		if (!field->required)
			snprintf(text, size, "%s", field->choices[*(const int *)(const void *)at]);
		return;
	case YAML_INT:
		value = *(const int *)(const void *)at;
		break;
	case YAML_DOUBLE:
	case YAML_COUNT:
	case YAML_SHARE:
		value = *(const double *)(const void *)at;
		break;
	case YAML_DURATION:
		value = (double)*(const uint64_t *)(const void *)at / 1e9;
		break;
	case YAML_SIZE:
		value = (double)*(const uint64_t *)(const void *)at;
		break;
	default:
		return;
	}
	if (value && !isnan(value))
		show(text, size, field->type, value);
}

static void print_schema(const struct yaml_schema *schema, const char *prefix, const char *object,
			 row_printer *print, FILE *out);

/* An object of its own, with the defaults of its kind. */
static void print_item(const struct yaml_schema *nested, const char *path, row_printer *print,
		       FILE *out)
{
	char *item = calloc(1, nested->size);

	if (!item)
		return;
	if (nested->defaults)
		nested->defaults(item);
	print_schema(nested, path, item, print, out);
	yaml_map_free(nested, item);
	free(item);
}

/* What is below @field, whose path is @path. */
static void print_nested(const struct yaml_field *field, const char *path, const char *object,
			 row_printer *print, FILE *out)
{
	const struct yaml_custom *custom = field->custom;
	char place[PATH_SIZE + 16];

	if (field->type == YAML_CUSTOM && custom->item) {
		snprintf(place, sizeof(place), "%s.%s", path, custom->place);
		print_item(custom->item, place, print, out);
	} else if (field->type == YAML_MAPS) {
		snprintf(place, sizeof(place), "%s[]", path);
		print_item(field->nested, place, print, out);
	} else if (field->type == YAML_MAP && !field->nested->defaults) {
		print_schema(field->nested, path, object + field->offset, print, out);
	} else if (field->nested) {
		print_item(field->nested, path, print, out);
	}
}

static void print_schema(const struct yaml_schema *schema, const char *prefix, const char *object,
			 row_printer *print, FILE *out)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct yaml_field *field = &schema->fields[i];
		struct row row = {.help = field->help ? field->help : ""};

		snprintf(row.path, sizeof(row.path), "%s%s%s", prefix, *prefix ? "." : "",
			 field->key);
		describe_type(field, row.type, sizeof(row.type));
		if (field->required)
			snprintf(row.absent, sizeof(row.absent), "required");
		else
			describe_default(field, object, row.absent, sizeof(row.absent));
		print(&row, out);
		print_nested(field, row.path, object, print, out);
	}
}

/* A pipe would end a cell. */
static void print_cell(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_markdown_row(const struct row *row, FILE *out)
{
	fprintf(out, "| `%s` | ", row->path);
	print_cell(row->type, out);
	fputs(" | ", out);
	print_cell(row->absent, out);
	fputs(*row->absent ? " | " : "| ", out);
	print_cell(row->help, out);
	fputs(" |\n", out);
}

void schema_print_markdown(const struct yaml_schema *schema, const char *prefix, FILE *out)
{
	fputs("| key | value | without it | meaning |\n|---|---|---|---|\n", out);
	print_item(schema, prefix ? prefix : "", print_markdown_row, out);
}

static void print_text_row(const struct row *row, FILE *out)
{
	bool is_required = !strcmp(row->absent, "required");

	fprintf(out, "  %-34s %s\n  %-34s %s%s%s%s\n", row->path, row->help, "", row->type,
		*row->absent ? "; " : "", *row->absent && !is_required ? "without it " : "",
		row->absent);
}

void schema_print_text(const struct yaml_schema *schema, const char *prefix, FILE *out)
{
	print_item(schema, prefix ? prefix : "", print_text_row, out);
}
