/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "record/json_scan.h"
#include "record/profile_table.h"

/* Of text, after decompression: a file of 1 MB can hold 1 GB. */
#define TEXT_MAX_BYTES (256ULL << 20)
#define FIRST_ROOM     (64ULL << 10)
/* What a profile may take in memory beside its text. */
#define MEMORY_MAX_BYTES (1ULL << 30)
/* Of strings, beside their bytes. */
#define STRING_COST 32
/* Beyond these, sums would lose what is in them. */
#define MAX_SAMPLES (1ULL << 53)
#define MAX_SECONDS 1e12
#define MAX_WORDS   64
#define NO_WORD     0xff

struct reader {
	struct json_scan scan;
	struct profile *profile;
	size_t budget;
	bool has_schema;
	bool has_words[PROFILE_WORDS];
	uint8_t words[PROFILE_WORDS][MAX_WORDS]; /* what the file's number stands for */
	uint32_t seen[PROFILE_TABLES];           /* columns, a bit each */
	bool has_rows[PROFILE_TABLES];           /* the first column was read */
};

static int broken_value(struct reader *reader, const char *table, const char *column, size_t i,
			const char *what)
{
	return error_set(reader->scan.err, EXIT_CODE_USAGE, "%s: %s.%s[%zu]: %s", reader->scan.file,
			 table, column, i, what);
}

static int charge(struct reader *reader, size_t bytes)
{
	if (bytes > reader->budget)
		return error_set(reader->scan.err, EXIT_CODE_USAGE,
				 "%s: %s: is more than this program takes into memory (1 GiB)",
				 reader->scan.file, reader->scan.path);
	reader->budget -= bytes;
	return 0;
}

static int get_string(struct reader *reader, const struct column *column, char **out)
{
	char *text;

	if (column->nullable && json_scan_null(&reader->scan))
		return 0;
	if (json_scan_string(&reader->scan, &text))
		return -1;
	if (charge(reader, strlen(text) + STRING_COST)) {
		free(text);
		return -1;
	}
	*out = text;
	return 0;
}

static int get_address(struct reader *reader, uint64_t *out)
{
	char *text, *end = NULL;
	int rc = 0;

	if (json_scan_string(&reader->scan, &text))
		return -1;
	errno = 0;
	*out = strtoull(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || text[2 + strspn(text + 2, "0123456789abcdef")] ||
	    end == text || *end || errno)
		rc = json_scan_unfit(&reader->scan, "an address as \"0x1f\"");
	free(text);
	return rc;
}

static int get_optional(struct reader *reader, const struct column *column, uint32_t *out)
{
	uint64_t value;

	if (column->nullable && json_scan_null(&reader->scan))
		return 0; /* as the element was set before */
	if (json_scan_number(&reader->scan, PROFILE_NONE - 1, &value))
		return -1;
	*out = (uint32_t)value;
	return 0;
}

static int get_seconds(struct reader *reader, double *out)
{
	if (json_scan_real(&reader->scan, out))
		return -1;
	return *out >= 0 && *out <= MAX_SECONDS
		       ? 0
		       : json_scan_unfit(&reader->scan, "0 to 1e12 seconds");
}

static void set_word(const struct column *column, void *at, unsigned int value)
{
	if (column->size == sizeof(uint8_t))
		*(uint8_t *)at = (uint8_t)value;
	else
		memcpy(at, &value, sizeof(value));
}

static unsigned int get_word(const struct column *column, const void *at)
{
	unsigned int value;

	if (column->size == sizeof(uint8_t))
		return *(const uint8_t *)at;
	memcpy(&value, at, sizeof(value));
	return value;
}

