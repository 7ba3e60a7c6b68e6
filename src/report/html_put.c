/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The small parts of report.html: text, tables, JSON. */
#include <math.h>
#include <inttypes.h>
#include <string.h>

#include "report/escape.h"
#include "report/html.h"
#include "util/utf8.h"

#define LINE_BYTES 57 /* 76 letters of base64 */

void html_text(FILE *out, const char *text)
{
	escape_xml(out, text);
}

void html_value(FILE *out, enum metric_kind kind, double value)
{
	char text[32];

	html_text(out, summary_value(text, sizeof(text), kind, value));
}

void html_tag(FILE *out, size_t side)
{
	fprintf(out, "<b class=\"tag %c\">%c</b>", side == SIDE_A ? 'a' : 'b', html_letter(side));
}

void html_table_begin(FILE *out, const char *caption)
{
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", out);
	html_text(out, caption);
	fputs("\"><table>\n<thead><tr>", out);
}

void html_head_cell(FILE *out, const char *text, bool right)
{
	fprintf(out, "<th scope=\"col\"%s>", right ? " class=\"n\"" : "");
	html_text(out, text);
	fputs("</th>", out);
}

void html_side_head(const struct html *html)
{
	for (size_t side = 0; side < html_sides(html); side++) {
		fputs("<th scope=\"col\" class=\"n\">", html->out);
		html_tag(html->out, side);
		putc(' ', html->out);
		html_text(html->out, html->summary->sides[side].name);
		fputs("</th>", html->out);
	}
}

void html_table_body(FILE *out)
{
	fputs("</tr></thead>\n<tbody>\n", out);
}

void html_table_end(FILE *out)
{
	fputs("</tbody></table></div>\n", out);
}

void html_row(FILE *out, const char *text)
{
	fputs("<tr><th scope=\"row\">", out);
	html_text(out, text);
	fputs("</th>", out);
}

void html_cell(FILE *out, const char *text, bool right)
{
	fputs(right ? "<td class=\"n\">" : "<td>", out);
	html_text(out, text);
	fputs("</td>", out);
}

void html_cell_value(FILE *out, enum metric_kind kind, double value)
{
	char text[32];

	html_cell(out, summary_value(text, sizeof(text), kind, value), true);
}

void html_cell_integer(FILE *out, int64_t value)
{
	char text[32];

	html_cell(out, summary_integer(text, sizeof(text), value), true);
}

void html_figures_begin(FILE *out, const char *caption)
{
	fputs("<details class=\"figures\"><summary>Figures</summary>\n", out);
	html_table_begin(out, caption);
}

void html_figures_end(FILE *out)
{
	html_table_end(out);
	fputs("</details>\n", out);
}

static void put_json_code(FILE *out, uint32_t code, const char *s, size_t length)
{
	if (code == '"' || code == '\\')
		fprintf(out, "\\%c", (int)code);
	else if (code == '<' || code == '>' || code == '&')
		fprintf(out, "\\u%04" PRIx32, code);
	else
		fwrite(s, 1, length, out);
}

void html_json_string(FILE *out, const char *text)
{
	uint32_t code;
	size_t length;

	putc('"', out);
	for (const char *s = text; s && *s; s += length) {
		length = utf8_decode(s, &code);
		/* Line and paragraph separators too, which end a line of a script. */
		if (!length || utf8_is_control(code) || code == 0x2028 || code == 0x2029)
			fputs(UTF8_REPLACEMENT, out);
		else
			put_json_code(out, code, s, length);
		length = length ? length : 1;
	}
	putc('"', out);
}

void html_json_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.5g", value);
	else
		fputs("null", out);
}

void html_json_numbers(FILE *out, const double *values, size_t n)
{
	putc('[', out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			putc(',', out);
		html_json_number(out, values[i]);
	}
	putc(']', out);
}

void html_base64(FILE *out, const unsigned char *bytes, size_t n)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned int word = (unsigned int)bytes[i] << 16;

		word |= i + 1 < n ? (unsigned int)bytes[i + 1] << 8 : 0;
		word |= i + 2 < n ? bytes[i + 2] : 0;
		putc(letters[word >> 18], out);
		putc(letters[word >> 12 & 63], out);
		putc(i + 1 < n ? letters[word >> 6 & 63] : '=', out);
		putc(i + 2 < n ? letters[word & 63] : '=', out);
		if ((i + 3) % LINE_BYTES == 0)
			putc('\n', out);
	}
}
