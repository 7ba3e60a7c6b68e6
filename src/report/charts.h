/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The charts: each is a file of its own (chart_NAME.c) and a row in charts.c. */
#ifndef PERFBPF_REPORT_CHARTS_H
#define PERFBPF_REPORT_CHARTS_H

#include <stdbool.h>
#include <stdio.h>

#include "record/record.h"

struct chart;

struct chart_kind {
	const char *name;  /* of its file, without ".svg" */
	const char *title; /* "CPU" */
	bool (*has_data)(const struct record *rec);
	/* What can be seen, as sentences with the figures. -1 without memory. */
	int (*describe)(const struct record *rec, FILE *out);
	/* Below the head. -1 without memory. */
	int (*draw)(const struct record *rec, struct chart *chart);
};

extern const struct chart_kind chart_cpu, chart_memory, chart_summary, chart_throughput,
	chart_latency;

/* All charts; those of which the record has nothing as well. */
const struct chart_kind *const *chart_kinds(size_t *n);
/* What describe() writes, to be freed; NULL without memory. */
char *chart_figures(const struct chart_kind *kind, const struct record *rec);

#endif
