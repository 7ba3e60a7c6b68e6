/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What reading and mapping of YAML share; the rest of perfbpf uses yaml_map.h. */
#ifndef PERFBPF_SCENARIO_YAML_FILE_H
#define PERFBPF_SCENARIO_YAML_FILE_H

#include <stdarg.h>
#include <yaml.h>

#include "scenario/yaml_map.h"

struct yaml_file {
	char *name;
	yaml_document_t document;
};

/* The node of an item of a list or of a key or value of a mapping. */
yaml_node_t *yaml_file_node(const struct yaml_file *file, int index);
yaml_node_t *yaml_file_root(const struct yaml_file *file);
/* The text of a scalar; NULL for another node. */
const char *yaml_node_text(const yaml_node_t *node);
/* Is nothing written there (as opposed to a pair of quotes)? */
bool yaml_node_is_blank(const yaml_node_t *node);
size_t yaml_node_items(const yaml_node_t *node);
size_t yaml_node_pairs(const yaml_node_t *node);

/* Puts one message together; @where may be NULL or empty. Returns -1. */
int yaml_complain(const struct yaml_file *file, yaml_mark_t mark, const char *where,
		  struct error *err, const char *fmt, va_list args)
	__attribute__((format(printf, 5, 0)));

/* A file on its way into structs, and where in it we are: "phases[1].duration". */
struct yaml_mapper {
	const struct yaml_file *file;
	struct error *err;
	char where[256];
	size_t length;
};

/* Goes on to a key of a mapping, for complaints; returns the length to come back to. */
size_t yaml_enter_key(struct yaml_mapper *m, const char *key);
void yaml_leave(struct yaml_mapper *m, size_t before);
/* A mapping into the struct of its schema, which has its defaults already. */
int yaml_map_fields(struct yaml_mapper *m, const yaml_node_t *node,
		    const struct yaml_schema *schema, void *object);

/* Complaints at @node about the present key. All return -1. */
int yaml_fail(struct yaml_mapper *m, const yaml_node_t *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int yaml_wrong(struct yaml_mapper *m, const yaml_node_t *node, const char *expected);
int yaml_no_memory(struct yaml_mapper *m);

/* The text of a scalar with something in it; NULL with the error set. */
const char *yaml_text_of(struct yaml_mapper *m, const yaml_node_t *node, const char *expected);
/* A copy of it in place of *copy. */
int yaml_copy_text(struct yaml_mapper *m, const yaml_node_t *node, char **copy);

/* Stores the value of @node into the field of @object. */
typedef int yaml_setter(struct yaml_mapper *m, const yaml_node_t *node,
			const struct yaml_field *field, char *object);
yaml_setter yaml_set_string;
yaml_setter yaml_set_bool;
yaml_setter yaml_set_int;
yaml_setter yaml_set_double;
yaml_setter yaml_set_count;
yaml_setter yaml_set_share;
yaml_setter yaml_set_duration;
yaml_setter yaml_set_size;
yaml_setter yaml_set_enum;

#endif
