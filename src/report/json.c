/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "report/report.h"

static int write_json(const struct record *rec, const struct report_options *options, FILE *out,
		      struct error *err)
{
	char *text = record_to_json(rec);

	(void)options;
	if (!text)
		return error_set(err, EXIT_CODE_FAILED, "out of memory for the report");
	fputs(text, out);
	free(text);
	return 0;
}

/* run writes run.json by record_write(), so this has no file of its own. */
const struct report_format report_json = {
	.name = "json",
	.description = "the whole record, as in run.json",
	.write = write_json,
};
