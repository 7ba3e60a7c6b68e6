/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report for a pull request or a page: verdict first, and what it takes to run it again. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/costs.h"
#include "report/escape.h"
#include "report/markdown_charts.h"
#include "report/report.h"
#include "report/section.h"
#include "report/summary.h"
#include "util/units.h"

#define MANY_PROCESSES 20
#define MANY_REASONS   30

struct markdown {
	const struct record *rec;
	const struct summary *summary;
	FILE *out;
	bool all;
	bool only_baseline;
	const char *headline;
};

static void put_cell(FILE *out, const char *text)
{
	fputs("| ", out);
	escape_markdown(out, text);
	putc(' ', out);
}

static void put_integer(FILE *out, int64_t value)
{
	char number[32];

	put_cell(out, summary_integer(number, sizeof(number), value));
}

static void put_value(FILE *out, enum metric_kind kind, double value)
{
	char cell[32];

	put_cell(out, summary_value(cell, sizeof(cell), kind, value));
}

static void end_row(FILE *out)
{
	fputs("|\n", out);
}

static size_t sides_of(const struct markdown *md)
{
	return md->summary->two_sided ? SIDES : 1;
}

static void put_side_titles(const struct markdown *md)
{
	for (size_t i = 0; i < sides_of(md); i++) {
		fprintf(md->out, "| %s ", i == SIDE_A ? "A" : "B");
		escape_markdown(md->out, md->summary->sides[i].name);
		putc(' ', md->out);
	}
}

/* The head of a table with a label column and, for each side, one of numbers. */
static void put_side_header(const struct markdown *md, const char *label)
{
	put_cell(md->out, label);
	put_side_titles(md);
	end_row(md->out);
	fputs("|---", md->out);
	for (size_t i = 0; i < sides_of(md); i++)
		fputs("|---:", md->out);
	end_row(md->out);
}

static void put_notes(const struct markdown *md)
{
	if (!md->rec->n_notes)
		return;
	fputs("\n## Notes\n\n", md->out);
	for (size_t i = 0; i < md->rec->n_notes; i++) {
		fputs("- ", md->out);
		escape_markdown(md->out, md->rec->notes[i]);
		putc('\n', md->out);
	}
}

static void put_verdict(const struct markdown *md)
{
	const struct record *rec = md->rec;
	const struct summary *summary = md->summary;

	fputs("# ", md->out);
	escape_markdown(md->out, summary->sides[SIDE_A].name);
	if (summary->two_sided) {
		fputs(" (A) against ", md->out);
		escape_markdown(md->out, summary->sides[SIDE_B].name);
		fputs(" (B)", md->out);
	}
	fputs("\n\n**", md->out);
	escape_markdown(md->out, md->headline);
	fputs("**\n\n", md->out);
	if (!rec->complete)
		fputs("The run did not come to its end: this is what was measured until then.\n\n",
		      md->out);
	if (md->only_baseline) /* what failed the run itself is not asked for here */
		return;
	for (size_t i = 0; i < summary->n_failures; i++) {
		fputs("- ", md->out);
		escape_markdown(md->out, summary->failures[i]);
		putc('\n', md->out);
	}
	fputs(summary->n_failures ? "\n" : "", md->out);
	if (!summary->invalid)
		return;
	fprintf(md->out,
		"%zu of %zu rounds %s not valid; the medians below are over all of them.\n\n",
		summary->invalid, rec->n_rounds, summary->invalid == 1 ? "is" : "are");
	for (size_t i = 0; i < summary->n_reasons && (md->all || i < MANY_REASONS); i++) {
		fputs("- ", md->out);
		escape_markdown(md->out, summary->reasons[i]);
		putc('\n', md->out);
	}
	if (summary->n_reasons > MANY_REASONS && !md->all)
		fprintf(md->out, "- and %zu more\n", summary->n_reasons - MANY_REASONS);
	putc('\n', md->out);
}

/* The head of the table of costs, and below it how its columns are aligned. */
static void put_cost_header(const struct markdown *md, bool intervals)
{
	put_cell(md->out, "metric");
	put_side_titles(md);
	if (md->summary->two_sided)
		put_cell(md->out, "B/A");
	if (intervals) {
		put_cell(md->out, "interval");
		put_cell(md->out, "verdict");
		put_cell(md->out, "could show");
	}
	end_row(md->out);
	fputs("|---", md->out);
	for (size_t i = 0; i < (md->summary->two_sided ? 3 : 1); i++)
		fputs("|---:", md->out);
	fputs(intervals ? "|---:|---|---:|\n" : "|\n", md->out);
}

static void put_cost_row(const struct markdown *md, const struct record_comparison *c,
			 bool intervals)
{
	struct summary_row row = summary_row(md->rec, c, md->all);
	char cell[COSTS_CELL_MAX];

	if (!row.shown)
		return;
	put_cell(md->out, row.label);
	put_cell(md->out, summary_cell(cell, row.kind, c->a_median, c->a_min, c->a_max));
	if (md->summary->two_sided) {
		put_cell(md->out, summary_cell(cell, row.kind, c->b_median, c->b_min, c->b_max));
		put_cell(md->out, summary_ratio(cell, sizeof(cell), c->ratio));
	}
	if (intervals) {
		put_cell(md->out, costs_interval(cell, md->rec, c));
		put_cell(md->out, costs_verdict(c));
		put_cell(md->out, costs_detectable(cell, c));
	}
	end_row(md->out);
}

