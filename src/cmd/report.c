/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reports from what a run has left: no BPF, no root. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/format_options.h"
#include "record/folder.h"
#include "report/overview.h"
#include "report/report.h"
#include "util/file.h"

#define MANY_FORMATS 32

struct report_state {
	const char *dir;
	const char *output;
	const struct report_format *formats[MANY_FORMATS];
	size_t n_formats;
	bool all;
	struct report_options options; /* side, kind and phase */
};

static int set_format(void *state, const char *value, struct error *err)
{
	struct report_state *report = state;
	const struct report_format *format = format_find(value, err);

	if (!format)
		return -1;
	for (size_t i = 0; i < report->n_formats; i++)
		if (report->formats[i] == format)
			return 0;
	if (report->n_formats == MANY_FORMATS)
		return error_set(err, EXIT_CODE_USAGE, "too many formats");
	report->formats[report->n_formats++] = format;
	return 0;
}

static int set_output(void *state, const char *value, struct error *err)
{
	return output_set(&((struct report_state *)state)->output, value, "a file or a folder",
			  err);
}

static int set_all(void *state, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	((struct report_state *)state)->all = true;
	return 0;
}

static int set_side(void *state, const char *value, struct error *err)
{
	static const char *const names[] = {"A", "B", "diff"};
	struct report_state *report = state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(value, names[i])) {
			report->options.side = (enum report_side)(REPORT_SIDE_A + (int)i);
			return 0;
		}
	return error_set(err, EXIT_CODE_USAGE, "--side is A, B or diff, not '%s'", value);
}

static int set_kind(void *state, const char *value, struct error *err)
{
	struct report_state *report = state;

	for (int kind = 0; kind < PROFILE_KINDS; kind++)
		if (!strcmp(value, profile_kind_name((enum profile_kind)kind))) {
			report->options.has_kind = true;
			report->options.kind = (enum profile_kind)kind;
			return 0;
		}
	return error_set(err, EXIT_CODE_USAGE, "--kind is oncpu or offcpu, not '%s'", value);
}

static int set_phase(void *state, const char *value, struct error *err)
{
	(void)err;
	((struct report_state *)state)->options.phase = value;
	return 0;
}

static int set_dir(void *state, const char *word, struct error *err)
{
	struct report_state *report = state;

	if (report->dir)
		return error_set(err, EXIT_CODE_USAGE,
				 "'%s': one results folder at a time; '%s' is given already", word,
				 report->dir);
	report->dir = word;
	return 0;
}

/* The help of --format names what report.c has, so that a format is added there only. */
static enum options_result parse(int argc, char **argv, struct report_state *state,
				 struct error *err)
{
	char known[512], help[600];
	const struct option_spec specs[] = {
		{"format", 0, "F", help, set_format},
		{"output", 'o', "FILE", "write there; several formats make it a folder",
		 set_output},
		{"all", 0, NULL, "all metrics, processes and reasons", set_all},
		{"side", 0, "S",
		 "of stacks: A, B, or diff, what changed at equal work (A); of exports: A or B "
		 "(both)",
		 set_side},
		{"kind", 0, "K", "of stacks: oncpu or offcpu (oncpu)", set_kind},
		{"phase", 0, "P", "of stacks: only those of this phase", set_phase},
	};
	const struct option_table table = {
		.usage = "report DIR [--format F]... [-o FILE] [--all] [--side S] [--kind K] "
			 "[--phase P]",
		.summary = "Make reports from the results of a run.",
		.examples = "  perfbpf report perfbpf-results/20250101T120000Z-basic\n"
			    "  perfbpf report results --format csv -o rounds.csv\n"
			    "  perfbpf report results --format md --format csv -o reports/\n"
			    "  perfbpf report results --format svg --side diff -o diff.svg\n",
		.specs = specs,
		.n_specs = sizeof(specs) / sizeof(specs[0]),
		.positional = set_dir,
	};

	format_list(known, sizeof(known), false);
	snprintf(help, sizeof(help), "one of%s; may be given several times (text)", known);
	return options_parse(&table, argc, argv, state, err);
}

/* One of the records that a results folder holds. */
struct source {
	char *path;
	const char *name; /* its folder below the given one, NULL: the given one itself */
	struct record *rec;
};

struct sources {
	size_t n;
	struct source *list;
};

static void sources_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->n; i++) {
		free(sources->list[i].path);
		record_free(sources->list[i].rec);
	}
	free(sources->list);
}

