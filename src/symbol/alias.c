/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/alias.h"

#include <stddef.h>
#include <string.h>

/* Many names of a broken file may share one endless string. */
#define LOOKED_AT 256

static size_t count_underscores(const char *name)
{
	size_t n = 0;

	while (n < LOOKED_AT && name[n] == '_')
		n++;
	return n;
}

bool alias_is_better(const struct alias *a, const struct alias *b)
{
	size_t of_a, of_b;

	if (a->is_function != b->is_function)
		return a->is_function;
	if (a->is_sized != b->is_sized)
		return a->is_sized;
	if (a->is_global != b->is_global)
		return a->is_global;
	of_a = count_underscores(a->name);
	of_b = count_underscores(b->name);
	if (of_a != of_b)
		return of_a < of_b;
	of_a = strnlen(a->name, LOOKED_AT);
	of_b = strnlen(b->name, LOOKED_AT);
	if (of_a != of_b)
		return of_a < of_b;
	return strncmp(a->name, b->name, LOOKED_AT) < 0;
}
