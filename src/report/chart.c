/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "util/utf8.h"

/* Of the widest of the fonts that may be taken, as a share of its size. */
#define LETTER 0.62
/* Long lines are narrower than their widest letters. */
#define NOTE_NARROW 0.9
#define NOTE_SIZE   11
#define NOTE_LINE   15
/* Nobody sees a shorter step of a line. */
#define LEAST 0.4

int chart_open(struct chart *chart)
{
	*chart = (struct chart){.y = CHART_EDGE};
	chart->out = open_memstream(&chart->text, &chart->size);
	return chart->out ? 0 : -1;
}

int chart_close(struct chart *chart, FILE *out, const char *title, const char *description)
{
	double height = ceil(chart->y + CHART_EDGE / 2.0);
	int rc = fclose(chart->out) ? -1 : 0;

	if (!rc) {
		fprintf(out,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%g\" "
			"viewBox=\"0 0 %d %g\" role=\"img\" aria-labelledby=\"title desc\">\n"
			"<title id=\"title\">",
			CHART_WIDTH, height, CHART_WIDTH, height);
		escape_xml(out, title);
		fputs("</title>\n<desc id=\"desc\">", out);
		escape_xml(out, description);
		fprintf(out,
			"</desc>\n<style><![CDATA[\n%s]]></style>\n"
			"<rect id=\"back\" width=\"%d\" height=\"%g\"/>\n",
			chart_style, CHART_WIDTH, height);
		fwrite(chart->text, 1, chart->size, out);
		fputs("</svg>\n", out);
	}
	free(chart->text);
	*chart = (struct chart){0};
	return rc;
}

/* Bytes of the character at @s, and its columns; a broken byte is shown as one. */
static size_t next_character(const char *s, int *columns)
{
	uint32_t code;
	size_t length = utf8_decode(s, &code);

	*columns = length && !utf8_is_control(code) ? utf8_columns(code) : 1;
	return length ? length : 1;
}

static double width_of(const char *text, size_t n, double size)
{
	int columns = 0, more;

	for (const char *s = text; s < text + n && *s; columns += more)
		s += next_character(s, &more);
	return columns * size * LETTER;
}

double chart_text_width(const char *text, double size)
{
	return text ? width_of(text, strlen(text), size) : 0;
}

char *chart_cut(char *buf, size_t size, const char *text, int columns)
{
	static const char more[] = "…";
	size_t end = 0, used = 0;
	int taken = 0, next;

	text = text ? text : "";
	/* @end: up to where it is kept if all of it has no room. */
	while (text[used]) {
		size_t length = next_character(text + used, &next);

		if (taken + next > columns || used + length + sizeof(more) > size) {
			snprintf(buf, size, "%.*s%s", (int)end, text, more);
			return buf;
		}
		used += length;
		taken += next;
		if (taken < columns)
			end = used;
	}
	snprintf(buf, size, "%s", text);
	return buf;
}

void chart_text(struct chart *chart, const char *class, enum chart_anchor anchor, double x,
		double y, const char *text)
{
	static const char *const anchors[] = {"", " text-anchor=\"middle\"",
					      " text-anchor=\"end\""};

	fprintf(chart->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"%s>", class, x, y,
		anchors[anchor]);
	escape_xml(chart->out, text);
	fputs("</text>\n", chart->out);
}

void chart_textf(struct chart *chart, const char *class, enum chart_anchor anchor, double x,
		 double y, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0) {
		chart_text(chart, class, anchor, x, y, text);
		free(text);
	}
	va_end(args);
}

/* Bytes of as many words as have room, of one at least. */
static size_t fitting(const char *text, double room)
{
	size_t fits = strcspn(text, " ");

	for (size_t end = fits; text[end];) {
		end += 1 + strcspn(text + end + 1, " ");
		if (width_of(text, end, NOTE_SIZE) * NOTE_NARROW > room)
			break;
		fits = end;
	}
	return fits;
}

void chart_note(struct chart *chart, const char *text)
{
	while (*text) {
		size_t length = fitting(text, CHART_WIDTH - 2.0 * CHART_EDGE);
		char *line = strndup(text, length);

		chart_text(chart, "note", CHART_START, CHART_EDGE, chart->y + NOTE_SIZE, line);
		free(line);
		chart->y += NOTE_LINE;
		text += length + (text[length] == ' ');
	}
}

void chart_rule(struct chart *chart, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(chart->out,
		"<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1,
		y1, x2, y2);
}

void chart_rect(struct chart *chart, const char *class, double x, double y, double width,
		double height)
{
	fprintf(chart->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
		class, x, y, fmax(width, 0), fmax(height, 0));
}

