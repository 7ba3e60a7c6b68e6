/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What scenarios and targets share: programs to run beside, when they are ready, what they may
 * take, the files that they find, and the commands around a round. */
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/clock.h"

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define COMPONENTS_MAX   32
#define CPUS_MAX         4096
#define CPU_NUMBER_MAX   4095
#define DEFAULT_READY_NS (30 * NSEC_PER_SEC)
#define DEFAULT_HOOK_NS  (5 * 60 * NSEC_PER_SEC)

static const struct yaml_field file_fields[] = {
	{
		.key = "path",
		.type = YAML_STRING,
		.offset = offsetof(struct target_file, path),
		.required = true,
		.help = "relative to ${home}; of a component, to ${dir.NAME}",
	},
	{
		.key = "text",
		.type = YAML_STRING,
		.offset = offsetof(struct target_file, text),
		.required = true,
		.help = "what the file holds",
	},
};

const struct yaml_schema file_schema = {
	.name = "a file",
	.size = sizeof(struct target_file),
	.fields = file_fields,
	.n_fields = ARRAY_SIZE(file_fields),
};

static const struct yaml_field readiness_fields[] = {
	{
		.key = "tcp",
		.type = YAML_STRING,
		.offset = offsetof(struct readiness, tcp),
		.help = "an address that takes connections: 127.0.0.1:${port}",
	},
	{
		.key = "http",
		.type = YAML_STRING,
		.offset = offsetof(struct readiness, http),
		.help = "a URL that answers with 2xx",
	},
	{
		.key = "line",
		.type = YAML_STRING,
		.offset = offsetof(struct readiness, line),
		.help = "an extended regular expression that a line of its output matches",
	},
	{
		.key = "command",
		.type = YAML_STRINGS,
		.offset = offsetof(struct readiness, command),
		.count_offset = offsetof(struct readiness, n_command),
		.help = "a command that ends with 0 once it is ready",
	},
	{
		.key = "timeout",
		.type = YAML_DURATION,
		.offset = offsetof(struct readiness, timeout_ns),
		.min = 0.001,
		.max = 3600,
		.help = "how long that may take",
	},
};

static void readiness_defaults(void *object)
{
	((struct readiness *)object)->timeout_ns = DEFAULT_READY_NS;
}

const struct yaml_schema readiness_schema = {
	.name = "ready",
	.size = sizeof(struct readiness),
	.fields = readiness_fields,
	.n_fields = ARRAY_SIZE(readiness_fields),
	.defaults = readiness_defaults,
};

static const struct yaml_field limits_fields[] = {
	{
		.key = "cpus",
		.type = YAML_DOUBLE,
		.offset = offsetof(struct limits, cpus),
		.min = 0.01,
		.max = CPUS_MAX,
		.help = "CPU time a second: 0.5 is half a core",
	},
	{
		.key = "memory",
		.type = YAML_SIZE,
		.offset = offsetof(struct limits, memory_bytes),
		.min = 1048576,
		.help = "512MiB",
	},
};

static void limits_defaults(void *object)
{
	((struct limits *)object)->cpus = NAN;
}

const struct yaml_schema limits_schema = {
	.name = "limits",
	.size = sizeof(struct limits),
	.fields = limits_fields,
	.n_fields = ARRAY_SIZE(limits_fields),
	.defaults = limits_defaults,
};

static const struct yaml_field component_fields[] = {
	{
		.key = "name",
		.type = YAML_STRING,
		.offset = offsetof(struct component, name),
		.required = true,
		.help = "what reports, ${port.NAME} and faults call it",
	},
	{
		.key = "command",
		.type = YAML_STRINGS,
		.offset = offsetof(struct component, command),
		.count_offset = offsetof(struct component, n_command),
		.required = true,
		.help = "the program and its arguments",
	},
	{
		.key = "environment",
		.type = YAML_PAIRS,
		.offset = offsetof(struct component, environment),
		.count_offset = offsetof(struct component, n_environment),
		.help = "NAME: value",
	},
	{
		.key = "user",
		.type = YAML_STRING,
		.offset = offsetof(struct component, user),
		.help = "that it runs as, where perfbpf runs as root",
	},
	{
		.key = "directory",
		.type = YAML_STRING,
		.offset = offsetof(struct component, directory),
		.help = "its working folder; without it ${dir.NAME}",
	},
	{
		.key = "measured",
		.type = YAML_BOOL,
		.offset = offsetof(struct component, measured),
		.help = "true: its cost is the side's; so it is of a target's own components",
	},
	{
		.key = "ready",
		.type = YAML_MAP,
		.offset = offsetof(struct component, ready),
		.nested = &readiness_schema,
		.help = "when it works: {tcp, http, line or command, timeout}",
	},
	{
		.key = "limits",
		.type = YAML_MAP,
		.offset = offsetof(struct component, limits),
		.nested = &limits_schema,
		.help = "what it may take: {cpus, memory}",
	},
	{
		.key = "cpus",
		.type = YAML_STRING,
		.offset = offsetof(struct component, cpus),
		.help = "CPUs that it is pinned to: 0-1,3",
	},
	{
		.key = "files",
		.type = YAML_MAPS,
		.offset = offsetof(struct component, files),
		.count_offset = offsetof(struct component, n_files),
		.nested = &file_schema,
		.help = "a list of {path, text}, written into ${dir.NAME}",
	},
	{
		.key = "setup",
		.type = YAML_STRING_LISTS,
		.offset = offsetof(struct component, setup),
		.count_offset = offsetof(struct component, n_setup),
		.help = "commands to be run before its start: [[initdb, -D, data]]",
	},
};

