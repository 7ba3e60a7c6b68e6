/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scenario/yaml_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"

/* A scenario needs five; the limit keeps hostile input cheap. */
#define DEPTH_MAX 16

yaml_node_t *yaml_file_node(const struct yaml_file *file, int index)
{
	/* libyaml takes no const, and changes nothing. */
	return yaml_document_get_node((yaml_document_t *)&file->document, index);
}

yaml_node_t *yaml_file_root(const struct yaml_file *file)
{
	return yaml_file_node(file, 1);
}

const char *yaml_node_text(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
						      : NULL;
}

bool yaml_node_is_blank(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && !node->data.scalar.length &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

size_t yaml_node_items(const yaml_node_t *node)
{
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

size_t yaml_node_pairs(const yaml_node_t *node)
{
	return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

int yaml_complain(const struct yaml_file *file, yaml_mark_t mark, const char *where,
		  struct error *err, const char *fmt, va_list args)
{
	char text[sizeof(err->text)];

	vsnprintf(text, sizeof(text), fmt, args);
	if (where && *where)
		return error_set(err, EXIT_CODE_USAGE, "%s:%zu:%zu: key '%s': %s", file->name,
				 mark.line + 1, mark.column + 1, where, text);
	return error_set(err, EXIT_CODE_USAGE, "%s:%zu:%zu: %s", file->name, mark.line + 1,
			 mark.column + 1, text);
}

__attribute__((format(printf, 4, 5))) static int
complain_at(const struct yaml_file *file, yaml_mark_t mark, struct error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	yaml_complain(file, mark, NULL, err, fmt, args);
	va_end(args);
	return -1;
}

/* The reader knows only how far it was; people want a line and a column. */
static yaml_mark_t mark_of_offset(const char *text, size_t size, size_t offset)
{
	yaml_mark_t mark = {.index = offset};

	for (size_t i = 0; i < offset && i < size; i++) {
		mark.column++;
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static int complain_parser(const struct yaml_file *file, const yaml_parser_t *parser,
			   const char *text, size_t size, struct error *err)
{
	const char *problem = parser->problem ? parser->problem : "not understood";

	switch (parser->error) {
	case YAML_MEMORY_ERROR:
		return error_set(err, EXIT_CODE_FAILED, "%s: out of memory", file->name);
	case YAML_READER_ERROR:
		return complain_at(file, mark_of_offset(text, size, parser->problem_offset), err,
				   "%s; save the file as plain UTF-8 text", problem);
	default:
		return complain_at(file, parser->problem_mark, err,
				   "%s%s%s; correct the YAML here or just above", problem,
				   parser->context ? ", " : "",
				   parser->context ? parser->context : "");
	}
}

struct event_check {
	const struct yaml_file *file;
	struct error *err;
	int depth;
	int documents;
};

static int check_decoration(struct event_check *check, yaml_mark_t mark, const yaml_char_t *anchor,
			    const yaml_char_t *tag)
{
	if (anchor)
		return complain_at(check->file, mark, check->err,
				   "an anchor (&%s) is not taken; write the value out where it is "
				   "wanted, and remove the anchor",
				   anchor);
	if (tag)
		return complain_at(check->file, mark, check->err,
				   "a tag (%s) is not taken; remove it", tag);
	return 0;
}

static int check_open(struct event_check *check, yaml_mark_t mark)
{
	if (++check->depth <= DEPTH_MAX)
		return 0;
	return complain_at(check->file, mark, check->err,
			   "is nested deeper than %d levels; no key needs that, look for a bracket "
			   "that is not closed",
			   DEPTH_MAX);
}

static int check_event(struct event_check *check, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++check->documents == 1)
			return 0;
		return complain_at(check->file, event->start_mark, check->err,
				   "a second document begins; write one file for each");
	case YAML_ALIAS_EVENT:
		return complain_at(check->file, event->start_mark, check->err,
				   "an alias (*%s) is not taken; write the value out",
				   event->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return check_decoration(check, event->start_mark, event->data.scalar.anchor,
					event->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
		if (check_open(check, event->start_mark))
			return -1;
		return check_decoration(check, event->start_mark, event->data.sequence_start.anchor,
					event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		if (check_open(check, event->start_mark))
			return -1;
		return check_decoration(check, event->start_mark, event->data.mapping_start.anchor,
					event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		check->depth--;
		return 0;
	default:
		return 0;
	}
}

/*
 * Once over the events before the document is built: a document has forgotten
 * where its aliases, anchors and tags were, and what is too deep need not be built.
 */
static int check_text(const struct yaml_file *file, const char *text, size_t size,
		      struct error *err)
{
	struct event_check check = {.file = file, .err = err};
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_parser_t parser;
	int result = 0;

	if (!yaml_parser_initialize(&parser))
		return error_set(err, EXIT_CODE_FAILED, "%s: out of memory", file->name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	while (!result && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			result = complain_parser(file, &parser, text, size, err);
			break;
		}
		type = event.type;
		result = check_event(&check, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (!result && !check.documents)
		result = complain_at(file, (yaml_mark_t){0}, err,
				     "the file is empty; write its keys, one on each line");
	return result;
}

static int build(struct yaml_file *file, const char *text, size_t size, struct error *err)
{
	yaml_parser_t parser;
	int result = 0;

	if (!yaml_parser_initialize(&parser))
		return error_set(err, EXIT_CODE_FAILED, "%s: out of memory", file->name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &file->document))
		result = complain_parser(file, &parser, text, size, err);
	yaml_parser_delete(&parser);
	return result;
}

struct yaml_file *yaml_file_open_memory(const char *name, const char *text, size_t size,
					struct error *err)
{
	struct yaml_file *file = calloc(1, sizeof(*file));

	if (file)
		file->name = strdup(name);
	if (!file || !file->name) {
		error_set(err, EXIT_CODE_FAILED, "%s: out of memory", name);
		goto fail;
	}
	if (size > YAML_FILE_BYTES_MAX) {
		complain_at(file, (yaml_mark_t){0}, err,
			    "is larger than 1 MiB; this is no file that perfbpf reads");
		goto fail;
	}
	if (check_text(file, text, size, err) || build(file, text, size, err))
		goto fail;
	return file;
fail:
	if (file)
		free(file->name);
	free(file);
	return NULL;
}

struct yaml_file *yaml_file_open(const char *path, struct error *err)
{
	struct yaml_file *file;
	size_t size;
	char *text = file_read(path, YAML_FILE_BYTES_MAX, &size);

	if (!text && errno == EFBIG) {
		error_set(err, EXIT_CODE_USAGE,
			  "%s:1:1: is larger than 1 MiB; this is no file that perfbpf reads", path);
		return NULL;
	}
	if (!text) {
		error_set(err, EXIT_CODE_USAGE, "cannot read '%s': %s; check the path", path,
			  strerror(errno));
		return NULL;
	}
	file = yaml_file_open_memory(path, text, size, err);
	free(text);
	return file;
}

void yaml_file_close(struct yaml_file *file)
{
	if (!file)
		return;
	yaml_document_delete(&file->document);
	free(file->name);
	free(file);
}

static yaml_node_t *find_key(const struct yaml_file *file, const yaml_node_t *node, const char *key,
			     size_t length)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const char *text = yaml_node_text(yaml_file_node(file, pair->key));

		if (text && strlen(text) == length && !memcmp(text, key, length))
			return yaml_file_node(file, pair->value);
	}
	return NULL;
}

static yaml_node_t *find_item(const struct yaml_file *file, const yaml_node_t *node, size_t index)
{
	if (node->type != YAML_SEQUENCE_NODE || index >= yaml_node_items(node))
		return NULL;
	return yaml_file_node(file, node->data.sequence.items.start[index]);
}

const char *yaml_file_scalar(const struct yaml_file *file, const char *key)
{
	return yaml_node_text(find_key(file, yaml_file_root(file), key, strlen(key)));
}

const char *yaml_file_key(const struct yaml_file *file, size_t index)
{
	const yaml_node_t *root = yaml_file_root(file);

	if (root->type != YAML_MAPPING_NODE)
		return NULL;
	for (; index < yaml_node_pairs(root); index++) {
		yaml_node_pair_t *pair = &root->data.mapping.pairs.start[index];
		const char *text = yaml_node_text(yaml_file_node(file, pair->key));

		if (text)
			return text;
	}
	return NULL;
}

/* Follows "filter.match[0][1]" as far as it goes; @is_whole: to its end. */
static const yaml_node_t *find_where(const struct yaml_file *file, const char *where,
				     bool *is_whole)
{
	const yaml_node_t *node = yaml_file_root(file), *next = node;

	while (*where) {
		if (*where == '[') {
			char *end;
			size_t index = strtoul(where + 1, &end, 10);

			next = find_item(file, node, index);
			where = *end ? end + 1 : end;
		} else {
			size_t length;

			where += *where == '.';
			/* A name that the file chose may have dots of its own. */
			length = strlen(where);
			if (!find_key(file, node, where, length))
				length = strcspn(where, ".[");
			next = find_key(file, node, where, length);
			where += length;
		}
		if (!next)
			break;
		node = next;
	}
	*is_whole = !*where && next;
	return node;
}

bool yaml_file_has(const struct yaml_file *file, const char *where)
{
	bool is_whole;

	find_where(file, where, &is_whole);
	return is_whole;
}

int yaml_file_error(const struct yaml_file *file, const char *where, struct error *err,
		    const char *fmt, ...)
{
	bool is_whole;
	va_list args;

	va_start(args, fmt);
	yaml_complain(file, find_where(file, where, &is_whole)->start_mark, where, err, fmt, args);
	va_end(args);
	return -1;
}