const char *chart_side_class(enum side side)
{
	return side == SIDE_A ? "a" : "b";
}

void chart_mark(struct chart *chart, enum side side, const char *class, double x, double y,
		double r)
{
	if (isnan(x) || isnan(y))
		return;
	if (side == SIDE_A)
		fprintf(chart->out,
			"<circle class=\"mark %s a\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", class,
			x, y, r);
	else
		fprintf(chart->out,
			"<rect class=\"mark %s b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			"height=\"%.1f\"/>\n",
			class, x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
}

void chart_plot_place(struct chart_plot *plot)
{
	plot->x.from = plot->left;
	plot->x.to = plot->left + plot->width;
	plot->y.from = plot->top + plot->height;
	plot->y.to = plot->top;
}

/* Is there room for label @i beside the last one that was written, which ended at @end? */
static bool has_room(const struct chart_axis *axis, size_t i, double *end)
{
	double half = chart_text_width(axis->labels[i], NOTE_SIZE) / 2;
	double at = chart_axis_place(axis, axis->ticks[i]);

	if (at - half < *end + 6)
		return false;
	*end = at + half;
	return true;
}

void chart_grid_x(struct chart *chart, const struct chart_plot *plot)
{
	double bottom = plot->top + plot->height, end = -CHART_WIDTH;

	for (size_t i = 0; i < plot->x.n; i++) {
		double x = chart_axis_place(&plot->x, plot->x.ticks[i]);

		chart_rule(chart, "grid", x, plot->top, x, bottom);
		if (has_room(&plot->x, i, &end))
			chart_text(chart, "tick number", CHART_MIDDLE, x, bottom + 15,
				   plot->x.labels[i]);
	}
	chart_rule(chart, "base", plot->left, bottom, plot->left + plot->width, bottom);
}

void chart_grid_y(struct chart *chart, const struct chart_plot *plot)
{
	for (size_t i = 0; i < plot->y.n; i++) {
		double y = chart_axis_place(&plot->y, plot->y.ticks[i]);

		chart_rule(chart, "grid", plot->left, y, plot->left + plot->width, y);
		chart_text(chart, "tick number", CHART_END, plot->left - 6, y + 4,
			   plot->y.labels[i]);
	}
}

void chart_plot_title(struct chart *chart, const struct chart_plot *plot, double above,
		      const char *text)
{
	chart_text(chart, "head", CHART_START, plot->left - 40, plot->top - 12 - above, text);
}

void chart_line(struct chart *chart, const struct chart_plot *plot, enum side side, const double *x,
		const double *y, size_t n)
{
	double last_x = NAN, last_y = NAN;

	fprintf(chart->out, "<path class=\"line %s\" d=\"", chart_side_class(side));
	for (size_t i = 0; i < n; i++) {
		double to_x = chart_axis_place(&plot->x, x[i]);
		double to_y = chart_axis_place(&plot->y, y[i]);
		bool begins = isnan(last_x);
		bool ends = i + 1 == n || isnan(x[i + 1]) || isnan(y[i + 1]);

		if (isnan(to_x) || isnan(to_y)) {
			last_x = NAN;
			continue;
		}
		if (!begins && !ends && fabs(to_x - last_x) < LEAST && fabs(to_y - last_y) < LEAST)
			continue;
		/* One value alone between two gaps is a dot: a line of no length with round ends.
		 */
		fprintf(chart->out, "%c%.1f %.1f%s", begins ? 'M' : 'L', to_x, to_y,
			begins && ends ? "h0" : "");
		last_x = to_x;
		last_y = to_y;
	}
	fputs("\"/>\n", chart->out);
}

void chart_band(struct chart *chart, const struct chart_plot *plot, enum side side, const double *x,
		const double *low, const double *high, size_t n)
{
	fprintf(chart->out, "<path class=\"band %s\" d=\"", chart_side_class(side));
	for (size_t i = 0, end; i < n; i = end) {
		end = i + 1;
		if (isnan(low[i]) || isnan(high[i]))
			continue;
		while (end < n && !isnan(low[end]) && !isnan(high[end]))
			end++;
		for (size_t j = i; j < end; j++)
			fprintf(chart->out, "%c%.1f %.1f", j == i ? 'M' : 'L',
				chart_axis_place(&plot->x, x[j]),
				chart_axis_place(&plot->y, high[j]));
		for (size_t j = end; j-- > i;)
			fprintf(chart->out, "L%.1f %.1f", chart_axis_place(&plot->x, x[j]),
				chart_axis_place(&plot->y, low[j]));
		putc('Z', chart->out);
	}
	fputs("\"/>\n", chart->out);
}