static int put_costs(const struct markdown *md)
{
	bool intervals = md->summary->two_sided && costs_have_intervals(md->rec);
	char *note = sections_percentile_note(md->rec, md->all), *notes[COSTS_MAX_NOTES];
	int n = costs_notes(md->rec, notes);

	fputs("## What it cost\n\nMedian over the rounds, and their range.\n\n", md->out);
	put_cost_header(md, intervals);
	for (size_t i = 0; i < md->rec->n_comparison; i++)
		put_cost_row(md, &md->rec->comparison[i], intervals);
	putc('\n', md->out);
	if (note) {
		escape_markdown(md->out, note);
		fputs("\n\n", md->out);
	}
	free(note);
	for (int i = 0; i < n; i++) {
		escape_markdown(md->out, notes[i]);
		fputs("\n\n", md->out);
		free(notes[i]);
	}
	return n < 0 ? -1 : 0;
}

static void put_work(const struct markdown *md)
{
	if (!md->summary->sides[SIDE_A].has_lines && !md->summary->sides[SIDE_B].has_lines)
		return;
	fputs("## Work\n\nLines, all rounds together.\n\n", md->out);
	put_side_header(md, "lines");
	for (size_t i = 0; i < summary_n_work_fields; i++) {
		put_cell(md->out, summary_work_fields[i].label);
		for (size_t side = 0; side < sides_of(md); side++)
			put_integer(md->out, summary_field_of(&md->summary->sides[side].work,
							      &summary_work_fields[i]));
		end_row(md->out);
	}
	putc('\n', md->out);
}

