/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenario/internal.h"
#include "util/suggest.h"

#define SUFFIX      ".yaml"
#define TARGETS     "targets"
#define LEVELS_MAX  4
#define ENVIRONMENT "PERFBPF_SCENARIOS"

static const char *const kind_names[] = {
	[FIND_SCENARIO] = "scenario",
	[FIND_TARGET] = "target",
};

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), wanted = strlen(suffix);

	return length > wanted && !strcmp(text + length - wanted, suffix);
}

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool find_is_path(const char *name)
{
	return has_prefix(name, "./") || has_prefix(name, "../") || *name == '/' ||
	       has_suffix(name, SUFFIX);
}

static char *out_of_memory(struct error *err)
{
	error_set(err, EXIT_CODE_FAILED, "out of memory");
	return NULL;
}

/*
 * Beside the program: in its build tree, or where it was installed with another prefix
 * than it was built for. NULL: not there.
 */
static char *beside_program(void)
{
	static const char *const places[] = {"../scenarios", "../share/perfbpf/scenarios"};
	char program[PATH_MAX], *slash, *folder = NULL;
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n <= 0)
		return NULL;
	program[n] = '\0';
	slash = strrchr(program, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (asprintf(&folder, "%s/%s", program, places[i]) < 0)
			return NULL;
		if (is_folder(folder))
			return folder;
		free(folder);
	}
	return NULL;
}

/* A copy without slashes at its end: paths below are cut at its length. */
static char *copy_folder(const char *folder)
{
	size_t n = strlen(folder);

	while (n > 1 && folder[n - 1] == '/')
		n--;
	return strndup(folder, n);
}

/* The folder of all scenarios; to be freed. */
static char *find_root(struct error *err)
{
	static const char installed[] = PERFBPF_DATADIR "/scenarios";
	const char *set = getenv(ENVIRONMENT);
	char *root;

	if (set && *set) {
		if (is_folder(set))
			return copy_folder(set);
		error_set(err, EXIT_CODE_USAGE,
			  "%s is '%s', which is no folder; correct or unset it", ENVIRONMENT, set);
		return NULL;
	}
	root = beside_program();
	if (root)
		return root;
	if (is_folder(installed))
		return copy_folder(installed);
	error_set(err, EXIT_CODE_USAGE,
		  "there is no folder of scenarios beside the program or in %s; set %s to one",
		  installed, ENVIRONMENT);
	return NULL;
}

char *scripts_folder(void)
{
	struct error ignored;
	char *root = find_root(&ignored), *folder = NULL, *real = NULL;

	if (root && asprintf(&folder, "%s/scripts", root) >= 0)
		real = realpath(folder, NULL);
	free(folder);
	free(root);
	return real;
}

/* The folder below which the files of @kind are; to be freed. */
static char *find_folder(enum find_kind kind, struct error *err)
{
	char *root = find_root(err), *folder = NULL;

	if (!root || kind == FIND_SCENARIO)
		return root;
	if (asprintf(&folder, "%s/" TARGETS, root) < 0)
		folder = out_of_memory(err);
	free(root);
	return folder;
}

struct name_list {
	char **names;
	size_t n;
};

static int add_name(struct name_list *list, const char *path)
{
	char **larger = realloc(list->names, (list->n + 1) * sizeof(*larger));

	if (!larger)
		return -1;
	list->names = larger;
	larger[list->n] = strndup(path, strlen(path) - strlen(SUFFIX));
	return larger[list->n++] ? 0 : -1;
}

