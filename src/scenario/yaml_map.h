/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Strict YAML into C structs by tables. Built on libyaml's document API, since its
 * nodes carry line and column: every complaint says where.
 */
#ifndef PERFBPF_SCENARIO_YAML_MAP_H
#define PERFBPF_SCENARIO_YAML_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

enum yaml_type {
	YAML_STRING,	  /* char *, strdup'ed */
	YAML_STRINGS,	  /* sequence of strings: char ** at offset, size_t count at count_offset */
	YAML_BOOL,	  /* bool */
	YAML_INT,	  /* int, within [min, max] */
	YAML_DOUBLE,	  /* double, within [min, max] */
	YAML_COUNT,	  /* double through parse_count ("14k"), within [min, max] */
	YAML_DURATION,	  /* uint64_t nanoseconds, within [min, max] seconds */
	YAML_SIZE,	  /* uint64_t bytes, within [min, max] */
	YAML_ENUM,	  /* int; names in choices[], NULL-terminated */
	YAML_MAP,	  /* nested struct in place, by nested schema */
	YAML_MAPS,	  /* sequence of mappings: array of nested structs (calloc) at offset, size_t count at count_offset */
	YAML_PAIRS,	  /* mapping of free names to strings: array of {char *name, *value} */
	YAML_STRING_LISTS,/* sequence of sequences of strings: array of {size_t n; char **} */
};

struct yaml_field {
	const char *key;
	enum yaml_type type;
	size_t offset;
	size_t count_offset; /* for sequences */
	bool required;
	double min, max; /* both 0: no bounds */
	const char *const *choices;
	const struct yaml_schema *nested;
	const char *help; /* one line, for docs */
};

struct yaml_schema {
	const char *name; /* what it describes: "scenario", "kubelogs" */
	size_t size;	  /* of the struct */
	const struct yaml_field *fields;
	size_t n_fields;
	/* Sets defaults in a zeroed struct; may be NULL. */
	void (*defaults)(void *object);
};

#endif
