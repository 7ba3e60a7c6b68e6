/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A run against an earlier one: no BPF, no root. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/baseline_options.h"
#include "cmd/cmd.h"
#include "cmd/format_options.h"
#include "record/baseline.h"
#include "record/compare.h"
#include "record/folder.h"
#include "record/record.h"
#include "report/report.h"
#include "util/file.h"

#define REASON_MAX 512

struct compare_state {
	const char *base, *now;
	struct baseline_rule rules[BASELINE_MAX_RULES];
	const char *gates[COMPARE_MAX_GATES];
	struct baseline_options options;
	const struct report_format *format;
	const char *output;
	bool all, is_strict;
};

/* A record of NEW, for the reports. */
struct compared_record {
	struct record *rec;
	const char *name;   /* of its sub-folder; NULL: NEW itself */
	char *not_compared; /* why; NULL: it was */
	int code;
};

/* Both runs, and what came of it, scenario by scenario. */
struct compared {
	struct record_folders bases, news;
	bool *found;               /* of each of bases: was anything held against it? */
	size_t n, n_read, n_found; /* to report, of NEW, and of these with something in BASE */
	struct compared_record *list;
};

static int set_threshold(void *state, const char *value, struct error *err)
{
	struct compare_state *compare = state;

	return baseline_add_threshold(compare->rules, &compare->options.n_rules, "threshold", value,
				      err);
}

static int set_severity(void *state, const char *value, struct error *err)
{
	struct compare_state *compare = state;

	return baseline_add_severity(compare->rules, &compare->options.n_rules, "severity", value,
				     err);
}

static int add_gate(void *state, const char *value, struct error *err)
{
	struct compare_state *compare = state;

	if (baseline_check_gate(value, err))
		return error_prefix(err, "--gate");
	if (compare->options.n_gates == COMPARE_MAX_GATES)
		return error_set(err, EXIT_CODE_USAGE, "more than %d gates", COMPARE_MAX_GATES);
	compare->gates[compare->options.n_gates++] = value;
	return 0;
}

static int set_format(void *state, const char *value, struct error *err)
{
	const struct report_format *format = format_find(value, err);
	char known[256];

	if (!format)
		return -1;
	format_list(known, sizeof(known), true);
	if (!format->has_baseline)
		return error_set(err, EXIT_CODE_USAGE,
				 "--format %s has nothing of a comparison with an earlier run; "
				 "these have:%s",
				 value, known);
	((struct compare_state *)state)->format = format;
	return 0;
}

static int set_output(void *state, const char *value, struct error *err)
{
	return output_set(&((struct compare_state *)state)->output, value, "a file or a folder",
			  err);
}

static int set_strict(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct compare_state *)state)->is_strict = true;
	return 0;
}

static int set_accept(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct compare_state *)state)->options.accept_differences = true;
	return 0;
}

static int set_all(void *state, const char *value, struct error *err)
{
	(void)value, (void)err;
	((struct compare_state *)state)->all = true;
	return 0;
}

static int set_folder(void *state, const char *word, struct error *err)
{
	struct compare_state *compare = state;

	if (compare->now)
		return error_set(err, EXIT_CODE_USAGE,
				 "'%s': BASE and NEW are given already: '%s' and '%s'", word,
				 compare->base, compare->now);
	if (compare->base)
		compare->now = word;
	else
		compare->base = word;
	return 0;
}

static const struct option_spec specs[] = {
	{"threshold", 0, "[M=]P",
	 "a change for the worse by more is a regression (10%); of one metric: M=5%",
	 set_threshold},
	{"severity", 0, "[M=]P,P,P", "from where on it is minor, major and critical (10%,50%,100%)",
	 set_severity},
	{"gate", 0, "M", "a metric that may not regress; may be repeated (the headline ones)",
	 add_gate},
	{"strict", 0, NULL, "exit code 97 where a gate cannot be answered", set_strict},
	{"accept-differences", 0, NULL, "of host and scenario: a regression is one all the same",
	 set_accept},
	{"format", 0, "F",
	 "text, md, json, html, junit, github-summary or github-annotations (text)", set_format},
	{"output", 'o', "FILE", "write there; DIR/: a file for each scenario", set_output},
	{"all", 'a', NULL, "show all metrics, not only gated and changed ones", set_all},
};

