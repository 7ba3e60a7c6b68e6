/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/section.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"

#define LABEL_COLUMNS 56

static struct section *last(struct sections *sections)
{
	return sections->failed || !sections->n ? NULL : &sections->list[sections->n - 1];
}

/* Appends @text, which becomes the list's; without memory nothing more is added. */
static void append(struct sections *sections, char ***list, size_t *n, char *text)
{
	char **longer = text ? reallocarray(*list, *n + 1, sizeof(*longer)) : NULL;

	if (!longer) {
		free(text);
		sections->failed = true;
		return;
	}
	*list = longer;
	longer[(*n)++] = text;
}

static char *print(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

static char *print(const char *fmt, va_list args)
{
	char *text;

	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

void section_begin(struct sections *sections, const char *fmt, ...)
{
	struct section *list = reallocarray(sections->list, sections->n + 1, sizeof(*list));
	va_list args;

	if (!list) {
		sections->failed = true;
		return;
	}
	sections->list = list;
	memset(&list[sections->n], 0, sizeof(*list));
	va_start(args, fmt);
	list[sections->n].title = print(fmt, args);
	va_end(args);
	if (!list[sections->n++].title)
		sections->failed = true;
}

void section_column(struct sections *sections, const char *title, bool right)
{
	struct section *section = last(sections);

	if (!section || section->n_columns == SECTION_MAX_COLUMNS)
		return;
	section->columns[section->n_columns] = (struct table_column){strdup(title), right};
	if (section->columns[section->n_columns++].title)
		return;
	sections->failed = true;
}

void section_cell(struct sections *sections, const char *text)
{
	struct section *section = last(sections);

	if (section)
		append(sections, &section->cells, &section->n_cells, strdup(text ? text : ""));
}

void section_cellf(struct sections *sections, const char *fmt, ...)
{
	struct section *section = last(sections);
	va_list args;

	if (!section)
		return;
	va_start(args, fmt);
	append(sections, &section->cells, &section->n_cells, print(fmt, args));
	va_end(args);
}

void section_value(struct sections *sections, enum metric_kind kind, double value)
{
	char text[32];

	section_cell(sections, summary_value(text, sizeof(text), kind, value));
}

void section_integer(struct sections *sections, int64_t value)
{
	char text[32];

	section_cell(sections, summary_integer(text, sizeof(text), value));
}

void section_label(struct sections *sections, const char *text)
{
	size_t bytes = 0, columns = 0, length;
	uint32_t code;

	while (text && text[bytes]) {
		length = utf8_decode(text + bytes, &code);
		columns += length ? (size_t)utf8_columns(code) : 1;
		if (columns > LABEL_COLUMNS)
			break;
		bytes += length ? length : 1;
	}
	if (!text || !text[bytes])
		section_cell(sections, text);
	else
		section_cellf(sections, "%.*s\xe2\x80\xa6", (int)bytes, text);
}

void section_note(struct sections *sections, const char *fmt, ...)
{
	struct section *section = last(sections);
	va_list args;

	if (!section)
		return;
	va_start(args, fmt);
	append(sections, &section->notes, &section->n_notes, print(fmt, args));
	va_end(args);
}

static void free_section(struct section *section)
{
	free(section->title);
	for (size_t i = 0; i < section->n_columns; i++)
		free((char *)section->columns[i].title);
	for (size_t i = 0; i < section->n_cells; i++)
		free(section->cells[i]);
	free(section->cells);
	for (size_t i = 0; i < section->n_notes; i++)
		free(section->notes[i]);
	free(section->notes);
}

bool section_is_command(const char *note)
{
	return !strncmp(note, SECTION_COMMAND, strlen(SECTION_COMMAND));
}

void section_end(struct sections *sections)
{
	struct section *section = last(sections);

	if (!section || section->n_cells || section->n_notes)
		return;
	free_section(section);
	sections->n--;
}

void sections_free(struct sections *sections)
{
	if (!sections)
		return;
	for (size_t i = 0; i < sections->n; i++)
		free_section(&sections->list[i]);
	free(sections->list);
	free(sections);
}
