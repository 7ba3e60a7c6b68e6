/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The section `thresholds` of a scenario, as k6 writes it: a mapping of metrics, each to an
 * expression, a list of them, or a list of {threshold, abortOnFail, delayAbortEval, level}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/threshold.h"
#include "scenario/internal.h"
#include "scenario/yaml_file.h"
#include "util/suggest.h"

#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
#define THRESHOLDS_MAX    1000
#define LATENCIES_MAX     100
#define DELAY_SECONDS_MAX (7.0 * 24 * 3600)

/* A list of scenario_thresholds in the making. */
struct list {
	struct scenario_threshold **items;
	size_t *n;
};

static const struct yaml_field item_fields[] = {
	{
		.key = "threshold",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario_threshold, expression),
		.required = true,
		.help = "p(95)<50ms",
	},
	{
		.key = "abortOnFail",
		.type = YAML_BOOL,
		.offset = offsetof(struct scenario_threshold, abort_on_fail),
		.help = "true: the run ends as soon as it fails",
	},
	{
		.key = "delayAbortEval",
		.type = YAML_DURATION,
		.offset = offsetof(struct scenario_threshold, delay_abort_ns),
		.max = DELAY_SECONDS_MAX,
		.help = "but not before so much of the window, or of its phase, has passed: 10s",
	},
	{
		.key = "level",
		.type = YAML_STRING,
		.offset = offsetof(struct scenario_threshold, level),
		.help = "target, critical, good, acceptable or poor; all but critical are shown "
			"only",
	},
};

static const struct yaml_schema item_schema = {
	.name = "a threshold",
	.size = sizeof(struct scenario_threshold),
	.fields = item_fields,
	.n_fields = ARRAY_SIZE(item_fields),
};

static void clear_thresholds(const struct yaml_field *field, char *object)
{
	struct scenario_threshold *items =
		*(struct scenario_threshold **)(void *)(object + field->offset);
	size_t n = *(size_t *)(void *)(object + field->count_offset);

	for (size_t i = 0; items && i < n; i++) {
		free(items[i].metric);
		free(items[i].expression);
		free(items[i].level);
	}
	free(items);
}

/* Appends one without anything in it; NULL with the error set. */
static struct scenario_threshold *append(struct yaml_mapper *m, const yaml_node_t *node,
					 struct list *list, const char *metric)
{
	struct scenario_threshold *items;

	if (*list->n == THRESHOLDS_MAX) {
		yaml_fail(m, node, "is one more than %d thresholds", THRESHOLDS_MAX);
		return NULL;
	}
	items = reallocarray(*list->items, *list->n + 1, sizeof(*items));
	if (!items) {
		yaml_no_memory(m);
		return NULL;
	}
	*list->items = items;
	memset(&items[*list->n], 0, sizeof(*items));
	items[*list->n].metric = strdup(metric);
	if (!items[*list->n].metric) {
		yaml_no_memory(m);
		return NULL;
	}
	return &items[(*list->n)++];
}

/* The node of a key of a mapping that has it. */
static const yaml_node_t *value_of(const struct yaml_file *file, const yaml_node_t *node,
				   const char *key)
{
	for (size_t i = 0; i < yaml_node_pairs(node); i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const char *text = yaml_node_text(yaml_file_node(file, pair->key));

		if (text && !strcmp(text, key))
			return yaml_file_node(file, pair->value);
	}
	return node;
}

/* What the grammar says of it, at the metric or at the expression. */
static int check(struct yaml_mapper *m, const yaml_node_t *key, const yaml_node_t *node,
		 const struct scenario_threshold *item)
{
	const yaml_node_t *at = node;
	struct threshold_problem problem;
	struct threshold parsed;

	if (threshold_parse(item->metric, item->expression, &parsed, &problem)) {
		if (problem.in_metric)
			at = key;
		else if (node->type == YAML_MAPPING_NODE)
			at = value_of(m->file, node, "threshold");
		return yaml_fail(m, at, "%s", problem.text);
	}
	if (item->level && !threshold_is_level(item->level))
		return yaml_fail(m, value_of(m->file, node, "level"),
				 "'%.60s' is no level; write target, critical, good, acceptable or "
				 "poor",
				 item->level);
	return 0;
}

/* An expression, or a mapping with one. */
static int add_item(struct yaml_mapper *m, const yaml_node_t *key, const yaml_node_t *node,
		    struct list *list)
{
	struct scenario_threshold *item = append(m, node, list, yaml_node_text(key));

	if (!item)
		return -1;
	if (node->type == YAML_MAPPING_NODE) {
		if (yaml_map_fields(m, node, &item_schema, item))
			return -1;
	} else if (node->type == YAML_SEQUENCE_NODE) {
		return yaml_wrong(m, node, "an expression: p(95)<50ms");
	} else if (yaml_copy_text(m, node, &item->expression)) {
		return -1;
	}
	return check(m, key, node, item);
}

static int add_metric(struct yaml_mapper *m, const yaml_node_t *node, size_t index,
		      struct list *list)
{
	const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[index];
	const yaml_node_t *key = yaml_file_node(m->file, pair->key);
	const yaml_node_t *value = yaml_file_node(m->file, pair->value);
	const char *metric = yaml_text_of(m, key, "the name of a metric");
	size_t before;
	int rc = 0;

	if (!metric)
		return -1;
	before = yaml_enter_key(m, metric);
	if (value->type != YAML_SEQUENCE_NODE)
		rc = add_item(m, key, value, list);
	for (size_t i = 0; value->type == YAML_SEQUENCE_NODE && i < yaml_node_items(value) && !rc;
	     i++)
		rc = add_item(m, key, yaml_file_node(m->file, value->data.sequence.items.start[i]),
			      list);
	if (!rc)
		yaml_leave(m, before);
	return rc;
}

