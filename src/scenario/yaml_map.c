/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scenario/yaml_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/yaml_file.h"
#include "util/suggest.h"

size_t yaml_enter_key(struct yaml_mapper *m, const char *key)
{
	size_t before = m->length;
	int n = snprintf(m->where + before, sizeof(m->where) - before, "%s%s", before ? "." : "",
			 key);

	m->length = n < 0 ? before : strlen(m->where);
	return before;
}

static size_t enter_item(struct yaml_mapper *m, size_t index)
{
	size_t before = m->length;

	snprintf(m->where + before, sizeof(m->where) - before, "[%zu]", index);
	m->length = strlen(m->where);
	return before;
}

void yaml_leave(struct yaml_mapper *m, size_t before)
{
	m->length = before;
	m->where[before] = '\0';
}

static int set_map(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		   char *object)
{
	return yaml_map_fields(m, node, field->nested, object + field->offset);
}

/* The object is already there, made for its defaults. */
static int set_object(struct yaml_mapper *m, const yaml_node_t *node,
		      const struct yaml_field *field, char *object)
{
	return yaml_map_fields(m, node, field->nested, *(char **)(object + field->offset));
}

/*
 * Room for the items of @node behind @field, zeroed and one more than needed; the
 * count is set by the caller as they are filled, so that freeing is always right.
 */
static void *make_items(struct yaml_mapper *m, const yaml_node_t *node,
			const struct yaml_field *field, char *object, size_t n, size_t size)
{
	void *items;

	if (n > YAML_ENTRIES_MAX) {
		yaml_fail(m, node, "has %zu entries; write at most %d", n, YAML_ENTRIES_MAX);
		return NULL;
	}
	items = calloc(n + 1, size);
	if (!items)
		yaml_no_memory(m);
	*(void **)(object + field->offset) = items;
	return items;
}

static int fill_strings(struct yaml_mapper *m, const yaml_node_t *node, char **strings, size_t *n)
{
	for (size_t i = 0; i < yaml_node_items(node); i++) {
		size_t before = enter_item(m, i);
		const yaml_node_t *item =
			yaml_file_node(m->file, node->data.sequence.items.start[i]);

		if (yaml_copy_text(m, item, &strings[i]))
			return -1;
		*n = i + 1;
		yaml_leave(m, before);
	}
	return 0;
}

static int set_strings(struct yaml_mapper *m, const yaml_node_t *node,
		       const struct yaml_field *field, char *object)
{
	char **strings;

	if (node->type != YAML_SEQUENCE_NODE)
		return yaml_wrong(m, node, "a list of texts: [one, two]");
	strings = make_items(m, node, field, object, yaml_node_items(node), sizeof(*strings));
	if (!strings)
		return -1;
	return fill_strings(m, node, strings, (size_t *)(object + field->count_offset));
}

static int set_string_lists(struct yaml_mapper *m, const yaml_node_t *node,
			    const struct yaml_field *field, char *object)
{
	size_t *n = (size_t *)(object + field->count_offset);
	struct yaml_strings *lists;

	if (node->type != YAML_SEQUENCE_NODE)
		return yaml_wrong(m, node, "a list of lists of texts: [[one, two], [three]]");
	lists = make_items(m, node, field, object, yaml_node_items(node), sizeof(*lists));
	if (!lists)
		return -1;
	for (size_t i = 0; i < yaml_node_items(node); i++) {
		size_t before = enter_item(m, i);
		const yaml_node_t *item =
			yaml_file_node(m->file, node->data.sequence.items.start[i]);
		const struct yaml_field inner = {
			.offset = offsetof(struct yaml_strings, strings),
			.count_offset = offsetof(struct yaml_strings, n),
		};

		*n = i + 1;
		if (set_strings(m, item, &inner, (char *)&lists[i]))
			return -1;
		yaml_leave(m, before);
	}
	return 0;
}

static int init_fields(struct yaml_mapper *m, const struct yaml_schema *schema, char *object);

