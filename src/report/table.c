/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "util/utf8.h"

#define GAP      2
#define NARROW   3 /* no column is cut below this: eight of them fit into 40 */
#define ELLIPSIS "\xe2\x80\xa6"

struct table {
	const struct table_column *columns;
	size_t n_columns;
	size_t n_cells, room;
	char **cells; /* escaped, row by row; the titles are the first row */
	bool failed;
};

static char *escaped(const char *text)
{
	char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	escape_text(out, text);
	if (fclose(out)) {
		free(result);
		return NULL;
	}
	return result;
}

/* The string is escaped: all of it is valid and printable. */
static size_t width_of(const char *text)
{
	size_t width = 0, length;
	uint32_t code;

	for (; *text; text += length) {
		length = utf8_decode(text, &code);
		if (!length)
			break;
		width += (size_t)utf8_columns(code);
	}
	return width;
}

/* Bytes of the first characters that fit into @width columns; how many they take in @used. */
static size_t bytes_within(const char *text, size_t width, size_t *used)
{
	size_t bytes = 0, length;
	uint32_t code;

	*used = 0;
	while (text[bytes]) {
		length = utf8_decode(text + bytes, &code);
		if (!length || *used + (size_t)utf8_columns(code) > width)
			break;
		*used += (size_t)utf8_columns(code);
		bytes += length;
	}
	return bytes;
}

struct table *table_new(const struct table_column *columns, size_t n)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->n_columns = n;
	for (size_t i = 0; i < n; i++)
		table_add(table, columns[i].title);
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void table_add(struct table *table, const char *text)
{
	char **cells;

	if (!table || table->failed)
		return;
	if (table->n_cells == table->room) {
		cells = reallocarray(table->cells, table->room * 2 + 16, sizeof(*cells));
		table->failed = !cells;
		if (!cells)
			return;
		table->cells = cells;
		table->room = table->room * 2 + 16;
	}
	table->cells[table->n_cells] = escaped(text);
	if (table->cells[table->n_cells])
		table->n_cells++;
	else
		table->failed = true;
}

void table_addf(struct table *table, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n >= 0) {
		table_add(table, text);
		free(text);
	} else if (table) {
		table->failed = true;
	}
}

static void natural_widths(const struct table *table, size_t *widths)
{
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t width = width_of(table->cells[i]), column = i % table->n_columns;

		if (width > widths[column])
			widths[column] = width;
	}
}

static size_t total_width(const struct table *table, const size_t *widths)
{
	size_t total = GAP * (table->n_columns - 1);

	for (size_t i = 0; i < table->n_columns; i++)
		total += widths[i];
	return total;
}

size_t table_width(const struct table *table)
{
	size_t *widths = table ? calloc(table->n_columns, sizeof(*widths)) : NULL, total = 0;

	if (widths) {
		natural_widths(table, widths);
		total = total_width(table, widths);
	}
	free(widths);
	return total;
}

/* Takes from the widest column, one by one, until all fit. */
static void fit_widths(const struct table *table, size_t *widths, size_t limit)
{
	size_t total = total_width(table, widths);

	while (total > limit) {
		size_t widest = 0;

		for (size_t i = 1; i < table->n_columns; i++)
			if (widths[i] > widths[widest])
				widest = i;
		if (widths[widest] <= NARROW)
			return;
		widths[widest]--;
		total--;
	}
}

static void put_blanks(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

static void put_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
	size_t natural = width_of(text), bytes = strlen(text);
	bool cut = natural > width;

	if (cut) {
		bytes = bytes_within(text, width - 1, &natural);
		natural++; /* the ellipsis */
	}
	if (right)
		put_blanks(out, width - natural);
	fwrite(text, 1, bytes, out);
	fputs(cut ? ELLIPSIS : "", out);
	if (!right && !last)
		put_blanks(out, width - natural);
}

static void put_row(const struct table *table, FILE *out, const size_t *widths, char *const *cells)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		bool last = i + 1 == table->n_columns;

		put_cell(out, cells[i], widths[i], table->columns[i].right, last);
		if (!last)
			put_blanks(out, GAP);
	}
}

int table_print(const struct table *table, FILE *out, const struct text_style *style)
{
	size_t *widths;

	if (!table || table->failed)
		return -1;
	widths = calloc(table->n_columns, sizeof(*widths));
	if (!widths)
		return -1;
	natural_widths(table, widths);
	if (style->width > 0)
		fit_widths(table, widths, (size_t)style->width);
	fputs(style->colour ? "\x1b[1m" : "", out);
	put_row(table, out, widths, table->cells);
	fputs(style->colour ? "\x1b[0m\n" : "\n", out);
	for (size_t i = table->n_columns; i + table->n_columns <= table->n_cells;
	     i += table->n_columns) {
		put_row(table, out, widths, table->cells + i);
		putc('\n', out);
	}
	free(widths);
	return 0;
}

/* Bytes of the next line of @text: up to the last blank that fits, or as much as fits of one long
 * word. */
static size_t line_within(const char *text, size_t width)
{
	size_t used, fits = bytes_within(text, width, &used), bytes = fits;

	if (!text[fits])
		return fits;
	while (bytes && text[bytes] != ' ')
		bytes--;
	return bytes ? bytes : fits;
}

void paragraph_print(FILE *out, const struct text_style *style, int indent, const char *text)
{
	char *clean = escaped(text);
	const char *at = clean;
	size_t width = (size_t)style->width;

	for (bool first = true; at && (*at || first); first = false) {
		size_t bytes;

		if (!first)
			put_blanks(out, (size_t)indent);
		bytes = width ? line_within(at, first ? width : width - (size_t)indent)
			      : strlen(at);
		/* A character that is wider than the line would never leave. */
		if (!bytes && *at)
			bytes = strlen(at);
		fwrite(at, 1, bytes, out);
		putc('\n', out);
		at += bytes;
		at += strspn(at, " ");
	}
	free(clean);
}

void paragraph_printf(FILE *out, const struct text_style *style, int indent, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	paragraph_print(out, style, indent, text);
	free(text);
}

void heading_print(FILE *out, const struct text_style *style, const char *text)
{
	fputs(style->colour ? "\n\x1b[1m" : "\n", out);
	escape_text(out, text);
	fputs(style->colour ? "\x1b[0m\n" : "\n", out);
}
