/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.html of a perfbpf that was built without the charts' library: the charts as pictures. */
#include <stdlib.h>
#include <string.h>

#include "report/charts.h"
#include "report/html.h"
#include "report/report.h"

static int put_picture(const struct html *html, const struct chart_kind *kind,
		       const struct report_options *options, struct error *err)
{
	char *text = NULL, *figures = chart_figures(kind, html->rec);
	size_t size = 0;
	FILE *svg = figures ? open_memstream(&text, &size) : NULL;
	int rc = svg ? report_charts.write(html->rec, options, svg, err) : -1;

	if (!svg || (fclose(svg) && !rc))
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory for a chart");
	if (!rc) {
		fputs("<figure class=\"chart still\"><img alt=\"", html->out);
		html_text(html->out, kind->title);
		fputs(": ", html->out);
		html_text(html->out, figures);
		fputs("\" src=\"data:image/svg+xml;base64,\n", html->out);
		html_base64(html->out, (const unsigned char *)text, size);
		fputs("\"></figure>\n", html->out);
	}
	free(text);
	free(figures);
	return rc;
}

int html_put_static(const struct html *html, struct error *err)
{
	size_t n;
	const struct chart_kind *const *kinds = chart_kinds(&n);
	int rc = 0;

	fputs("<p class=\"without\">Interactive charts were left out when this perfbpf was built "
	      "(Debian's package libjs-dygraphs was not there): these are pictures, and all "
	      "figures "
	      "are in the tables.</p>\n<div class=\"charts\">\n",
	      html->out);
	for (size_t i = 0; !rc && i < n; i++)
		if (kinds[i]->has_data(html->rec))
			rc = put_picture(html, kinds[i],
					 &(struct report_options){.part = kinds[i]->name}, err);
	fputs("</div>\n", html->out);
	return rc;
}