static int out_of_memory(struct error *err)
{
	return error_set(err, EXIT_CODE_FAILED, "out of memory");
}

static int sources_find(struct sources *sources, const char *dir, struct error *err)
{
	struct record_folders folders;
	int rc = record_folders_find(&folders, dir, err);

	sources->list = rc ? NULL : calloc(folders.n, sizeof(*sources->list));
	if (!rc && !sources->list)
		rc = out_of_memory(err);
	for (; !rc && sources->n < folders.n; sources->n++) {
		struct record_folder *folder = &folders.list[sources->n];

		sources->list[sources->n] = (struct source){folder->path, folder->name, NULL};
		folder->path = NULL;
	}
	record_folders_clear(&folders);
	return rc;
}

/* An option that no format takes would be passed over in silence. */
static int check_option(const struct report_state *state, const char *option, bool is_side,
			struct error *err)
{
	for (size_t i = 0; i < state->n_formats; i++)
		if (state->formats[i]->is_of_stacks || (is_side && state->formats[i]->takes_side))
			return 0;
	return error_set(err, EXIT_CODE_USAGE,
			 "%s is of formats for stacks%s: say --format svg, folded, pprof or "
			 "speedscope%s too",
			 option, is_side ? " and of exports" : "",
			 is_side ? ", or benchfmt, hyperfine or bencher" : "");
}

static int check_formats(const struct report_state *state, struct error *err)
{
	const struct report_options *options = &state->options;

	if (options->side != REPORT_SIDE_ANY && check_option(state, "--side", true, err))
		return -1;
	if (options->has_kind && check_option(state, "--kind", false, err))
		return -1;
	return options->phase ? check_option(state, "--phase", false, err) : 0;
}

/* What is no text belongs into a file, or a pipe of its own. */
static int check_binary(const struct report_state *state, FILE *out, struct error *err)
{
	for (size_t i = 0; i < state->n_formats; i++) {
		const char *name = state->formats[i]->name;

		if (!state->formats[i]->is_binary)
			continue;
		if (isatty(fileno(out)))
			return error_set(err, EXIT_CODE_USAGE,
					 "%s is no text for a terminal: say -o FILE", name);
		if (state->n_formats > 1)
			return error_set(
				err, EXIT_CODE_USAGE,
				"%s and other formats cannot be in one stream: say -o DIR/", name);
	}
	return 0;
}

/* Several records into one file, where the format ends a file for good? */
static int check_alone(const struct report_state *state, const struct sources *sources,
		       struct error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < sources->n; i++)
		n += sources->list[i].rec != NULL;
	for (size_t i = 0; n > 1 && i < state->n_formats; i++)
		if (state->formats[i]->alone)
			return error_set(
				err, EXIT_CODE_USAGE,
				"%s holds %zu records, and %s takes one a file: write them "
				"into a folder (-o DIR/), or give one of its sub-folders",
				state->dir, n, state->formats[i]->name);
	return 0;
}

/* Behind the records of several scenarios, what they come to. */
static int write_overview(const struct sources *sources, const struct report_options *options,
			  FILE *out, struct error *err)
{
	const struct text_style style = {.colour = options->colour, .width = options->width};
	struct overview *overview = overview_new();
	int failed = !overview;

	for (size_t i = 0; i < sources->n && !failed; i++)
		if (sources->list[i].rec)
			failed = overview_add(overview, sources->list[i].rec, NULL);
	if (!failed && overview_count(overview) > 1)
		failed = overview_print(overview, out, &style);
	overview_free(overview);
	return failed ? out_of_memory(err) : 0;
}

/* What goes into one stream. */
struct stream {
	const struct report_state *state;
	const struct sources *sources;
};

/* One format after another, of all records each. */
static int write_stream(const void *what, FILE *out, const char *name, struct error *err)
{
	const struct report_state *state = ((const struct stream *)what)->state;
	const struct sources *sources = ((const struct stream *)what)->sources;
	struct report_options options = state->options;
	bool first = true;

	options.colour = stream_has_colour(out);
	options.all_metrics = state->all;
	options.width = stream_width(out);
	if (check_alone(state, sources, err) || check_binary(state, out, err))
		return -1;
	for (size_t i = 0; i < state->n_formats; i++) {
		const struct report_format *format = state->formats[i];

		options.continued = false;
		for (size_t j = 0; j < sources->n; j++) {
			if (!sources->list[j].rec)
				continue;
			if (!first && format == &report_text)
				putc('\n', out);
			if (format->write(sources->list[j].rec, &options, out, err))
				return -1;
			first = false;
			options.continued = true;
		}
		if (format == &report_text && write_overview(sources, &options, out, err))
			return -1;
	}
	return stream_finish(out, name, err);
}

