/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report for a terminal: what was run, the table of costs, the work, and how far to trust it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/costs.h"
#include "report/report.h"
#include "report/section.h"
#include "report/summary.h"
#include "report/table.h"
#include "util/units.h"

#define MIN_WIDTH      40
#define MANY_PROCESSES 8
#define MANY_PROGRAMS  8
#define MANY_REASONS   10

struct text {
	const struct record *rec;
	const struct summary *summary;
	FILE *out;
	struct text_style style;
	bool all;
	bool only_baseline;
	const char *headline;
};

/* Ends a table: prints and frees it. */
static int finish(const struct text *text, struct table *table)
{
	int rc = table_print(table, text->out, &text->style);

	table_free(table);
	return rc;
}

static size_t sides_of(const struct text *text)
{
	return text->summary->two_sided ? SIDES : 1;
}

static void print_run(const struct text *text)
{
	const struct record *rec = text->rec;
	const struct summary_side *a = &text->summary->sides[SIDE_A];
	const struct summary_side *b = &text->summary->sides[SIDE_B];
	const char *name = rec->scenario.name ? rec->scenario.name : "commands to completion";
	char window[32];

	format_seconds(window, sizeof(window), a->window_seconds);
	if (rec->scenario.driver)
		paragraph_printf(text->out, &text->style, 2,
				 "scenario %s (driver %s), window %s, seed %llu", name,
				 rec->scenario.driver, window, (unsigned long long)rec->seed);
	else
		paragraph_printf(text->out, &text->style, 2, "%s, seed %llu", name,
				 (unsigned long long)rec->seed);
	if (text->summary->two_sided)
		paragraph_printf(text->out, &text->style, 2,
				 "rounds: %zu of A, %zu of B, in random order within each pair",
				 a->rounds, b->rounds);
	else
		paragraph_printf(text->out, &text->style, 2, "%zu round%s", a->rounds,
				 a->rounds == 1 ? "" : "s");
	if (!rec->complete)
		paragraph_print(
			text->out, &text->style, 2,
			"The run did not come to its end: this is what was measured until then.");
}

static void print_host(const struct text *text)
{
	const struct record *rec = text->rec;
	char cpus[32], memory[32];

	summary_integer(cpus, sizeof(cpus), rec->host.cpus);
	format_bytes(memory, sizeof(memory),
		     rec->host.memory_bytes == RECORD_NONE ? NAN : (double)rec->host.memory_bytes);
	paragraph_printf(text->out, &text->style, 2, "%s: Linux %s, %s CPUs (%s), %s%s%s%s%s",
			 rec->host.hostname ? rec->host.hostname : "host",
			 rec->host.kernel ? rec->host.kernel : "?", cpus,
			 rec->host.cpu_model ? rec->host.cpu_model : "model unknown", memory,
			 rec->host.virtualization ? ", " : "",
			 rec->host.virtualization ? rec->host.virtualization : "",
			 rec->n_rounds && rec->rounds[0].started_at ? ", " : "",
			 rec->n_rounds && rec->rounds[0].started_at ? rec->rounds[0].started_at
								    : "");
}

static void print_title(const struct text *text)
{
	const struct summary_side *sides = text->summary->sides;

	fputs(text->style.colour ? "\x1b[1m" : "", text->out);
	if (text->summary->two_sided)
		paragraph_printf(text->out, &text->style, 2, "%s (A) against %s (B)",
				 sides[SIDE_A].name, sides[SIDE_B].name);
	else
		paragraph_print(text->out, &text->style, 2, sides[SIDE_A].name);
	paragraph_print(text->out, &text->style, 2, text->headline);
	fputs(text->style.colour ? "\x1b[0m" : "", text->out);
	print_run(text);
	print_host(text);
}

/* A table with one row for each label and a column for each side. */
static struct table *side_table(const struct text *text, struct table_column columns[SIDES + 1],
				char *titles[SIDES])
{
	columns[0] = (struct table_column){"", false};
	for (size_t i = 0; i < SIDES; i++) {
		titles[i] =
			i < sides_of(text) ? summary_side_title(text->summary, (enum side)i) : NULL;
		columns[i + 1] = (struct table_column){titles[i] ? titles[i] : "", true};
	}
	return table_new(columns, sides_of(text) + 1);
}

