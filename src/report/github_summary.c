/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Markdown for $GITHUB_STEP_SUMMARY: the verdict, what failed, the costs, what was judged. GitHub
 * takes 1 MiB a step and drops what is longer as a whole: a record takes no more than
 * GITHUB_SUMMARY_BYTES, so that a step may hold many of them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/outcome.h"
#include "report/report.h"
#include "util/utf8.h"

#define GITHUB_SUMMARY_BYTES 32768
/* For what is written whatever the room: the ends of what was begun, and what was left out. */
#define RESERVED_BYTES 1024
#define MANY_BAD       30
#define MANY_DETAILS   5
#define MANY_ROWS      100
#define NAME_MAX       80
#define TEXT_MAX       400

struct page {
	const struct record *rec;
	const struct summary *summary;
	const struct outcomes *outcomes;
	const char *headline;
	bool all;
	FILE *out;
	size_t left;    /* bytes */
	size_t omitted; /* items */
	/* The item that is being written: it is in the page as a whole or not at all. */
	FILE *item;
	char *text;
	size_t size;
	bool failed;
};

static void item_begin(struct page *page)
{
	page->text = NULL;
	page->item = open_memstream(&page->text, &page->size);
	if (page->item)
		return;
	page->failed = true;
	page->item = page->out;
}

/* Was there room for it? */
static bool item_end(struct page *page)
{
	bool fits;

	if (page->item == page->out)
		return false;
	if (fclose(page->item) || !page->text) {
		page->failed = true;
		free(page->text);
		return false;
	}
	fits = page->size <= page->left;
	if (fits) {
		fwrite(page->text, 1, page->size, page->out);
		page->left -= page->size;
	} else {
		page->omitted++;
	}
	free(page->text);
	return fits;
}

/* What GitHub makes of a text on its own: links, mentions and formulas. */
static const char *entity_of(const char *c, const char *begin)
{
	if (*c == '@')
		return "&#64;";
	if (*c == '$')
		return "&#36;";
	if (*c == ':' && (c[1] == '/' || (c > begin && c[1] && !strchr(" \n", c[1]))))
		return "&#58;";
	return !strncasecmp(c, "www.", 4) ? "&#119;" : NULL;
}

/* At most @most characters of @text. */
static void put_cut(FILE *out, const char *text, size_t most)
{
	const char *from = text, *at = text;
	uint32_t code;

	for (size_t n = 0; text && *at && n < most; n++) {
		const char *entity = entity_of(at, text);
		size_t length = utf8_decode(at, &code);

		if (entity) {
			char *part = strndup(from, (size_t)(at - from));

			escape_markdown(out, part);
			free(part);
			fputs(entity, out);
			from = at + 1;
		}
		at += length ? length : 1;
	}
	if (text) {
		char *part = strndup(from, (size_t)(at - from));

		escape_markdown(out, part);
		free(part);
		fputs(*at ? "\xe2\x80\xa6" : "", out);
	}
}

static const char *icon_of(enum outcome_state state)
{
	static const char *const icons[] = {
		[OUTCOME_HOLDS] = "\xe2\x9c\x85",
		[OUTCOME_FAILS] = "\xe2\x9d\x8c",
		[OUTCOME_WARNS] = "\xe2\x9a\xa0\xef\xb8\x8f",
		[OUTCOME_OPEN] = "\xe2\x9d\x94",
	};

	return icons[state];
}

static const char *icon_of_all(const struct outcomes *outcomes)
{
	if (outcomes_count(outcomes, OUTCOME_FAILS))
		return icon_of(OUTCOME_FAILS);
	return icon_of(outcomes_count(outcomes, OUTCOME_WARNS) ? OUTCOME_WARNS : OUTCOME_HOLDS);
}