static int set_thresholds(struct yaml_mapper *m, const yaml_node_t *node,
			  const struct yaml_field *field, char *object)
{
	struct list list = {
		.items = (struct scenario_threshold **)(void *)(object + field->offset),
		.n = (size_t *)(void *)(object + field->count_offset),
	};

	if (node->type != YAML_MAPPING_NODE)
		return yaml_wrong(m, node,
				  "a mapping of metrics to expressions: "
				  "latency.response: p(95)<50ms");
	for (size_t i = 0; i < yaml_node_pairs(node); i++)
		if (add_metric(m, node, i, &list))
			return -1;
	return 0;
}

const struct yaml_custom thresholds_custom = {
	.set = set_thresholds,
	.clear = clear_thresholds,
	.value = "mapping of metrics to an expression, or to a list of expressions or mappings",
	.place = "METRIC[]",
	.item = &item_schema,
};

/* A measured phase; @names gets them all, for a suggestion. */
static bool has_measured(const struct scenario *scenario, const char *phase, const char **names,
			 size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < scenario->n_phases; i++) {
		if (scenario->phases[i].role != PHASE_MEASURED)
			continue;
		if (!strcmp(scenario->phases[i].name, phase))
			return true;
		names[(*n)++] = scenario->phases[i].name;
	}
	return false;
}

static int check_phase(const struct scenario *scenario, const char *phase, const char *where,
		       const struct yaml_file *file, struct error *err)
{
	const char *names[SCENARIO_PHASES_MAX], *near;
	size_t n;

	if (!*phase || has_measured(scenario, phase, names, &n))
		return 0;
	near = suggest_nearest(phase, names, n);
	return yaml_file_error(file, where, err, "no measured phase is named '%.60s'; %s '%.60s'%s",
			       phase, near ? "did you mean" : "there is", near ? near : names[0],
			       near    ? "?"
			       : n > 1 ? " and others"
				       : "");
}

/* Told by drivers only, or of what drivers start. */
static const char *const of_drivers[] = {
	"delivery",  "failed",  "exec",           "end_to_end",      "assignment",
	"rebalance", "command", "server_service", "server_response",
};

static const char *const waits[] = {
	"wait_futex", "wait_socket", "wait_pipe", "wait_disk", "wait_timer", "wait_other",
};

static bool is_of_driver(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_drivers); i++)
		if (!strcmp(name, of_drivers[i]))
			return true;
	return false;
}

/* All latencies that there can be; @scenario NULL: of a command, or of what runs. */
static size_t latency_names(const struct scenario *scenario, const char *names[LATENCIES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; latency_own_name(i); i++)
		if (!is_of_driver(latency_own_name(i)))
			names[n++] = latency_own_name(i);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		names[n++] = waits[i];
	for (size_t i = 0; scenario && i < ARRAY_SIZE(of_drivers); i++)
		names[n++] = of_drivers[i];
	for (size_t i = 0; scenario && i < scenario->n_scrapes && n < LATENCIES_MAX; i++)
		names[n++] = scenario->scrapes[i].as;
	return n;
}

int scenario_check_latency(const struct scenario *scenario, const char *latency,
			   char problem[LATENCY_PROBLEM_MAX])
{
	const char *names[LATENCIES_MAX], *near;
	size_t n = latency_names(scenario, names), used;
	char word[THRESHOLD_NAME_MAX];

	/* Of one kind: "response KIND". */
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(latency, " "), latency);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, names[i]))
			return 0;
	near = suggest_nearest(word, names, n);
	if (near) {
		snprintf(problem, LATENCY_PROBLEM_MAX,
			 "no latency is named '%.60s'; did you mean '%.60s'?", word, near);
		return -1;
	}
	used = (size_t)snprintf(problem, LATENCY_PROBLEM_MAX,
				"no latency is named '%.60s'%s; there are", word,
				!scenario && is_of_driver(word) ? " without a scenario" : "");
	for (size_t i = 0; i < n && used < LATENCY_PROBLEM_MAX; i++)
		used += (size_t)snprintf(problem + used, LATENCY_PROBLEM_MAX - used, "%s %s",
					 i ? "," : "", names[i]);
	return -1;
}

static int check_latency(const struct scenario *scenario, const char *latency, const char *where,
			 const struct yaml_file *file, struct error *err)
{
	char problem[LATENCY_PROBLEM_MAX];

	if (!scenario_check_latency(scenario, latency, problem))
		return 0;
	return yaml_file_error(file, where, err, "%s", problem);
}

int thresholds_check(const struct scenario *scenario, const struct yaml_file *file,
		     struct error *err)
{
	for (size_t i = 0; i < scenario->n_thresholds; i++) {
		const struct scenario_threshold *item = &scenario->thresholds[i];
		struct threshold_problem problem;
		struct threshold parsed = {.name = ""};
		char where[THRESHOLD_NAME_MAX + 32];

		snprintf(where, sizeof(where), "thresholds.%s", item->metric);
		/* Its grammar was looked at as it was read. */
		if (threshold_parse(item->metric, item->expression, &parsed, &problem))
			return yaml_file_error(file, where, err, "%s", problem.text);
		if (check_phase(scenario, parsed.phase, where, file, err))
			return -1;
		if (parsed.class == THRESHOLD_LATENCY &&
		    check_latency(scenario, parsed.name, where, file, err))
			return -1;
	}
	return 0;
}
