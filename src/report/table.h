/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables and paragraphs for a terminal. Whatever is put in may come from outside:
 * it is escaped here, once, so that no caller can forget.
 */
#ifndef PERFBPF_REPORT_TABLE_H
#define PERFBPF_REPORT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct table_column {
	const char *title;
	bool right; /* aligned */
};

struct text_style {
	int width; /* columns; 0: no bound */
	bool colour;
};

struct table;

/* @columns must outlive the table. NULL without memory; all below take NULL. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *table);
/* Appends the next cell, row by row. Memory that is short is remembered for table_print(). */
void table_add(struct table *table, const char *text);
void table_addf(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How wide it is where nothing is cut. */
size_t table_width(const struct table *table);
/* Prints the table, its widest columns cut with "…" where it would not fit. -1 without memory. */
int table_print(const struct table *table, FILE *out, const struct text_style *style);

/* Prints @text in lines of the width, those after the first with @indent blanks. */
void paragraph_print(FILE *out, const struct text_style *style, int indent, const char *text);
void paragraph_printf(FILE *out, const struct text_style *style, int indent, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A line in bold. */
void heading_print(FILE *out, const struct text_style *style, const char *text);

#endif
