/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A run against an earlier one: no BPF, no root. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/baseline_options.h"
#include "cmd/cmd.h"
#include "record/baseline.h"
#include "record/compare.h"
#include "record/folder.h"
#include "record/record.h"
#include "report/report.h"

struct compare_state {
	const char *base, *now;
	struct baseline_rule rules[BASELINE_MAX_RULES];
	const char *gates[COMPARE_MAX_GATES];
	struct baseline_options options;
	const struct report_format *format;
	const char *output;
	bool all, is_strict;
};

/* Both runs, and what came of it, scenario by scenario. */
struct compared {
	struct record_folders bases, news;
	bool *found;             /* of each of bases: was anything held against it? */
	size_t n, n_found;       /* records, and how many news had something to be held against */
	struct record **records; /* the new ones that were compared */
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
	const struct report_format *format = report_find(value);

	if (!format)
		return error_set(err, EXIT_CODE_USAGE,
				 "unknown format '%s'; 'perfbpf report --help' lists them", value);
	if (format->is_of_stacks || format->is_binary)
		return error_set(err, EXIT_CODE_USAGE,
				 "--format %s has nothing of a comparison with an earlier run; "
				 "there are text, md, json and others",
				 value);
	((struct compare_state *)state)->format = format;
	return 0;
}

static int set_output(void *state, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, EXIT_CODE_USAGE, "-o needs a file");
	((struct compare_state *)state)->output = value;
	return 0;
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
	{"format", 0, "F", "text, md, json or another of 'perfbpf report' (text)", set_format},
	{"output", 'o', "FILE", "write there", set_output},
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

/* What a results folder calls the sub-folder of the scenario; NULL without memory. */
static char *folder_name_of(const struct record *rec)
{
	char *name = strdup(rec->scenario.name ? rec->scenario.name : "");

	for (char *c = name; c && *c; c++)
		if (*c == '/')
			*c = '-';
	return name;
}

/*
 * What is to be held against @rec, with its stacks left out. Of several scenarios only the one of
 * the same name: NULL with a text in @err where it cannot be read, without one where there is none.
 */
static struct record *read_base(struct compared *compared, const struct record *rec,
				struct error *err)
{
	bool is_one = compared->bases.n == 1 && compared->news.n == 1;
	char *name = folder_name_of(rec), *path, *base_name;
	const struct record_folder *folder =
		name ? record_folders_get(&compared->bases, name) : NULL;
	struct record *base = NULL;

	err->text[0] = '\0';
	path = folder ? record_folder_file(folder) : NULL;
	if (!name || (folder && !path))
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (path)
		base = record_read(path, err);
	base_name = base ? folder_name_of(base) : NULL;
	if (base_name && !is_one && strcmp(base_name, name)) {
		record_free(base);
		base = NULL;
	}
	if (base)
		compared->found[folder - compared->bases.list] = true;
	free(path);
	free(name);
	free(base_name);
	return base;
}

static int no_base(const struct compare_state *state, const struct record *rec,
		   const struct error *err)
{
	if (err->text[0])
		return cmd_fail(err);
	tell("'%s' is not in %s, and not compared", rec->scenario.name ? rec->scenario.name : "?",
	     state->base);
	return state->is_strict ? EXIT_CODE_INCONCLUSIVE : EXIT_CODE_OK;
}

/* A gate that cannot fail is not to look like one that has passed. */
static void warn(const struct record *rec)
{
	const struct record_baseline *baseline = &rec->baseline;

	if (!baseline->comparable)
		tell("NOT COMPARABLE: host or scenario are not the same, so that no regression "
		     "fails this; --accept-differences takes the numbers all the same");
}

static int invalid(const char *path, const char *reason)
{
	struct error err;

	error_set(&err, EXIT_CODE_INVALID, "%s: the run is invalid, and nothing is compared: %s",
		  path, reason);
	return cmd_fail(&err);
}

/* The exit code of one pair of records; both are whole and valid. */
static int judge(const struct compare_state *state, struct record *rec, const struct record *base,
		 const char *path)
{
	struct error err;

	if (baseline_check(rec, base, &state->options, &err))
		return error_prefix(&err, "%s", state->base), cmd_fail(&err);
	if (record_baseline(rec, base, state->base, &state->options)) {
		error_set(&err, EXIT_CODE_FAILED, "out of memory");
		return cmd_fail(&err);
	}
	rec->statistics.strict = state->is_strict; /* of this judgement, for its reports */
	warn(rec);
	if (record_unfit(rec))
		return invalid(path, record_unfit(rec));
	if (record_has_regressed(rec))
		return EXIT_CODE_REGRESSION;
	return state->is_strict && record_baseline_is_open(rec) ? EXIT_CODE_INCONCLUSIVE
								: EXIT_CODE_OK;
}

