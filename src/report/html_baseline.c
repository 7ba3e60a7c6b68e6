/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html of a comparison with an earlier run: what came out of that. */
#include <string.h>

#include "report/html.h"

/* How many rows with a gate have come to what. */
struct counts {
	size_t gates, regressed, open;
};

static struct counts count(const struct record_baseline *baseline)
{
	struct counts counts = {0};

	for (size_t i = 0; i < baseline->n_rows; i++) {
		const struct record_regression *row = &baseline->rows[i];
		const char *verdict = row->verdict ? row->verdict : "";

		if (!row->gate)
			continue;
		counts.gates++;
		if (!strcmp(verdict, "regressed"))
			counts.regressed++;
		else if (strcmp(verdict, "improved") != 0 && strcmp(verdict, "unchanged") != 0)
			counts.open++;
	}
	return counts;
}

void html_put_baseline_badges(const struct html *html)
{
	const struct record_baseline *baseline = &html->rec->baseline;
	struct counts counts = count(baseline);
	FILE *out = html->out;

	fputs("<ul class=\"badges\">", out);
	if (!html->rec->has_baseline)
		fputs("<li class=\"bad\">not compared</li>", out);
	else if (counts.regressed)
		fprintf(out, "<li class=\"%s\">regressed</li>",
			baseline->comparable ? "bad" : "plain");
	else if (counts.gates && counts.open == counts.gates)
		fputs("<li class=\"plain\">nothing settled</li>", out);
	else if (counts.gates)
		fputs("<li class=\"good\">no regression</li>", out);
	if (html->rec->has_baseline && !baseline->comparable)
		fputs("<li class=\"bad\">not comparable</li>", out);
	if (!html->rec->complete)
		fputs("<li class=\"bad\">not complete</li>", out);
	fputs("</ul>\n", out);
}

void html_put_baseline_remarks(const struct html *html)
{
	const struct record *rec = html->rec;
	FILE *out = html->out;

	fputs(rec->has_baseline ? "<p class=\"remark\">First the comparison; after it, all of the "
				  "later run.</p>\n"
				: "<p class=\"remark\">Below: the later run alone.</p>\n",
	      out);
}
