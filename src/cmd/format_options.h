/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --format and -o, which `report`, `compare` and `history` have. */
#ifndef PERFBPF_CMD_FORMAT_OPTIONS_H
#define PERFBPF_CMD_FORMAT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "report/report.h"
#include "util/error.h"

/* All names in one line, each after a blank; @only_baseline: of those that show a comparison. */
void format_list(char *buf, size_t size, bool only_baseline);
/* NULL with @err, which names the nearest and all there are. */
const struct report_format *format_find(const char *name, struct error *err);

/* Stores what -o says, @what it needs ("a file"). -1 with @err where it is empty. */
int output_set(const char **output, const char *value, const char *what, struct error *err);
bool output_is_dir(const char *path);
/* Is it a folder, or does it end like one? */
bool output_is_folder(const char *output);
/*
 * Has @put write to the file @path, to standard output where that is NULL. What was written of a
 * file is taken away where @put fails: half a report is none. -1 with @err.
 */
int output_write(const char *path,
		 int (*put)(const void *state, FILE *out, const char *name, struct error *err),
		 const void *state, struct error *err);

#endif
