/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The single values of a file: text, numbers, quantities, choices. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/yaml_file.h"
#include "util/clock.h"
#include "util/suggest.h"
#include "util/units.h"

int yaml_fail(struct yaml_mapper *m, const yaml_node_t *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	yaml_complain(m->file, node->start_mark, m->where, m->err, fmt, args);
	va_end(args);
	return -1;
}

int yaml_no_memory(struct yaml_mapper *m)
{
	return error_set(m->err, EXIT_CODE_FAILED, "%s: out of memory", m->file->name);
}

int yaml_wrong(struct yaml_mapper *m, const yaml_node_t *node, const char *expected)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return yaml_fail(m, node, "is a list; write %s", expected);
	case YAML_MAPPING_NODE:
		return yaml_fail(m, node, "is a mapping; write %s", expected);
	default:
		if (yaml_node_is_blank(node))
			return yaml_fail(m, node, "is empty; write %s", expected);
		return yaml_fail(m, node, "'%.60s' is not understood; write %s",
				 yaml_node_text(node), expected);
	}
}

const char *yaml_text_of(struct yaml_mapper *m, const yaml_node_t *node, const char *expected)
{
	const char *text = yaml_node_text(node);

	if (!text || yaml_node_is_blank(node)) {
		yaml_wrong(m, node, expected);
		return NULL;
	}
	if (strlen(text) != node->data.scalar.length) {
		yaml_fail(m, node, "has a NUL character in it; remove it");
		return NULL;
	}
	return text;
}

int yaml_copy_text(struct yaml_mapper *m, const yaml_node_t *node, char **copy)
{
	const char *text = yaml_text_of(m, node, "a text");

	if (!text)
		return -1;
	free(*copy);
	*copy = strdup(text);
	return *copy ? 0 : yaml_no_memory(m);
}

/*
 * Is @value within the bounds of @field, which are in units of 1 / @scale of it?
 * @show gives a bound back in the words of the file.
 */
static int check_bounds(struct yaml_mapper *m, const yaml_node_t *node,
			const struct yaml_field *field, double value,
			char *(*show)(char *, size_t, double))
{
	char min[48], max[48];

	if (!field->min && !field->max)
		return 0;
	if (value >= field->min && (value <= field->max || !field->max))
		return 0;
	show(min, sizeof(min), field->min);
	show(max, sizeof(max), field->max);
	if (!field->max)
		return yaml_fail(m, node, "'%s' is too little; write at least %s",
				 yaml_node_text(node), min);
	return yaml_fail(m, node, "'%s' is out of bounds; write %s to %s", yaml_node_text(node),
			 min, max);
}

static char *show_number(char *buf, size_t size, double value)
{
	snprintf(buf, size, "%.12g", value);
	return buf;
}

static char *show_seconds(char *buf, size_t size, double seconds)
{
	return format_duration_ns(buf, size, (uint64_t)(seconds * (double)NSEC_PER_SEC + 0.5));
}

/* Bytes as the largest unit that divides them, so that parse_size_bytes() takes them back. */
static char *show_size(char *buf, size_t size, double bytes)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (i < 4 && bytes >= 1024 && fmod(bytes, 1024) == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, size, "%.12g%s", bytes, units[i]);
	return buf;
}

int yaml_set_string(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		    char *object)
{
	return yaml_copy_text(m, node, (char **)(object + field->offset));
}

int yaml_set_bool(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		  char *object)
{
	const char *text = yaml_text_of(m, node, "true or false");
	bool value;

	if (!text)
		return -1;
	value = !strcmp(text, "true");
	if (!value && strcmp(text, "false") != 0)
		return yaml_wrong(m, node, "true or false");
	*(bool *)(object + field->offset) = value;
	return 0;
}