static void put_verdict(struct page *page)
{
	const struct record *rec = page->rec;

	item_begin(page);
	fprintf(page->item, "## %s ", icon_of_all(page->outcomes));
	put_cut(page->item, page->summary->sides[SIDE_A].name, NAME_MAX);
	if (page->summary->two_sided) {
		fputs(" (A) against ", page->item);
		put_cut(page->item, page->summary->sides[SIDE_B].name, NAME_MAX);
		fputs(" (B)", page->item);
	}
	fputs(", ", page->item);
	put_cut(page->item, outcome_scenario(rec), NAME_MAX);
	fputs("\n\n**", page->item);
	put_cut(page->item, page->headline, TEXT_MAX);
	fputs("**\n\n", page->item);
	item_end(page);
}

/* What did not come out well: failures first. */
static void put_bad(struct page *page, enum outcome_state state)
{
	size_t shown = 0, n = outcomes_count(page->outcomes, state);

	for (size_t i = 0; i < page->outcomes->n && shown < MANY_BAD; i++) {
		const struct outcome *outcome = &page->outcomes->list[i];

		if (outcome->state != state)
			continue;
		shown++;
		item_begin(page);
		fprintf(page->item, "- %s %s, ", icon_of(state), outcome->group);
		put_cut(page->item, outcome->name, NAME_MAX);
		fputs(": ", page->item);
		put_cut(page->item, outcome->text, TEXT_MAX);
		putc('\n', page->item);
		for (size_t j = 0; j < outcome->n_details && j < MANY_DETAILS; j++) {
			fputs("  - ", page->item);
			put_cut(page->item, outcome->details[j], TEXT_MAX);
			putc('\n', page->item);
		}
		if (outcome->n_details > MANY_DETAILS)
			fprintf(page->item, "  - and %zu more\n",
				outcome->n_details - MANY_DETAILS);
		item_end(page);
	}
	page->omitted += n - shown;
	fputs(shown ? "\n" : "", page->out);
}

static void put_cell(struct page *page, const char *text)
{
	fputs("| ", page->item);
	put_cut(page->item, text, TEXT_MAX);
	putc(' ', page->item);
}

/* "1.60x to 1.72x": of the ratio, or of the difference where there is none. */
static void put_interval(struct page *page, const struct summary_row *row,
			 const struct record_comparison *c)
{
	char low[32], high[32], cell[80];

	if (isnan(c->ci_low) && isnan(c->difference_low)) {
		put_cell(page, "-");
		return;
	}
	if (isnan(c->ci_low)) {
		summary_value(low, sizeof(low), row->kind, c->difference_low);
		summary_value(high, sizeof(high), row->kind, c->difference_high);
	} else {
		summary_ratio(low, sizeof(low), c->ci_low);
		summary_ratio(high, sizeof(high), c->ci_high);
	}
	snprintf(cell, sizeof(cell), "%s%s to %s", isnan(c->ci_low) ? "B - A: " : "", low, high);
	put_cell(page, cell);
}

static void put_cost(struct page *page, const struct record_comparison *c)
{
	struct summary_row row = summary_row(page->rec, c, page->all);
	char cell[SUMMARY_CELL_MAX], ratio[32], verdict[64];

	if (!row.shown)
		return;
	item_begin(page);
	put_cell(page, row.label);
	put_cell(page, summary_cell(cell, row.kind, c->a_median, c->a_min, c->a_max));
	if (page->summary->two_sided) {
		put_cell(page, summary_cell(cell, row.kind, c->b_median, c->b_min, c->b_max));
		put_cell(page, summary_ratio(ratio, sizeof(ratio), c->ratio));
		put_interval(page, &row, c);
		snprintf(verdict, sizeof(verdict), "%.40s%s", c->verdict ? c->verdict : "-",
			 c->verdict && c->exploratory ? " (no gate)" : "");
		put_cell(page, verdict);
	}
	fputs("|\n", page->item);
	item_end(page);
}

static void put_costs(struct page *page)
{
	bool fits;

	item_begin(page);
	fputs("### What it cost\n\nMedian over the rounds, and their range.\n\n| metric | A ",
	      page->item);
	put_cut(page->item, page->summary->sides[SIDE_A].name, NAME_MAX);
	if (page->summary->two_sided) {
		fputs(" | B ", page->item);
		put_cut(page->item, page->summary->sides[SIDE_B].name, NAME_MAX);
		fputs(" | B/A | interval | verdict |\n|---|---:|---:|---:|---|---|\n", page->item);
	} else {
		fputs(" |\n|---|---:|\n", page->item);
	}
	fits = item_end(page);
	for (size_t i = 0; fits && i < page->rec->n_comparison && i < MANY_ROWS; i++)
		put_cost(page, &page->rec->comparison[i]);
	putc('\n', page->out);
}

