/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "record/baseline.h"
#include "report/report.h"

char *report_headline(const struct record *rec, const struct report_options *options)
{
	char *text;

	if (!options->only_baseline)
		return strdup(rec->verdict.text ? rec->verdict.text : "no verdict was made");
	if (!options->not_compared)
		return baseline_headline(rec);
	return asprintf(&text, "nothing was compared: %s", options->not_compared) < 0 ? NULL : text;
}