static int set_maps(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		    char *object)
{
	size_t *n = (size_t *)(object + field->count_offset);
	char *maps;

	if (node->type != YAML_SEQUENCE_NODE)
		return yaml_wrong(m, node, "a list of mappings: one '- ' for each");
	maps = make_items(m, node, field, object, yaml_node_items(node), field->nested->size);
	if (!maps)
		return -1;
	for (size_t i = 0; i < yaml_node_items(node); i++) {
		size_t before = enter_item(m, i);
		const yaml_node_t *item =
			yaml_file_node(m->file, node->data.sequence.items.start[i]);
		char *map = maps + i * field->nested->size;

		*n = i + 1;
		if (init_fields(m, field->nested, map) ||
		    yaml_map_fields(m, item, field->nested, map))
			return -1;
		yaml_leave(m, before);
	}
	return 0;
}

static int fail_duplicate(struct yaml_mapper *m, const yaml_node_t *key, const yaml_node_t *first)
{
	return yaml_fail(m, key, "is there twice, first in line %zu; remove one of them",
			 first->start_mark.line + 1);
}

/* An earlier pair with the key of pair @index; NULL: there is none. */
static const yaml_node_t *earlier_key(const struct yaml_file *file, const yaml_node_t *node,
				      size_t index, const char *text)
{
	for (size_t i = 0; i < index; i++) {
		const yaml_node_t *key =
			yaml_file_node(file, node->data.mapping.pairs.start[i].key);
		const char *other = yaml_node_text(key);

		if (other && !strcmp(other, text))
			return key;
	}
	return NULL;
}

static int fill_pair(struct yaml_mapper *m, const yaml_node_t *node, size_t index,
		     struct yaml_pair *pair)
{
	const yaml_node_pair_t *nodes = &node->data.mapping.pairs.start[index];
	const yaml_node_t *key = yaml_file_node(m->file, nodes->key), *first;
	size_t before;

	if (yaml_copy_text(m, key, &pair->name))
		return -1;
	before = yaml_enter_key(m, pair->name);
	first = earlier_key(m->file, node, index, pair->name);
	if (first)
		return fail_duplicate(m, key, first);
	if (yaml_copy_text(m, yaml_file_node(m->file, nodes->value), &pair->value))
		return -1;
	yaml_leave(m, before);
	return 0;
}

static int set_pairs(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		     char *object)
{
	size_t *n = (size_t *)(object + field->count_offset);
	struct yaml_pair *pairs;

	if (node->type != YAML_MAPPING_NODE)
		return yaml_wrong(m, node, "a mapping of names to texts: NAME: text");
	pairs = make_items(m, node, field, object, yaml_node_pairs(node), sizeof(*pairs));
	if (!pairs)
		return -1;
	for (size_t i = 0; i < yaml_node_pairs(node); i++) {
		*n = i + 1;
		if (fill_pair(m, node, i, &pairs[i]))
			return -1;
	}
	return 0;
}

static void clear_string(const struct yaml_field *field, char *object)
{
	free(*(char **)(object + field->offset));
}

