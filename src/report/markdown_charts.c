/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/markdown_charts.h"

#include <stdlib.h>

#include "report/charts.h"
#include "report/escape.h"

static int put_chart(FILE *out, const struct chart_kind *kind, const struct record *rec)
{
	char *figures = chart_figures(kind, rec);

	if (!figures)
		return -1;
	fprintf(out, "![%s: ", kind->title);
	escape_markdown(out, figures);
	fprintf(out, "](%s.svg)\n\n", kind->name);
	free(figures);
	return 0;
}

int markdown_put_charts(FILE *out, const struct record *rec)
{
	size_t n, without = 0;
	const struct chart_kind *const *kinds = chart_kinds(&n);

	fputs("## Charts\n\n", out);
	for (size_t i = 0; i < n; i++) {
		if (!kinds[i]->has_data(rec))
			without++;
		else if (put_chart(out, kinds[i], rec))
			return -1;
	}
	if (!without)
		return 0;
	fputs("Not drawn, since nothing of it was measured:", out);
	for (size_t i = 0; i < n; i++)
		if (!kinds[i]->has_data(rec))
			fprintf(out, " %s%s", kinds[i]->name, --without ? "," : ".\n\n");
	return 0;
}
