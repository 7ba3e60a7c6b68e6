/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html: sections, processes, what measuring cost and lost, and how to run it again. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/html.h"

/* More of them unfold. */
#define FIRST_PROCESSES 12
/* Letters: of a cell at most, of what half of the page holds. */
#define LONG_CELL 36
#define HALF_PAGE 72

/* Does its table need more than half of the page? A cell that can be broken at blanks counts as its
 * beginning. */
static bool is_wide(const struct section *section)
{
	size_t sum = 0;

	for (size_t i = 0; i < section->n_columns; i++) {
		size_t most = strlen(section->columns[i].title);

		for (size_t j = i; j < section->n_cells; j += section->n_columns) {
			size_t length = strlen(section->cells[j]);

			most = length > most ? length : most;
		}
		sum += (most > LONG_CELL ? LONG_CELL : most) + 2;
	}
	return section->n_cells && sum > HALF_PAGE;
}

/* A command line belongs to the note before it; one click takes all of it. */
static void put_section_notes(FILE *out, const struct section *section)
{
	if (!section->n_notes)
		return;
	fputs("<ul class=\"notes\">", out);
	for (size_t i = 0; i < section->n_notes; i++) {
		const char *next = i + 1 < section->n_notes ? section->notes[i + 1] : "";

		if (section_is_command(section->notes[i])) {
			fputs("<pre tabindex=\"0\">", out);
			html_text(out, section->notes[i] + strlen(SECTION_COMMAND));
			fputs("</pre></li>", out);
			continue;
		}
		fputs("<li>", out);
		html_text(out, section->notes[i]);
		fputs(section_is_command(next) ? "" : "</li>", out);
	}
	fputs("</ul>", out);
}

void html_put_section(const struct html *html, const struct section *section)
{
	size_t n = section->n_columns;
	FILE *out = html->out;

	fputs(is_wide(section) ? "<section class=\"part wide\"><h3>"
			       : "<section class=\"part\"><h3>",
	      out);
	html_text(out, section->title);
	fputs("</h3>\n", out);
	if (section->n_cells) {
		html_table_begin(out, section->title);
		for (size_t i = 0; i < n; i++)
			html_head_cell(out, section->columns[i].title, section->columns[i].right);
		html_table_body(out);
		for (size_t i = 0; i < section->n_cells; i++) {
			if (i % n == 0)
				html_row(out, section->cells[i]);
			else
				html_cell(out, section->cells[i], section->columns[i % n].right);
			if (i % n == n - 1)
				fputs("</tr>\n", out);
		}
		html_table_end(out);
	}
	put_section_notes(out, section);
	fputs("</section>\n", out);
}

void html_put_work(const struct html *html)
{
	const struct summary_side *sides = html->summary->sides;
	FILE *out = html->out;

	if (!sides[SIDE_A].has_lines && !sides[SIDE_B].has_lines)
		return;
	fputs("<section class=\"part\"><h3>Lines, all rounds together</h3>\n", out);
	html_table_begin(out, "Lines, all rounds together");
	html_head_cell(out, "lines", false);
	html_side_head(html);
	html_table_body(out);
	for (size_t i = 0; i < summary_n_work_fields; i++) {
		html_row(out, summary_work_fields[i].label);
		for (size_t side = 0; side < html_sides(html); side++)
			html_cell_integer(
				out, summary_field_of(&sides[side].work, &summary_work_fields[i]));
		fputs("</tr>\n", out);
	}
	html_table_end(out);
	fputs("</section>\n", out);
}

static void put_process_rows(const struct html *html, const struct summary_side *side, size_t from,
			     size_t to)
{
	double rounds = side->rounds ? (double)side->rounds : 1;
	FILE *out = html->out;

	html_table_begin(out, "Processes");
	html_head_cell(out, "process", false);
	html_head_cell(out, "count", true);
	html_head_cell(out, "CPU time", true);
	html_head_cell(out, "RSS, peak", true);
	html_head_cell(out, "program", false);
	html_table_body(out);
	for (size_t i = from; i < to; i++) {
		const struct summary_process *process = &side->processes[i];

		html_row(out, process->comm);
		html_cell_value(out, METRIC_COUNT, (double)process->count / rounds);
		html_cell_value(out, METRIC_SECONDS, process->cpu_seconds / rounds);
		html_cell_value(out, METRIC_BYTES,
				process->rss_peak_bytes == RECORD_NONE
					? NAN
					: (double)process->rss_peak_bytes);
		fputs("<td class=\"path\">", out);
		html_text(out, process->exe);
		fputs("</td></tr>\n", out);
	}
	html_table_end(out);
}

void html_put_processes(const struct html *html)
{
	FILE *out = html->out;

	fputs("<section id=\"processes\"><h2>Processes</h2><p class=\"remark\">In an average "
	      "round, most CPU time first.</p>\n<div class=\"parts\">\n",
	      out);
	for (size_t which = 0; which < html_sides(html); which++) {
		const struct summary_side *side = &html->summary->sides[which];
		size_t n = side->n_processes, first = n > FIRST_PROCESSES ? FIRST_PROCESSES : n;

		fputs("<section class=\"part\"><h3>", out);
		html_tag(out, which);
		putc(' ', out);
		html_text(out, side->name);
		fputs("</h3>\n", out);
		if (n)
			put_process_rows(html, side, 0, first);
		else
			fputs("<p>None was listed.</p>\n", out);
		if (first < n) {
			fprintf(out, "<details><summary>%zu more</summary>\n", n - first);
			put_process_rows(html, side, first, n);
			fputs("</details>\n", out);
		}
		fputs("</section>\n", out);
	}
	fputs("</div></section>\n", out);
}

