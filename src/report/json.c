/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/report.h"

static int write_json(const struct record *rec, const struct report_options *options, FILE *out,
		      struct error *err)
{
	(void)options;
	(void)err;
	record_print_json(rec, out);
	return 0;
}

/* run writes run.json by record_write(), so this has no file of its own. */
const struct report_format report_json = {
	.name = "json",
	.description = "the whole record, as in run.json",
	.has_baseline = true,
	.write = write_json,
};
