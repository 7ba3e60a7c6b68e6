/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The frames of a flame graph: which are drawn, where, and what is said of each. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/summary.h"
#include "report/svg.h"
#include "util/utf8.h"

#define LEAST_WIDTH 0.1
/* Frames alone must leave room for the rest in 5 MB. */
#define MAX_BYTES 4.5e6
/* About what a frame takes beside its name, and what a difference adds. */
#define FRAME_BYTES      190
#define DIFFERENCE_BYTES 170
/* Of the monospaced letters; the script measures it. */
#define LETTER_WIDTH 7.25
#define LETTER_PAD   6

struct drawing {
	FILE *out;
	struct svg_layout *layout;
	double scale; /* pixels per second */
	double bytes;
	double cursor[FLAME_MAX_LEVELS + 1]; /* where the next child of a level begins */
};

static double scale_of(const struct flame *flame)
{
	double width = flame->nodes[0].width;

	return width > 0 ? (SVG_WIDTH - 2 * SVG_PAD) / width : 0;
}

static double width_of(const struct drawing *drawing, const struct flame_node *node)
{
	return node->parent == FLAME_NONE ? SVG_WIDTH - 2 * SVG_PAD : node->width * drawing->scale;
}

static size_t letters_in(double width)
{
	return width > LETTER_PAD ? (size_t)((width - LETTER_PAD) / LETTER_WIDTH) : 0;
}

/* What is below a node that is too narrow is narrower still. */
static enum flame_step measure(void *state, const struct flame *flame, const uint32_t *path,
			       size_t n)
{
	struct drawing *drawing = state;
	const struct flame_node *node = &flame->nodes[path[n - 1]];
	const char *name = flame->names->list[node->name].text;
	double width = width_of(drawing, node);
	size_t length = strlen(name), letters = letters_in(width);

	if (!(width >= drawing->layout->least))
		return FLAME_PASS_OVER;
	drawing->layout->drawn++;
	if (n > drawing->layout->levels)
		drawing->layout->levels = n;
	drawing->bytes +=
		FRAME_BYTES + 1.2 * (double)(length + (letters < length ? letters : length));
	if (flame->options.side == FLAME_DIFF)
		drawing->bytes += DIFFERENCE_BYTES;
	return FLAME_GO_ON;
}

void svg_measure(const struct flame *flame, struct svg_layout *layout)
{
	struct drawing drawing;

	*layout = (struct svg_layout){.least = LEAST_WIDTH / 2};
	do {
		layout->least *= 2;
		layout->drawn = layout->levels = 0;
		drawing.layout = layout;
		drawing.scale = scale_of(flame);
		drawing.bytes = 0;
		flame_walk(flame, measure, &drawing);
	} while (drawing.bytes > MAX_BYTES && layout->drawn > 1);
	layout->left_out = flame->n_nodes - layout->drawn;
}

const char *svg_class(const struct flame *flame, const struct flame_node *node)
{
	static const char *const kinds[PROFILE_FRAME_KINDS] = {
		[PROFILE_FRAME_NATIVE] = "n", [PROFILE_FRAME_KERNEL] = "k",
		[PROFILE_FRAME_JIT] = "j",    [PROFILE_FRAME_INLINED] = "i",
		[PROFILE_FRAME_MARK] = "m",
	};
	static const char *const more[] = {"r1", "r2", "r3", "r4"};
	static const char *const less[] = {"b1", "b2", "b3", "b4"};
	const struct flame_name *name = &flame->names->list[node->name];
	struct flame_change change;
	double size;
	int step;

	if (flame->options.side != FLAME_DIFF)
		return name->is_process || node->parent == FLAME_NONE ? "p" : kinds[name->kind];
	change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);
	if (change.is_noise)
		return "z";
	size = fabs(change.step);
	step = size < 0.1 ? 0 : size < 0.25 ? 1 : size < 0.5 ? 2 : 3;
	return change.step > 0 ? more[step] : less[step];
}

static void put_value(FILE *out, enum metric_kind kind, double value)
{
	char text[32];

	fputs(summary_value(text, sizeof(text), kind, value), out);
}

static void put_samples(FILE *out, double samples)
{
	char text[32];

	fprintf(out, "%s sample%s",
		summary_integer(text, sizeof(text), samples < 9e18 ? (int64_t)samples : INT64_MAX),
		samples == 1 ? "" : "s");
}

/* "1.23 s (12.3 %), 1,234 samples": of the time of one round. */
static void put_side(FILE *out, const struct flame *flame, const struct flame_node *node, int side)
{
	const struct flame_value *value = &node->total[side], *all = &flame->nodes[0].total[side];

	put_value(out, METRIC_SECONDS, value->seconds);
	if (all->seconds > 0) {
		fputs(" (", out);
		put_value(out, METRIC_RATIO, value->seconds / all->seconds);
		fputs(")", out);
	}
	fputs(", ", out);
	put_samples(out, value->samples);
}