static void put_costs(const struct html *html)
{
	static const struct {
		const char *label;
		enum metric_kind kind;
	} rows[] = {
		{"probes, of one CPU", METRIC_RATIO},      {"probe events", METRIC_COUNT},
		{"time per event", METRIC_SECONDS},        {"perfbpf, of one CPU", METRIC_RATIO},
		{"memory of perfbpf, peak", METRIC_BYTES},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		html_row(html->out, rows[i].label);
		for (size_t j = 0; j < html_sides(html); j++) {
			const struct summary_side *side = &html->summary->sides[j];
			const double values[] = {
				side->probe_share,
				side->probe_events == RECORD_NONE ? NAN
								  : (double)side->probe_events,
				side->probe_ns / 1e9, side->userspace_share,
				side->rss_peak_bytes == RECORD_NONE ? NAN
								    : (double)side->rss_peak_bytes};

			html_cell_value(html->out, rows[i].kind, values[i]);
		}
		fputs("</tr>\n", html->out);
	}
}

void html_put_observer(const struct html *html)
{
	const struct summary_side *sides = html->summary->sides;
	FILE *out = html->out;

	fputs("<section id=\"observer\"><h2>What measuring cost, and lost</h2>\n"
	      "<div class=\"parts\"><section class=\"part\"><h3>Cost</h3>\n",
	      out);
	html_table_begin(out, "What measuring cost");
	html_head_cell(out, "", false);
	html_side_head(html);
	html_table_body(out);
	put_costs(html);
	html_table_end(out);
	fputs("</section><section class=\"part\"><h3>Lost</h3>\n", out);
	html_table_begin(out, "What measuring lost");
	html_head_cell(out, "", false);
	html_side_head(html);
	html_table_body(out);
	for (size_t i = 0; i < summary_n_losses_fields; i++) {
		html_row(out, summary_losses_fields[i].label);
		for (size_t side = 0; side < html_sides(html); side++)
			html_cell_integer(out, summary_field_of(&sides[side].losses,
								&summary_losses_fields[i]));
		fputs("</tr>\n", out);
	}
	html_table_end(out);
	fputs("</section></div></section>\n", out);
}

void html_put_notes(const struct html *html)
{
	const struct record *rec = html->rec;

	if (!rec->n_notes)
		return;
	fputs("<section id=\"notes\"><h2>Notes</h2><ul class=\"notes\">\n", html->out);
	for (size_t i = 0; i < rec->n_notes; i++) {
		fputs("<li>", html->out);
		html_text(html->out, rec->notes[i]);
		fputs("</li>\n", html->out);
	}
	fputs("</ul></section>\n", html->out);
}

/* @text is taken. */
static void put_command(FILE *out, char *text)
{
	fputs("<pre tabindex=\"0\">", out);
	html_text(out, text);
	fputs("</pre>\n", out);
	free(text);
}

static void put_fact(FILE *out, const char *label, const char *value)
{
	if (!value)
		return;
	fprintf(out, "<dt>%s</dt><dd>", label);
	html_text(out, value);
	fputs("</dd>\n", out);
}

static void put_host(const struct html *html)
{
	const struct record *rec = html->rec;
	FILE *out = html->out;
	char number[32];

	put_fact(out, "perfbpf", rec->version);
	fprintf(out, "<dt>seed</dt><dd>%" PRIu64 "</dd>\n", rec->seed);
	put_fact(out, "scenario", rec->scenario.name);
	put_fact(out, "driver", rec->scenario.driver);
	put_fact(out, "host", rec->host.hostname);
	put_fact(out, "kernel", rec->host.kernel);
	put_fact(out, "CPUs", summary_integer(number, sizeof(number), rec->host.cpus));
	put_fact(out, "CPU model", rec->host.cpu_model);
	put_fact(out, "memory",
		 summary_value(number, sizeof(number), METRIC_BYTES,
			       rec->host.memory_bytes == RECORD_NONE
				       ? NAN
				       : (double)rec->host.memory_bytes));
	put_fact(out, "virtualization", rec->host.virtualization);
	put_fact(out, "CPU frequency governor", rec->host.governor);
	if (rec->n_rounds)
		put_fact(out, "started", rec->rounds[0].started_at);
}

void html_put_reproduction(const struct html *html)
{
	const struct record *rec = html->rec;
	FILE *out = html->out;

	fputs("<section id=\"again\"><h2>To run it again</h2>\n", out);
	put_command(out, escape_own_argv(rec->argv, rec->n_argv));
	fputs("<dl class=\"facts\">\n", out);
	put_host(html);
	fputs("</dl>\n", out);
	for (size_t i = 0; i < rec->n_targets; i++) {
		const struct record_target *target = &rec->targets[i];

		fputs("<h3>", out);
		html_tag(out, target->side);
		putc(' ', out);
		html_text(out, target->name);
		if (target->version) {
			fputs(", version ", out);
			html_text(out, target->version);
		}
		fputs(", ran as</h3>\n", out);
		put_command(out, escape_argv(target->argv, target->n_argv));
	}
	fputs("</section>\n", out);
}