static int collect(FTS *fts, enum find_kind kind, size_t root_length, struct name_list *list)
{
	FTSENT *entry;

	while ((entry = fts_read(fts)) != NULL) {
		bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';

		if (entry->fts_info == FTS_D) {
			bool targets = kind == FIND_SCENARIO && entry->fts_level == 1 &&
				       !strcmp(entry->fts_name, TARGETS);

			if (hidden || targets || entry->fts_level >= LEVELS_MAX)
				fts_set(fts, entry, FTS_SKIP);
			continue;
		}
		if (entry->fts_info != FTS_F || hidden || !has_suffix(entry->fts_name, SUFFIX))
			continue;
		if (add_name(list, entry->fts_path + root_length + 1))
			return -1;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A folder that is not there has no files. */
static int list_folder(char *folder, enum find_kind kind, struct name_list *list, struct error *err)
{
	char *paths[] = {folder, NULL};
	FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	int result;

	if (!fts)
		return error_set(err, EXIT_CODE_FAILED, "cannot read the folder '%s': %s", folder,
				 strerror(errno));
	result = collect(fts, kind, strlen(folder), list);
	fts_close(fts);
	if (result)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (list->n)
		qsort(list->names, list->n, sizeof(*list->names), compare_names);
	return 0;
}

int find_names(enum find_kind kind, char ***names, size_t *n, struct error *err)
{
	struct name_list list = {0};
	char *folder = find_folder(kind, err);
	int result = -1;

	*names = NULL;
	*n = 0;
	if (!folder)
		return -1;
	result = list_folder(folder, kind, &list, err);
	free(folder);
	if (result) {
		names_free(list.names, list.n);
		return -1;
	}
	*names = list.names;
	*n = list.n;
	return 0;
}

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* The one of @names that is @name, or the only one whose last part it is; @other: a second such. */
static const char *pick(char *const *names, size_t n, const char *name, const char **other)
{
	const char *found = NULL;

	*other = NULL;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return names[i];
	for (size_t i = 0; i < n; i++) {
		if (strcmp(last_part(names[i]), name) != 0)
			continue;
		if (found)
			*other = names[i];
		else
			found = names[i];
	}
	return found;
}

/* The nearest by its whole name, or by its last part where @name has only one. */
static const char *nearest(char *const *names, size_t n, const char *name)
{
	const char **parts = calloc(n + 1, sizeof(*parts));
	const char *found = suggest_nearest(name, (const char *const *)names, n);

	if (!parts || found || strchr(name, '/'))
		goto out;
	for (size_t i = 0; i < n; i++)
		parts[i] = last_part(names[i]);
	found = suggest_nearest(name, parts, n);
	for (size_t i = 0; i < n && found; i++) {
		if (parts[i] == found) {
			found = names[i];
			break;
		}
	}
out:
	free(parts);
	return found;
}

static int fail_unknown(enum find_kind kind, const char *name, char *const *names, size_t n,
			struct error *err)
{
	const char *near = nearest(names, n, name);

	if (near)
		return error_set(err, EXIT_CODE_USAGE, "unknown %s '%s'; did you mean '%s'?",
				 kind_names[kind], name, near);
	return error_set(err, EXIT_CODE_USAGE,
			 "unknown %s '%s'; 'perfbpf list %ss' shows those there are, and a path to "
			 "a .yaml file is taken too",
			 kind_names[kind], name, kind_names[kind]);
}

static char *find_by_name(enum find_kind kind, const char *name, char **full_name,
			  struct error *err)
{
	char **names, *folder, *path = NULL;
	const char *found, *other;
	size_t n;

	if (find_names(kind, &names, &n, err))
		return NULL;
	folder = find_folder(kind, err);
	found = pick(names, n, name, &other);
	if (!found) {
		fail_unknown(kind, name, names, n, err);
	} else if (other) {
		error_set(err, EXIT_CODE_USAGE, "%s '%s' is both '%s' and '%s'; write one of these",
			  kind_names[kind], name, found, other);
	} else if (folder) {
		*full_name = strdup(found);
		if (!*full_name || asprintf(&path, "%s/%s" SUFFIX, folder, found) < 0) {
			free(*full_name);
			path = out_of_memory(err);
		}
	}
	free(folder);
	names_free(names, n);
	return path;
}

/* The name of a file by its path: below the folder of its kind, or else its own. */
static char *name_of_path(enum find_kind kind, const char *path)
{
	char *folder = find_folder(kind, NULL), *real = realpath(path, NULL);
	char *real_folder = folder ? realpath(folder, NULL) : NULL;
	const char *name = last_part(path);
	char *copy;

	if (real && real_folder) {
		size_t n = strlen(real_folder);

		if (!strncmp(real, real_folder, n) && real[n] == '/')
			name = real + n + 1;
	}
	copy = strdup(name);
	if (copy && has_suffix(copy, SUFFIX))
		copy[strlen(copy) - strlen(SUFFIX)] = '\0';
	free(folder);
	free(real_folder);
	free(real);
	return copy;
}

char *find_file(enum find_kind kind, const char *name, char **full_name, struct error *err)
{
	char *path;

	if (!find_is_path(name))
		return find_by_name(kind, name, full_name, err);
	path = strdup(name);
	*full_name = name_of_path(kind, name);
	if (path && *full_name)
		return path;
	free(path);
	free(*full_name);
	return out_of_memory(err);
}

int scenario_names(char ***names, size_t *n, struct error *err)
{
	return find_names(FIND_SCENARIO, names, n, err);
}

int target_names(char ***names, size_t *n, struct error *err)
{
	return find_names(FIND_TARGET, names, n, err);
}

void names_free(char **names, size_t n)
{
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}
