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
	WORDS("command", command, .help = "the program and its arguments"),
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
	TEXT("user", user, .help = "that it runs as, where perfbpf runs as root"),
	TEXT("directory", directory, .help = "its working folder; without it, perfbpf's"),
	{
		.key = "setup",
		.type = YAML_STRING_LISTS,
		.offset = offsetof(struct target, setup),
		.count_offset = offsetof(struct target, n_setup),
		.help = "commands to be run before its start: [[initdb, -D, data]]",
	},
	{
		.key = "ready",
		.type = YAML_MAP,
		.offset = offsetof(struct target, ready),
		.nested = &readiness_schema,
		.help = "when a server works: {tcp, http, line or command, timeout}",
	},
	{
		.key = "components",
		.type = YAML_MAPS,
		.offset = offsetof(struct target, components),
		.count_offset = offsetof(struct target, n_components),
		.nested = &component_schema,
		.help = "other programs of the target, started before it and measured with it",
	},
	WORDS("version", version, .help = "the command that prints the version"),
	TEXT("install", install, .help = "how to get the tool, in one line"),
};

static void target_defaults(void *object)
{
	readiness_schema.defaults(&((struct target *)object)->ready);
}

const struct yaml_schema target_keys = {
	.name = "a target",
	.size = sizeof(struct target),
	.fields = target_fields,
	.n_fields = ARRAY_SIZE(target_fields),
	.defaults = target_defaults,
};

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
	if (!target->n_command && !target->n_components)
		return yaml_file_error(file, "command", err,
				       "is missing, and so are components; write the program and "
				       "its arguments");
	if (check_argv(file, "command", target->command, target->command, target->n_command, err) ||
	    check_argv(file, "filter_stage", target->filter_stage, target->filter_stage,
		       target->n_filter_stage, err) ||
	    check_argv(file, "version", target->version, target->version, target->n_version, err))
		return -1;
	if (environment_check((const struct yaml_pair *)target->environment, target->n_environment,
			      "environment", file, err) ||
	    files_check(target->files, target->n_files, "files", file, err) ||
	    commands_check(target->setup, target->n_setup, "setup", file, err) ||
	    readiness_check(&target->ready, "ready", file, err))
		return -1;
	if (components_check(target->components, target->n_components, "components", file, err))
		return -1;
	return target_texts_check(target, file, err);
}

/* Takes @file, @name and @path, of which any may be NULL. */
static struct target *load_named(struct yaml_file *file, char *name, char *path, struct error *err)
{
	struct target *target = file && name && path ? calloc(1, sizeof(*target)) : NULL;

	if (file && !target)
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (target &&
	    (yaml_file_map(file, &target_keys, target, err) || target_check(target, file, err))) {
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
	yaml_map_free(&target_keys, target);
	free(target);
}