/* One record of NEW; it is kept for the reports once there is something to be said of it. */
static int compare_one(const struct compare_state *state, const char *path,
		       struct compared *compared)
{
	struct error err;
	struct record *rec = record_read(path, &err), *base;
	int code;

	if (!rec)
		return cmd_fail(&err);
	base = read_base(compared, rec, &err);
	compared->n_found += base || err.text[0];
	if (!base)
		code = no_base(state, rec, &err);
	else if (record_unfit(base))
		code = invalid(state->base, record_unfit(base));
	else if (record_unfit(rec))
		code = invalid(path, record_unfit(rec));
	else
		code = judge(state, rec, base, path);
	record_free(base);
	if (rec->has_baseline && base)
		compared->records[compared->n++] = rec;
	else
		record_free(rec);
	return code;
}

static int write_reports(const struct compare_state *state, const struct compared *compared,
			 FILE *out, const char *name, struct error *err)
{
	struct report_options options = {
		.colour = stream_has_colour(out),
		.width = stream_width(out),
		.all_metrics = state->all,
		.only_baseline = true,
	};

	if (state->format->alone && compared->n > 1)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s holds %zu records, and %s takes one a file: give one of its "
				 "sub-folders",
				 state->now, compared->n, state->format->name);
	for (size_t i = 0; i < compared->n; i++) {
		if (i && state->format == &report_text)
			putc('\n', out);
		options.continued = i > 0;
		if (state->format->write(compared->records[i], &options, out, err))
			return -1;
	}
	return stream_finish(out, name, err);
}

static int write_all(const struct compare_state *state, const struct compared *compared,
		     struct error *err)
{
	FILE *out;
	int rc;

	if (!compared->n)
		return 0;
	if (!state->output)
		return write_reports(state, compared, stdout, "standard output", err);
	out = fopen(state->output, "we");
	if (!out)
		return error_set(err, EXIT_CODE_FAILED, "cannot write %s: %s", state->output,
				 strerror(errno));
	rc = write_reports(state, compared, out, state->output, err);
	if (fclose(out) && !rc)
		rc = error_set(err, EXIT_CODE_FAILED, "cannot write %s: %s", state->output,
			       strerror(errno));
	return rc;
}

/* What was measured then and is not there any more is named. */
static int check_found(const struct compare_state *state, const struct compared *compared)
{
	struct error err;
	bool any = false;

	for (size_t i = 0; i < compared->bases.n; i++) {
		any |= !compared->found[i];
		if (!compared->found[i] && compared->n_found)
			fprintf(stderr, "perfbpf: nothing in %s was compared with %s\n", state->now,
				compared->bases.list[i].path);
	}
	if (compared->n_found)
		return any && state->is_strict ? EXIT_CODE_INCONCLUSIVE : EXIT_CODE_OK;
	error_set(&err, EXIT_CODE_USAGE, "%s and %s have no scenario in common", state->base,
		  state->now);
	return cmd_fail(&err);
}

static int compare_all(const struct compare_state *state, struct compared *compared)
{
	struct error err;
	int code = EXIT_CODE_OK;

	if (record_folders_find(&compared->bases, state->base, &err) ||
	    record_folders_find(&compared->news, state->now, &err))
		return cmd_fail(&err);
	compared->records = calloc(compared->news.n, sizeof(*compared->records));
	compared->found = calloc(compared->bases.n, sizeof(*compared->found));
	if (!compared->records || !compared->found)
		return error_set(&err, EXIT_CODE_FAILED, "out of memory"), cmd_fail(&err);
	for (size_t i = 0; i < compared->news.n; i++)
		code = exit_code_worse(code,
				       compare_one(state, compared->news.list[i].path, compared));
	code = exit_code_worse(code, check_found(state, compared));
	if (write_all(state, compared, &err))
		code = exit_code_worse(code, cmd_fail(&err));
	return code;
}

static void compared_clear(struct compared *compared)
{
	for (size_t i = 0; i < compared->n; i++)
		record_free(compared->records[i]);
	free(compared->records);
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
