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

#include "record/profile.h"
#include "record/record.h"

/* Whose stacks or rounds; ANY: of all where a file holds several, else of A. */
enum report_side {
	REPORT_SIDE_ANY,
	REPORT_SIDE_A,
	REPORT_SIDE_B,
	REPORT_SIDE_DIFF,
};

struct report_options {
	bool colour;      /* ANSI colours are wanted (text only) */
	bool all_metrics; /* not only the headline metrics */
	bool continued;   /* another record came before in the same file: no header again (csv only)
			   */
	/* The answer is the comparison with an earlier run: text and md show nothing else, html
	 * begins with it, and what CI reads is red by it alone. */
	bool only_baseline;
	bool strict;              /* of that comparison: what a gate cannot answer fails */
	const char *not_compared; /* why there is none; NULL: it was made */
	bool is_failure;          /* and whether that fails the command */
	const char *missing;   /* what of the earlier run this one did not measure; NULL: nothing */
	int width;             /* columns of the terminal, 0: do not wrap or cut */
	enum report_side side; /* of formats that take it */
	/* Formats of stacks only. */
	bool has_kind; /* false: all kinds where a file holds several, else on-CPU */
	enum profile_kind kind;
	const char *phase; /* NULL: the whole window */
	/* Of a format of several parts: which one. */
	const char *part;
	bool has_charts; /* the charts lie beside it: Markdown shows them */
};

struct report_format {
	const char *name;        /* "text" */
	const char *file_name;   /* what `run` writes it as in the results folder, NULL: not written
				    by run */
	const char *own_name;    /* of the file where only `report` writes it; NULL: report.NAME */
	const char *description; /* one line */
	bool alone;              /* two records of it cannot be in one file */
	bool has_baseline;       /* shows the comparison with an earlier run */
	bool is_binary;          /* nothing for a terminal */
	bool takes_side;         /* not of stacks, and still can be of one side only */
	/*
	 * Of stacks: made of record.profile, by side, kind and phase. Where file_name has a '*',
	 * each side and kind has a file of its own: "flame-*.svg" is flame-A-oncpu.svg and so on.
	 */
	bool is_of_stacks;
	bool has_diff; /* one of them is the difference of both sides */
	/* Not of stacks, and one file for each part: what stands for the '*' in the @i-th file's
	 * name, NULL after the last. */
	const char *(*part)(const struct record *rec, size_t i);
	/* 0, or -1 with @err. Write errors of @out are the caller's to check. */
	int (*write)(const struct record *rec, const struct report_options *options, FILE *out,
		     struct error *err);
};

extern const struct report_format report_text;
extern const struct report_format report_json;
extern const struct report_format report_csv;
extern const struct report_format report_noise;
extern const struct report_format report_csv_series;
extern const struct report_format report_csv_load;
extern const struct report_format report_charts;
extern const struct report_format report_markdown; /* name "md" */
extern const struct report_format report_html;
extern const struct report_format report_hdr;
extern const struct report_format report_openmetrics;
extern const struct report_format report_folded;
extern const struct report_format report_svg;
extern const struct report_format report_pprof;
extern const struct report_format report_speedscope;
extern const struct report_format report_junit;
extern const struct report_format report_github_summary;
extern const struct report_format report_github_annotations;
extern const struct report_format report_benchfmt;
extern const struct report_format report_hyperfine;
extern const struct report_format report_bencher;

/*
 * The run in one sentence: its verdict, or what came of the comparison where that is the answer. To
 * be freed; NULL without memory.
 */
char *report_headline(const struct record *rec, const struct report_options *options);

/* All formats, in the order of the help text. */
const struct report_format *const *report_formats(size_t *n);
const struct report_format *report_find(const char *name);

struct report_file {
	char name[64];
	struct report_options options; /* with what it is to be written */
};

/*
 * The files that a format makes of a record, by @i from 0: false after the last one. One file for
 * most; of stacks none where the record has none. What @options say of side and kind restricts
 * them. A format without a file name makes "report.NAME".
 */
bool report_file(const struct report_format *format, const struct record *rec,
		 const struct report_options *options, size_t i, struct report_file *file);

#endif
