/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/report.h"

#include <string.h>

#include "report/flame.h"

static const struct report_format *const formats[] = {
	&report_text,
	&report_json,
	&report_csv,
	&report_csv_series,
	&report_csv_load,
	&report_markdown,
	&report_html,
	&report_charts,
	&report_hdr,
	&report_openmetrics,
	&report_folded,
	&report_svg,
	&report_pprof,
	&report_speedscope,
	&report_junit,
	&report_github_summary,
	&report_github_annotations,
	&report_benchfmt,
	&report_hyperfine,
	&report_bencher,
	&report_noise,
};

const struct report_format *const *report_formats(size_t *n)
{
	*n = sizeof(formats) / sizeof(formats[0]);
	return formats;
}

const struct report_format *report_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

/* Has the record what the file would show, and is it wanted? */
static bool is_wanted(const struct report_format *format, const struct record *rec,
		      const struct report_options *options, enum report_side side,
		      enum profile_kind kind)
{
	if ((options->side != REPORT_SIDE_ANY && options->side != side) ||
	    (options->has_kind && options->kind != kind) ||
	    (side == REPORT_SIDE_DIFF && !format->has_diff))
		return false;
	return flame_has(rec, (enum flame_side)(side - REPORT_SIDE_A), kind);
}

static bool stacks_file(const struct report_format *format, const struct record *rec,
			const struct report_options *options, size_t i, struct report_file *file)
{
	static const char *const sides[] = {
		[REPORT_SIDE_A] = "A", [REPORT_SIDE_B] = "B", [REPORT_SIDE_DIFF] = "diff"};
	const char *star = strchr(format->file_name, '*');

	for (int kind = 0; kind < PROFILE_KINDS; kind++)
		for (int side = REPORT_SIDE_A; side <= REPORT_SIDE_DIFF; side++) {
			if (!is_wanted(format, rec, options, (enum report_side)side,
				       (enum profile_kind)kind) ||
			    i-- > 0)
				continue;
			file->options.side = (enum report_side)side;
			file->options.has_kind = true;
			file->options.kind = (enum profile_kind)kind;
			snprintf(file->name, sizeof(file->name), "%.*s%s-%s%s",
				 (int)(star - format->file_name), format->file_name, sides[side],
				 profile_kind_name((enum profile_kind)kind), star + 1);
			return true;
		}
	return false;
}

static bool part_file(const struct report_format *format, const struct record *rec, size_t i,
		      struct report_file *file)
{
	const char *star = strchr(format->file_name, '*');

	file->options.part = format->part(rec, i);
	if (!file->options.part)
		return false;
	snprintf(file->name, sizeof(file->name), "%.*s%s%s", (int)(star - format->file_name),
		 format->file_name, file->options.part, star + 1);
	return true;
}

bool report_file(const struct report_format *format, const struct record *rec,
		 const struct report_options *options, size_t i, struct report_file *file)
{
	file->options = *options;
	if (format->is_of_stacks && !rec->profile)
		return false;
	if (format->part)
		return part_file(format, rec, i, file);
	if (format->file_name && strchr(format->file_name, '*'))
		return stacks_file(format, rec, options, i, file);
	if (format->file_name)
		snprintf(file->name, sizeof(file->name), "%s", format->file_name);
	else if (format->own_name)
		snprintf(file->name, sizeof(file->name), "%s", format->own_name);
	else
		snprintf(file->name, sizeof(file->name), "report.%s", format->name);
	return i == 0;
}
