/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A flame graph as one SVG file that asks for nothing else: it is drawn without its script, which
 * makes it zoom, search and fit the window. svg_frames.c draws the frames, svg_style.c
 * and svg_script.c hold what makes it look and act.
 */
#include "report/svg.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/summary.h"

#define LINE       16
#define TITLE_ROOM 88 /* columns beside the buttons */

/* The lines below the graph. */
struct footer {
	char *lines[6];
	size_t n;
};

static void add_line(struct footer *footer, char *text)
{
	if (text)
		footer->lines[footer->n++] = text;
}

static char *print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *print(const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

static void add_quality(struct footer *footer, const struct flame *flame, enum side side)
{
	struct record_stacks stacks = flame_stacks_of(flame->rec, side, flame->options.kind);
	char quality[FLAME_QUALITY_MAX], *counts;

	flame_quality(quality, &stacks);
	/* All of it is wider than the graph: what was counted has a line of its own. */
	counts = strstr(quality, "; ");
	if (counts)
		*counts = '\0';
	if (flame->options.side == FLAME_DIFF)
		add_line(footer, print("%c: %s", side == SIDE_A ? 'A' : 'B', quality));
	else
		add_line(footer, print("%s", quality));
	if (counts)
		add_line(footer, print("%s", counts + 2));
}

static void add_left_out(struct footer *footer, const struct flame *flame,
			 const struct svg_layout *layout)
{
	char frames[32], samples[32];

	if (layout->left_out)
		add_line(footer,
			 print("%s frames narrower than %.3g px are not drawn.",
			       summary_integer(frames, sizeof(frames), (int64_t)layout->left_out),
			       layout->least));
	if (flame->cut_samples > 0)
		add_line(footer,
			 print("The graph holds 2,097,152 frames at most: the innermost ones "
			       "of up to %s samples are not in it.",
			       summary_value(samples, sizeof(samples), METRIC_COUNT,
					     flame->cut_samples)));
}

static struct footer make_footer(const struct flame *flame, const struct svg_layout *layout)
{
	struct footer footer = {.n = 0};

	for (int side = 0; side < SIDES; side++)
		if (flame->options.side == FLAME_DIFF || (int)flame->options.side == side)
			add_quality(&footer, flame, (enum side)side);
	add_left_out(&footer, flame, layout);
	return footer;
}

static void footer_clear(struct footer *footer)
{
	for (size_t i = 0; i < footer->n; i++)
		free(footer->lines[i]);
}

/* As the lines stand: two of details, the legend, and the footer's. */
static int bottom_height(const struct footer *footer)
{
	return LINE * (int)(3 + footer->n) + 10;
}

static char *make_title(const struct flame *flame)
{
	const char *kind = flame_kind_title(flame->options.kind);

	if (flame->options.side == FLAME_DIFF)
		return print("%s: %s (A) against %s (B), at equal work", kind,
			     flame_target(flame->rec, SIDE_A), flame_target(flame->rec, SIDE_B));
	return print("%s: %s (%c)", kind, flame_target(flame->rec, (enum side)flame->options.side),
		     flame->options.side == FLAME_A ? 'A' : 'B');
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static char *make_subtitle(const struct flame *flame)
{
	const struct record *rec = flame->rec;
	const char *scenario = rec->scenario.name ? rec->scenario.name : "commands to completion";
	const char *what = rec->scenario.name ? "scenario " : "";
	const char *phase = flame->options.phase;
	const size_t *rounds = flame->rounds;
	char a[32], b[32];

	if (flame->options.side == FLAME_DIFF)
		return print("%s%s%s%s; %zu round%s of A, %zu of B; B's time is scaled to A's work "
			     "of a round (A %s %s, B %s)",
			     what, scenario, phase ? ", phase " : "", phase ? phase : "",
			     rounds[SIDE_A], plural(rounds[SIDE_A]), rounds[SIDE_B],
			     summary_value(a, sizeof(a), METRIC_COUNT, flame->work[SIDE_A]),
			     flame->work_unit,
			     summary_value(b, sizeof(b), METRIC_COUNT, flame->work[SIDE_B]));
	return print("%s%s%s%s; %zu round%s; width: %s of an average round, %s", what, scenario,
		     phase ? ", phase " : "", phase ? phase : "", rounds[flame->options.side],
		     plural(rounds[flame->options.side]),
		     flame->options.kind == PROFILE_ONCPU ? "CPU time" : "time off the CPU",
		     flame->exact ? "by the scheduler's exact account" : "as sampled");
}

/* @text may be NULL: memory was short, and the graph is of use without it. */
static void put_text(FILE *out, const char *attributes, double x, double y, const char *text)
{
	fprintf(out, "<text %s x=\"%g\" y=\"%g\">", attributes, x, y);
	escape_xml(out, text);
	fputs("</text>\n", out);
}

static void put_button(FILE *out, const char *id, const char *text, const char *help, int right)
{
	fprintf(out,
		"<g id=\"%s\" class=\"button right s\" data-right=\"%d\" "
		"transform=\"translate(%d,0)\" "
		"style=\"display:none\" tabindex=\"0\" role=\"button\"><title>%s</title>"
		"<rect y=\"6\" width=\"80\" height=\"22\" rx=\"4\"/>"
		"<text x=\"40\" y=\"21\" text-anchor=\"middle\">%s</text></g>\n",
		id, right, SVG_WIDTH - SVG_PAD - right, help, text);
}

static void put_top(FILE *out, const char *title, const char *subtitle)
{
	char *cut = title ? strndup(title, TITLE_ROOM) : NULL;

	fprintf(out, "<g id=\"top\">\n<rect class=\"bar wide\" width=\"%d\" height=\"%d\"/>\n",
		SVG_WIDTH, SVG_TOP - 4);
	put_text(out, "id=\"title\"", SVG_PAD, 22, cut);
	put_text(out, "id=\"sub\" class=\"s\"", SVG_PAD, 42, subtitle);
	put_button(out, "search", "Search", "Ctrl+F or /", 80);
	put_button(out, "reset", "Reset", "Escape, Backspace or Home", 168);
	fprintf(out,
		"<g class=\"right s\" data-right=\"0\" transform=\"translate(%d,0)\">"
		"<text id=\"matched\" y=\"42\" text-anchor=\"end\" aria-live=\"polite\"></text>"
		"</g>\n</g>\n",
		SVG_WIDTH - SVG_PAD);
	free(cut);
}

struct legend {
	const char *class, *text;
};

static void put_legend(FILE *out, const struct flame *flame, double y)
{
	static const struct legend kinds[] = {
		{"p", "process"}, {"n", "native"},  {"k", "kernel"},
		{"j", "JIT"},     {"i", "inlined"}, {"m", "remark, no code"},
	};
	static const struct legend changes[] = {
		{"b4", "much less in B"},
		{"b2", "less in B"},
		{"z", "within the noise between rounds"},
		{"r2", "more in B"},
		{"r4", "much more in B"},
	};
	bool is_diff = flame->options.side == FLAME_DIFF;
	const struct legend *rows = is_diff ? changes : kinds;
	size_t n =
		is_diff ? sizeof(changes) / sizeof(changes[0]) : sizeof(kinds) / sizeof(kinds[0]);
	double x = SVG_PAD;

	fputs("<g id=\"legend\">\n", out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out,
			"<g class=\"%s\"><rect x=\"%g\" y=\"%g\" width=\"12\" height=\"12\"/></g>",
			rows[i].class, x, y - 10);
		put_text(out, "", x + 17, y, rows[i].text);
		x += 40 + 6.5 * (double)strlen(rows[i].text);
	}
	fputs("</g>\n", out);
}

static void put_bottom(FILE *out, const struct flame *flame, const struct footer *footer, double y)
{
	double line = y + LINE;

	fprintf(out,
		"<g id=\"bottom\" class=\"s\">\n<rect class=\"bar wide\" y=\"%g\" width=\"%d\" "
		"height=\"%d\"/>\n<g id=\"details\" aria-live=\"polite\">\n",
		y, SVG_WIDTH, bottom_height(footer));
	put_text(out, "id=\"name\"", SVG_PAD, line, "");
	put_text(out, "id=\"what\"", SVG_PAD, line + LINE, "");
	fputs("</g>\n", out);
	line += 2 * LINE;
	put_legend(out, flame, line);
	for (size_t i = 0; i < footer->n; i++)
		put_text(out, "", SVG_PAD, line += LINE, footer->lines[i]);
	fputs("</g>\n", out);
}

static void put_svg(FILE *out, const struct flame *flame)
{
	struct svg_layout layout;
	struct footer footer;
	char *title = make_title(flame), *subtitle = make_subtitle(flame);
	double bottom, height;

	svg_measure(flame, &layout);
	footer = make_footer(flame, &layout);
	bottom = SVG_TOP + SVG_ROW * (double)layout.levels + 4;
	height = bottom + bottom_height(&footer);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%g\" "
		"viewBox=\"0 0 %d %g\" data-pad=\"%d\" data-width=\"%d\" data-row=\"%d\" "
		"data-top=\"%d\" data-bottom=\"%d\">\n<title>",
		SVG_WIDTH, height, SVG_WIDTH, height, SVG_PAD, SVG_WIDTH, SVG_ROW, SVG_TOP,
		bottom_height(&footer));
	escape_xml(out, title);
	fprintf(out,
		"</title>\n<style><![CDATA[\n%s]]></style>\n"
		"<rect id=\"back\" class=\"wide\" width=\"%d\" height=\"%g\"/>\n"
		"<text id=\"sample\" y=\"20\" opacity=\"0\" "
		"aria-hidden=\"true\">mmmmmmmmmm</text>\n"
		"<g id=\"frames\">\n",
		svg_style, SVG_WIDTH, height);
	svg_put_frames(out, flame, &layout);
	fputs("</g>\n", out);
	put_bottom(out, flame, &footer, bottom);
	put_top(out, title, subtitle);
	fprintf(out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", svg_script);
	footer_clear(&footer);
	free(title);
	free(subtitle);
}

static int write_svg(const struct record *rec, const struct report_options *options, FILE *out,
		     struct error *err)
{
	struct flame_view view;
	int rc = flame_view_open(&view, rec, options, err);

	if (!rc)
		put_svg(out, view.flame);
	flame_view_close(&view);
	return rc;
}

const struct report_format report_svg = {
	.name = "svg",
	.file_name = "flame-*.svg",
	.description = "a flame graph of one side and kind, or of the difference, for a browser",
	.alone = true,
	.is_of_stacks = true,
	.has_diff = true,
	.write = write_svg,
};