/* A nested mapping that is not there gets no defaults of its own. */
static void component_defaults(void *object)
{
	struct component *component = object;

	readiness_defaults(&component->ready);
	limits_defaults(&component->limits);
}

const struct yaml_schema component_schema = {
	.name = "a component",
	.size = sizeof(struct component),
	.fields = component_fields,
	.n_fields = ARRAY_SIZE(component_fields),
	.defaults = component_defaults,
};

#define HOOK(name, text)                                                                           \
	{                                                                                          \
		.key = #name, .type = YAML_STRING_LISTS, .offset = offsetof(struct hooks, name),   \
		.count_offset = offsetof(struct hooks, n_##name), .help = (text)                   \
	}

static const struct yaml_field hooks_fields[] = {
	HOOK(setup, "commands before anything is started: [[mkdir, data]]"),
	HOOK(prepare, "commands once all is ready, before the load"),
	HOOK(conclude, "commands after the load, while all still runs"),
	HOOK(cleanup, "commands once all has ended, also after a failure"),
	{
		.key = "timeout",
		.type = YAML_DURATION,
		.offset = offsetof(struct hooks, timeout_ns),
		.min = 0.001,
		.max = 86400,
		.help = "how long each command may take",
	},
};

static void hooks_defaults(void *object)
{
	((struct hooks *)object)->timeout_ns = DEFAULT_HOOK_NS;
}

const struct yaml_schema hooks_schema = {
	.name = "hooks",
	.size = sizeof(struct hooks),
	.fields = hooks_fields,
	.n_fields = ARRAY_SIZE(hooks_fields),
	.defaults = hooks_defaults,
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

int environment_check(const struct yaml_pair *environment, size_t n, const char *key,
		      const struct yaml_file *file, struct error *err)
{
	char where[400];

	for (size_t i = 0; i < n; i++) {
		if (is_variable_name(environment[i].name))
			continue;
		snprintf(where, sizeof(where), "%.100s.%.256s", key, environment[i].name);
		return yaml_file_error(file, where, err,
				       "is no name of a variable; write letters, digits and '_'");
	}
	return 0;
}

int files_check(const struct target_file *files, size_t n, const char *key,
		const struct yaml_file *file, struct error *err)
{
	char where[160];

	for (size_t i = 0; i < n; i++) {
		if (is_inside(files[i].path))
			continue;
		snprintf(where, sizeof(where), "%.100s[%zu].path", key, i);
		return yaml_file_error(file, where, err,
				       "'%.80s' leads out of the private HOME; write a path "
				       "relative to it, without '..'",
				       files[i].path);
	}
	return 0;
}

int commands_check(const struct yaml_strings *commands, size_t n, const char *key,
		   const struct yaml_file *file, struct error *err)
{
	char where[160];

	for (size_t i = 0; i < n; i++) {
		if (commands[i].n && *commands[i].strings[0])
			continue;
		snprintf(where, sizeof(where), "%.100s[%zu]", key, i);
		return yaml_file_error(file, where, err,
				       "is empty; write the program and its arguments");
	}
	return 0;
}

int readiness_check(const struct readiness *ready, const char *key, const struct yaml_file *file,
		    struct error *err)
{
	int given = !!ready->tcp + !!ready->http + !!ready->line + !!ready->n_command;
	char where[160], reason[160];
	regex_t compiled;
	int failed;

	if (given > 1)
		return yaml_file_error(file, key, err,
				       "says several ways to be ready; leave one of tcp, http, "
				       "line and command");
	snprintf(where, sizeof(where), "%.100s.http", key);
	/* With a variable in front, what it becomes is looked at when it is asked. */
	if (ready->http && strncmp(ready->http, "http://", 7) != 0 &&
	    strncmp(ready->http, "${", 2) != 0)
		return yaml_file_error(file, where, err,
				       "'%.60s' is nothing that can be asked; write http://…, or "
				       "for https a command such as [curl, -fk, URL]",
				       ready->http);
	if (!ready->line)
		return 0;
	failed = regcomp(&compiled, ready->line, REG_EXTENDED | REG_NOSUB);
	if (!failed) {
		regfree(&compiled);
		return 0;
	}
	regerror(failed, &compiled, reason, sizeof(reason));
	snprintf(where, sizeof(where), "%.100s.line", key);
	return yaml_file_error(file, where, err, "is no regular expression: %s", reason);
}

/* A number up to CPU_NUMBER_MAX at @at; moves behind it. -1: none. */
static long cpu_number(const char **at)
{
	char *end;
	long number;

	if (**at < '0' || **at > '9')
		return -1;
	number = strtol(*at, &end, 10);
	*at = end;
	return number <= CPU_NUMBER_MAX ? number : -1;
}

int cpus_check(const char *cpus, const char *key, const struct yaml_file *file, struct error *err)
{
	const char *at = cpus;

	if (!cpus)
		return 0;
	for (;; at++) {
		long first = cpu_number(&at), last = first;

		if (first >= 0 && *at == '-') {
			at++;
			last = cpu_number(&at);
		}
		if (first < 0 || last < first || (*at && *at != ','))
			return yaml_file_error(file, key, err,
					       "'%.60s' is no list of CPUs; write 0-1,3", cpus);
		if (!*at)
			return 0;
	}
}

int limits_check(const struct limits *limits, const char *key, const struct yaml_file *file,
		 struct error *err)
{
	if (!isnan(limits->cpus) || limits->memory_bytes || !yaml_file_has(file, key))
		return 0;
	return yaml_file_error(file, key, err,
			       "limits nothing; write {cpus: 0.5, memory: 512MiB}, or remove it");
}

static int check_component(const struct component *all, size_t i, const char *key,
			   const struct yaml_file *file, struct error *err)
{
	const struct component *component = &all[i];
	char where[160];

	snprintf(where, sizeof(where), "%.60s[%zu].name", key, i);
	if (!is_variable_name(component->name) || !strcmp(component->name, "target"))
		return yaml_file_error(file, where, err,
				       "'%.60s' cannot be its name; write letters, digits and "
				       "'_', and not 'target'",
				       component->name);
	for (size_t j = 0; j < i; j++)
		if (!strcmp(all[j].name, component->name))
			return yaml_file_error(file, where, err,
					       "'%.60s' is taken by an earlier component; choose "
					       "another",
					       component->name);
	snprintf(where, sizeof(where), "%.60s[%zu].command", key, i);
	if (!component->n_command || !*component->command[0])
		return yaml_file_error(file, where, err,
				       "is empty; write the program and its arguments");
	snprintf(where, sizeof(where), "%.60s[%zu].environment", key, i);
	if (environment_check(component->environment, component->n_environment, where, file, err))
		return -1;
	snprintf(where, sizeof(where), "%.60s[%zu].files", key, i);
	if (files_check(component->files, component->n_files, where, file, err))
		return -1;
	snprintf(where, sizeof(where), "%.60s[%zu].setup", key, i);
	if (commands_check(component->setup, component->n_setup, where, file, err))
		return -1;
	snprintf(where, sizeof(where), "%.60s[%zu].ready", key, i);
	if (readiness_check(&component->ready, where, file, err))
		return -1;
	snprintf(where, sizeof(where), "%.60s[%zu].limits", key, i);
	if (limits_check(&component->limits, where, file, err))
		return -1;
	snprintf(where, sizeof(where), "%.60s[%zu].cpus", key, i);
	return cpus_check(component->cpus, where, file, err);
}

int components_check(const struct component *components, size_t n, const char *key,
		     const struct yaml_file *file, struct error *err)
{
	if (n > COMPONENTS_MAX)
		return yaml_file_error(file, key, err, "has %zu components; write at most %d", n,
				       COMPONENTS_MAX);
	for (size_t i = 0; i < n; i++)
		if (check_component(components, i, key, file, err))
			return -1;
	return 0;
}
