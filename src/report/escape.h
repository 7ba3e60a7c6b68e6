/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Strings from outside (names of processes, paths, command lines) made harmless for
 * each format. All take NULL, which is an empty string.
 */
#ifndef PERFBPF_REPORT_ESCAPE_H
#define PERFBPF_REPORT_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* For a terminal: control characters and broken UTF-8 as "\x1b", "\u202e". */
void escape_text(FILE *out, const char *s);
/* One cell of RFC 4180, quoted where needed; what a spreadsheet would run as a formula gets a '. */
void escape_csv(FILE *out, const char *s);
/* Inline Markdown: nothing in it is markup, HTML or the end of a table's cell. */
void escape_markdown(FILE *out, const char *s);
/* Text of HELP and values of labels in OpenMetrics. */
void escape_openmetrics(FILE *out, const char *s);
/* Text and attributes of XML: no markup, nothing that XML cannot hold. */
void escape_xml(FILE *out, const char *s);
/* One frame of a folded stack: without ';' and new lines. */
void escape_folded(FILE *out, const char *s);
/* Words that a shell takes back as they are, without a control character among them. To be freed;
 * NULL without memory. */
char *escape_argv(char *const *argv, size_t n);
/* The same of perfbpf's own command line, without the folder that this machine has it in. */
char *escape_own_argv(char *const *argv, size_t n);

#endif
