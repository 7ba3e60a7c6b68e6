/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Report formats: each is one file with one `const struct report_format` and one
 * row in report.c. A format is a pure function of the record: no BPF, no clock,
 * no root.
 */
#ifndef PERFBPF_REPORT_REPORT_H
#define PERFBPF_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "record/record.h"

struct report_options {
	bool colour;      /* ANSI colours are wanted (text only) */
	bool all_metrics; /* not only the headline metrics */
	bool continued;   /* another record came before in the same file: no header again (csv only)
			   */
	int width;        /* columns of the terminal, 0: do not wrap or cut */
};

struct report_format {
	const char *name;        /* "text" */
	const char *file_name;   /* what `run` writes it as in the results folder, NULL: not written
				    by run */
	const char *description; /* one line */
	bool alone;              /* two records of it cannot be in one file */
	/* 0, or -1 with @err. Write errors of @out are the caller's to check. */
	int (*write)(const struct record *rec, const struct report_options *options, FILE *out,
		     struct error *err);
};

extern const struct report_format report_text;
extern const struct report_format report_json;
extern const struct report_format report_csv;
extern const struct report_format report_markdown; /* name "md" */
extern const struct report_format report_hdr;
extern const struct report_format report_openmetrics;

/* All formats, in the order of the help text. */
const struct report_format *const *report_formats(size_t *n);
const struct report_format *report_find(const char *name);

#endif
