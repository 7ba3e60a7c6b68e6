/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/json_read.h"
#include "record/profile.h"
#include "record/record.h"

/* An hour at 100 ms ticks takes some 2.5 MB a round. */
#define FILE_MAX_BYTES (4ULL << 30)

static int check_schema(struct json_reader *reader, const char *schema)
{
	static const char family[] = "perfbpf.run/";
	unsigned long version;
	char *end;

	reader->has_schema = true;
	if (!strcmp(schema, RECORD_SCHEMA))
		return 0;
	if (!strncmp(schema, family, strlen(family))) {
		version = strtoul(schema + strlen(family), &end, 10);
		if (version > 1 && !*end)
			return error_set(reader->scan.err, EXIT_CODE_USAGE,
					 "%s: schema: \"%.40s\" is newer than this program, which "
					 "reads \"" RECORD_SCHEMA "\": use a newer perfbpf",
					 reader->scan.file, schema);
	}
	return json_read_wrong_value(reader, "\"" RECORD_SCHEMA "\"", schema);
}

/*
 * The record could not be read, and its schema had not come by then. Where the file tells one
 * further on, or none at all, that is what is wrong with it.
 */
static void look_for_schema(struct json_reader *reader)
{
	struct error first = *reader->scan.err;
	char key[JSON_SCAN_KEY_MAX], *schema = NULL;
	bool is_first = true;
	int more = -1;

	reader->scan.path[0] = '\0';
	if (!json_scan_rewind(&reader->scan) || !json_scan_take(&reader->scan, '{')) {
		*reader->scan.err = first;
		return;
	}
	while (!schema && (more = json_scan_step(&reader->scan, '}', &is_first)) > 0) {
		more = -1;
		if (json_scan_key(&reader->scan, key))
			break;
		if (strcmp(key, record_shape.fields[0].key) != 0
			    ? json_scan_skip(&reader->scan)
			    : json_scan_string(&reader->scan, &schema))
			break;
	}
	json_read_enter(reader, ".", record_shape.fields[0].key);
	if (!more)
		error_set(reader->scan.err, EXIT_CODE_USAGE,
			  "%s: schema: is missing: this is no record of perfbpf",
			  reader->scan.file);
	else if (!schema || !check_schema(reader, schema))
		*reader->scan.err = first;
	free(schema);
}

static struct record *read_all(struct json_reader *reader)
{
	struct record *rec;

	switch (json_scan_peek(&reader->scan)) {
	case '\0':
		json_scan_broken(&reader->scan, "there is nothing in it");
		return NULL;
	case '{':
		break;
	default:
		json_read_wrong_type(reader, "an object");
		return NULL;
	}
	rec = calloc(1, sizeof(*rec));
	if (!rec) {
		json_read_no_memory(reader);
		return NULL;
	}
	shape_init(&record_shape, rec);
	rec->complete = true; /* unless the file says otherwise */
	reader->checked = record_shape.fields;
	reader->check = check_schema;
	if (json_read_object(reader, &record_shape, rec) || json_scan_end(&reader->scan)) {
		if (!reader->has_schema)
			look_for_schema(reader);
		record_free(rec);
		rec = NULL;
	}
	free(reader->numbers);
	return rec;
}

struct record *record_parse(const char *text, size_t size, const char *name, struct error *err)
{
	struct json_reader reader = {
		.scan = {.at = text,
			 .begin = text,
			 .end = text + size,
			 .file = name,
			 .err = err,
			 .by_line = true},
	};

	return read_all(&reader);
}

static struct record *read_file(const char *path, struct error *err)
{
	struct json_reader reader = {.scan = {.file = path, .err = err, .by_line = true}};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct record *rec = NULL;

	if (fd < 0) {
		error_set(err, EXIT_CODE_USAGE, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (json_scan_open(&reader.scan, fd, FILE_MAX_BYTES))
		json_read_no_memory(&reader);
	else
		rec = read_all(&reader);
	json_scan_close(&reader.scan);
	close(fd);
	return rec;
}

/* Are the stacks those of this run? */
static int check_profile(const struct record *rec, const char *path, struct error *err)
{
	const struct profile *profile = rec->profile;

	for (size_t i = 0; i < profile->n_rows; i++) {
		const struct profile_row *row = &profile->rows[i];

		if (row->round >= rec->n_rounds ||
		    (row->phase != PROFILE_NONE && row->phase >= rec->rounds[row->round].n_phases))
			return error_set(err, EXIT_CODE_USAGE,
					 "%s: rows.%s[%zu]: run.json beside it has no such %s: "
					 "they are of different runs",
					 path, row->round >= rec->n_rounds ? "round" : "phase", i,
					 row->round >= rec->n_rounds ? "round" : "phase");
	}
	return 0;
}

/* The stacks beside run.json; a folder without them is that of a run without. */
static int read_profile(struct record *rec, const char *dir, struct error *err)
{
	char *path;
	int rc = 0;

	if (asprintf(&path, "%s/" PROFILE_FILE_NAME, dir) < 0)
		return error_set(err, EXIT_CODE_FAILED, "%s: out of memory", dir);
	if (!access(path, F_OK)) {
		rec->profile = profile_read(path, err);
		rc = rec->profile ? check_profile(rec, path, err) : -1;
	}
	free(path);
	return rc;
}

struct record *record_read(const char *path, struct error *err)
{
	struct record *rec;
	struct stat st;
	char *file;

	if (stat(path, &st)) {
		error_set(err, EXIT_CODE_USAGE, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISDIR(st.st_mode))
		return read_file(path, err);
	if (asprintf(&file, "%s/run.json", path) < 0) {
		error_set(err, EXIT_CODE_FAILED, "%s: out of memory", path);
		return NULL;
	}
	rec = read_file(file, err);
	free(file);
	if (rec && read_profile(rec, path, err)) {
		record_free(rec);
		return NULL;
	}
	return rec;
}
