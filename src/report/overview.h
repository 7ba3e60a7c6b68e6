/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Several scenarios at a glance: who won each, by how much, and what each gate says. */
#ifndef PERFBPF_REPORT_OVERVIEW_H
#define PERFBPF_REPORT_OVERVIEW_H

#include <stddef.h>
#include <stdio.h>

#include "record/record.h"
#include "report/table.h"

struct overview;

/* NULL without memory; all below take NULL. */
struct overview *overview_new(void);
void overview_free(struct overview *overview);
/*
 * Appends a scenario by its record, after record_compare(); what is needed is copied. @folder:
 * where its report.html lies below that of index.html, NULL: there is none. -1 without memory.
 */
int overview_add(struct overview *overview, const struct record *rec, const char *folder);
/* Appends a scenario that left no record, and why. -1 without memory. */
int overview_add_failed(struct overview *overview, const char *scenario, const char *why);
size_t overview_count(const struct overview *overview);

/* A table for a terminal; of comparisons and of sides alone one each. -1 without memory. */
int overview_print(const struct overview *overview, FILE *out, const struct text_style *style);
/* index.html: the same with each scenario's verdict and a link to its report. */
void overview_print_html(const struct overview *overview, FILE *out);

#endif
