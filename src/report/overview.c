/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/overview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/costs.h"
#include "report/html.h"
#include "report/summary.h"

#define CELL_MAX     96
#define MAX_OF_SIDE  4
#define MAX_COLUMNS  7
#define TWO_COLUMNS  7
#define SIDE_COLUMNS (2 + MAX_OF_SIDE)

/* A metric that a gate is on. */
struct gated {
	char label[CELL_MAX], ratio[32], interval[COSTS_CELL_MAX];
	const char *verdict;
};

struct scenario_row {
	char *name, *folder, *text;
	const char *state;
	char *winner; /* NULL: none */
	bool two_sided, has_record;
	size_t n_gated;
	struct gated *gated;                 /* the primary one first */
	char of_side[MAX_OF_SIDE][CELL_MAX]; /* of one side alone */
};

struct overview {
	size_t n;
	struct scenario_row *rows;
	char *title;
};

struct overview *overview_new(void)
{
	return calloc(1, sizeof(struct overview));
}

void overview_free(struct overview *overview)
{
	if (!overview)
		return;
	for (size_t i = 0; i < overview->n; i++) {
		struct scenario_row *row = &overview->rows[i];

		free(row->name);
		free(row->folder);
		free(row->text);
		free(row->winner);
		free(row->gated);
	}
	free(overview->rows);
	free(overview->title);
	free(overview);
}

size_t overview_count(const struct overview *overview)
{
	return overview ? overview->n : 0;
}

static struct scenario_row *append(struct overview *overview, const char *name, const char *text)
{
	struct scenario_row *rows =
		reallocarray(overview->rows, overview->n + 1, sizeof(*overview->rows));
	struct scenario_row *row;

	if (!rows)
		return NULL;
	overview->rows = rows;
	row = &rows[overview->n++];
	*row = (struct scenario_row){.name = strdup(name), .text = strdup(text)};
	return row->name && row->text ? row : NULL;
}

static void set_gated(const struct record *rec, const struct record_comparison *from,
		      struct gated *to)
{
	bool is_primary = rec->statistics.primary && !strcmp(rec->statistics.primary, from->metric);

	snprintf(to->label, sizeof(to->label), "%s%s", summary_row(rec, from, true).label,
		 is_primary ? " *" : "");
	summary_ratio(to->ratio, sizeof(to->ratio), from->ratio);
	costs_interval(to->interval, rec, from);
	to->verdict = costs_verdict(from);
}

static int set_comparison(struct scenario_row *row, const struct record *rec)
{
	const char *primary = rec->statistics.primary;

	row->gated = calloc(rec->n_comparison + 1, sizeof(*row->gated));
	if (!row->gated)
		return -1;
	for (int others = 0; others <= 1; others++)
		for (size_t i = 0; i < rec->n_comparison; i++) {
			const struct record_comparison *from = &rec->comparison[i];
			bool is_primary = primary && !strcmp(primary, from->metric);

			if (is_primary == (bool)others || (others && from->exploratory))
				continue;
			set_gated(rec, from, &row->gated[row->n_gated++]);
		}
	return 0;
}

/* The first of these that the side tells; @names end with NULL. */
static void set_of_side(char cell[CELL_MAX], const struct record *rec, const char *const *names)
{
	snprintf(cell, CELL_MAX, "-");
	for (; *names; names++)
		for (size_t i = 0; i < rec->n_comparison; i++) {
			const struct record_comparison *from = &rec->comparison[i];

			if (strcmp(from->metric, *names) != 0 || isnan(from->a_median))
				continue;
			summary_value(cell, CELL_MAX, summary_row(rec, from, true).kind,
				      from->a_median);
			return;
		}
}

static void set_side(struct scenario_row *row, const struct record *rec)
{
	static const char *const names[MAX_OF_SIDE][4] = {
		{"cpu.total_seconds"},
		{"memory.rss_peak_bytes"},
		{"work.operations_per_second", "work.lines_per_second"},
		{"latency.response.p99_seconds", "latency.delivery.p99_seconds",
		 "latency.round_trip.p99_seconds"},
	};

	for (size_t i = 0; i < MAX_OF_SIDE; i++)
		set_of_side(row->of_side[i], rec, names[i]);
}

