/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * report.html: flame graphs. Each is the SVG of report/svg.c, packed (gzip, base64); the script
 * unpacks it into a frame of its own when it is opened, so that the page opens fast, and nothing
 * of one graph meets another.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "report/flame.h"
#include "report/html.h"
#include "report/report.h"

/* zlib: 15 bits of window, and 16 for gzip's header, which holds no time then. */
#define GZIP_WBITS    (15 + 16)
#define MAX_MEM_LEVEL 9

static int put_packed(FILE *out, const char *text, size_t size)
{
	z_stream stream = {.next_in = (unsigned char *)text, .avail_in = (unsigned int)size};
	unsigned char *packed;
	size_t bound;
	int rc;

	/* svg.c bounds its files to a few MB. */
	if (size > UINT32_MAX ||
	    deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WBITS, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	bound = deflateBound(&stream, size);
	packed = malloc(bound);
	stream.next_out = packed;
	stream.avail_out = (unsigned int)bound;
	rc = packed && deflate(&stream, Z_FINISH) == Z_STREAM_END ? 0 : -1;
	if (!rc)
		html_base64(out, packed, bound - stream.avail_out);
	deflateEnd(&stream);
	free(packed);
	return rc;
}

static void put_summary(const struct html *html, const struct report_options *options)
{
	FILE *out = html->out;

	if (options->side == REPORT_SIDE_DIFF) {
		fputs("<b class=\"tag d\">B\xe2\x88\x92"
		      "A</b> the difference",
		      out);
	} else {
		html_tag(out, options->side == REPORT_SIDE_A ? SIDE_A : SIDE_B);
		putc(' ', out);
		html_text(out,
			  html->summary->sides[options->side == REPORT_SIDE_A ? SIDE_A : SIDE_B]
				  .name);
	}
	fprintf(out, ", %s", flame_kind_title(options->kind));
}

static int put_flame(const struct html *html, const struct report_options *options,
		     struct error *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *svg = open_memstream(&text, &size);
	int rc;

	if (!svg)
		return error_set(err, EXIT_CODE_FAILED, "out of memory for a flame graph");
	rc = report_svg.write(html->rec, options, svg, err);
	if (fclose(svg) && !rc)
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory for a flame graph");
	if (!rc) {
		fputs("<details class=\"flame\"><summary>", html->out);
		put_summary(html, options);
		fputs("</summary><script type=\"text/plain\" class=\"packed\">\n", html->out);
		if (put_packed(html->out, text, size))
			rc = error_set(err, EXIT_CODE_FAILED, "out of memory for a flame graph");
		fputs("</script></details>\n", html->out);
	}
	free(text);
	return rc;
}

int html_put_flames(const struct html *html, struct error *err)
{
	const struct report_options all = {.side = REPORT_SIDE_ANY};
	struct report_file file;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; !rc && report_file(&report_svg, html->rec, &all, i, &file); i++) {
		if (!any)
			fputs("<section id=\"flames\"><h2>Flame graphs</h2>"
			      "<p class=\"remark\">Open one to zoom (click, Enter), move (arrow "
			      "keys) and search (/).</p>\n",
			      html->out);
		any = true;
		rc = put_flame(html, &file.options, err);
	}
	if (any)
		fputs("</section>\n", html->out);
	return rc;
}
