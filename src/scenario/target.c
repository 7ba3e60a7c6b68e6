/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario/internal.h"
#include "util/file.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(sizeof(struct target_variable) == sizeof(struct yaml_pair) &&
		       offsetof(struct target_variable, value) == offsetof(struct yaml_pair, value),
	       "a target's variable is an item of YAML_PAIRS");

static const struct yaml_field file_fields[] = {
	{
		.key = "path",
		.type = YAML_STRING,
		.offset = offsetof(struct target_file, path),
		.required = true,
		.help = "relative to ${home}",
	},
	{
		.key = "text",
		.type = YAML_STRING,
		.offset = offsetof(struct target_file, text),
		.required = true,
		.help = "what the file holds",
	},
};

static const struct yaml_schema file_schema = {
	.name = "a file",
	.size = sizeof(struct target_file),
	.fields = file_fields,
	.n_fields = ARRAY_SIZE(file_fields),
};

#define WORDS(name, member, ...)                                                                   \
	{                                                                                          \
		.key = (name), .type = YAML_STRINGS, .offset = offsetof(struct target, member),    \
		.count_offset = offsetof(struct target, n_##member), __VA_ARGS__                   \
	}
#define TEXT(name, member, ...)                                                                    \
	{                                                                                          \
		.key = (name), .type = YAML_STRING, .offset = offsetof(struct target, member),     \
		__VA_ARGS__                                                                        \
	}

static const struct yaml_field target_fields[] = {
	TEXT("description", description, .help = "one line for 'perfbpf list targets'"),
	TEXT("driver", driver, .help = "the driver it works with"),
	TEXT("scenario", scenario, .help = "the scenario where --scenario is not given"),
	WORDS("command", command, .required = true, .help = "the program and its arguments"),
	WORDS("filter_stage", filter_stage,
	      .help = "a program behind a pipe for each clause of the filter: ${pattern}"),
	WORDS("filter_arguments", filter_arguments,
	      .help = "appended where the scenario filters: ${filter_regex}, ${filter_words}"),
	WORDS("unfiltered_arguments", unfiltered_arguments, .help = "appended where it does not"),
	{
		.key = "environment",
		.type = YAML_PAIRS,
		.offset = offsetof(struct target, environment),
		.count_offset = offsetof(struct target, n_environment),
		.help = "NAME: value",
	},
	{
		.key = "files",
		.type = YAML_MAPS,
		.offset = offsetof(struct target, files),
		.count_offset = offsetof(struct target, n_files),
		.nested = &file_schema,
		.help = "a list of {path, text}, written into ${home} before each start",
	},
	WORDS("version", version, .help = "the command that prints the version"),
	TEXT("install", install, .help = "how to get the tool, in one line"),
};

static const struct yaml_schema target_schema = {
	.name = "a target",
	.size = sizeof(struct target),
	.fields = target_fields,
	.n_fields = ARRAY_SIZE(target_fields),
};

static bool is_variable_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				      "0123456789";

	return *name && !strchr("0123456789", *name) && !name[strspn(name, letters)];
}

/* Does @path stay below the folder that it is relative to? */
static bool is_inside(const char *path)
{
	if (*path == '/' || !*path || path[strlen(path) - 1] == '/')
		return false;
	for (const char *part = path; part; part = strchr(part, '/')) {
		size_t n;

		part += *part == '/';
		n = strcspn(part, "/");
		if ((n == 2 && !strncmp(part, "..", 2)) || (n == 1 && *part == '.') || !n)
			return false;
	}
	return true;
}

static int check_argv(const struct yaml_file *file, const char *key, bool given, char **argv,
		      size_t n, struct error *err)
{
	if (given && (!n || !*argv[0]))
		return yaml_file_error(file, key, err,
				       "is empty; write the program and its arguments");
	return 0;
}

static int target_check(const struct target *target, const struct yaml_file *file,
			struct error *err)
{
	char where[320];

	if (check_argv(file, "command", true, target->command, target->n_command, err) ||
	    check_argv(file, "filter_stage", target->filter_stage, target->filter_stage,
		       target->n_filter_stage, err) ||
	    check_argv(file, "version", target->version, target->version, target->n_version, err))
		return -1;
	for (size_t i = 0; i < target->n_environment; i++) {
		const char *name = target->environment[i].name;

		if (is_variable_name(name))
			continue;
		snprintf(where, sizeof(where), "environment.%.256s", name);
		return yaml_file_error(file, where, err,
				       "is no name of a variable; write letters, digits and '_'");
	}
	for (size_t i = 0; i < target->n_files; i++) {
		if (is_inside(target->files[i].path))
			continue;
		snprintf(where, sizeof(where), "files[%zu].path", i);
		return yaml_file_error(file, where, err,
				       "'%.80s' leads out of the private HOME; write a path "
				       "relative to it, without '..'",
				       target->files[i].path);
	}
	return 0;
}

/* Takes @file, @name and @path, of which any may be NULL. */
static struct target *load_named(struct yaml_file *file, char *name, char *path, struct error *err)
{
	struct target *target = file && name && path ? calloc(1, sizeof(*target)) : NULL;

	if (file && !target)
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (target &&
	    (yaml_file_map(file, &target_schema, target, err) || target_check(target, file, err))) {
		target_free(target);
		target = NULL;
	}
	yaml_file_close(file);
	if (!target) {
		free(name);
		free(path);
		return NULL;
	}
	target->name = name;
	target->path = path;
	return target;
}

struct target *target_load(const char *name, struct error *err)
{
	char *full_name, *path = find_file(FIND_TARGET, name, &full_name, err);

	if (!path)
		return NULL;
	return load_named(yaml_file_open(path, err), full_name, path, err);
}

struct target *target_load_memory(const char *name, const char *text, size_t size,
				  struct error *err)
{
	return load_named(yaml_file_open_memory(name, text, size, err), strdup(name), strdup(name),
			  err);
}

static bool is_known(const char *text)
{
	bool known = false;
	char **names;
	size_t n;

	if (target_names(&names, &n, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		known |= !strcmp(names[i], text);
	names_free(names, n);
	return known;
}

/* One word that could be a target's name, and is no program either. */
static bool is_mistyped(const char *text)
{
	char *program;

	if (!*text || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
		return false;
	program = path_find(text);
	free(program);
	return !program;
}

bool target_is_name(const char *text)
{
	size_t n = strlen(text);

	/* "cat notes.yaml" is a command line, unless somebody has a file of that name. */
	if (n > 5 && !strcmp(text + n - 5, ".yaml"))
		return !strpbrk(text, " \t\n") || !access(text, F_OK);
	return is_known(text) || is_mistyped(text);
}

struct target *target_from_command(const char *text, struct error *err)
{
	struct target *target = calloc(1, sizeof(*target));

	if (!target) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	if (words_split(text, &target->command, &target->n_command, err)) {
		free(target);
		return NULL;
	}
	target->name = strdup(text);
	if (!target->name) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		target_free(target);
		return NULL;
	}
	return target;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	free(target->name);
	free(target->path);
	yaml_map_free(&target_schema, target);
	free(target);
}