/* @path NULL: standard output. */
static int write_file(const struct report_state *state, const struct sources *sources,
		      const char *path, struct error *err)
{
	const struct stream stream = {state, sources};

	return output_write(path, write_stream, &stream, err);
}

/* One record in one format, in its file or files below @dir. */
static int write_format(const struct report_state *state, const struct report_format *format,
			const struct source *source, const char *dir, struct error *err)
{
	struct sources one = {1, (struct source *)source};
	struct report_state single = *state;
	struct report_file file;
	size_t i = 0;
	int rc = 0;

	single.formats[0] = format;
	single.n_formats = 1;
	for (; !rc && report_file(format, source->rec, &state->options, i, &file); i++) {
		char *path;

		single.options = file.options;
		if (asprintf(&path, "%s/%s", dir, file.name) < 0)
			return out_of_memory(err);
		rc = write_file(&single, &one, path, err);
		free(path);
	}
	/* There is nothing of what is wanted: the format says why. */
	return i || rc ? rc : write_file(&single, &one, "/dev/null", err);
}

/* One record in all formats, each in its file below @dir. */
static int write_folder(const struct report_state *state, const struct source *source,
			const char *dir, struct error *err)
{
	struct report_state complete = *state;
	int rc;

	rc = dir_make(dir, 0755);
	if (rc)
		return error_set(err, EXIT_CODE_FAILED, "cannot make %s: %s", dir, strerror(-rc));
	for (size_t i = 0; i < state->n_formats; i++)
		complete.options.has_charts |= state->formats[i] == &report_charts;
	for (size_t i = 0; i < state->n_formats && !rc; i++)
		rc = write_format(&complete, state->formats[i], source, dir, err);
	return rc;
}

static int write_folders(const struct report_state *state, const struct sources *sources,
			 struct error *err)
{
	char *dir;
	int rc = 0;

	for (size_t i = 0; i < sources->n && !rc; i++) {
		const struct source *source = &sources->list[i];

		if (!source->rec)
			continue;
		if (asprintf(&dir, "%s%s%s", state->output, source->name ? "/" : "",
			     source->name ? source->name : "") < 0)
			return out_of_memory(err);
		rc = write_folder(state, source, dir, err);
		free(dir);
	}
	return rc;
}

/* "-o NAME" is a folder where it is one, ends like one, or has to take several formats. */
static int write_reports(const struct report_state *state, const struct sources *sources,
			 struct error *err)
{
	const char *output = state->output;
	bool folder;

	folder = output &&
		 (output_is_folder(output) || state->n_formats > 1 || state->formats[0]->part);
	if (!folder)
		return write_file(state, sources, output, err);
	if (!output_is_dir(output) && access(output, F_OK) == 0)
		return error_set(err, EXIT_CODE_USAGE,
				 "-o %s: is a file; several formats need a folder", output);
	return write_folders(state, sources, err);
}

/* A broken record does not keep the others from being reported. */
static int read_all(struct sources *sources, size_t *n_read)
{
	struct error err;
	int code = EXIT_CODE_OK;

	*n_read = 0;

	for (size_t i = 0; i < sources->n; i++) {
		sources->list[i].rec = record_read(sources->list[i].path, &err);
		if (sources->list[i].rec)
			++*n_read;
		else
			code = cmd_fail(&err);
	}
	return code;
}

static int run_report(int argc, char **argv)
{
	struct report_state state = {0};
	struct sources sources = {0};
	struct error err;
	size_t n_read;
	int code;

	switch (parse(argc, argv, &state, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	case OPTIONS_OK:
		break;
	}
	if (!state.dir) {
		error_set(&err, EXIT_CODE_USAGE,
			  "report needs the results folder of a run (perfbpf report DIR)");
		return cmd_fail(&err);
	}
	if (!state.n_formats)
		state.formats[state.n_formats++] = &report_text;
	if (check_formats(&state, &err) || sources_find(&sources, state.dir, &err)) {
		code = cmd_fail(&err);
	} else {
		code = read_all(&sources, &n_read);
		if (n_read && write_reports(&state, &sources, &err))
			code = cmd_fail(&err);
	}
	sources_free(&sources);
	return code;
}

const struct subcommand cmd_report = {
	.name = "report",
	.summary = "make reports from the results of a run",
	.run = run_report,
};
