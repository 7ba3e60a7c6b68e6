/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/report.h"

#include <string.h>

static const struct report_format *const formats[] = {
	&report_text, &report_json, &report_csv, &report_markdown, &report_hdr, &report_openmetrics,
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
