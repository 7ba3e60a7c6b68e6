/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a machine's own noise lets be seen: of a run of a side against itself, or of any pairs. */
#include "record/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/gate.h"
#include "record/stopping.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/table.h"

#define MANY_PAIRS    999  /* more nobody runs */
#define LOUD_OTHERS   0.05 /* of all CPUs */
#define LOUD_STOLEN   0.01 /* of the sides' CPU time */
#define LOUD_SPREAD   0.05 /* of the CPU time, between pairs */
#define SHORT_SECONDS 2.0  /* of a window, in which a spread is one of its edges */

struct noise_report {
	const struct record *rec;
	const struct summary *summary;
	struct text_style style;
	FILE *out;
	bool all, same;
	bool has_star, has_dash, has_differences; /* in a row that is shown */
	double spread;                            /* of the CPU time */
};

static const char *const columns_of_effects[NOISE_EFFECTS] = {"1 %", "2 %", "5 %", "10 %"};

static void add_share(struct table *table, double share)
{
	if (isnan(share))
		table_add(table, "-");
	else
		table_addf(table, "%.*f %%", share < 0.1 ? 2 : 1, share * 100);
}

static void add_pairs(struct table *table, double pairs)
{
	if (isnan(pairs))
		table_add(table, "-");
	else if (pairs > MANY_PAIRS)
		table_addf(table, ">%d", MANY_PAIRS);
	else
		table_addf(table, "%.0f", pairs);
}

static bool is_different(const struct record_comparison *row)
{
	return row->verdict &&
	       (!strcmp(row->verdict, "B_lower") || !strcmp(row->verdict, "B_higher"));
}

/* What the comparison says; between a side and itself a difference is none of its. */
static const char *name_verdict(const struct record_comparison *row)
{
	if (!row->verdict)
		return "-";
	if (!is_different(row))
		return row->verdict;
	return row->exploratory ? "differs*" : "DIFFERS";
}

/* 1: the row has no pairs; -1 without memory. */
static int add_row(struct noise_report *report, struct table *table,
		   const struct record_comparison *row)
{
	struct summary_row shown = summary_row(report->rec, row, report->all);
	const struct metric *metric = row->metric ? metric_find(row->metric) : NULL;
	char cell[SUMMARY_CELL_MAX];
	struct noise noise;

	if (!metric || !shown.shown)
		return 1;
	if (noise_of(report->rec, metric, &noise))
		return -1;
	/* Of medians of zero there is no more to say than of what nobody knows. */
	if ((!noise.n || (noise.by_difference && !(fabs(noise.spread) > 0))) && !report->all)
		return 1;
	report->has_star |= row->exploratory && is_different(row);
	report->has_dash |= isnan(noise.spread) || isnan(noise.pairs[0]);
	report->has_differences |= noise.by_difference && noise.spread > 0;
	if (!strcmp(row->metric, "cpu.total_seconds"))
		report->spread = noise.spread;
	table_add(table, shown.label);
	table_add(table, summary_value(cell, sizeof(cell), shown.kind, row->a_median));
	add_share(table, noise.spread);
	add_share(table, noise.detectable);
	for (size_t i = 0; i < NOISE_EFFECTS; i++)
		add_pairs(table, noise.pairs[i]);
	if (report->same)
		table_add(table, name_verdict(row));
	return 0;
}

static int print_table(struct noise_report *report)
{
	struct table_column columns[5 + NOISE_EFFECTS] = {
		{"", false}, {"median", true}, {"spread", true}, {"seen", true}};
	size_t n = 4, rows = 0;
	struct table *table;
	int rc = 0;

	for (size_t i = 0; i < NOISE_EFFECTS; i++)
		columns[n++] = (struct table_column){columns_of_effects[i], true};
	if (report->same)
		columns[n++] = (struct table_column){"A and A", false};
	table = table_new(columns, n);
	for (size_t i = 0; i < report->rec->n_comparison && rc >= 0; i++) {
		rc = add_row(report, table, &report->rec->comparison[i]);
		rows += rc == 0;
	}
	if (rc >= 0 && rows)
		rc = table_print(table, report->out, &report->style);
	else if (rc >= 0)
		paragraph_print(report->out, &report->style, 2,
				"No pair tells a metric of both sides: there is nothing to tell.");
	table_free(table);
	return rc < 0 ? -1 : 0;
}

static void explain(const struct noise_report *report)
{
	paragraph_print(report->out, &report->style, 2,
			"spread: standard deviation of ln(B/A) between pairs. seen: the smallest "
			"true difference that these pairs show in four of five runs (at 95 %). "
			"1 % to 10 %: how many pairs show one so small.");
	if (report->has_differences)
		paragraph_print(report->out, &report->style, 2,
				"Where a value is zero there is no ratio: there it is B - A, over "
				"the larger side's median.");
	if (report->has_dash)
		paragraph_print(report->out, &report->style, 2,
				"-: fewer than two pairs know it, or its medians are zero.");
	if (!report->same)
		paragraph_print(report->out, &report->style, 2,
				"The sides are not the same program: the spread is that of both "
				"together, and whether they differ is another report's.");
}

