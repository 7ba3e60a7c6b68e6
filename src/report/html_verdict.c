/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html: what came out, whether it holds, and of what it is. */
#include <inttypes.h>
#include <math.h>

#include "report/html.h"

/* So many are told at once; the rest unfolds. */
#define FIRST_REASONS 5

static void put_names(const struct html *html)
{
	FILE *out = html->out;

	fputs("<h1>", out);
	for (size_t side = 0; side < html_sides(html); side++) {
		fputs(side ? " <span class=\"against\">against</span> " : "", out);
		html_tag(out, side);
		fputs(" <span class=\"name\">", out);
		html_text(out, html->summary->sides[side].name);
		fputs("</span>", out);
	}
	fputs("</h1>\n", out);
}

static void put_item(FILE *out, const char *before, const char *text, const char *after)
{
	if (!text)
		return;
	fputs("<li>", out);
	html_text(out, before);
	html_text(out, text);
	html_text(out, after);
	fputs("</li>", out);
}

/* What, when, where. */
static void put_line(const struct html *html)
{
	const struct record *rec = html->rec;
	FILE *out = html->out;
	int64_t pairs = 0;
	char number[32];

	for (size_t i = 0; i < rec->n_rounds; i++)
		pairs = rec->rounds[i].pair >= pairs ? rec->rounds[i].pair + 1 : pairs;
	fputs("<ul class=\"line\">", out);
	put_item(out, rec->scenario.name ? "scenario " : "",
		 rec->scenario.name ? rec->scenario.name : "commands to completion", "");
	put_item(out, "", summary_integer(number, sizeof(number), pairs),
		 html->summary->two_sided ? (pairs == 1 ? " pair of rounds" : " pairs of rounds")
					  : (pairs == 1 ? " round" : " rounds"));
	put_item(out, "windows of ",
		 summary_value(number, sizeof(number), METRIC_SECONDS,
			       html->summary->sides[SIDE_A].window_seconds),
		 "");
	if (rec->n_rounds)
		put_item(out, "", rec->rounds[0].started_at, "");
	put_item(out, "on ", rec->host.hostname, "");
	put_item(out, "Linux ", rec->host.kernel, "");
	if (rec->host.cpus > 0)
		put_item(out, "", summary_integer(number, sizeof(number), rec->host.cpus),
			 rec->host.cpus == 1 ? " CPU" : " CPUs");
	fputs("</ul>\n", out);
}

static void put_badge(FILE *out, const char *class, const char *text)
{
	fprintf(out, "<li class=\"%s\">%s</li>", class, text);
}

static void put_badges(const struct html *html)
{
	const struct record *rec = html->rec;
	bool valid = !html->summary->invalid && (!html->summary->two_sided || rec->verdict.valid);
	FILE *out = html->out;

	fputs("<ul class=\"badges\">", out);
	if (html->summary->two_sided && rec->verdict.winner >= 0 && rec->verdict.winner < SIDES) {
		fprintf(out, "<li class=\"winner %c\">%c wins</li>",
			rec->verdict.winner == SIDE_A ? 'a' : 'b',
			html_letter((size_t)rec->verdict.winner));
	} else if (html->summary->two_sided) {
		put_badge(out, "plain", "no winner");
	}
	put_badge(out, valid ? "good" : "bad", valid ? "valid" : "not valid");
	if (!rec->complete)
		put_badge(out, "bad", "not complete");
	if (html->summary->n_failures)
		put_badge(out, "bad", "a gate failed");
	fputs("</ul>\n", out);
}

static void put_list(FILE *out, char *const *texts, size_t n)
{
	fputs("<ul class=\"reasons\">", out);
	for (size_t i = 0; i < n; i++)
		put_item(out, "", texts[i], "");
	fputs("</ul>\n", out);
}

static void put_reasons(const struct html *html)
{
	const struct summary *summary = html->summary;
	char *const *reasons = (char *const *)summary->reasons;
	size_t n = summary->n_reasons, first = n > FIRST_REASONS ? FIRST_REASONS : n;
	FILE *out = html->out;

	if (!summary->invalid)
		return;
	fprintf(out,
		"<p>%zu of %zu rounds %s not valid; medians and charts below are over all of "
		"them.</p>\n",
		summary->invalid, html->rec->n_rounds, summary->invalid == 1 ? "is" : "are");
	put_list(out, reasons, first);
	if (first == n)
		return;
	fprintf(out, "<details><summary>%zu more reason%s</summary>", n - first,
		n - first == 1 ? "" : "s");
	put_list(out, reasons + first, n - first);
	fputs("</details>\n", out);
}

void html_put_verdict(const struct html *html)
{
	const struct record *rec = html->rec;
	FILE *out = html->out;

	fputs("<header id=\"verdict\">\n", out);
	put_names(html);
	put_line(html);
	fputs("<div class=\"card\">\n", out);
	if (html->only_baseline)
		html_put_baseline_badges(html);
	else
		put_badges(html);
	fputs("<p class=\"sentence\">", out);
	html_text(out, html->headline);
	fputs("</p>\n", out);
	if (html->only_baseline)
		html_put_baseline_remarks(html);
	if (!rec->complete)
		fputs("<p>The run did not come to its end: this is what was measured until "
		      "then.</p>\n",
		      out);
	if (html->summary->n_failures && !html->only_baseline)
		put_list(out, html->summary->failures, html->summary->n_failures);
	put_reasons(html);
	fputs("</div>\n</header>\n", out);
}
