/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.html: one file that asks for nothing else, of the record alone. What can be drawn at once
 * is SVG made here (intervals, boxes); what is over time, percentiles and the scatter
 * are data in it, drawn by html_script.js with dygraphs. Each chart's figures are in a
 * table beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/report.h"

/* Nothing may be fetched; flame graphs are opened from the file itself. */
#define POLICY                                                                                     \
	"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "              \
	"img-src data:; frame-src blob:; base-uri 'none'; form-action 'none'"

static void put_title(const struct html *html)
{
	FILE *out = html->out;

	fputs(html->only_baseline ? "<title>Against an earlier run: " : "<title>", out);
	for (size_t side = 0; side < html_sides(html); side++) {
		fputs(side ? " against " : "", out);
		html_text(out, html->summary->sides[side].name);
	}
	fputs(" - perfbpf</title>\n", out);
}

static void put_head(const struct html *html)
{
	FILE *out = html->out;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n",
	      out);
	put_title(html);
	fprintf(out, "<style>\n%s%s</style>\n</head>\n<body>\n", html_library_style, html_style);
}

/* The parts of the page, as far as they are there: the script takes out the others. */
static void put_navigation(const struct html *html)
{
	static const struct {
		const char *id, *title;
	} parts[] = {
		{"verdict", "Verdict"},     {"cost", "Cost"},       {"gates", "Gates"},
		{"time", "Over time"},      {"rounds", "Rounds"},   {"latency", "Latency"},
		{"flames", "Flame graphs"}, {"details", "Details"}, {"processes", "Processes"},
		{"observer", "Measuring"},  {"again", "Again"},
	};

	fputs("<nav aria-label=\"Parts of the report\"><div>\n", html->out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		fprintf(html->out, "<a href=\"#%s\">%s</a>\n", parts[i].id, parts[i].title);
	fputs("<button type=\"button\" id=\"theme\" hidden>Dark</button></div></nav>\n", html->out);
}

static bool is_of_baseline(const struct section *section)
{
	return !strcmp(section->title, SECTION_BASELINE);
}

/* Where it is what was asked for, it comes before all else. */
static void put_baseline(const struct html *html, const struct sections *sections)
{
	for (size_t i = 0; i < sections->n_judgements; i++)
		if (html->only_baseline && is_of_baseline(&sections->list[i]))
			html_put_section(html, &sections->list[i]);
}

static void put_judgements(const struct html *html, const struct sections *sections)
{
	if (!sections->n_judgements)
		return;
	fputs("<section id=\"gates\"><h2>Gates and insights</h2>\n<div class=\"parts\">\n",
	      html->out);
	for (size_t i = 0; i < sections->n_judgements; i++)
		if (!html->only_baseline || !is_of_baseline(&sections->list[i]))
			html_put_section(html, &sections->list[i]);
	fputs("</div></section>\n", html->out);
}

static void put_details(const struct html *html, const struct sections *sections)
{
	fputs("<section id=\"details\"><h2>Details</h2>\n<div class=\"parts\">\n", html->out);
	html_put_work(html);
	for (size_t i = sections->n_judgements; i < sections->n; i++)
		html_put_section(html, &sections->list[i]);
	fputs("</div></section>\n", html->out);
}

static void put_foot(const struct html *html)
{
	FILE *out = html->out;

	fputs("</main>\n<footer><p>Made by perfbpf ", out);
	html_text(out, html->rec->version);
	fputs(" from run.json; nothing on this page was fetched from elsewhere.", out);
	fputs(html_has_library() ? " Charts: dygraphs (MIT).</p></footer>\n" : "</p></footer>\n",
	      out);
	if (html_has_library())
		fprintf(out, "<script>\n%s</script>\n", html_library);
	fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", html_script);
}

static int put_charts(const struct html *html, struct error *err)
{
	if (html_has_library())
		fputs("<noscript><p class=\"without\">Charts are drawn by the script in this page, "
		      "which does not run here; their figures are in the tables.</p></noscript>\n",
		      html->out);
	else if (html_put_static(html, err))
		return -1;
	if (html_put_times(html) || html_put_rounds(html) || html_put_latencies(html))
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	return html_put_flames(html, err);
}

static int put_page(const struct html *html, const struct sections *sections, struct error *err)
{
	put_head(html);
	put_navigation(html);
	fputs("<main>\n", html->out);
	html_put_verdict(html);
	put_baseline(html, sections);
	if (html_put_costs(html))
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	put_judgements(html, sections);
	if (put_charts(html, err))
		return -1;
	put_details(html, sections);
	html_put_processes(html);
	html_put_observer(html);
	html_put_notes(html);
	html_put_reproduction(html);
	put_foot(html);
	return 0;
}

static int write_html(const struct record *rec, const struct report_options *options, FILE *out,
		      struct error *err)
{
	struct summary *summary = summary_new(rec);
	struct sections *sections =
		summary ? sections_new(rec, summary, options->all_metrics, true) : NULL;
	char *headline = report_headline(rec, options);
	const struct html html = {.rec = rec,
				  .summary = summary,
				  .out = out,
				  .headline = headline,
				  .only_baseline = options->only_baseline};
	int rc;

	if (sections && headline)
		rc = put_page(&html, sections, err);
	else
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	free(headline);
	sections_free(sections);
	summary_free(summary);
	return rc;
}

const struct report_format report_html = {
	.name = "html",
	.file_name = "report.html",
	.description = "one page for a browser: verdict, tables, charts, flame graphs",
	.alone = true,
	.has_baseline = true,
	.write = write_html,
};