static int finish_sides(const struct text *text, struct table *table, char *titles[SIDES])
{
	int rc = finish(text, table);

	free(titles[SIDE_A]);
	free(titles[SIDE_B]);
	return rc;
}

static int print_work(const struct text *text)
{
	struct table_column columns[SIDES + 1];
	char *titles[SIDES], number[32];
	struct table *table;

	if (!text->summary->sides[SIDE_A].has_lines && !text->summary->sides[SIDE_B].has_lines)
		return 0;
	heading_print(text->out, &text->style, "Work: lines, all rounds together");
	table = side_table(text, columns, titles);
	for (size_t i = 0; i < summary_n_work_fields; i++) {
		const struct summary_field *field = &summary_work_fields[i];

		table_add(table, field->label);
		for (size_t side = 0; side < sides_of(text); side++)
			table_add(table,
				  summary_integer(number, sizeof(number),
						  summary_field_of(&text->summary->sides[side].work,
								   field)));
	}
	return finish_sides(text, table, titles);
}

/* What commands to completion ended with, each way once. */
static void print_ends(const struct text *text)
{
	const struct record *rec = text->rec;

	for (size_t side = 0; side < sides_of(text); side++)
		for (size_t i = 0; i < rec->n_rounds; i++) {
			const struct record_round *round = &rec->rounds[i];

			if (round->side != side || round->has_work)
				continue;
			if (round->signal != RECORD_NONE && round->signal > 0)
				paragraph_printf(
					text->out, &text->style, 2, "%s was ended by signal %lld",
					text->summary->sides[side].name, (long long)round->signal);
			else if (round->exit_code != RECORD_NONE && round->exit_code)
				paragraph_printf(text->out, &text->style, 2,
						 "%s ended with exit code %lld",
						 text->summary->sides[side].name,
						 (long long)round->exit_code);
			break;
		}
}

static void add_process_row(struct table *table, const struct summary_process *process,
			    size_t rounds)
{
	char cpu[32], rss[32], count[32];

	table_add(table, process->comm);
	summary_value(count, sizeof(count), METRIC_COUNT,
		      (double)process->count / (double)(rounds ? rounds : 1));
	table_add(table, count);
	table_add(table, format_seconds(cpu, sizeof(cpu),
					process->cpu_seconds / (double)(rounds ? rounds : 1)));
	table_add(table, summary_value(rss, sizeof(rss), METRIC_BYTES,
				       process->rss_peak_bytes == RECORD_NONE
					       ? NAN
					       : (double)process->rss_peak_bytes));
	table_add(table, process->exe);
}

static int print_processes_of(const struct text *text, const struct summary_side *side, char letter)
{
	static const struct table_column columns[] = {{"process", false},
						      {"count", true},
						      {"CPU", true},
						      {"RSS, peak", true},
						      {"program", false}};
	size_t shown = text->all || side->n_processes <= MANY_PROCESSES ? side->n_processes
									: MANY_PROCESSES;
	struct table *table;
	double rest = 0;
	char cpu[32];
	int rc;

	if (!side->n_processes)
		return 0;
	heading_print(text->out, &text->style,
		      !text->summary->two_sided ? "Processes, in an average round"
		      : letter == 'A'           ? "Processes of A, in an average round"
						: "Processes of B, in an average round");
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < shown; i++)
		add_process_row(table, &side->processes[i], side->rounds);
	rc = finish(text, table);
	for (size_t i = shown; i < side->n_processes; i++)
		rest += side->processes[i].cpu_seconds / (double)side->rounds;
	if (shown < side->n_processes)
		paragraph_printf(text->out, &text->style, 2, "and %zu more, %s of CPU time (--all)",
				 side->n_processes - shown, format_seconds(cpu, sizeof(cpu), rest));
	return rc;
}

static void add_value_row(const struct text *text, struct table *table, const char *label,
			  enum metric_kind kind, double a, double b)
{
	char cell[32];

	if (isnan(a) && isnan(b))
		return;
	table_add(table, label);
	table_add(table, summary_value(cell, sizeof(cell), kind, a));
	if (text->summary->two_sided)
		table_add(table, summary_value(cell, sizeof(cell), kind, b));
}

