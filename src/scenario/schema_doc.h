/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What can be written in a file, told from the tables that read it. */
#ifndef PERFBPF_SCENARIO_SCHEMA_DOC_H
#define PERFBPF_SCENARIO_SCHEMA_DOC_H

#include <stdio.h>

#include "scenario/yaml_map.h"

/*
 * One row for each key of @schema and of what is nested in it, by its path: "phases[].name", where
 * [] is an item of a list. @prefix comes before each path; NULL or "": nothing. As a table of
 * Markdown, and as lines for a terminal.
 */
void schema_print_markdown(const struct yaml_schema *schema, const char *prefix, FILE *out);
void schema_print_text(const struct yaml_schema *schema, const char *prefix, FILE *out);

#endif