static void put_change(FILE *out, const struct flame_node *node)
{
	struct flame_change change = flame_change_of(&node->total[SIDE_A], &node->total[SIDE_B]);

	fputs("\nchange: ", out);
	fputs(change.delta > 0 ? "+" : "", out);
	put_value(out, METRIC_SECONDS, change.delta);
	if (isinf(change.relative))
		fputs(", only in B", out);
	else if (node->total[SIDE_B].samples == 0)
		fputs(", only in A", out);
	else
		fprintf(out, ", %+.1f %%", 100 * change.relative);
	fputs(change.is_noise ? ", within the noise" : ", beyond the noise", out);
}

/* What hovering tells, and a reader of the screen: the name alone in the first line. */
static void put_title(FILE *out, const struct flame *flame, const struct flame_node *node)
{
	const struct flame_name *name = &flame->names->list[node->name];
	int side = (int)flame->options.side;

	fputs("<title>", out);
	escape_xml(out, name->text);
	putc('\n', out);
	if (name->is_process)
		fputs("process", out);
	else if (name->kind != PROFILE_FRAME_MARK)
		fputs(profile_frame_kind_name(name->kind), out);
	else
		fputs(node->parent == FLAME_NONE ? "all stacks" : "mark", out);
	if (name->module != PROFILE_NONE) {
		fputs(", ", out);
		escape_xml(out, flame->rec->profile->modules[name->module].path);
	}
	if (flame->options.side == FLAME_DIFF) {
		fputs("\nA: ", out);
		put_side(out, flame, node, SIDE_A);
		fputs("\nB for A's work: ", out);
		put_side(out, flame, node, SIDE_B);
		put_change(out, node);
	} else {
		putc('\n', out);
		put_side(out, flame, node, side);
		if (!isnan(node->total[side].deviation)) {
			fputs("; between rounds \xc2\xb1 ", out);
			put_value(out, METRIC_SECONDS, node->total[side].deviation);
		}
	}
	fputs("</title>", out);
}

/* Up to three digits behind the point, none that says nothing. */
static void put_number(FILE *out, double value)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%.3f", value);

	while (n > 1 && text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	fwrite(text, 1, (size_t)n, out);
}

/* As much of the name as fits, without the script; with it, it is done anew. */
static void put_text(FILE *out, const char *name, double x, double y, double width)
{
	size_t room = letters_in(width), used = 0, bytes = 0, length;
	char cut[FLAME_NAME_MAX + 4];
	uint32_t code;

	if (room < 3)
		return;
	while (name[bytes]) {
		length = utf8_decode(name + bytes, &code);
		used += length ? (size_t)utf8_columns(code) : 1;
		if (used > room || (used == room && name[bytes + (length ? length : 1)]))
			break;
		bytes += length ? length : 1;
	}
	memcpy(cut, name, bytes);
	snprintf(cut + bytes, sizeof(cut) - bytes, "%s", name[bytes] ? "\xe2\x80\xa6" : "");
	fputs("<text x=\"", out);
	put_number(out, x + LETTER_PAD / 2);
	fputs("\" y=\"", out);
	put_number(out, y + SVG_ROW - 5);
	fputs("\">", out);
	escape_xml(out, cut);
	fputs("</text>", out);
}

static void put_frame(const struct drawing *drawing, const struct flame *flame,
		      const struct flame_node *node, double x, double y, double width)
{
	FILE *out = drawing->out;

	fprintf(out, "<g class=\"%s\"", svg_class(flame, node));
	if (flame->options.side == FLAME_DIFF)
		fprintf(out, " data-a=\"%.6g\" data-b=\"%.6g\"", node->total[SIDE_A].seconds,
			node->total[SIDE_B].seconds);
	putc('>', out);
	put_title(out, flame, node);
	fputs("<rect x=\"", out);
	put_number(out, x);
	fputs("\" y=\"", out);
	put_number(out, y);
	fputs("\" width=\"", out);
	put_number(out, width);
	fprintf(out, "\" height=\"%d\"/>", SVG_ROW - 1);
	put_text(out, flame->names->list[node->name].text, x, y, width);
	fputs("</g>\n", out);
}

static enum flame_step draw(void *state, const struct flame *flame, const uint32_t *path, size_t n)
{
	struct drawing *drawing = state;
	const struct flame_node *node = &flame->nodes[path[n - 1]];
	double width = width_of(drawing, node), x = drawing->cursor[n - 1];

	drawing->cursor[n - 1] = x + width;
	drawing->cursor[n] = x;
	if (!(width >= drawing->layout->least))
		return FLAME_PASS_OVER;
	/* Callers above, so that what a browser shows first is the whole and its largest parts. */
	put_frame(drawing, flame, node, x, SVG_TOP + SVG_ROW * (double)(n - 1), width);
	return FLAME_GO_ON;
}

void svg_put_frames(FILE *out, const struct flame *flame, const struct svg_layout *layout)
{
	struct drawing drawing = {
		.out = out, .layout = (struct svg_layout *)layout, .scale = scale_of(flame)};

	drawing.cursor[0] = SVG_PAD;
	flame_walk(flame, draw, &drawing);
}