static void clear_strings(const struct yaml_field *field, char *object)
{
	char **strings = *(char ***)(object + field->offset);
	size_t n = *(size_t *)(object + field->count_offset);

	if (!strings)
		return;
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

static void clear_map(const struct yaml_field *field, char *object)
{
	yaml_map_free(field->nested, object + field->offset);
}

static void clear_object(const struct yaml_field *field, char *object)
{
	void *inner = *(void **)(object + field->offset);

	yaml_map_free(field->nested, inner);
	free(inner);
}

static void clear_maps(const struct yaml_field *field, char *object)
{
	char *maps = *(char **)(object + field->offset);
	size_t n = *(size_t *)(object + field->count_offset);

	for (size_t i = 0; maps && i < n; i++)
		yaml_map_free(field->nested, maps + i * field->nested->size);
	free(maps);
}

static void clear_pairs(const struct yaml_field *field, char *object)
{
	struct yaml_pair *pairs = *(struct yaml_pair **)(object + field->offset);
	size_t n = *(size_t *)(object + field->count_offset);

	for (size_t i = 0; pairs && i < n; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}

static void clear_string_lists(const struct yaml_field *field, char *object)
{
	const struct yaml_field inner = {
		.offset = offsetof(struct yaml_strings, strings),
		.count_offset = offsetof(struct yaml_strings, n),
	};
	char *lists = *(char **)(object + field->offset);
	size_t n = *(size_t *)(object + field->count_offset);

	for (size_t i = 0; lists && i < n; i++)
		clear_strings(&inner, lists + i * sizeof(struct yaml_strings));
	free(lists);
}

static int set_custom(struct yaml_mapper *m, const yaml_node_t *node,
		      const struct yaml_field *field, char *object)
{
	return field->custom->set(m, node, field, object);
}

static void clear_custom(const struct yaml_field *field, char *object)
{
	field->custom->clear(field, object);
}

/* What each type does; clear NULL: nothing hangs on it. */
static const struct {
	int (*set)(struct yaml_mapper *m, const yaml_node_t *node, const struct yaml_field *field,
		   char *object);
	void (*clear)(const struct yaml_field *field, char *object);
} types[] = {
	[YAML_STRING] = {yaml_set_string, clear_string},
	[YAML_STRINGS] = {set_strings, clear_strings},
	[YAML_BOOL] = {yaml_set_bool, NULL},
	[YAML_INT] = {yaml_set_int, NULL},
	[YAML_DOUBLE] = {yaml_set_double, NULL},
	[YAML_COUNT] = {yaml_set_count, NULL},
	[YAML_SHARE] = {yaml_set_share, NULL},
	[YAML_DURATION] = {yaml_set_duration, NULL},
	[YAML_SIZE] = {yaml_set_size, NULL},
	[YAML_ENUM] = {yaml_set_enum, NULL},
	[YAML_MAP] = {set_map, clear_map},
	[YAML_OBJECT] = {set_object, clear_object},
	[YAML_MAPS] = {set_maps, clear_maps},
	[YAML_PAIRS] = {set_pairs, clear_pairs},
	[YAML_STRING_LISTS] = {set_string_lists, clear_string_lists},
	[YAML_CUSTOM] = {set_custom, clear_custom},
};

void yaml_map_free(const struct yaml_schema *schema, void *object)
{
	if (!object)
		return;
	for (size_t i = 0; i < schema->n_fields; i++)
		if (types[schema->fields[i].type].clear)
			types[schema->fields[i].type].clear(&schema->fields[i], object);
	memset(object, 0, schema->size);
}

/* Defaults, also of what the file does not mention. */
static int init_fields(struct yaml_mapper *m, const struct yaml_schema *schema, char *object)
{
	if (schema->defaults)
		schema->defaults(object);
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct yaml_field *field = &schema->fields[i];
		char *inner = object + field->offset;

		if (field->type != YAML_MAP && field->type != YAML_OBJECT)
			continue;
		if (field->type == YAML_OBJECT) {
			inner = calloc(1, field->nested->size);
			if (!inner)
				return yaml_no_memory(m);
			*(char **)(object + field->offset) = inner;
		}
		if (init_fields(m, field->nested, inner))
			return -1;
	}
	return 0;
}

const char *yaml_synonym_find(const struct yaml_synonym *synonyms, const char *word)
{
	for (; synonyms && synonyms->word; synonyms++)
		if (!strcmp(synonyms->word, word))
			return synonyms->instead;
	return NULL;
}

static const struct yaml_field *find_field(const struct yaml_schema *schema, const char *key)
{
	for (size_t i = 0; i < schema->n_fields; i++)
		if (!strcmp(schema->fields[i].key, key))
			return &schema->fields[i];
	return NULL;
}

static int fail_unknown(struct yaml_mapper *m, const yaml_node_t *key, const char *text,
			const struct yaml_schema *schema)
{
	const char **names = calloc(schema->n_fields + 1, sizeof(*names));
	const char *near, *instead = yaml_synonym_find(schema->synonyms, text);
	char known[512] = "";
	size_t used = 0;

	if (!names)
		return yaml_no_memory(m);
	for (size_t i = 0; i < schema->n_fields; i++) {
		names[i] = schema->fields[i].key;
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 i ? ", " : "", names[i]);
	}
	near = suggest_nearest(text, names, schema->n_fields);
	if (instead)
		yaml_fail(m, key, "is k6's; %s", instead);
	else if (near)
		yaml_fail(m, key, "is unknown; did you mean '%s'?", near);
	else
		yaml_fail(m, key, "is unknown; the keys of %s are %s", schema->name, known);
	free(names);
	return -1;
}