/* All of it as a table, folded where nothing of it is bad. */
static void put_judged(struct page *page)
{
	bool fits;

	item_begin(page);
	fputs("<details><summary>What was judged</summary>\n\n"
	      "| | | | |\n|---|---|---|---|\n",
	      page->item);
	fits = item_end(page);
	for (size_t i = 0; fits && i < page->outcomes->n && i < MANY_ROWS; i++) {
		const struct outcome *outcome = &page->outcomes->list[i];

		item_begin(page);
		fprintf(page->item, "| %s | %s ", icon_of(outcome->state), outcome->group);
		put_cell(page, outcome->name);
		put_cell(page, outcome->text);
		fputs("|\n", page->item);
		item_end(page);
	}
	if (page->outcomes->n > MANY_ROWS)
		page->omitted += page->outcomes->n - MANY_ROWS;
	fputs(fits ? "\n</details>\n\n" : "", page->out);
}

static void put_insights(struct page *page)
{
	for (size_t i = 0; i < page->rec->n_insights && i < MANY_BAD; i++) {
		const struct record_insight *insight = &page->rec->insights[i];

		item_begin(page);
		fputs("- ", page->item);
		put_cut(page->item, insight->text, TEXT_MAX);
		putc('\n', page->item);
		item_end(page);
	}
	fputs(page->rec->n_insights ? "\n" : "", page->out);
}

/* A fence that no run of backticks inside can close. */
static void put_command(struct page *page)
{
	char *text = escape_own_argv(page->rec->argv, page->rec->n_argv), fence[64] = "```";
	size_t longest = 0, run = 0;

	for (const char *c = text; c && *c; c++) {
		run = *c == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	item_begin(page);
	if (text && longest < sizeof(fence) - 2) {
		memset(fence, '`', longest < 3 ? 3 : longest + 1);
		fprintf(page->item, "To run it again (perfbpf ");
		put_cut(page->item, page->rec->version, NAME_MAX);
		fputs(", Linux ", page->item);
		put_cut(page->item, page->rec->host.kernel, NAME_MAX);
		fprintf(page->item, ", seed %llu):\n%s\n%s\n%s\n",
			(unsigned long long)page->rec->seed, fence, text, fence);
	}
	item_end(page);
	free(text);
}

static int write_summary(const struct record *rec, const struct report_options *options, FILE *out,
			 struct error *err)
{
	struct summary *summary = summary_new(rec);
	struct outcomes *outcomes = summary ? outcomes_new(rec, summary, options) : NULL;
	char *headline = report_headline(rec, options);
	struct page page = {.rec = rec,
			    .summary = summary,
			    .outcomes = outcomes,
			    .headline = headline,
			    .all = options->all_metrics,
			    .out = out,
			    .left = GITHUB_SUMMARY_BYTES - RESERVED_BYTES};

	if (outcomes && headline) {
		put_verdict(&page);
		put_bad(&page, OUTCOME_FAILS);
		put_bad(&page, OUTCOME_WARNS);
		if (!options->only_baseline) {
			put_costs(&page);
			put_insights(&page);
		}
		put_judged(&page);
		put_command(&page);
		if (page.omitted)
			fprintf(out, "\n%zu lines were left out for the size of it.\n",
				page.omitted);
		putc('\n', out);
	}
	page.failed |= !outcomes || !headline;
	outcomes_free(outcomes);
	summary_free(summary);
	free(headline);
	return page.failed ? error_set(err, EXIT_CODE_FAILED, "out of memory for the report") : 0;
}

const struct report_format report_github_summary = {
	.name = "github-summary",
	.description = "Markdown for $GITHUB_STEP_SUMMARY",
	.has_baseline = true,
	.write = write_summary,
};
