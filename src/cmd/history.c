/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Trends over a folder of results: no BPF, no root. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/format_options.h"
#include "record/baseline.h"
#include "record/folder.h"
#include "record/history.h"
#include "record/record.h"
#include "report/history.h"
#include "util/suggest.h"

#define MANY_FILTERS 64

enum format {
	FORMAT_TEXT,
	FORMAT_CSV,
	FORMAT_JSON,
};

struct history_state {
	const char *dir, *output;
	const char *metrics[MANY_FILTERS], *targets[MANY_FILTERS];
	struct history_options options;
	enum format format;
	bool all;
	struct history *history;
	size_t n_read, n_skipped;
	char **names; /* of the targets that there are, for who mistypes one */
	size_t n_names;
};

static int add_metric(void *state, const char *value, struct error *err)
{
	struct history_state *history = state;

	if (baseline_check_metric(value, err))
		return error_prefix(err, "--metric");
	if (history->options.n_metrics == MANY_FILTERS)
		return error_set(err, EXIT_CODE_USAGE, "more than %d metrics", MANY_FILTERS);
	history->metrics[history->options.n_metrics++] = value;
	return 0;
}

static int add_target(void *state, const char *value, struct error *err)
{
	struct history_state *history = state;

	if (history->options.n_targets == MANY_FILTERS)
		return error_set(err, EXIT_CODE_USAGE, "more than %d targets", MANY_FILTERS);
	history->targets[history->options.n_targets++] = value;
	return 0;
}

static int set_format(void *state, const char *value, struct error *err)
{
	static const char *const names[] = {"text", "csv", "json"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(value, names[i])) {
			((struct history_state *)state)->format = (enum format)i;
			return 0;
		}
	return error_set(err, EXIT_CODE_USAGE, "--format is text, csv or json, not '%s'", value);
}

static int set_output(void *state, const char *value, struct error *err)
{
	return output_set(&((struct history_state *)state)->output, value, "a file", err);
}

static int set_all(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct history_state *)state)->all = true;
	return 0;
}

static int set_dir(void *state, const char *word, struct error *err)
{
	struct history_state *history = state;

	if (history->dir)
		return error_set(err, EXIT_CODE_USAGE,
				 "'%s': one folder at a time; '%s' is given already", word,
				 history->dir);
	history->dir = word;
	return 0;
}

static const struct option_spec specs[] = {
	{"metric", 'm', "M", "may be repeated (the headline ones)", add_metric},
	{"target", 't', "T", "only this target; may be repeated", add_target},
	{"format", 0, "F", "text, csv or json (text)", set_format},
	{"output", 'o', "FILE", "write there", set_output},
	{"all", 'a', NULL, "every run of each series, not only the last ten and the changes",
	 set_all},
};

static const struct option_table table = {
	.usage = "history DIR [--metric M]... [--target T]... [--format F] [-o FILE]",
	.summary = "Show the trends over all runs in a folder of results folders, and where they "
		   "changed.",
	.examples = "  perfbpf history perfbpf-results\n"
		    "  perfbpf history perfbpf-results --target stern --metric cpu.total_seconds\n"
		    "  perfbpf history perfbpf-results --format csv -o trends.csv\n",
	.specs = specs,
	.n_specs = sizeof(specs) / sizeof(specs[0]),
	.positional = set_dir,
};

static void skip(struct history_state *state, const struct error *err)
{
	fprintf(stderr, "perfbpf: skipped: %s\n", err->text);
	state->n_skipped++;
}

static int add_names(struct history_state *state, const struct record *rec)
{
	for (size_t i = 0; i < rec->n_targets; i++) {
		const char *name = rec->targets[i].name;
		bool known = !name;
		char **larger;

		for (size_t j = 0; j < state->n_names; j++)
			known |= name && !strcmp(state->names[j], name);
		if (known)
			continue;
		larger = reallocarray(state->names, state->n_names + 1, sizeof(*larger));
		if (!larger)
			return -1;
		state->names = larger;
		larger[state->n_names] = strdup(name);
		if (!larger[state->n_names])
			return -1;
		state->n_names++;
	}
	return 0;
}

/* One record at a time, without its stacks: there may be hundreds, and large ones. */
static int add_record(struct history_state *state, const struct record_folder *folder)
{
	char *file = record_folder_file(folder);
	struct error err;
	struct record *rec = file ? record_read(file, &err) : NULL;
	int rc = file ? 0 : -1;

	free(file);
	if (rec && !rec->n_rounds) {
		error_set(&err, EXIT_CODE_USAGE, "%s: no round was recorded", folder->path);
		skip(state, &err);
	} else if (rec) {
		state->n_read++;
		rc = add_names(state, rec) ||
		     history_add(state->history, rec, folder->path, &state->options);
	} else if (!rc) {
		skip(state, &err);
	}
	record_free(rec);
	return rc;
}

