/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Charts for a paper or a page, one SVG file each. */
#include "report/charts.h"

#include <stdlib.h>
#include <string.h>

#include "report/chart_panel.h"
#include "report/report.h"

static const struct chart_kind *const kinds[] = {
	&chart_cpu, &chart_memory, &chart_summary, &chart_throughput, &chart_latency,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct chart_kind *const *chart_kinds(size_t *n)
{
	*n = KINDS;
	return kinds;
}

char *chart_figures(const struct chart_kind *kind, const struct record *rec)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		return NULL;
	rc = kind->describe(rec, out);
	if (fclose(out) || rc) {
		free(text);
		return NULL;
	}
	while (size && text[size - 1] == ' ')
		text[--size] = '\0';
	return text;
}

static const char *chart_part(const struct record *rec, size_t i)
{
	for (size_t j = 0; j < KINDS; j++)
		if (kinds[j]->has_data(rec) && i-- == 0)
			return kinds[j]->name;
	return NULL;
}

static const struct chart_kind *find(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

/* Rounds that must not be compared are drawn like the others, and said to be there. */
static void put_invalid(struct chart *chart, const struct record *rec)
{
	size_t invalid = 0;
	char text[160];

	for (size_t i = 0; i < rec->n_rounds; i++)
		invalid += !rec->rounds[i].validity.valid;
	if (!invalid)
		return;
	snprintf(text, sizeof(text),
		 "%zu of %zu rounds %s not valid, and in this chart like the others.", invalid,
		 rec->n_rounds, invalid == 1 ? "is" : "are");
	chart_note(chart, text);
}

/* For those who do not see the legend. */
static char *description_of(const struct chart_kind *kind, const struct record *rec)
{
	char *figures = chart_figures(kind, rec), *text;
	bool both = chart_has_side(rec, SIDE_B);
	int n;

	if (!figures)
		return NULL;
	n = asprintf(&text, "A is %s%s%s. %s", chart_side_name(rec, SIDE_A), both ? ", B is " : "",
		     both ? chart_side_name(rec, SIDE_B) : "", figures);
	free(figures);
	return n < 0 ? NULL : text;
}

static int put_chart(const struct chart_kind *kind, const struct record *rec, FILE *out)
{
	char *description = description_of(kind, rec);
	struct chart chart;
	int rc;

	if (!description || chart_open(&chart)) {
		free(description);
		return -1;
	}
	chart_head(&chart, rec, kind->title);
	rc = kind->draw(rec, &chart);
	put_invalid(&chart, rec);
	rc |= chart_close(&chart, out, kind->title, description);
	free(description);
	return rc;
}

static int write_charts(const struct record *rec, const struct report_options *options, FILE *out,
			struct error *err)
{
	const struct chart_kind *kind = options->part ? find(options->part) : NULL;

	if (!chart_part(rec, 0))
		return error_set(err, EXIT_CODE_FAILED,
				 "there is nothing to draw a chart of: the run has no round");
	if (!kind)
		return error_set(err, EXIT_CODE_USAGE,
				 "charts are several files: write them into a folder (-o DIR/)");
	if (put_chart(kind, rec, out))
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the charts");
	return 0;
}

const struct report_format report_charts = {
	.name = "charts",
	.file_name = "*.svg",
	.description = "CPU, memory, throughput, latency and a summary as SVG, a file each",
	.alone = true,
	.part = chart_part,
	.write = write_charts,
};