static const struct option_table table = {
	.usage = "compare BASE NEW [--threshold [M=]P]... [--gate M]... [options]",
	.summary = "Compare the results of a run with those of an earlier one. Exit code 98: a "
		   "metric that\na gate is on has regressed; 96: one of the runs is invalid.",
	.examples =
		"  perfbpf compare main/ branch/ --threshold 10%\n"
		"  perfbpf compare main/ branch/ --gate cpu.total_seconds --threshold 5%\n"
		"  perfbpf compare main/ branch/ --severity memory.rss_peak_bytes=20%,40%,80%\n",
	.specs = specs,
	.n_specs = sizeof(specs) / sizeof(specs[0]),
	.positional = set_folder,
};

/* A line to stderr that is no error; what steers a terminal in names is taken out as of errors. */
__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	struct error text;
	char line[sizeof(text.text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	error_set(&text, EXIT_CODE_OK, "%s", line);
	fprintf(stderr, "perfbpf: %s\n", text.text);
}

static char *name_of(const struct record *rec)
{
	return record_folder_name(rec->scenario.name ? rec->scenario.name : "");
}

/*
 * What is to be held against @rec, with its stacks left out. Of several scenarios only the one of
 * the same name: NULL with a text in @err where it cannot be read, without one where there is none.
 */
static struct record *read_base(struct compared *compared, const struct record *rec,
				struct error *err)
{
	bool is_one = compared->bases.n == 1 && compared->news.n == 1;
	char *name = name_of(rec), *path, *base_name;
	const struct record_folder *folder =
		name ? record_folders_get(&compared->bases, name) : NULL;
	struct record *base = NULL;

	err->text[0] = '\0';
	path = folder ? record_folder_file(folder) : NULL;
	if (!name || (folder && !path))
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (path)
		base = record_read(path, err);
	base_name = base ? name_of(base) : NULL;
	if (base_name && !is_one && strcmp(base_name, name)) {
		record_free(base);
		base = NULL;
	}
	if (base || (path && err->text[0])) /* what cannot be read is said of itself */
		compared->found[folder - compared->bases.list] = true;
	free(path);
	free(name);
	free(base_name);
	return base;
}

/* Keeps why the record was not compared, for its reports. */
static int not_compared(struct compared_record *out, int code, const char *reason)
{
	out->not_compared = strdup(reason);
	out->code = code;
	return out->not_compared ? code : EXIT_CODE_FAILED;
}

static int no_base(const struct compare_state *state, struct compared_record *out)
{
	const char *name = out->rec->scenario.name;
	char reason[REASON_MAX];

	snprintf(reason, sizeof(reason), "'%.200s' is not in %.200s", name ? name : "?",
		 state->base);
	tell("%s, and not compared", reason);
	return not_compared(out, state->is_strict ? EXIT_CODE_INCONCLUSIVE : EXIT_CODE_OK, reason);
}

/* A gate that cannot fail is not to look like one that has passed. */
static void warn(const struct record *rec)
{
	const struct record_baseline *baseline = &rec->baseline;

	if (!baseline->comparable)
		tell("NOT COMPARABLE: host, scenario or the way of measuring are not the same, so "
		     "that no regression "
		     "fails this; --accept-differences takes the numbers all the same");
}

static int invalid(struct compared_record *out, const char *path, const char *reason)
{
	struct error err;
	char text[REASON_MAX];

	error_set(&err, EXIT_CODE_INVALID, "%s: the run is invalid, and nothing is compared: %s",
		  path, reason);
	snprintf(text, sizeof(text), "%.200s is invalid: %.200s", path, reason);
	cmd_fail(&err);
	return not_compared(out, EXIT_CODE_INVALID, text);
}

/* The exit code of one pair of records; both are whole and valid. */
static int judge(const struct compare_state *state, struct compared_record *out,
		 const struct record *base, const char *path)
{
	struct record *rec = out->rec;
	struct error err;

	if (baseline_check(rec, base, &state->options, &err))
		return error_prefix(&err, "%s", state->base), cmd_fail(&err);
	if (record_baseline(rec, base, state->base, &state->options)) {
		error_set(&err, EXIT_CODE_FAILED, "out of memory");
		return cmd_fail(&err);
	}
	warn(rec);
	if (record_unfit(rec)) /* it ended otherwise than in BASE */
		return invalid(out, path, record_unfit(rec));
	if (record_has_regressed(rec))
		return EXIT_CODE_REGRESSION;
	return state->is_strict && record_baseline_is_open(rec) ? EXIT_CODE_INCONCLUSIVE
								: EXIT_CODE_OK;
}

static int judge_fit(const struct compare_state *state, struct compared_record *out,
		     const struct record *base, const char *path)
{
	if (record_unfit(base))
		return invalid(out, state->base, record_unfit(base));
	if (record_unfit(out->rec))
		return invalid(out, path, record_unfit(out->rec));
	return judge(state, out, base, path);
}

/* One record of NEW; it is kept for the reports where there is something to be said of it. */
static int compare_one(const struct compare_state *state, const struct record_folder *folder,
		       struct compared *compared)
{
	struct compared_record *out = &compared->list[compared->n];
	struct error err;
	struct record *base;
	int code;

	*out = (struct compared_record){record_read(folder->path, &err), folder->name, NULL, 0};
	if (!out->rec)
		return cmd_fail(&err);
	compared->n_read++;
	base = read_base(compared, out->rec, &err);
	compared->n_found += base || err.text[0];
	if (base)
		code = judge_fit(state, out, base, folder->path);
	else
		code = err.text[0] ? cmd_fail(&err) : no_base(state, out);
	record_free(base);
	if (out->rec->has_baseline || out->not_compared)
		compared->n++;
	else
		record_free(out->rec);
	return code;
}

/* --- reports ------------------------------------------------------------------------- */

/* What goes into one file: records one after another. */
struct page {
	const struct compare_state *state;
	const struct compared_record *list;
	size_t n;
	const char *missing; /* said of the first */
};

/* What there is no comparison of is told by who reads what was judged, and by people. */
static bool is_shown(const struct compare_state *state, const struct compared_record *record)
{
	return !record->not_compared || record->rec->has_baseline ||
	       (state->format != &report_json && state->format != &report_html);
}

static int write_page(const void *what, FILE *out, const char *name, struct error *err)
{
	const struct page *page = what;
	const struct compare_state *state = page->state;
	struct report_options options = {
		.colour = stream_has_colour(out),
		.width = stream_width(out),
		.all_metrics = state->all,
		.only_baseline = true,
		.strict = state->is_strict,
		.missing = page->missing,
	};

	for (size_t i = 0; i < page->n; i++) {
		const struct compared_record *record = &page->list[i];

		if (!is_shown(state, record))
			continue;
		if (options.continued && state->format == &report_text)
			putc('\n', out);
		options.not_compared = record->not_compared;
		options.is_failure = record->code != EXIT_CODE_OK;
		if (state->format->write(record->rec, &options, out, err))
			return -1;
		options.continued = true;
		options.missing = NULL;
	}
	return stream_finish(out, name, err);
}

/* A record in its file below the folder of -o, in a folder of its own where there are several. */
static int write_one(const struct page *page, struct error *err)
{
	const struct report_options options = {.only_baseline = true};
	const char *output = page->state->output, *name = page->list->name;
	struct report_file file;
	char *dir = NULL, *path = NULL;
	int rc = 0;

	report_file(page->state->format, page->list->rec, &options, 0, &file);
	if (asprintf(&dir, "%s%s%s", output, name ? "/" : "", name ? name : "") < 0 ||
	    asprintf(&path, "%s/%s", dir, file.name) < 0)
		rc = error_set(err, EXIT_CODE_FAILED, "out of memory");
	else if (dir_make(dir, 0755))
		rc = error_set(err, EXIT_CODE_FAILED, "cannot make the folder %s", dir);
	else
		rc = output_write(path, write_page, page, err);
	free(dir);
	free(path);
	return rc;
}

static int write_all(const struct compare_state *state, const struct compared *compared,
		     const char *missing, struct error *err)
{
	struct page page = {state, compared->list, compared->n, missing};

	if (!compared->n || !compared->n_found)
		return 0;
	if (!state->output || !output_is_folder(state->output))
		return output_write(state->output, write_page, &page, err);
	page.n = 1;
	for (size_t i = 0; i < compared->n; i++) {
		page.list = &compared->list[i];
		page.missing = i ? NULL : missing;
		if (is_shown(state, page.list) && write_one(&page, err))
			return -1;
	}
	return 0;
}

/* Before anything is compared: what it would find must not be lost. */
static int check_output(const struct compare_state *state, const struct compared *compared,
			struct error *err)
{
	if (!state->format->alone || compared->news.n < 2 ||
	    (state->output && output_is_folder(state->output)))
		return 0;
	return error_set(err, EXIT_CODE_USAGE,
			 "%s holds %zu records, and %s takes one a file: write them into a folder "
			 "(-o DIR/), or give one of its sub-folders",
			 state->now, compared->news.n, state->format->name);
}

/* What was measured then and is not there any more is named; *@missing: the first of these. */
static int check_found(const struct compare_state *state, const struct compared *compared,
		       const char **missing)
{
	struct error err;

	if (!compared->n_read) /* which was said of each */
		return EXIT_CODE_OK;
	for (size_t i = 0; compared->n_found && i < compared->bases.n; i++) {
		const char *path = compared->bases.list[i].path;

		if (compared->found[i])
			continue;
		tell("nothing in %s was compared with %s", state->now, path);
		*missing = *missing ? *missing : path;
	}
	if (compared->n_found)
		return *missing && state->is_strict ? EXIT_CODE_INCONCLUSIVE : EXIT_CODE_OK;
	error_set(&err, EXIT_CODE_USAGE, "%s and %s have no scenario in common", state->base,
		  state->now);
	return cmd_fail(&err);
}

static int compare_all(const struct compare_state *state, struct compared *compared)
{
	struct error err;
	const char *missing = NULL;
	int code = EXIT_CODE_OK;

	if (record_folders_find(&compared->bases, state->base, &err) ||
	    record_folders_find(&compared->news, state->now, &err) ||
	    check_output(state, compared, &err))
		return cmd_fail(&err);
	compared->list = calloc(compared->news.n, sizeof(*compared->list));
	compared->found = calloc(compared->bases.n, sizeof(*compared->found));
	if (!compared->list || !compared->found)
		return error_set(&err, EXIT_CODE_FAILED, "out of memory"), cmd_fail(&err);
	for (size_t i = 0; i < compared->news.n; i++)
		code = exit_code_worse(code, compare_one(state, &compared->news.list[i], compared));
	code = exit_code_worse(code, check_found(state, compared, &missing));
	if (!write_all(state, compared, missing, &err))
		return code;
	/* A regression that was found is one, whoever could write it down. */
	return code == EXIT_CODE_REGRESSION ? cmd_fail(&err),
	       code                         : exit_code_worse(code, cmd_fail(&err));
}

static void compared_clear(struct compared *compared)
{
	for (size_t i = 0; i < compared->n; i++) {
		record_free(compared->list[i].rec);
		free(compared->list[i].not_compared);
	}
	free(compared->list);
	free(compared->found);
	record_folders_clear(&compared->bases);
	record_folders_clear(&compared->news);
}

static int run_compare(int argc, char **argv)
{
	struct compare_state state = {.format = &report_text};
	struct compared compared = {0};
	struct error err;
	int code;

	state.options.rules = state.rules;
	state.options.gates = state.gates;
	switch (options_parse(&table, argc, argv, &state, &err)) {
	case OPTIONS_DONE:
		return EXIT_CODE_OK;
	case OPTIONS_ERROR:
		return cmd_fail(&err);
	case OPTIONS_OK:
		break;
	}
	if (!state.now) {
		error_set(&err, EXIT_CODE_USAGE,
			  "compare needs the results folders of two runs (perfbpf compare BASE "
			  "NEW)");
		return cmd_fail(&err);
	}
	code = compare_all(&state, &compared);
	compared_clear(&compared);
	return code;
}

const struct subcommand cmd_compare = {
	.name = "compare",
	.summary = "compare a run with an earlier one",
	.run = run_compare,
};
