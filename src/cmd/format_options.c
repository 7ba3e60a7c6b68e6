/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/format_options.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/suggest.h"

void format_list(char *buf, size_t size, bool only_baseline)
{
	size_t n, used = 0;
	const struct report_format *const *formats = report_formats(&n);

	buf[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		if (formats[i]->has_baseline || !only_baseline)
			used += (size_t)snprintf(buf + used, size - used, " %s", formats[i]->name);
}

const struct report_format *format_find(const char *name, struct error *err)
{
	size_t n;
	const struct report_format *const *formats = report_formats(&n);
	const struct report_format *format = report_find(name);
	const char *names[n], *near;
	char known[512];

	if (format)
		return format;
	for (size_t i = 0; i < n; i++)
		names[i] = formats[i]->name;
	format_list(known, sizeof(known), false);
	near = suggest_nearest(name, names, n);
	if (near)
		error_set(err, EXIT_CODE_USAGE,
			  "unknown format '%s': did you mean '%s'? (formats:%s)", name, near,
			  known);
	else
		error_set(err, EXIT_CODE_USAGE, "unknown format '%s' (formats:%s)", name, known);
	return NULL;
}

int output_set(const char **output, const char *value, const char *what, struct error *err)
{
	if (!*value)
		return error_set(err, EXIT_CODE_USAGE, "-o needs %s", what);
	*output = value;
	return 0;
}

bool output_is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool output_is_folder(const char *output)
{
	return output_is_dir(output) || output[strlen(output) - 1] == '/';
}

/* What is no file (/dev/stdout) stays where it is. */
static void remove_file(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISREG(st.st_mode))
		unlink(path);
}

int output_write(const char *path,
		 int (*put)(const void *state, FILE *out, const char *name, struct error *err),
		 const void *state, struct error *err)
{
	FILE *out;
	int rc;

	if (!path)
		return put(state, stdout, "standard output", err);
	out = fopen(path, "we");
	if (!out)
		return error_set(err, EXIT_CODE_FAILED, "cannot write %s: %s", path,
				 strerror(errno));
	rc = put(state, out, path, err);
	if (fclose(out) && !rc)
		rc = error_set(err, EXIT_CODE_FAILED, "cannot write %s: %s", path, strerror(errno));
	if (rc)
		remove_file(path);
	return rc;
}
