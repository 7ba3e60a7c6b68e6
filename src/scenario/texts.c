/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where scenarios and targets have ${variables}, and whether these are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WHERE_MAX     300

/* A walk over the texts of one file. */
struct walk {
	text_visit_fn visit;
	void *context;
	struct error *err;
};

static int visit(const struct walk *walk, const char *where, const char *text)
{
	return text ? walk->visit(walk->context, where, text, walk->err) : 0;
}

static int walk_words(const struct walk *walk, const char *key, char *const *words, size_t n)
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "%.256s[%zu]", key, i);
		if (visit(walk, where, words[i]))
			return -1;
	}
	return 0;
}

static int walk_commands(const struct walk *walk, const char *key,
			 const struct yaml_strings *commands, size_t n)
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "%.256s[%zu]", key, i);
		if (walk_words(walk, where, commands[i].strings, commands[i].n))
			return -1;
	}
	return 0;
}

static int walk_pairs(const struct walk *walk, const char *key, const struct yaml_pair *pairs,
		      size_t n)
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "%.150s.%.140s", key, pairs[i].name);
		if (visit(walk, where, pairs[i].value))
			return -1;
	}
	return 0;
}

static int walk_files(const struct walk *walk, const char *key, const struct target_file *files,
		      size_t n)
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(where, sizeof(where), "%.256s[%zu].text", key, i);
		if (visit(walk, where, files[i].text))
			return -1;
	}
	return 0;
}

/* @key is that of the readiness. */
static int walk_readiness(const struct walk *walk, const char *key, const struct readiness *ready)
{
	char where[WHERE_MAX];

	snprintf(where, sizeof(where), "%.256s.%s", key, ready->tcp ? "tcp" : "http");
	if (visit(walk, where, ready->tcp ? ready->tcp : ready->http))
		return -1;
	snprintf(where, sizeof(where), "%.256s.command", key);
	return walk_words(walk, where, ready->command, ready->n_command);
}

static int walk_component(const struct walk *walk, const struct component *component, size_t i)
{
	char where[WHERE_MAX];

#define AT(key) (snprintf(where, sizeof(where), "components[%zu]." key, i), where)
	if (walk_words(walk, AT("command"), component->command, component->n_command) ||
	    walk_pairs(walk, AT("environment"), component->environment, component->n_environment) ||
	    visit(walk, AT("directory"), component->directory) ||
	    walk_files(walk, AT("files"), component->files, component->n_files) ||
	    walk_commands(walk, AT("setup"), component->setup, component->n_setup))
		return -1;
	return walk_readiness(walk, AT("ready"), &component->ready);
#undef AT
}

static int walk_components(const struct walk *walk, const struct component *components, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (walk_component(walk, &components[i], i))
			return -1;
	return 0;
}

static int walk_hooks(const struct walk *walk, const struct hooks *hooks)
{
	if (walk_commands(walk, "hooks.setup", hooks->setup, hooks->n_setup) ||
	    walk_commands(walk, "hooks.prepare", hooks->prepare, hooks->n_prepare) ||
	    walk_commands(walk, "hooks.conclude", hooks->conclude, hooks->n_conclude))
		return -1;
	return walk_commands(walk, "hooks.cleanup", hooks->cleanup, hooks->n_cleanup);
}

static int walk_faults(const struct walk *walk, const struct scenario *scenario)
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < scenario->n_proxies; i++) {
		snprintf(where, sizeof(where), "proxies[%zu].to", i);
		if (visit(walk, where, scenario->proxies[i].to))
			return -1;
	}
	for (size_t i = 0; i < scenario->n_faults; i++) {
		const struct fault *fault = &scenario->faults[i];

		snprintf(where, sizeof(where), "faults[%zu].address", i);
		if (visit(walk, where, fault->address))
			return -1;
		snprintf(where, sizeof(where), "faults[%zu].leader", i);
		if (walk_words(walk, where, fault->leader, fault->n_leader))
			return -1;
	}
	return 0;
}

int scenario_texts(const struct scenario *scenario, text_visit_fn visit_text, void *context,
		   struct error *err)
{
	struct walk walk = {visit_text, context, err};
	char where[WHERE_MAX];

	for (size_t i = 0; i < scenario->n_scrapes; i++) {
		snprintf(where, sizeof(where), "scrape[%zu].url", i);
		if (visit(&walk, where, scenario->scrapes[i].url))
			return -1;
	}
	if (walk_components(&walk, scenario->components, scenario->n_components) ||
	    walk_hooks(&walk, &scenario->hooks))
		return -1;
	return walk_faults(&walk, scenario);
}

int target_texts(const struct target *target, text_visit_fn visit_text, void *context,
		 struct error *err)
{
	struct walk walk = {visit_text, context, err};

	if (visit(&walk, "directory", target->directory) ||
	    walk_files(&walk, "files", target->files, target->n_files) ||
	    walk_commands(&walk, "setup", target->setup, target->n_setup) ||
	    walk_readiness(&walk, "ready", &target->ready))
		return -1;
	return walk_components(&walk, target->components, target->n_components);
}