int yaml_set_int(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		 char *object)
{
	const char *text = yaml_text_of(m, node, "a whole number");
	const char *digits;
	long value;

	if (!text)
		return -1;
	digits = text + (*text == '-');
	/* strtol would take spaces, a '+' and more. */
	if (!*digits || digits[strspn(digits, "0123456789")])
		return yaml_wrong(m, node, "a whole number");
	errno = 0;
	value = strtol(text, NULL, 10);
	if (errno || value > INT_MAX || value < INT_MIN)
		return yaml_wrong(m, node, "a whole number below 2147483648");
	if (check_bounds(m, node, field, (double)value, show_number))
		return -1;
	*(int *)(object + field->offset) = (int)value;
	return 0;
}

int yaml_set_double(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		    char *object)
{
	const char *text = yaml_text_of(m, node, "a number");
	double value;
	char *end;

	if (!text)
		return -1;
	/* strtod would take hexadecimal, infinity and NaN. */
	if (text[strspn(text, "0123456789+-.eE")])
		return yaml_wrong(m, node, "a number");
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return yaml_wrong(m, node, "a number");
	if (check_bounds(m, node, field, value, show_number))
		return -1;
	*(double *)(object + field->offset) = value;
	return 0;
}

int yaml_set_count(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		   char *object)
{
	static const char expected[] = "a number such as 14000, 14k or 1.5M";
	const char *text = yaml_text_of(m, node, expected);
	double value;

	if (!text)
		return -1;
	if (parse_count(text, &value))
		return yaml_wrong(m, node, expected);
	if (check_bounds(m, node, field, value, show_number))
		return -1;
	*(double *)(object + field->offset) = value;
	return 0;
}

static char *show_share(char *buf, size_t size, double share)
{
	snprintf(buf, size, "%.12g%%", share * 100);
	return buf;
}

int yaml_set_share(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		   char *object)
{
	static const char expected[] = "a share such as 2% or 0.02";
	const char *text = yaml_text_of(m, node, expected);
	double value;

	if (!text)
		return -1;
	if (parse_share(text, &value))
		return yaml_wrong(m, node, expected);
	if (check_bounds(m, node, field, value, show_share))
		return -1;
	*(double *)(object + field->offset) = value;
	return 0;
}

int yaml_set_duration(struct yaml_mapper *m, const yaml_node_t *node,
		      const struct yaml_field *field, char *object)
{
	static const char expected[] = "a duration such as 250ms, 30s, 5m or 1h";
	const char *text = yaml_text_of(m, node, expected);
	uint64_t ns;

	if (!text)
		return -1;
	if (parse_duration_ns(text, &ns))
		return yaml_wrong(m, node, expected);
	if (check_bounds(m, node, field, (double)ns / (double)NSEC_PER_SEC, show_seconds))
		return -1;
	*(uint64_t *)(object + field->offset) = ns;
	return 0;
}

int yaml_set_size(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		  char *object)
{
	static const char expected[] = "a size such as 512, 64KiB or 10MB";
	const char *text = yaml_text_of(m, node, expected);
	uint64_t bytes;

	if (!text)
		return -1;
	if (parse_size_bytes(text, &bytes))
		return yaml_wrong(m, node, expected);
	if (check_bounds(m, node, field, (double)bytes, show_size))
		return -1;
	*(uint64_t *)(object + field->offset) = bytes;
	return 0;
}

static size_t count_choices(const char *const *choices)
{
	size_t n = 0;

	while (choices[n])
		n++;
	return n;
}

int yaml_set_enum(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		  char *object)
{
	size_t n = count_choices(field->choices), used = 0;
	char expected[256] = "";
	const char *text, *near, *instead;

	for (size_t i = 0; i < n && used < sizeof(expected); i++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%s",
					 i ? (i + 1 < n ? ", " : " or ") : "", field->choices[i]);
	text = yaml_text_of(m, node, expected);
	if (!text)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(text, field->choices[i])) {
			*(int *)(object + field->offset) = (int)i;
			return 0;
		}
	}
	instead = yaml_synonym_find(field->synonyms, text);
	if (instead)
		return yaml_fail(m, node, "'%.60s' is k6's; %s", text, instead);
	near = suggest_nearest(text, field->choices, n);
	if (near)
		return yaml_fail(m, node, "'%.60s' is unknown; did you mean '%s'?", text, near);
	return yaml_wrong(m, node, expected);
}
