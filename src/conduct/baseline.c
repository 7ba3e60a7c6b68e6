/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/baseline.h"
#include "record/folder.h"

static struct baseline_options options_of(const struct judge *judge)
{
	struct baseline_options out = {
		.n_rules = judge->options->n_baseline_rules,
		.rules = judge->options->baseline_rules,
		.n_gates = judge->options->n_gates,
		.gates = judge->options->gates,
		.accept_differences = judge->options->accept_differences,
	};

	return out;
}

static struct record *read_one(const struct record_folders *folders,
			       const struct scenario *scenario, struct error *err)
{
	char *name = record_folder_name(scenario ? scenario->name : ""), *path;
	const struct record_folder *folder = name ? record_folders_get(folders, name) : NULL;
	bool is_short = !name;
	struct record *rec;

	free(name);
	if (is_short) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	if (!folder) {
		error_set(err, EXIT_CODE_USAGE, "holds several records, and none of %s",
			  scenario ? scenario->name : "commands");
		return NULL;
	}
	path = record_folder_file(folder);
	rec = path ? record_read(path, err) : NULL;
	if (!path)
		error_set(err, EXIT_CODE_FAILED, "out of memory");
	free(path);
	if (rec)
		record_slim(rec);
	return rec;
}

/* As much of the record to come as is known by now. */
static int check_targets(const struct record *base, const struct judge *judge,
			 const struct plan *plan, struct error *err)
{
	struct record_target targets[SIDES] = {{.side = SIDE_A}};
	struct record planned = {.targets = targets};
	struct baseline_options options = options_of(judge);

	for (int i = 0; i < SIDES; i++)
		if (plan->targets[i])
			targets[planned.n_targets++] = (struct record_target){
				.side = (enum side)i, .name = plan->targets[i]->name};
	/* Of what is attached to, the name says nothing. */
	if (!planned.n_targets) {
		targets[0].name = base->n_targets ? base->targets[0].name : NULL;
		planned.n_targets = 1;
	}
	return baseline_check(&planned, base, &options, err);
}

static int check_one(const struct record *base, const struct judge *judge, const struct plan *plan,
		     struct error *err)
{
	const char *then = base->scenario.name ? base->scenario.name : "?";

	if (record_unfit(base))
		return error_set(err, EXIT_CODE_INVALID,
				 "the run is invalid, and no baseline for another: %s",
				 record_unfit(base));
	/* With several the wrong one must not stand in for the one that is missing. */
	if (plan->n_scenarios > 1 && strcmp(then, judge->scenario->name))
		return error_set(err, EXIT_CODE_USAGE, "is a record of %s, and there is none of %s",
				 then, judge->scenario->name);
	return check_targets(base, judge, plan, err);
}

int baselines_read(struct baselines *baselines, const struct conduct_options *options,
		   const struct plan *plan, struct error *err)
{
	size_t n = plan->n_scenarios ? plan->n_scenarios : 1;
	struct record_folders folders = {0};
	int rc = 0;

	*baselines = (struct baselines){0};
	if (!options->baseline)
		return 0;
	if (record_folders_find(&folders, options->baseline, err))
		rc = error_prefix(err, "--baseline");
	for (size_t i = 0; !rc && i < n; i++) {
		struct judge judge = {options, plan->n_scenarios ? plan->scenarios[i] : NULL};
		struct record *base = read_one(&folders, judge.scenario, err);

		if (base)
			baselines->list[baselines->n++] = base;
		if (!base || check_one(base, &judge, plan, err))
			rc = error_prefix(err, "--baseline %s", options->baseline);
	}
	record_folders_clear(&folders);
	return rc;
}

void baselines_clear(struct baselines *baselines)
{
	for (size_t i = 0; i < baselines->n; i++)
		record_free(baselines->list[i]);
	baselines->n = 0;
}

int baselines_compare(const struct baselines *baselines, const struct plan *plan,
		      const struct judge *judge, struct record *rec)
{
	struct baseline_options options = options_of(judge);
	char text[1000];
	size_t i = 0;

	if (!baselines->n)
		return 0;
	if (record_unfit(rec)) {
		snprintf(text, sizeof(text), "not compared with %.400s, since this run is invalid",
			 judge->options->baseline);
		record_note(rec, text);
		return 0;
	}
	while (i + 1 < baselines->n && plan->scenarios[i] != judge->scenario)
		i++;
	return record_baseline(rec, baselines->list[i], judge->options->baseline, &options);
}

int baselines_code(const struct judge *judge, const struct record *rec)
{
	if (record_has_regressed(rec))
		return EXIT_CODE_REGRESSION;
	return judge->options->is_strict && record_baseline_is_open(rec) ? EXIT_CODE_INCONCLUSIVE
									 : EXIT_CODE_OK;
}

/* Strings of the other record may hold anything; a message of an error is made harmless. */
static void tell(struct progress *progress, const char *what, const char *text)
{
	struct error line;

	error_set(&line, EXIT_CODE_OK, "%s%s", what, text);
	progress_note(progress, true, "%s", line.text);
}

void baselines_tell(const struct judge *judge, const struct record *rec, struct progress *progress)
{
	const struct record_baseline *baseline = &rec->baseline;

	if (!rec->has_baseline)
		return;
	if (!baseline->comparable)
		progress_note(progress, true,
			      "NOT COMPARABLE with %s, as host, scenario or the way of measuring "
			      "are not the same: no "
			      "regression fails this run (--accept-differences)",
			      judge->options->baseline);
	for (size_t i = 0; !baseline->comparable && i < baseline->n_differences; i++)
		tell(progress, "not the same: ", baseline->differences[i]);
	for (size_t i = 0; i < baseline->n_rows; i++) {
		const struct record_regression *row = &baseline->rows[i];

		if (row->gate &&
		    (!strcmp(row->verdict, "regressed") || !strcmp(row->verdict, "unknown")))
			tell(progress, "", row->text);
	}
}
