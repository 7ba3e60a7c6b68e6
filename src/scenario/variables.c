/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"
#include "util/suggest.h"

static const char *lookup(const struct variable *vars, size_t n_vars, const char *name,
			  size_t length)
{
	for (size_t i = 0; i < n_vars; i++)
		if (strlen(vars[i].name) == length && !memcmp(vars[i].name, name, length))
			return vars[i].value;
	return NULL;
}

static int fail_unknown(const struct variable *vars, size_t n_vars, const char *name, size_t length,
			struct error *err)
{
	const char **names = calloc(n_vars + 1, sizeof(*names));
	char *word = strndup(name, length);
	char known[512] = "none";
	const char *near = NULL;
	size_t used = 0;

	for (size_t i = 0; names && i < n_vars; i++) {
		names[i] = vars[i].name;
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 i ? ", " : "", names[i]);
	}
	if (names && word)
		near = suggest_nearest(word, names, n_vars);
	if (near)
		error_set(err, EXIT_CODE_USAGE, "unknown variable '${%.*s}'; did you mean '${%s}'?",
			  (int)length, name, near);
	else
		error_set(err, EXIT_CODE_USAGE,
			  "unknown variable '${%.*s}'; there are: %s (a plain $ is "
			  "$$, or on a command line in single quotes)",
			  (int)length, name, known);
	free(names);
	free(word);
	return -1;
}

static int fill(FILE *out, const char *text, const struct variable *vars, size_t n_vars,
		struct error *err)
{
	while (*text) {
		const char *value;
		size_t length;

		if (*text != '$' || (text[1] != '$' && text[1] != '{')) {
			fputc(*text++, out);
			continue;
		}
		if (text[1] == '$') {
			fputc('$', out);
			text += 2;
			continue;
		}
		text += 2;
		length = strcspn(text, "}");
		if (!text[length])
			return error_set(err, EXIT_CODE_USAGE,
					 "'${%.60s' is not closed; add a }, or write $$ for a "
					 "plain $",
					 text);
		value = lookup(vars, n_vars, text, length);
		if (!value)
			return fail_unknown(vars, n_vars, text, length, err);
		fputs(value, out);
		text += length + 1;
	}
	return 0;
}

char *variables_fill(const char *text, const struct variable *vars, size_t n_vars,
		     struct error *err)
{
	size_t size;
	char *filled = NULL;
	FILE *out = open_memstream(&filled, &size);
	int result;

	if (!out) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	result = fill(out, text, vars, n_vars, err);
	if (ferror(out) && !result)
		result = error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (fclose(out) && !result)
		result = error_set(err, EXIT_CODE_FAILED, "out of memory");
	if (!result)
		return filled;
	free(filled);
	return NULL;
}
