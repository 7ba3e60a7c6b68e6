/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The section `thresholds` of a scenario, as k6 writes it: a mapping of metrics, each to an
 * expression, a list of them, or a list of {threshold, abortOnFail, delayAbortEval, level}.
 */
#include <stdlib.h>
#include <string.h>

#include "record/threshold.h"
#include "scenario/internal.h"
#include "scenario/yaml_file.h"

#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
#define THRESHOLDS_MAX    1000
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
