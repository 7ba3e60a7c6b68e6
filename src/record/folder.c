/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "run.json"

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool holds_record(const char *dir, const char *name)
{
	char *path;
	bool there;

	if (asprintf(&path, "%s/%s%s" FILE_NAME, dir, name, *name ? "/" : "") < 0)
		return false;
	there = access(path, F_OK) == 0;
	free(path);
	return there;
}

static int add(struct record_folders *folders, const char *dir, const char *name, struct error *err)
{
	struct record_folder *list = reallocarray(folders->list, folders->n + 1, sizeof(*list));
	struct record_folder *folder;

	if (!list)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	folders->list = list;
	folder = &list[folders->n];
	if (asprintf(&folder->path, "%s%s%s", dir, name ? "/" : "", name ? name : "") < 0)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	folder->name = name ? folder->path + strlen(dir) + 1 : NULL;
	folders->n++;
	return 0;
}

static int scan(struct record_folders *folders, const char *dir, struct error *err)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), rc = 0;

	if (n < 0)
		return error_set(err, EXIT_CODE_USAGE, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (!rc && name[0] != '.' && holds_record(dir, name))
			rc = add(folders, dir, name, err);
		free(entries[i]);
	}
	free(entries);
	if (!rc && !folders->n)
		rc = error_set(err, EXIT_CODE_USAGE,
			       "%s: holds no run.json, and none of its sub-folders does: give the "
			       "results folder of a run",
			       dir);
	return rc;
}

int record_folders_find(struct record_folders *folders, const char *path, struct error *err)
{
	*folders = (struct record_folders){0};
	if (!is_dir(path) || holds_record(path, ""))
		return add(folders, path, NULL, err);
	return scan(folders, path, err);
}

void record_folders_clear(struct record_folders *folders)
{
	for (size_t i = 0; i < folders->n; i++)
		free(folders->list[i].path);
	free(folders->list);
	*folders = (struct record_folders){0};
}

const struct record_folder *record_folders_get(const struct record_folders *folders,
					       const char *name)
{
	for (size_t i = 0; i < folders->n; i++)
		if (folders->list[i].name && !strcmp(folders->list[i].name, name))
			return &folders->list[i];
	return folders->n == 1 ? &folders->list[0] : NULL;
}

char *record_folder_name(const char *scenario)
{
	char *name = strdup(scenario);

	for (char *c = name; c && *c; c++)
		if (*c == '/')
			*c = '-';
	return name;
}

char *record_folder_file(const struct record_folder *folder)
{
	char *path;

	if (asprintf(&path, "%s%s", folder->path, is_dir(folder->path) ? "/" FILE_NAME : "") < 0)
		return NULL;
	return path;
}