/* A results folder, which may have one for each scenario. What is none is passed over. */
static int add_run(struct history_state *state, const char *path)
{
	struct record_folders folders;
	struct error err;
	int rc = 0;

	if (!record_folders_find(&folders, path, &err))
		for (size_t i = 0; !rc && i < folders.n; i++)
			rc = add_record(state, &folders.list[i]);
	record_folders_clear(&folders);
	return rc;
}

static int add_all(struct history_state *state, struct error *err)
{
	struct dirent **entries;
	int n = scandir(state->dir, &entries, NULL, alphasort), rc = 0;

	if (n < 0)
		return error_set(err, EXIT_CODE_USAGE, "%s: %s", state->dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path;

		if (!rc && entries[i]->d_name[0] != '.') {
			if (asprintf(&path, "%s/%s", state->dir, entries[i]->d_name) < 0)
				path = NULL;
			rc = path ? 0 : -1;
			if (path && output_is_dir(path))
				rc = add_run(state, path);
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	if (rc || history_finish(state->history))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	return 0;
}

/* "none of the 30 runs in DIR has a target './t.shh'; did you mean './t.sh'?" */
static int unknown_target(const struct history_state *state, struct error *err)
{
	const char *wanted = state->targets[0], *near;

	near = suggest_nearest(wanted, (const char *const *)state->names, state->n_names);
	if (near)
		return error_set(err, EXIT_CODE_USAGE,
				 "none of the %zu runs in %s has the target '%s'; did you mean "
				 "'%s'?",
				 state->n_read, state->dir, wanted, near);
	return error_set(err, EXIT_CODE_USAGE,
			 "none of the %zu runs in %s has the target '%s'; there %s '%s'%s",
			 state->n_read, state->dir, wanted, state->n_names > 1 ? "are" : "is",
			 state->n_names ? state->names[0] : "?",
			 state->n_names > 1 ? " and others" : "");
}

static bool has_target(const struct history_state *state)
{
	for (size_t i = 0; i < state->options.n_targets; i++)
		for (size_t j = 0; j < state->n_names; j++)
			if (!strcmp(state->targets[i], state->names[j]))
				return true;
	return !state->options.n_targets;
}

static int nothing_found(const struct history_state *state, struct error *err)
{
	if (!has_target(state))
		return unknown_target(state, err);
	if (!state->options.n_metrics)
		return error_set(err, EXIT_CODE_USAGE, "none of the %zu runs in %s has any values",
				 state->n_read, state->dir);
	return error_set(err, EXIT_CODE_USAGE,
			 "none of the %zu runs in %s has values of %s%s: name another metric "
			 "('perfbpf list metrics')",
			 state->n_read, state->dir, state->metrics[0],
			 state->options.n_targets ? " of this target" : "");
}

static int check(const struct history_state *state, struct error *err)
{
	if (!state->n_read)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: none of its folders has a run.json that can be read: give "
				 "the folder that results folders are in",
				 state->dir);
	return state->history->n_series ? 0 : nothing_found(state, err);
}

/* The locale's, as far as it says; a pipe into a file is read somewhere else, in the same way. */
static bool is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static int put(const void *what, FILE *out, const char *name, struct error *err)
{
	const struct history_state *state = what;
	const struct history_style style = {
		.colour = stream_has_colour(out),
		.utf8 = is_utf8(),
		.all = state->all,
		.width = stream_width(out),
	};

	if (state->format == FORMAT_CSV)
		history_csv(state->history, out);
	else if (state->format == FORMAT_JSON)
		history_json(state->history, out);
	else if (history_text(state->history, &style, out))
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	return stream_finish(out, name, err);
}

static int run_history(int argc, char **argv)
{
	struct history_state state = {0};
	struct error err;
	int code = EXIT_CODE_OK;

	state.options.metrics = state.metrics;
	state.options.targets = state.targets;
	switch (options_parse(&table, argc, argv, &state, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	case OPTIONS_OK:
		break;
	}
	state.history = history_new();
	if (!state.dir)
		code = error_set(&err, EXIT_CODE_USAGE,
				 "history needs a folder of results folders (perfbpf history "
				 "perfbpf-results)");
	else if (!state.history)
		code = error_set(&err, EXIT_CODE_FAILED, "out of memory");
	else
		code = add_all(&state, &err) || check(&state, &err) ||
		       output_write(state.output, put, &state, &err);
	if (code)
		code = cmd_fail(&err);
	for (size_t i = 0; i < state.n_names; i++)
		free(state.names[i]);
	free(state.names);
	history_free(state.history);
	return code;
}

const struct subcommand cmd_history = {
	.name = "history",
	.summary = "trends over many runs, and where they changed",
	.run = run_history,
};