static double as_real(int64_t value)
{
	return value == RECORD_NONE ? NAN : (double)value;
}

static void add_loss_rows(const struct text *text, struct table *table)
{
	const struct summary_side *a = &text->summary->sides[SIDE_A];
	const struct summary_side *b = &text->summary->sides[SIDE_B];
	char label[64];

	for (size_t i = 0; i < summary_n_losses_fields; i++) {
		const struct summary_field *field = &summary_losses_fields[i];
		int64_t lost_a = summary_field_of(&a->losses, field);
		int64_t lost_b = summary_field_of(&b->losses, field);

		if (lost_a <= 0 && lost_b <= 0)
			continue;
		snprintf(label, sizeof(label), "lost: %s", field->label);
		add_value_row(text, table, label, METRIC_COUNT, as_real(lost_a), as_real(lost_b));
	}
}

/* Known to have lost nothing; a record without losses says nothing about them. */
static bool lost_nothing(const struct summary_side *side)
{
	if (side->rounds && side->losses.ring == RECORD_NONE)
		return false;
	for (size_t i = 0; i < summary_n_losses_fields; i++)
		if (summary_field_of(&side->losses, &summary_losses_fields[i]) > 0)
			return false;
	return true;
}

static int print_observer(const struct text *text)
{
	const struct summary_side *a = &text->summary->sides[SIDE_A];
	const struct summary_side *b = &text->summary->sides[SIDE_B];
	struct table_column columns[SIDES + 1];
	char *titles[SIDES];
	struct table *table = side_table(text, columns, titles);
	int rc;

	heading_print(text->out, &text->style, "What the measuring cost, and lost");
	add_value_row(text, table, "probes, of one CPU", METRIC_RATIO, a->probe_share,
		      b->probe_share);
	add_value_row(text, table, "probe events", METRIC_COUNT, as_real(a->probe_events),
		      as_real(b->probe_events));
	add_value_row(text, table, "time per event", METRIC_SECONDS, a->probe_ns / 1e9,
		      b->probe_ns / 1e9);
	add_value_row(text, table, "perfbpf, of one CPU", METRIC_RATIO, a->userspace_share,
		      b->userspace_share);
	add_value_row(text, table, "perfbpf, RSS peak", METRIC_BYTES, as_real(a->rss_peak_bytes),
		      as_real(b->rss_peak_bytes));
	add_value_row(text, table, "driver, CPU time", METRIC_SECONDS, a->driver.cpu_seconds,
		      b->driver.cpu_seconds);
	add_value_row(text, table, "driver, latest", METRIC_SECONDS, a->driver.late_seconds_max,
		      b->driver.late_seconds_max);
	add_value_row(text, table, "driver, dropped", METRIC_COUNT, as_real(a->driver.dropped),
		      as_real(b->driver.dropped));
	add_loss_rows(text, table);
	rc = finish_sides(text, table, titles);
	if (lost_nothing(a) && lost_nothing(b))
		paragraph_print(text->out, &text->style, 0, "No event was lost.");
	return rc;
}

static int print_programs(const struct text *text)
{
	static const struct table_column columns[] = {
		{"BPF program", false}, {"events", true}, {"run time", true}, {"per event", true}};
	const struct summary *summary = text->summary;
	size_t shown = text->all || summary->n_programs <= MANY_PROGRAMS ? summary->n_programs
									 : MANY_PROGRAMS;
	struct table *table;
	char cell[32];

	if (!summary->n_programs)
		return 0;
	putc('\n', text->out);
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < shown; i++) {
		const struct record_program *program = &summary->programs[i];
		double per = program->events > 0 ? program->seconds / (double)program->events : NAN;

		table_add(table, program->name);
		table_add(table, summary_integer(cell, sizeof(cell), program->events));
		table_add(table, format_seconds(cell, sizeof(cell), program->seconds));
		table_add(table, format_seconds(cell, sizeof(cell), per));
	}
	return finish(text, table);
}

static void print_notes(const struct text *text)
{
	if (!text->rec->n_notes)
		return;
	heading_print(text->out, &text->style, "Notes");
	for (size_t i = 0; i < text->rec->n_notes; i++)
		paragraph_printf(text->out, &text->style, 4, "  - %s", text->rec->notes[i]);
}

