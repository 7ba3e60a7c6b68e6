/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html of a comparison with an earlier run: what came out of that. */
#include <string.h>

#include "report/html.h"

/* How many rows with a gate have come to what. */
struct counts {
	size_t gates, regressed, improved, unchanged, open;
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
		else if (!strcmp(verdict, "improved"))
			counts.improved++;
		else if (!strcmp(verdict, "unchanged"))
			counts.unchanged++;
		else
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
	if (counts.regressed)
		fprintf(out, "<li class=\"%s\">regressed</li>",
			baseline->comparable ? "bad" : "plain");
	else if (counts.gates && counts.open == counts.gates)
		fputs("<li class=\"plain\">nothing settled</li>", out);
	else if (counts.gates)
		fputs("<li class=\"good\">no regression</li>", out);
	if (!baseline->comparable)
		fputs("<li class=\"bad\">not comparable</li>", out);
	if (!html->rec->complete)
		fputs("<li class=\"bad\">not complete</li>", out);
	fputs("</ul>\n", out);
}

static void put_count(FILE *out, size_t n, const char *what, bool *is_first)
{
	if (!n)
		return;
	fprintf(out, "%s%zu %s", *is_first ? "" : ", ", n, what);
	*is_first = false;
}

void html_put_baseline_sentence(const struct html *html)
{
	const struct record_baseline *baseline = &html->rec->baseline;
	struct counts counts = count(baseline);
	FILE *out = html->out;
	bool is_first = true;

	fputs("<p class=\"sentence\">", out);
	if (!counts.gates)
		fputs("No gate is on any metric", out);
	else if (counts.regressed)
		fprintf(out, "%zu of %zu gated metrics regressed", counts.regressed, counts.gates);
	else
		fprintf(out, "None of %zu gated metric%s regressed", counts.gates,
			counts.gates == 1 ? "" : "s");
	if (counts.improved + counts.unchanged + counts.open) {
		fputs(" (", out);
		put_count(out, counts.improved, "improved", &is_first);
		put_count(out, counts.unchanged, "unchanged", &is_first);
		put_count(out, counts.open, "not settled", &is_first);
		putc(')', out);
	}
	fputs(", against ", out);
	html_text(out, baseline->path ? baseline->path : "the earlier run");
	if (baseline->started_at) {
		fputs(" of ", out);
		html_text(out, baseline->started_at);
	}
	fputs(".</p>\n", out);
	if (!baseline->comparable)
		fputs("<p>Host or scenario are not the same: all of it is exploratory, and no "
		      "regression fails.</p>\n",
		      out);
	fputs("<p class=\"remark\">First the comparison; after it, all of the later run.</p>\n",
	      out);
}