static int map_pair(struct yaml_mapper *m, const yaml_node_t *node, size_t index,
		    const struct yaml_schema *schema, char *object, bool *seen)
{
	const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[index];
	const yaml_node_t *key = yaml_file_node(m->file, pair->key);
	const char *text = yaml_text_of(m, key, "the name of a key");
	const struct yaml_field *field;
	size_t before;

	if (!text)
		return -1;
	before = yaml_enter_key(m, text);
	field = find_field(schema, text);
	if (!field)
		return fail_unknown(m, key, text, schema);
	if (seen[field - schema->fields])
		return fail_duplicate(m, key, earlier_key(m->file, node, index, text));
	seen[field - schema->fields] = true;
	if (types[field->type].set(m, yaml_file_node(m->file, pair->value), field, object))
		return -1;
	yaml_leave(m, before);
	return 0;
}

int yaml_map_fields(struct yaml_mapper *m, const yaml_node_t *node,
		    const struct yaml_schema *schema, void *object)
{
	bool *seen;
	int result = 0;

	if (node->type != YAML_MAPPING_NODE)
		return yaml_wrong(m, node, "a mapping: one 'key: value' on each line");
	seen = calloc(schema->n_fields + 1, sizeof(*seen));
	if (!seen)
		return yaml_no_memory(m);
	for (size_t i = 0; i < yaml_node_pairs(node) && !result; i++)
		result = map_pair(m, node, i, schema, object, seen);
	for (size_t i = 0; i < schema->n_fields && !result; i++) {
		const struct yaml_field *field = &schema->fields[i];

		if (!field->required || seen[i])
			continue;
		yaml_enter_key(m, field->key);
		result = yaml_fail(m, node, "is missing; add it%s%s%s", field->help ? " (" : "",
				   field->help ? field->help : "", field->help ? ")" : "");
	}
	free(seen);
	return result;
}

int yaml_file_map(const struct yaml_file *file, const struct yaml_schema *schema, void *object,
		  struct error *err)
{
	struct yaml_mapper m = {.file = file, .err = err};

	memset(object, 0, schema->size);
	if (!init_fields(&m, schema, object) &&
	    !yaml_map_fields(&m, yaml_file_root(file), schema, object))
		return 0;
	yaml_map_free(schema, object);
	return -1;
}

static int map_and_close(struct yaml_file *file, const struct yaml_schema *schema, void *object,
			 struct error *err)
{
	int result;

	memset(object, 0, schema->size);
	if (!file)
		return -1;
	result = yaml_file_map(file, schema, object, err);
	yaml_file_close(file);
	return result;
}

int yaml_map_load(const char *path, const struct yaml_schema *schema, void *object,
		  struct error *err)
{
	return map_and_close(yaml_file_open(path, err), schema, object, err);
}

int yaml_map_load_memory(const char *name, const char *text, size_t size,
			 const struct yaml_schema *schema, void *object, struct error *err)
{
	return map_and_close(yaml_file_open_memory(name, text, size, err), schema, object, err);
}