static int get_value(struct reader *reader, const struct column *column, void *at)
{
	uint64_t value;

	switch (column->kind) {
	case COLUMN_STRING:
		return get_string(reader, column, at);
	case COLUMN_INDEX:
	case COLUMN_NUMBER:
		return get_optional(reader, column, at);
	case COLUMN_COUNT:
		return json_scan_number(&reader->scan, MAX_SAMPLES, at);
	case COLUMN_ADDRESS:
		return get_address(reader, at);
	case COLUMN_SECONDS:
		return get_seconds(reader, at);
	case COLUMN_WORD:
		if (json_scan_number(&reader->scan, MAX_WORDS - 1, &value))
			return -1;
		set_word(column, at, (unsigned int)value);
		return 0;
	case COLUMN_FLAG:
		if (json_scan_number(&reader->scan, 1, &value))
			return -1;
		*(bool *)at = value;
		return 0;
	}
	return -1;
}

/* A new element, in which every column that can be null is so. */
static int append(struct reader *reader, const struct profile_table *table)
{
	size_t *n = profile_count(table, reader->profile);
	void **list = (void **)(void *)((char *)reader->profile + table->list);
	char *element;

	if (charge(reader, 2 * table->size))
		return -1;
	if (profile_grow(list, *n, table->size))
		return error_set(reader->scan.err, EXIT_CODE_FAILED, "%s: out of memory",
				 reader->scan.file);
	element = (char *)*list + *n * table->size;
	memset(element, 0, table->size);
	for (size_t i = 0; i < table->n_columns; i++)
		if (table->columns[i].nullable && table->columns[i].kind != COLUMN_STRING)
			*(uint32_t *)(void *)(element + table->columns[i].offset) = PROFILE_NONE;
	++*n;
	return 0;
}

static int wrong_length(struct reader *reader, const struct profile_table *table)
{
	return error_set(reader->scan.err, EXIT_CODE_USAGE,
			 "%s: %s: has another number of values than the columns before it (%zu)",
			 reader->scan.file, reader->scan.path,
			 *profile_count(table, reader->profile));
}

/* The first column makes the elements; all others must have as many. */
static int read_column(struct reader *reader, size_t t, const struct column *column)
{
	const struct profile_table *table = &profile_tables[t];
	size_t *n = profile_count(table, reader->profile), i = 0;
	bool first = true;
	int more;

	if (json_scan_expect(&reader->scan, '['))
		return -1;
	for (; (more = json_scan_step(&reader->scan, ']', &first)) > 0; i++) {
		if (i == *n && reader->has_rows[t])
			return wrong_length(reader, table);
		if (i == *n && append(reader, table))
			return -1;
		if (get_value(reader, column,
			      (char *)profile_list(table, reader->profile) + i * table->size +
				      column->offset))
			return -1;
	}
	if (!more && i != *n)
		return wrong_length(reader, table);
	reader->has_rows[t] = true;
	return more;
}

static int read_table(struct reader *reader, size_t t)
{
	const struct profile_table *table = &profile_tables[t];
	char key[JSON_SCAN_KEY_MAX];
	bool first = true;
	int more, rc = 0;

	if (json_scan_expect(&reader->scan, '{'))
		return -1;
	while (!rc && (more = json_scan_step(&reader->scan, '}', &first))) {
		size_t i = 0;

		if (more < 0 || json_scan_key(&reader->scan, key))
			return -1;
		snprintf(reader->scan.path, sizeof(reader->scan.path), "%s.%s", table->key, key);
		while (i < table->n_columns && strcmp(table->columns[i].key, key) != 0)
			i++;
		if (i == table->n_columns) {
			rc = json_scan_skip(&reader->scan);
		} else if (reader->seen[t] & 1u << i) {
			rc = json_scan_broken(&reader->scan, "is there twice");
		} else {
			reader->seen[t] |= 1u << i;
			rc = read_column(reader, t, &table->columns[i]);
		}
	}
	return rc;
}

/* Words that this program does not know are an error only where they are used. */
static int read_words(struct reader *reader, enum profile_words words)
{
	bool first = true;
	size_t n = 0;
	int more;

	if (reader->has_words[words])
		return json_scan_broken(&reader->scan, "is there twice");
	reader->has_words[words] = true;
	memset(reader->words[words], NO_WORD, sizeof(reader->words[words]));
	if (json_scan_expect(&reader->scan, '['))
		return -1;
	while ((more = json_scan_step(&reader->scan, ']', &first)) > 0) {
		char *word;

		if (n == MAX_WORDS)
			return json_scan_unfit(&reader->scan, "shorter");
		if (json_scan_string(&reader->scan, &word))
			return -1;
		for (size_t i = 0; i < profile_words_count(words); i++)
			if (!strcmp(word, profile_word(words, i)))
				reader->words[words][n] = (uint8_t)i;
		n++;
		free(word);
	}
	return more;
}

