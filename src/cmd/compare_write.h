/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The reports of `compare`. */
#ifndef PERFBPF_CMD_COMPARE_WRITE_H
#define PERFBPF_CMD_COMPARE_WRITE_H

#include "record/record.h"
#include "report/report.h"
#include "util/error.h"

/* A record of NEW, for the reports. */
struct compared_record {
	struct record *rec;
	const char *name;   /* of its sub-folder; NULL: NEW itself */
	char *not_compared; /* why; NULL: it was */
	int code;
};

struct compare_output {
	const struct report_format *format;
	const char *path; /* of a file, or of a folder; NULL: standard output */
	bool all, is_strict;
};

/*
 * Writes the @n records of @list one after another, or each into its file where the path is a
 * folder. @missing: what of BASE is not in NEW, borrowed; NULL: nothing. -1 with @err.
 */
int compare_write(const struct compare_output *output, const struct compared_record *list, size_t n,
		  const char *missing, struct error *err);

#endif
