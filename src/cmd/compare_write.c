/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/compare_write.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/format_options.h"
#include "util/file.h"

/* What goes into one file: records one after another. */
struct page {
	const struct compare_output *output;
	const struct compared_record *list;
	size_t n;
	const char *missing; /* said of the first */
};

/* What there is no comparison of is told by who reads what was judged, and by people. */
static bool is_shown(const struct compare_output *output, const struct compared_record *record)
{
	return !record->not_compared || record->rec->has_baseline ||
	       (output->format != &report_json && output->format != &report_html);
}

static int write_page(const void *what, FILE *out, const char *name, struct error *err)
{
	const struct page *page = what;
	const struct compare_output *output = page->output;
	struct report_options options = {
		.colour = stream_has_colour(out),
		.width = stream_width(out),
		.all_metrics = output->all,
		.only_baseline = true,
		.strict = output->is_strict,
		.missing = page->missing,
	};

	for (size_t i = 0; i < page->n; i++) {
		const struct compared_record *record = &page->list[i];

		if (!is_shown(output, record))
			continue;
		if (options.continued && output->format == &report_text)
			putc('\n', out);
		options.not_compared = record->not_compared;
		options.is_failure = record->code != EXIT_CODE_OK;
		if (output->format->write(record->rec, &options, out, err))
			return -1;
		options.continued = true;
		options.missing = NULL;
	}
	return stream_finish(out, name, err);
}

/* A record in its file below the folder of -o, in a folder of its own where there are several. */
static int write_one(const struct page *page, struct error *err)
{
	const struct report_options options = {.only_baseline = true};
	const char *root = page->output->path, *name = page->list->name;
	struct report_file file;
	char *dir = NULL, *path = NULL;
	int rc = 0;

	report_file(page->output->format, page->list->rec, &options, 0, &file);
	if (asprintf(&dir, "%s%s%s", root, name ? "/" : "", name ? name : "") < 0 ||
	    asprintf(&path, "%s/%s", dir, file.name) < 0)
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory");
	else if (dir_make(dir, 0755))
		rc = error_set(err, EXIT_CODE_FAILED, "cannot make the folder %s", dir);
	else
		rc = output_write(path, write_page, page, err);
	free(dir);
	free(path);
	return rc;
}

int compare_write(const struct compare_output *output, const struct compared_record *list, size_t n,
		  const char *missing, struct error *err)
{
	struct page page = {output, list, n, missing};

	if (!n)
		return 0;
	if (!output->path || !output_is_folder(output->path))
		return output_write(output->path, write_page, &page, err);
	page.n = 1;
	for (size_t i = 0; i < n; i++) {
		page.list = &list[i];
		page.missing = i ? NULL : missing;
		if (is_shown(output, page.list) && write_one(&page, err))
			return -1;
	}
	return 0;
}