static int print_section(const struct text *text, const struct section *section)
{
	struct table *table;

	heading_print(text->out, &text->style, section->title);
	if (section->n_cells) {
		table = table_new(section->columns, section->n_columns);
		for (size_t i = 0; i < section->n_cells; i++)
			table_add(table, section->cells[i]);
		if (finish(text, table))
			return -1;
	}
	for (size_t i = 0; i < section->n_notes; i++)
		if (section_is_command(section->notes[i]))
			paragraph_print(text->out, &(struct text_style){.width = 0}, 0,
					section->notes[i]);
		else
			paragraph_print(text->out, &text->style, 2, section->notes[i]);
	return 0;
}

static int print_sections(const struct text *text)
{
	struct sections *sections =
		text->only_baseline ? sections_of_baseline(text->rec, text->summary, text->all)
				    : sections_new(text->rec, text->summary, text->all, false);
	int rc = sections ? 0 : -1;

	for (size_t i = 0; sections && i < sections->n && !rc; i++)
		rc = print_section(text, &sections->list[i]);
	sections_free(sections);
	return rc;
}

/* Thresholds that fail the run, and what a soak found. */
static void print_failures(const struct text *text)
{
	for (size_t i = 0; i < text->summary->n_failures; i++)
		paragraph_printf(text->out, &text->style, 4, "  - %s", text->summary->failures[i]);
}

static void print_verdict(const struct text *text)
{
	const struct record *rec = text->rec;
	const struct summary *summary = text->summary;
	const char *colour = rec->verdict.valid && !summary->n_failures ? "\x1b[32m" : "\x1b[31m";

	heading_print(text->out, &text->style, "Verdict");
	if (summary->invalid)
		paragraph_printf(text->out, &text->style, 2,
				 "%zu of %zu rounds not valid:", summary->invalid, rec->n_rounds);
	else if (rec->n_rounds)
		paragraph_printf(text->out, &text->style, 2, "%zu of %zu rounds valid.",
				 rec->n_rounds, rec->n_rounds);
	for (size_t i = 0; i < summary->n_reasons && (text->all || i < MANY_REASONS); i++)
		paragraph_printf(text->out, &text->style, 4, "  - %s", summary->reasons[i]);
	if (summary->n_reasons > MANY_REASONS && !text->all)
		paragraph_printf(text->out, &text->style, 4, "  - and %zu more (--all)",
				 summary->n_reasons - MANY_REASONS);
	print_failures(text);
	fputs(text->style.colour ? colour : "", text->out);
	paragraph_print(text->out, &text->style, 0,
			rec->verdict.text ? rec->verdict.text : "no verdict was made");
	fputs(text->style.colour ? "\x1b[0m" : "", text->out);
}

static int print_all(const struct text *text)
{
	print_title(text);
	if (text->only_baseline)
		return print_sections(text);
	print_ends(text);
	if (costs_print(text->rec, text->summary, text->out, &text->style, text->all) ||
	    print_work(text) || print_sections(text) ||
	    print_processes_of(text, &text->summary->sides[SIDE_A], 'A') ||
	    print_processes_of(text, &text->summary->sides[SIDE_B], 'B') || print_observer(text) ||
	    print_programs(text))
		return -1;
	print_notes(text);
	print_verdict(text);
	return 0;
}

static int write_text(const struct record *rec, const struct report_options *options, FILE *out,
		      struct error *err)
{
	struct summary *summary = summary_new(rec);
	char *headline = report_headline(rec, options);
	struct text text = {
		.rec = rec,
		.headline = headline,
		.summary = summary,
		.out = out,
		.style = {.colour = options->colour,
			  .width = options->width > 0 && options->width < MIN_WIDTH
					   ? MIN_WIDTH
					   : options->width},
		.all = options->all_metrics,
		.only_baseline = options->only_baseline,
	};
	int rc = summary && headline ? print_all(&text) : -1;

	summary_free(summary);
	free(headline);
	return rc ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_text = {
	.name = "text",
	.file_name = "report.txt",
	.description = "tables to read, as `perfbpf run` prints them",
	.has_baseline = true,
	.write = write_text,
};
