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
	YAML_STRING,  /* char *, strdup'ed */
	YAML_STRINGS, /* sequence of strings: char **, NULL behind the last, at offset; size_t count
			 at count_offset */
	YAML_BOOL,    /* bool */
	YAML_INT,     /* int, within [min, max] */
	YAML_DOUBLE,  /* double, within [min, max] */
	YAML_COUNT,   /* double through parse_count ("14k"), within [min, max] */
	YAML_SHARE,   /* double through parse_share ("2%"), within [min, max] */
	YAML_DURATION, /* uint64_t nanoseconds, within [min, max] seconds */
	YAML_SIZE,     /* uint64_t bytes, within [min, max] */
	YAML_ENUM,     /* int; names in choices[], NULL-terminated */
	YAML_MAP,      /* nested struct in place, by nested schema */
	YAML_OBJECT, /* nested struct of its own (calloc), void * at offset; made with its defaults
			where the key is absent */
	YAML_MAPS, /* sequence of mappings: array of nested structs (calloc) at offset, size_t count
		      at count_offset */
	YAML_PAIRS,  /* mapping of free names to strings: array of struct yaml_pair at offset, count
			at count_offset */
	YAML_CUSTOM, /* what no other type is: by the field's own functions */
	YAML_STRING_LISTS, /* sequence of sequences of strings: array of struct yaml_strings, count
			      at count_offset */
};

struct yaml_file;

struct yaml_pair {
	char *name, *value;
};

struct yaml_strings {
	size_t n;
	char **strings; /* NULL behind the last */
};

/* What other tools call something, and what is written here in its place. */
struct yaml_synonym {
	const char *word, *instead; /* a clause: "write maxVUs" */
};

/* Of a list that ends with a word NULL (or NULL); NULL: there is none. */
const char *yaml_synonym_find(const struct yaml_synonym *synonyms, const char *word);

struct yaml_mapper;
struct yaml_node_s;
struct yaml_field;

/* How a YAML_CUSTOM is read and freed. */
struct yaml_custom {
	/* Stores the value of @node into @object, where there is nothing yet; -1 with the error
	 * set, and what there is so far. */
	int (*set)(struct yaml_mapper *m, const struct yaml_node_s *node,
		   const struct yaml_field *field, char *object);
	/* Frees what hangs there. */
	void (*clear)(const struct yaml_field *field, char *object);
	/* For docs: what may be written, and of the mappings in it their place below the key
	 * ("METRIC[]") and their keys; NULL: there are none. */
	const char *value, *place;
	const struct yaml_schema *item;
};

struct yaml_field {
	const char *key;
	enum yaml_type type;
	size_t offset;
	size_t count_offset; /* for sequences */
	bool required;
	double min, max; /* both 0: no bounds; max 0 with a min above it: no upper bound */
	const char *const *choices;
	const struct yaml_synonym *synonyms; /* of choices; NULL: none */
	const struct yaml_schema *nested;
	const struct yaml_custom *custom;
	const char *help; /* one line, for docs */
};

struct yaml_schema {
	const char *name; /* what it describes: "scenario", "kubelogs" */
	size_t size;      /* of the struct */
	const struct yaml_field *fields;
	size_t n_fields;
	const struct yaml_synonym *synonyms; /* of keys; NULL: none */
	/* Sets defaults in a zeroed struct, strings as copies that free() takes, no lists; may be
	 * NULL. */
	void (*defaults)(void *object);
	/* Of a driver's section: complains, by yaml_file_error() below @key, of what the fields
	 * cannot say. May be NULL. */
	int (*check)(const void *object, const char *key, const struct yaml_file *file,
		     struct error *err);
};

/* More is no file that people write. */
#define YAML_FILE_BYTES_MAX (1024 * 1024)
#define YAML_ENTRIES_MAX    1000 /* of one list or one mapping with free names */

/*
 * Reads the file at @path into @object, which need not be initialised. -1 with
 * @err, one line "file:line:column: key 'x': what is wrong; remedy" and
 * EXIT_CODE_USAGE; @object is then zeroed. Afterwards yaml_map_free() frees what
 * hangs on @object, not @object itself.
 */
int yaml_map_load(const char *path, const struct yaml_schema *schema, void *object,
		  struct error *err);
/* The same from memory; @name stands for the path in messages. */
int yaml_map_load_memory(const char *name, const char *text, size_t size,
			 const struct yaml_schema *schema, void *object, struct error *err);
void yaml_map_free(const struct yaml_schema *schema, void *object);

/*
 * The same in steps, for a schema that depends on what the file says, and for
 * complaints about a value that only the caller can judge.
 */
struct yaml_file *yaml_file_open(const char *path, struct error *err);
struct yaml_file *yaml_file_open_memory(const char *name, const char *text, size_t size,
					struct error *err);
void yaml_file_close(struct yaml_file *file); /* takes NULL */
/* The text of a top-level key; NULL where there is none or it is no text. Lives as long as @file.
 */
const char *yaml_file_scalar(const struct yaml_file *file, const char *key);
/* The top-level keys in their order; NULL behind the last. */
const char *yaml_file_key(const struct yaml_file *file, size_t index);
int yaml_file_map(const struct yaml_file *file, const struct yaml_schema *schema, void *object,
		  struct error *err);
/* Is something written there? @where as below. */
bool yaml_file_has(const struct yaml_file *file, const char *where);
/*
 * "file:line:column: key '<where>': <text>" with EXIT_CODE_USAGE; returns -1.
 * @where is like "filter.match[0][1]"; where it does not exist, the position is
 * that of the nearest thing around it.
 */
int yaml_file_error(const struct yaml_file *file, const char *where, struct error *err,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