static const char *state_of(const struct record *rec, const struct summary *summary)
{
	if (!rec->complete)
		return "incomplete";
	if (!rec->verdict.valid || summary->invalid)
		return "NOT VALID";
	return summary->n_failures ? "FAILS" : "valid";
}

/* What is true of all: said once. */
static void set_title(struct overview *overview, const struct summary *summary)
{
	int n = summary->two_sided
			? asprintf(&overview->title, "%s (A) against %s (B)",
				   summary->sides[SIDE_A].name, summary->sides[SIDE_B].name)
			: asprintf(&overview->title, "%s", summary->sides[SIDE_A].name);

	if (n < 0)
		overview->title = NULL;
}

static int fill(struct overview *overview, struct scenario_row *row, const struct record *rec,
		const struct summary *summary, const char *folder)
{
	int winner = rec->verdict.winner;

	row->has_record = true;
	row->two_sided = summary->two_sided;
	row->state = state_of(rec, summary);
	row->folder = folder ? strdup(folder) : NULL;
	if (folder && !row->folder)
		return -1;
	if (winner >= 0 && asprintf(&row->winner, "%c %s", html_letter((size_t)winner),
				    summary->sides[winner].name) < 0) {
		row->winner = NULL;
		return -1;
	}
	if (!overview->title)
		set_title(overview, summary);
	if (summary->two_sided)
		return set_comparison(row, rec);
	set_side(row, rec);
	return 0;
}

int overview_add(struct overview *overview, const struct record *rec, const char *folder)
{
	struct summary *summary = overview ? summary_new(rec) : NULL;
	struct scenario_row *row;
	int rc;

	if (!overview)
		return 0;
	row = append(overview, rec->scenario.name ? rec->scenario.name : "?",
		     rec->verdict.text ? rec->verdict.text : "no verdict was made");
	rc = row && summary ? fill(overview, row, rec, summary, folder) : -1;
	summary_free(summary);
	return rc;
}

int overview_add_failed(struct overview *overview, const char *scenario, const char *why)
{
	struct scenario_row *row = overview ? append(overview, scenario, why) : NULL;

	if (!overview)
		return 0;
	if (!row)
		return -1;
	row->state = "FAILED";
	return 0;
}

/* --- rows of cells, for each format ---------------------------------------------- */

static const struct table_column two_columns[TWO_COLUMNS] = {
	{"scenario", false}, {"run", false},     {"winner", false},  {"metric", false},
	{"B/A", true},       {"interval", true}, {"verdict", false},
};

static const struct table_column side_columns[SIDE_COLUMNS] = {
	{"scenario", false}, {"run", false},       {"CPU time", true},
	{"RSS, peak", true}, {"per second", true}, {"p99", true},
};

/* Is it in the table of comparisons, or in the one of sides alone? What left no record is where the
 * others are. */
static bool is_in(const struct overview *overview, const struct scenario_row *row, bool two)
{
	bool any_two = false;

	if (row->has_record)
		return row->two_sided == two;
	for (size_t i = 0; i < overview->n; i++)
		any_two |= overview->rows[i].two_sided;
	return any_two == two;
}

static size_t lines_of(const struct scenario_row *row)
{
	return row->n_gated ? row->n_gated : 1;
}

/* The cells of the row's @line; each scenario is named in its first one only. */
static void put_cells(const struct scenario_row *row, bool two, size_t line,
		      const char *cells[MAX_COLUMNS])
{
	const struct gated *gated = line < row->n_gated ? &row->gated[line] : NULL;
	size_t n = 0;

	cells[n++] = line ? "" : row->name;
	cells[n++] = line ? "" : row->state;
	for (size_t i = 0; !two && i < MAX_OF_SIDE; i++)
		cells[n++] = row->has_record ? row->of_side[i] : "-";
	if (!two)
		return;
	cells[n++] = line ? "" : row->winner ? row->winner : row->has_record ? "none" : "-";
	cells[n++] = gated ? gated->label : "-";
	cells[n++] = gated ? gated->ratio : "-";
	cells[n++] = gated ? gated->interval : "-";
	cells[n++] = gated ? gated->verdict : "-";
}

static size_t count_in(const struct overview *overview, bool two)
{
	size_t n = 0;

	for (size_t i = 0; i < overview->n; i++)
		n += is_in(overview, &overview->rows[i], two);
	return n;
}