static int walk_section(const struct walk *walk, const char *key, const struct yaml_schema *schema,
			const char *object);

/* Whatever is a text in a driver's section may have variables. */
static int walk_field(const struct walk *walk, const char *where, const struct yaml_field *field,
		      const char *object)
{
	const void *value = object + field->offset;
	const size_t *n = (const void *)(object + field->count_offset);
	char item[WHERE_MAX];

	switch (field->type) {
	case YAML_STRING:
		return visit(walk, where, *(char *const *)value);
	case YAML_STRINGS:
		return walk_words(walk, where, *(char *const *const *)value, *n);
	case YAML_PAIRS:
		return walk_pairs(walk, where, *(struct yaml_pair *const *)value, *n);
	case YAML_STRING_LISTS:
		return walk_commands(walk, where, *(struct yaml_strings *const *)value, *n);
	case YAML_MAP:
		return walk_section(walk, where, field->nested, value);
	case YAML_OBJECT:
		return walk_section(walk, where, field->nested, *(char *const *)value);
	case YAML_MAPS:
		for (size_t i = 0; i < *n; i++) {
			snprintf(item, sizeof(item), "%.256s[%zu]", where, i);
			if (walk_section(walk, item, field->nested,
					 *(char *const *)value + i * field->nested->size))
				return -1;
		}
		return 0;
	default:
		return 0;
	}
}

static int walk_section(const struct walk *walk, const char *key, const struct yaml_schema *schema,
			const char *object)
{
	char where[WHERE_MAX];

	for (size_t i = 0; object && i < schema->n_fields; i++) {
		/* What is compared with an answer stays as it is written. */
		if (strstr(schema->fields[i].key, "expect") ||
		    strstr(schema->fields[i].key, "regex"))
			continue;
		snprintf(where, sizeof(where), "%.200s.%.90s", key, schema->fields[i].key);
		if (walk_field(walk, where, &schema->fields[i], object))
			return -1;
	}
	return 0;
}

int scenario_section_texts(const struct scenario *scenario, text_visit_fn visit_text, void *context,
			   struct error *err)
{
	struct walk walk = {visit_text, context, err};

	if (!scenario->driver_schema)
		return 0;
	return walk_section(&walk, scenario->driver, scenario->driver_schema,
			    scenario->driver_config);
}

/* --- the variables in them --------------------------------------------------------- */

/* "port.NAME", "port2.NAME" or "dir.NAME", which a component not yet known may bring. */
static bool is_of_component(const char *name)
{
	return !strncmp(name, "port.", 5) || !strncmp(name, "port2.", 6) ||
	       !strncmp(name, "dir.", 4);
}

int variables_check(const char *text, const struct variable *vars, size_t n_vars,
		    bool is_target_open, struct error *err)
{
	const char *at = text;

	while ((at = strchr(at, '$')) != NULL) {
		size_t length = strcspn(at, "}");
		char *name, *filled;

		if (at[1] != '{') {
			at += at[1] == '$' ? 2 : 1;
			continue;
		}
		length += at[length] == '}';
		if (is_target_open && is_of_component(at + 2)) {
			at += length;
			continue;
		}
		name = strndup(at, length);
		filled = name ? variables_fill(name, vars, n_vars, err) : NULL;
		if (!name)
			error_set(err, EXIT_CODE_FAILED, "out of memory");
		free(name);
		if (!filled)
			return -1;
		free(filled);
		at += length;
	}
	return 0;
}

int file_complain(const char *path, const char *where, const char *text, struct error *err)
{
	struct yaml_file *file = yaml_file_open(path, NULL);

	if (!file)
		return error_set(err, EXIT_CODE_USAGE, "%s: key '%s': %s", path, where, text);
	yaml_file_error(file, where, err, "%s", text);
	yaml_file_close(file);
	return -1;
}

/* A file whose texts are looked at when it has been read: what it lies beside is not known yet. */
struct reading {
	const struct yaml_file *file;
};

/* What every round has, and what drivers that serve give. */
static const struct variable common[] = {
	{"port", ""},    {"port2", ""},      {"home", ""},      {"user", ""},
	{"scripts", ""}, {"kubeconfig", ""}, {"namespace", ""}, {"selector", ""},
	{"url", ""},     {"container", ""},  {"pods_glob", ""},
};

static int check_read(void *context, const char *where, const char *text, struct error *err)
{
	const struct reading *reading = context;
	struct error found = {.text = ""};

	if (!variables_check(text, common, ARRAY_SIZE(common), true, &found))
		return 0;
	return yaml_file_error(reading->file, where, err, "%s", found.text);
}

int scenario_texts_check(const struct scenario *scenario, const struct yaml_file *file,
			 struct error *err)
{
	struct reading reading = {file};

	return scenario_texts(scenario, check_read, &reading, err);
}

int target_texts_check(const struct target *target, const struct yaml_file *file, struct error *err)
{
	struct reading reading = {file};

	return target_texts(target, check_read, &reading, err);
}