/* A difference in what a gate is on is loud: chance gives one in twenty runs. */
static void print_verdict(const struct noise_report *report)
{
	if (!report->same || !report->rec->verdict.valid)
		return;
	if (report->has_star)
		paragraph_print(report->out, &report->style, 2,
				"*: no gate is on it. Of so many metrics one in twenty differs by "
				"chance.");
	if (!gate_finds_difference(report->rec)) {
		paragraph_print(report->out, &report->style, 2,
				"Between A and itself no difference was found, as it should be.");
		return;
	}
	heading_print(report->out, &report->style,
		      "This machine finds a difference where there is none");
	paragraph_print(report->out, &report->style, 2,
			"By chance that comes in one of twenty runs. Where it comes again, "
			"verdicts of this machine are not to be trusted: see below.");
}

static size_t pairs_of(const struct record *rec)
{
	int64_t n = 0;

	for (size_t i = 0; i < rec->n_comparison; i++)
		n = rec->comparison[i].n > n ? rec->comparison[i].n : n;
	return (size_t)n;
}

/* What the record itself shows to be in the way; false: nothing. */
static bool advise_of_machine(const struct noise_report *report)
{
	const struct record *rec = report->rec;
	double others = noise_of_others(rec), stolen = noise_stolen(rec);
	bool said = false;

	if (rec->host.governor && strcmp(rec->host.governor, "performance") != 0) {
		paragraph_printf(report->out, &report->style, 2,
				 "The CPUs change their speed (governor %s): cpupower "
				 "frequency-set -g performance.",
				 rec->host.governor);
		said = true;
	}
	if (others > LOUD_OTHERS) {
		paragraph_printf(report->out, &report->style, 2,
				 "Others used %.0f %% of the CPUs in the windows: end them, or "
				 "keep them apart (target_cpus and driver_cpus of a scenario, "
				 "taskset).",
				 others * 100);
		said = true;
	}
	if (stolen > LOUD_STOLEN) {
		paragraph_printf(report->out, &report->style, 2,
				 "%.1f %% of the sides' time on a CPU was taken by the host or by "
				 "interrupts: a machine without neighbours shows more.",
				 stolen * 100);
		said = true;
	}
	return said;
}

static void advise(const struct noise_report *report)
{
	const struct summary_side *a = &report->summary->sides[SIDE_A];
	size_t pairs = pairs_of(report->rec);
	bool said;

	heading_print(report->out, &report->style, "What would help");
	said = advise_of_machine(report);
	if (report->spread > LOUD_SPREAD && a->window_seconds < SHORT_SECONDS) {
		paragraph_printf(report->out, &report->style, 2,
				 "A window of %.2g s is short: one %s evens out more than more "
				 "pairs do.",
				 a->window_seconds,
				 report->rec->scenario.driver ? "by --duration" : "with more work");
		said = true;
	}
	if (pairs < STOPPING_MIN_PAIRS) {
		paragraph_printf(report->out, &report->style, 2,
				 "%zu pair%s say little of a spread, and nothing can be settled "
				 "by so few: --rounds 10.",
				 pairs, pairs == 1 ? "" : "s");
		said = true;
	}
	if (!said)
		paragraph_print(report->out, &report->style, 2,
				"Nothing stands out; pairs are what shows smaller differences.");
}

static int write_noise(const struct record *rec, const struct report_options *options, FILE *out,
		       struct error *err)
{
	struct summary *summary = summary_new(rec);
	struct noise_report report = {
		.rec = rec,
		.summary = summary,
		.style = {.width = options->width, .colour = options->colour},
		.out = out,
		.all = options->all_metrics,
		.same = noise_is_same_side(rec),
		.spread = NAN,
	};
	size_t n = pairs_of(rec);
	int rc = 0;

	if (!summary)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (!summary->two_sided) {
		summary_free(summary);
		return error_set(err, EXIT_CODE_USAGE,
				 "one side alone has no pairs; 'perfbpf noise --target T' runs it "
				 "against itself");
	}
	fputs(report.style.colour ? "\x1b[1m" : "", out);
	if (report.same)
		paragraph_printf(out, &report.style, 2, "Noise of %s against itself, %zu pair%s",
				 summary->sides[SIDE_A].name, n, n == 1 ? "" : "s");
	else
		paragraph_printf(out, &report.style, 2, "Noise between %zu pair%s of %s and %s", n,
				 n == 1 ? "" : "s", summary->sides[SIDE_A].name,
				 summary->sides[SIDE_B].name);
	fputs(report.style.colour ? "\x1b[0m" : "", out);
	if (!rec->verdict.valid && rec->verdict.text)
		paragraph_printf(out, &report.style, 2, "The run is %s", rec->verdict.text);
	rc = print_table(&report);
	if (!rc) {
		explain(&report);
		print_verdict(&report);
		advise(&report);
	}
	summary_free(summary);
	return rc ? error_set(err, EXIT_CODE_FAILED, "out of memory") : 0;
}

const struct report_format report_noise = {
	.name = "noise",
	.description = "what differs between pairs by itself, and what can be seen through it",
	.write = write_noise,
};
