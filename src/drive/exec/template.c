/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/exec/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest number: 2^64 - 1. */
#define NUMBER_MAX 20

/* Control characters stand for a request's own values; texts may not have them. */
enum mark {
	MARK_ITERATION = 1,
	MARK_USER,
	MARK_RANDOM,
	MARKS,
};

static const struct variable own[] = {
	{"iteration", "\001"},
	{"user", "\002"},
	{"random", "\003"},
};

#define OWN (sizeof(own) / sizeof(own[0]))

static bool is_mark(char c)
{
	return c >= MARK_ITERATION && c < MARKS;
}

static bool has_mark(const char *text)
{
	while (*text && !is_mark(*text))
		text++;
	return *text;
}

static size_t size_of(const char *text)
{
	size_t size = 1;

	for (; *text; text++)
		size += is_mark(*text) ? NUMBER_MAX : 1;
	return size;
}

int template_make(struct template *template, const char *text, const struct variable *variables,
		  size_t n_variables, struct error *err)
{
	struct variable *all;

	*template = (struct template){.text = NULL};
	if (has_mark(text))
		return error_set(err, EXIT_CODE_USAGE,
				 "'%.60s' has a control character (1 to 3), which cannot be "
				 "given to a command; leave it out",
				 text);
	all = calloc(OWN + n_variables, sizeof(*all));
	if (!all)
		return error_set(err, EXIT_CODE_FAILED, "out of memory");
	/* First, so that no variable of the target hides them. */
	memcpy(all, own, sizeof(own));
	if (n_variables)
		memcpy(all + OWN, variables, n_variables * sizeof(*all));
	template->text = variables_fill(text, all, OWN + n_variables, err);
	free(all);
	if (!template->text)
		return -1;
	template->is_varying = has_mark(template->text);
	template->size = size_of(template->text);
	return 0;
}

void template_clear(struct template *template)
{
	free(template->text);
	*template = (struct template){.text = NULL};
}

static uint64_t value_of(char mark, const struct template_values *values)
{
	if (mark == MARK_ITERATION)
		return values->iteration;
	return mark == MARK_USER ? values->user : values->random & 0xffffffff;
}

char *template_fill(const struct template *template, const struct template_values *values,
		    char *out)
{
	const char *from = template->text;

	for (; *from; from++) {
		if (is_mark(*from))
			out += sprintf(out, "%" PRIu64, value_of(*from, values));
		else
			*out++ = *from;
	}
	*out++ = '\0';
	return out;
}