/* A fence that no run of backticks inside can close. */
static void put_fenced(FILE *out, const char *indent, const char *text)
{
	size_t longest = 2, run = 0;

	for (const char *c = text; c && *c; c++) {
		run = *c == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	fputs(indent, out);
	for (size_t i = 0; i <= longest; i++)
		putc('`', out);
	fprintf(out, "sh\n%s%s\n%s", indent, text ? text : "", indent);
	for (size_t i = 0; i <= longest; i++)
		putc('`', out);
	putc('\n', out);
}

static void put_section(const struct markdown *md, const struct section *section)
{
	size_t n = section->n_columns;

	fputs("## ", md->out);
	escape_markdown(md->out, section->title);
	fputs("\n\n", md->out);
	if (section->n_cells) {
		for (size_t i = 0; i < n; i++)
			put_cell(md->out, section->columns[i].title);
		end_row(md->out);
		for (size_t i = 0; i < n; i++)
			fputs(section->columns[i].right ? "|---:" : "|---", md->out);
		end_row(md->out);
	}
	for (size_t i = 0; i < section->n_cells; i++) {
		put_cell(md->out, section->cells[i]);
		if (i % n == n - 1)
			end_row(md->out);
	}
	fputs(section->n_cells && section->n_notes ? "\n" : "", md->out);
	for (size_t i = 0; i < section->n_notes; i++) {
		if (section_is_command(section->notes[i])) {
			put_fenced(md->out, "  ", section->notes[i] + strlen(SECTION_COMMAND));
			continue;
		}
		fputs("- ", md->out);
		escape_markdown(md->out, section->notes[i]);
		putc('\n', md->out);
	}
	putc('\n', md->out);
}

static int put_sections(const struct markdown *md)
{
	struct sections *sections = md->only_baseline
					    ? sections_of_baseline(md->rec, md->summary, md->all)
					    : sections_new(md->rec, md->summary, md->all, true);

	for (size_t i = 0; sections && i < sections->n; i++)
		put_section(md, &sections->list[i]);
	sections_free(sections);
	return sections ? 0 : -1;
}

static void put_processes(const struct markdown *md, enum side which)
{
	const struct summary_side *side = &md->summary->sides[which];
	double rounds = side->rounds ? (double)side->rounds : 1;
	size_t shown =
		md->all || side->n_processes <= MANY_PROCESSES ? side->n_processes : MANY_PROCESSES;

	if (!side->n_processes)
		return;
	fprintf(md->out, "## Processes of %s\n\nIn an average round.\n\n",
		which == SIDE_A ? "A" : "B");
	fputs("| process | count | CPU time | RSS, peak | program |\n|---|---:|---:|---:|---|\n",
	      md->out);
	for (size_t i = 0; i < shown; i++) {
		const struct summary_process *process = &side->processes[i];

		put_cell(md->out, process->comm);
		put_value(md->out, METRIC_COUNT, (double)process->count / rounds);
		put_value(md->out, METRIC_SECONDS, process->cpu_seconds / rounds);
		put_value(md->out, METRIC_BYTES,
			  process->rss_peak_bytes == RECORD_NONE ? NAN
								 : (double)process->rss_peak_bytes);
		put_cell(md->out, process->exe);
		end_row(md->out);
	}
	if (shown < side->n_processes)
		fprintf(md->out, "\nAnd %zu more.\n", side->n_processes - shown);
	putc('\n', md->out);
}

static void put_observer(const struct markdown *md)
{
	const struct summary_side *sides = md->summary->sides;

	fputs("## What the measuring cost, and lost\n\n", md->out);
	put_side_header(md, "");
	put_cell(md->out, "probes, of one CPU");
	for (size_t i = 0; i < sides_of(md); i++)
		put_value(md->out, METRIC_RATIO, sides[i].probe_share);
	end_row(md->out);
	put_cell(md->out, "probe events");
	for (size_t i = 0; i < sides_of(md); i++)
		put_integer(md->out, sides[i].probe_events);
	end_row(md->out);
	put_cell(md->out, "time per event");
	for (size_t i = 0; i < sides_of(md); i++)
		put_value(md->out, METRIC_SECONDS, sides[i].probe_ns / 1e9);
	end_row(md->out);
	put_cell(md->out, "perfbpf, of one CPU");
	for (size_t i = 0; i < sides_of(md); i++)
		put_value(md->out, METRIC_RATIO, sides[i].userspace_share);
	end_row(md->out);
	for (size_t j = 0; j < summary_n_losses_fields; j++) {
		fputs("| lost: ", md->out);
		escape_markdown(md->out, summary_losses_fields[j].label);
		putc(' ', md->out);
		for (size_t i = 0; i < sides_of(md); i++)
			put_integer(md->out,
				    summary_field_of(&sides[i].losses, &summary_losses_fields[j]));
		end_row(md->out);
	}
	putc('\n', md->out);
}

/* @text is taken. */
static void put_code(FILE *out, char *text)
{
	put_fenced(out, "", text);
	putc('\n', out);
	free(text);
}

static void put_item(FILE *out, const char *label, const char *value)
{
	if (!value)
		return;
	fprintf(out, "- %s: ", label);
	escape_markdown(out, value);
	putc('\n', out);
}

static void put_reproduction(const struct markdown *md)
{
	const struct record *rec = md->rec;
	char number[32];

	fputs("## To run it again\n\n", md->out);
	put_code(md->out, escape_own_argv(rec->argv, rec->n_argv));
	put_item(md->out, "perfbpf", rec->version);
	fprintf(md->out, "- seed: %" PRIu64 "\n", rec->seed);
	put_item(md->out, "scenario", rec->scenario.name);
	put_item(md->out, "driver", rec->scenario.driver);
	put_item(md->out, "host", rec->host.hostname);
	put_item(md->out, "kernel", rec->host.kernel);
	put_item(md->out, "CPUs", summary_integer(number, sizeof(number), rec->host.cpus));
	put_item(md->out, "CPU model", rec->host.cpu_model);
	put_item(md->out, "memory",
		 summary_value(number, sizeof(number), METRIC_BYTES,
			       rec->host.memory_bytes == RECORD_NONE
				       ? NAN
				       : (double)rec->host.memory_bytes));
	put_item(md->out, "virtualization", rec->host.virtualization);
	put_item(md->out, "CPU frequency governor", rec->host.governor);
	if (rec->n_rounds)
		put_item(md->out, "started", rec->rounds[0].started_at);
	putc('\n', md->out);
	for (size_t i = 0; i < rec->n_targets; i++) {
		fprintf(md->out, "%s ", rec->targets[i].side == SIDE_A ? "A" : "B");
		escape_markdown(md->out, rec->targets[i].name);
		fputs(rec->targets[i].version ? ", version " : "", md->out);
		escape_markdown(md->out, rec->targets[i].version);
		fputs(", ran as\n\n", md->out);
		put_code(md->out, escape_argv(rec->targets[i].argv, rec->targets[i].n_argv));
	}
}

static int write_markdown(const struct record *rec, const struct report_options *options, FILE *out,
			  struct error *err)
{
	struct summary *summary = summary_new(rec);
	char *headline = report_headline(rec, options);
	struct markdown md = {.rec = rec,
			      .headline = headline,
			      .summary = summary,
			      .out = out,
			      .all = options->all_metrics,
			      .only_baseline = options->only_baseline};
	int rc = summary && headline ? 0 : -1;

	if (!rc)
		put_verdict(&md);
	if (!rc && !md.only_baseline) {
		rc = put_costs(&md);
		if (!rc && options->has_charts)
			rc = markdown_put_charts(out, rec);
		put_work(&md);
	}
	if (!rc)
		rc = put_sections(&md);
	if (!rc && !md.only_baseline) {
		put_processes(&md, SIDE_A);
		put_processes(&md, SIDE_B);
		put_observer(&md);
		put_notes(&md);
		put_reproduction(&md);
	}
	summary_free(summary);
	free(headline);
	return rc ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_markdown = {
	.name = "md",
	.file_name = "report.md",
	.description = "Markdown: verdict, tables, and how to run it again",
	.has_baseline = true,
	.write = write_markdown,
};
