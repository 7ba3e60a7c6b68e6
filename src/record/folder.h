/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where records lie: a results folder has one, or one in a sub-folder for each scenario. */
#ifndef PERFBPF_RECORD_FOLDER_H
#define PERFBPF_RECORD_FOLDER_H

#include <stddef.h>

#include "util/error.h"

struct record_folder {
	char *path;       /* for record_read() */
	const char *name; /* of the sub-folder, in @path; NULL: what was given itself */
};

struct record_folders {
	size_t n;
	struct record_folder *list; /* sub-folders in the order of their names */
};

/* @path may be a run.json too. -1 with @err, also where there is no record; clear it in any case.
 */
int record_folders_find(struct record_folders *folders, const char *path, struct error *err);
void record_folders_clear(struct record_folders *folders);
/*
 * The one of the sub-folder @name, or the only one that there is, borrowed; NULL where there is
 * none.
 */
const struct record_folder *record_folders_get(const struct record_folders *folders,
					       const char *name);
/* What a results folder calls the sub-folder of @scenario, to be freed. NULL without memory. */
char *record_folder_name(const char *scenario);
/* The path to read the record by without its stacks, to be freed. NULL without memory. */
char *record_folder_file(const struct record_folder *folder);

#endif