static int read_schema(struct reader *reader)
{
	char *schema;
	int rc = 0;

	if (json_scan_string(&reader->scan, &schema))
		return -1;
	if (strcmp(schema, PROFILE_SCHEMA) != 0)
		rc = error_set(reader->scan.err, EXIT_CODE_USAGE,
			       "%s: schema: must be \"" PROFILE_SCHEMA "\", not \"%.40s\"; of a "
			       "later one: use a newer perfbpf",
			       reader->scan.file, schema);
	free(schema);
	reader->has_schema = true;
	return rc;
}

/* Keys that no table knows are passed over, as in run.json. */
static int read_key(struct reader *reader, const char *key)
{
	snprintf(reader->scan.path, sizeof(reader->scan.path), "%s", key);
	if (!strcmp(key, "schema"))
		return read_schema(reader);
	for (int words = 0; words < PROFILE_WORDS; words++)
		if (!strcmp(key, profile_words_key((enum profile_words)words)))
			return read_words(reader, (enum profile_words)words);
	for (size_t i = 0; i < PROFILE_TABLES; i++)
		if (!strcmp(key, profile_tables[i].key))
			return read_table(reader, i);
	return json_scan_skip(&reader->scan);
}

static int read_all(struct reader *reader)
{
	char key[JSON_SCAN_KEY_MAX];
	bool first = true;
	int more;

	if (json_scan_expect(&reader->scan, '{'))
		return -1;
	while ((more = json_scan_step(&reader->scan, '}', &first))) {
		reader->scan.path[0] = '\0';
		if (more < 0 || json_scan_key(&reader->scan, key) || read_key(reader, key))
			return -1;
	}
	reader->scan.path[0] = '\0';
	return json_scan_end(&reader->scan);
}

static int check_column(struct reader *reader, const struct profile_table *table,
			const struct column *column)
{
	size_t n = *profile_count(table, reader->profile), limit;
	char *at = (char *)profile_list(table, reader->profile);

	if (column->kind == COLUMN_WORD && n && !reader->has_words[column->words])
		return error_set(reader->scan.err, EXIT_CODE_USAGE, "%s: %s: is missing",
				 reader->scan.file, profile_words_key(column->words));
	limit = column->kind == COLUMN_INDEX ? profile_count_in(reader->profile, column->of) : 0;
	for (size_t i = 0; i < n; i++, at += table->size) {
		void *field = at + column->offset;

		if (column->kind == COLUMN_WORD) {
			unsigned int word = reader->words[column->words][get_word(column, field)];

			if (word == NO_WORD)
				return broken_value(reader, table->key, column->key, i,
						    "stands for no word that this program knows");
			set_word(column, field, word);
		} else if (column->kind == COLUMN_INDEX) {
			uint32_t value = *(uint32_t *)field;

			if (value >= limit && !(column->nullable && value == PROFILE_NONE))
				return broken_value(reader, table->key, column->key, i,
						    "there is no such element");
		}
	}
	return 0;
}

static int check_table(struct reader *reader, size_t t)
{
	const struct profile_table *table = &profile_tables[t];
	int rc = 0;

	for (size_t i = 0; i < table->n_columns && !rc; i++) {
		const struct column *column = &table->columns[i];

		if (!(reader->seen[t] & 1u << i) && !column->nullable)
			return error_set(reader->scan.err, EXIT_CODE_USAGE, "%s: %s.%s: is missing",
					 reader->scan.file, table->key, column->key);
		rc = check_column(reader, table, column);
	}
	return rc;
}