/* --- for a terminal --------------------------------------------------------------- */

static int print_table(const struct overview *overview, bool two, FILE *out,
		       const struct text_style *style)
{
	size_t n_columns = two ? TWO_COLUMNS : SIDE_COLUMNS;
	struct table *table = table_new(two ? two_columns : side_columns, n_columns);
	const char *cells[MAX_COLUMNS];
	int rc;

	for (size_t i = 0; i < overview->n; i++)
		for (size_t line = 0; line < lines_of(&overview->rows[i]); line++) {
			if (!is_in(overview, &overview->rows[i], two))
				continue;
			put_cells(&overview->rows[i], two, line, cells);
			for (size_t j = 0; j < n_columns; j++)
				table_add(table, cells[j]);
		}
	rc = table_print(table, out, style);
	table_free(table);
	if (two)
		paragraph_print(out, style, 0, "*: the metric by which the winner is named.");
	return rc;
}

int overview_print(const struct overview *overview, FILE *out, const struct text_style *style)
{
	if (!overview_count(overview))
		return 0;
	heading_print(out, style, "Overview");
	if (overview->title)
		paragraph_print(out, style, 2, overview->title);
	for (int two = 1; two >= 0; two--)
		if (count_in(overview, two) && print_table(overview, two, out, style))
			return -1;
	return 0;
}

/* --- index.html ------------------------------------------------------------------ */

static const char style_sheet[] =
	":root{color-scheme:light dark}"
	"body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
	".scroll{overflow-x:auto}"
	"table{border-collapse:collapse;margin:1em 0}"
	"th,td{padding:.3em .8em;text-align:left;border-bottom:1px solid #8886;"
	"white-space:nowrap}"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
	"dt{font-weight:600;margin-top:.8em}dd{margin:0}";

/* A folder's name within a URL: nothing in it is a scheme, a query or an end. */
static void put_url(FILE *out, const char *name)
{
	for (; *name; name++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			   *name))
			putc(*name, out);
		else
			fprintf(out, "%%%02X", (unsigned int)(unsigned char)*name);
}

static void put_table(const struct overview *overview, bool two, FILE *out)
{
	const struct table_column *columns = two ? two_columns : side_columns;
	size_t n_columns = two ? TWO_COLUMNS : SIDE_COLUMNS;
	const char *cells[MAX_COLUMNS];

	html_table_begin(out, "Overview of the scenarios");
	for (size_t j = 0; j < n_columns; j++)
		html_head_cell(out, columns[j].title, columns[j].right);
	html_table_body(out);
	for (size_t i = 0; i < overview->n; i++)
		for (size_t line = 0; line < lines_of(&overview->rows[i]); line++) {
			if (!is_in(overview, &overview->rows[i], two))
				continue;
			put_cells(&overview->rows[i], two, line, cells);
			html_row(out, cells[0]);
			for (size_t j = 1; j < n_columns; j++)
				html_cell(out, cells[j], columns[j].right);
			fputs("</tr>\n", out);
		}
	html_table_end(out);
	if (two)
		fputs("<p>*: the metric by which the winner is named.</p>\n", out);
}

static void put_links(const struct overview *overview, FILE *out)
{
	fputs("<h2>Verdicts</h2>\n<dl>\n", out);
	for (size_t i = 0; i < overview->n; i++) {
		const struct scenario_row *row = &overview->rows[i];

		fputs("<dt>", out);
		if (row->folder) {
			fputs("<a href=\"", out);
			put_url(out, row->folder);
			fputs("/report.html\">", out);
		}
		html_text(out, row->name);
		fprintf(out, "%s</dt>\n<dd>%s: ", row->folder ? "</a>" : "", row->state);
		html_text(out, row->text);
		fputs("</dd>\n", out);
	}
	fputs("</dl>\n", out);
}

void overview_print_html(const struct overview *overview, FILE *out)
{
	if (!overview)
		return;
	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<title>perfbpf: overview</title>\n<style>%s</style>\n</head>\n<body>\n<h1>",
		style_sheet);
	html_text(out, overview->title ? overview->title : "Overview");
	fputs("</h1>\n", out);
	for (int two = 1; two >= 0; two--)
		if (count_in(overview, two))
			put_table(overview, two, out);
	put_links(overview, out);
	fputs("</body>\n</html>\n", out);
}
