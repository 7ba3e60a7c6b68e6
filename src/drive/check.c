/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What can be said of a scenario's driver before anything is started. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/driver.h"
#include "drive/load/load.h"
#include "record/threshold.h"
#include "util/suggest.h"

#define KIND "{kind:"

struct looking {
	const struct scenario *scenario;
	const struct variable *vars;
	size_t n_vars;
	bool is_target_open;
};

static int look(void *context, const char *where, const char *text, struct error *err)
{
	const struct looking *looking = context;
	struct error found = {.text = ""};

	if (!variables_check(text, looking->vars, looking->n_vars, looking->is_target_open, &found))
		return 0;
	return file_complain(looking->scenario->path, where, found.text, err);
}

static int check_variables(const struct scenario *scenario, const char *const *own,
			   const struct looking *given, struct error *err)
{
	struct looking looking = *given;
	struct variable *all;
	size_t n = 0;
	int failed;

	while (own && own[n])
		n++;
	all = calloc(n + given->n_vars + 1, sizeof(*all));
	if (!all)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	for (size_t i = 0; i < n; i++)
		all[i] = (struct variable){own[i], ""};
	if (given->n_vars)
		memcpy(all + n, given->vars, given->n_vars * sizeof(*all));
	looking.vars = all;
	looking.n_vars = n + given->n_vars;
	failed = scenario_section_texts(scenario, look, &looking, err);
	free(all);
	return failed;
}

static int check_kind(const struct scenario *scenario, const char *metric,
		      const struct load_kind *kinds, size_t n, struct error *err)
{
	const char *at = strstr(metric, KIND), *near;
	const char **names = calloc(n + 1, sizeof(*names));
	char word[THRESHOLD_NAME_MAX] = "", where[THRESHOLD_NAME_MAX + 32], text[200];
	bool is_known = false;

	if (!names)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (at)
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(at + strlen(KIND), "}"),
			 at + strlen(KIND));
	for (size_t i = 0; i < n; i++) {
		names[i] = kinds[i].name;
		is_known = is_known || !strcmp(word, names[i]);
	}
	near = suggest_nearest(word, names, n);
	snprintf(text, sizeof(text), "no request is named '%.60s'; %s '%.60s'%s", word,
		 near ? "did you mean" : "there is",
		 near ? near
		 : n  ? names[0]
		      : "",
		 near    ? "?"
		 : n > 1 ? " and others"
			 : "");
	free(names);
	if (!at || is_known)
		return 0;
	snprintf(where, sizeof(where), "thresholds.%s", metric);
	return file_complain(scenario->path, where, text, err);
}

static int check_kinds(const struct scenario *scenario, const struct driver_ops *ops,
		       struct error *err)
{
	struct load_kind *kinds = NULL;
	size_t n = 0;
	int failed = ops->kinds(scenario->driver_config, &kinds, &n, err);

	if (failed)
		error_prefix(err, "%s", scenario->path);
	for (size_t i = 0; i < scenario->n_thresholds && !failed; i++)
		failed = check_kind(scenario, scenario->thresholds[i].metric, kinds, n, err);
	free(kinds);
	return failed;
}

int driver_check(const struct scenario *scenario, const struct variable *vars, size_t n_vars,
		 bool is_target_open, struct error *err)
{
	const struct driver_ops *ops = driver_find(scenario->driver);
	struct looking looking = {scenario, vars, n_vars, is_target_open};

	if (!ops)
		return 0;
	/* Others fill in nothing. */
	if (ops->connect && check_variables(scenario, ops->own_variables, &looking, err))
		return -1;
	return ops->kinds ? check_kinds(scenario, ops, err) : 0;
}