/* Parents come first, so that walks end; and no stack is deeper than the bound. */
static int check_nodes(struct reader *reader)
{
	const struct profile *profile = reader->profile;
	uint16_t *depth = calloc(profile->n_nodes + 1, sizeof(*depth));
	int rc = 0;

	if (!depth)
		return error_set(reader->scan.err, EXIT_CODE_FAILED, "%s: out of memory",
				 reader->scan.file);
	for (size_t i = 0; i < profile->n_nodes && !rc; i++) {
		uint32_t parent = profile->nodes[i].parent;

		if (parent == PROFILE_NONE)
			depth[i] = 1;
		else if (parent >= i)
			rc = broken_value(reader, "nodes", "parent", i,
					  "a parent must come before its children");
		else
			depth[i] = (uint16_t)(depth[parent] + 1);
		if (!rc && depth[i] > PROFILE_MAX_DEPTH)
			rc = broken_value(reader, "nodes", "parent", i,
					  "the stack has over 8192 frames");
	}
	free(depth);
	return rc;
}

static int check_all(struct reader *reader)
{
	int rc = 0;

	if (!reader->has_schema)
		return error_set(reader->scan.err, EXIT_CODE_USAGE,
				 "%s: schema: is missing: these are no stacks of perfbpf",
				 reader->scan.file);
	for (size_t i = 0; i < PROFILE_TABLES && !rc; i++)
		rc = check_table(reader, i);
	return rc ? rc : check_nodes(reader);
}

struct profile *profile_parse(const char *text, size_t size, const char *name, struct error *err)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct profile *profile = profile_new();

	if (!reader || !profile) {
		error_set(err, EXIT_CODE_FAILED, "%s: out of memory", name);
		free(reader);
		profile_free(profile);
		return NULL;
	}
	reader->scan = (struct json_scan){
		.at = text, .begin = text, .end = text + size, .file = name, .err = err};
	reader->profile = profile;
	reader->budget = MEMORY_MAX_BYTES;
	if (read_all(reader) || check_all(reader)) {
		profile_free(profile);
		profile = NULL;
	}
	free(reader);
	return profile;
}

static int make_room(char **text, size_t *room, const char *path, struct error *err)
{
	size_t larger = *room ? 2 * *room : FIRST_ROOM;
	char *longer;

	if (larger > TEXT_MAX_BYTES)
		return error_set(err, EXIT_CODE_USAGE,
				 "%s: holds over 256 MiB, too large for stacks", path);
	longer = realloc(*text, larger);
	if (!longer)
		return error_set(err, EXIT_CODE_FAILED, "%s: out of memory", path);
	*text = longer;
	*room = larger;
	return 0;
}

/* All that @gz holds, to be freed; NULL with @err. */
static char *decompress(gzFile gz, const char *path, size_t *size, struct error *err)
{
	char *text = NULL;
	size_t room = 0;
	int n = 0, code = Z_OK, rc = 0;

	*size = 0;
	do {
		*size += (size_t)n;
		if (*size == room)
			rc = make_room(&text, &room, path, err);
		if (!rc)
			n = gzread(gz, text + *size, (unsigned int)(room - *size));
	} while (!rc && n > 0);
	if (!rc) {
		const char *why = gzerror(gz, &code);

		if (code == Z_BUF_ERROR)
			rc = error_set(err, EXIT_CODE_USAGE, "%s: is cut short", path);
		else if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
			rc = error_set(err, EXIT_CODE_USAGE, "%s: cannot be decompressed: %s", path,
				       code == Z_ERRNO ? strerror(errno) : why);
	}
	if (!rc)
		return text;
	free(text);
	return NULL;
}

struct profile *profile_read(const char *path, struct error *err)
{
	struct profile *profile = NULL;
	gzFile gz = gzopen(path, "rbe");
	size_t size;
	char *text;

	if (!gz) {
		error_set(err, EXIT_CODE_USAGE, "%s: %s", path, strerror(errno ? errno : ENOMEM));
		return NULL;
	}
	text = decompress(gz, path, &size, err);
	gzclose_r(gz);
	if (text)
		profile = profile_parse(text, size, path, err);
	free(text);
	return profile;
}
