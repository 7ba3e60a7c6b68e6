/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Texts that are filled in twice: once with the target's variables (${port} …), and for each
 * request with its own: ${iteration}, ${user} and ${random}.
 */
#ifndef PERFBPF_DRIVE_EXEC_TEMPLATE_H
#define PERFBPF_DRIVE_EXEC_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/scenario.h"
#include "util/error.h"

struct template
{
	char *text;      /* with marks where a request's own values go */
	bool is_varying; /* are there any? */
	size_t size;     /* that any filling takes, with its NUL */
};

/* Of a request. */
struct template_values {
	uint64_t iteration; /* ${iteration}: counts the user's requests from 0 */
	uint64_t user;      /* ${user}: its number from 0 */
	uint64_t random;    /* ${random}: its lower 32 bits */
};

/* Fills the target's @variables into @text. -1 with @err. */
int template_make(struct template *template, const char *text, const struct variable *variables,
		  size_t n_variables, struct error *err);
void template_clear(struct template *template);
/* Writes it into @out[template->size], NUL-terminated; the place behind the NUL. */
char *template_fill(const struct template *template, const struct template_values *values,
		    char *out);

#endif
