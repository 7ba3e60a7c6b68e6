/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files share that make report.html; used by html*.c only. Whatever comes from outside
 * goes through html_text() or html_json_string().
 */
#ifndef PERFBPF_REPORT_HTML_H
#define PERFBPF_REPORT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "report/section.h"
#include "report/summary.h"

struct html {
	const struct record *rec;
	const struct summary *summary;
	FILE *out;
	const char *headline;
	bool only_baseline; /* the page answers how the run compares with an earlier one */
};

/* html_assets.c: made at build from html_style.css, html_script.js and the charts' library. */
extern const char html_style[], html_script[];
/* Its own notice first; empty: it was not there when perfbpf was built. */
extern const char html_library[], html_library_style[];

static inline bool html_has_library(void)
{
	return html_library[0] != '\0';
}

static inline size_t html_sides(const struct html *html)
{
	return html->summary->two_sided ? SIDES : 1;
}

static inline char html_letter(size_t side)
{
	return side == SIDE_A ? 'A' : 'B';
}

/* --- html_put.c */

/* Text, also in an attribute with double quotes. */
void html_text(FILE *out, const char *text);
void html_value(FILE *out, enum metric_kind kind, double value);
/* The letter of a side, in its colour. */
void html_tag(FILE *out, size_t side);
/* A <table> with its head, open to rows; @caption: for who cannot see what is around it. */
void html_table_begin(FILE *out, const char *caption);
void html_head_cell(FILE *out, const char *text, bool right);
void html_side_head(const struct html *html);
/* Ends the head. */
void html_table_body(FILE *out);
void html_table_end(FILE *out);
/* First cell of a row. */
void html_row(FILE *out, const char *text);
void html_cell(FILE *out, const char *text, bool right);
void html_cell_value(FILE *out, enum metric_kind kind, double value);
void html_cell_integer(FILE *out, int64_t value);
/* The table of a chart's figures, closed until it is wanted. */
void html_figures_begin(FILE *out, const char *caption);
void html_figures_end(FILE *out);

/* A JSON string that cannot end the <script> around it. */
void html_json_string(FILE *out, const char *text);
/* Five digits; null where it is not known. */
void html_json_number(FILE *out, double value);
void html_json_numbers(FILE *out, const double *values, size_t n);

/* In lines. */
void html_base64(FILE *out, const unsigned char *bytes, size_t n);

/* --- the parts of the page, in their order. 0, or -1 without memory */

void html_put_verdict(const struct html *html); /* html_verdict.c */
/* html_baseline.c: instead of the run's own: how it compares with the earlier one */
void html_put_baseline_badges(const struct html *html);
void html_put_baseline_remarks(const struct html *html);
int html_put_costs(const struct html *html);     /* html_costs.c */
int html_put_times(const struct html *html);     /* html_times.c */
int html_put_rounds(const struct html *html);    /* html_rounds.c */
int html_put_latencies(const struct html *html); /* html_latencies.c */
/* html_static.c: instead of what the library draws, where it is not there */
int html_put_static(const struct html *html, struct error *err);
int html_put_flames(const struct html *html, struct error *err); /* html_flames.c */
void html_put_processes(const struct html *html);                /* html_tables.c */
void html_put_work(const struct html *html);
void html_put_observer(const struct html *html);
void html_put_notes(const struct html *html);
void html_put_reproduction(const struct html *html);
void html_put_section(const struct html *html, const struct section *section);

#endif
