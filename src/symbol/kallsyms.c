/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/kallsyms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/alias.h"
#include "symbol/demangle.h"

/* No function is longer: between two modules there is nothing. */
#define MAX_FUNCTION (1U << 20)

/* What a line says; or, where line is not NULL, what is kept of it. */
struct symbol {
	uint64_t start;
	bool is_function; /* else it only ends what is before it */
	bool is_global;
	char *name, *module; /* in the line; module may be NULL */
	char *line;
};

/* A hexadecimal number and the blank behind it; false where there is none, or more than 64 bits. */
static bool take_hex(char **at, uint64_t *value)
{
	char *end;

	if (!strchr("0123456789abcdef", **at) || !**at)
		return false;
	errno = 0;
	*value = strtoull(*at, &end, 16);
	if (errno || *end != ' ')
		return false;
	*at = end + 1;
	return true;
}

/* "ADDRESS TYPE NAME[\t[MODULE]]", of which blanks become NUL. */
static bool parse(char *line, struct symbol *symbol)
{
	char *module, *end;

	*symbol = (struct symbol){0};
	if (!take_hex(&line, &symbol->start) || !line[0] || line[1] != ' ' || !line[2])
		return false;
	symbol->is_function = strchr("tTwW", line[0]) != NULL;
	symbol->is_global = strchr("TwW", line[0]) != NULL;
	symbol->name = line + 2;
	module = strchr(line + 2, '\t');
	if (!module)
		return true;
	*module++ = '\0';
	end = strchr(module, ']');
	if (*module != '[' || !end)
		return false;
	*end = '\0';
	symbol->module = module + 1;
	return line[2];
}

static bool is_better(const struct symbol *one, const struct symbol *other)
{
	struct alias a = {
		.name = one->name, .is_function = one->is_function, .is_global = one->is_global};
	struct alias b = {.name = other->name,
			  .is_function = other->is_function,
			  .is_global = other->is_global};

	return one->start != other->start ? one->start > other->start : alias_is_better(&a, &b);
}

/* The first of the @n names that is not below @address; @n: there is none. */
static size_t first_from(const struct kallsyms_name *names, size_t n, uint64_t address)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool keep(struct symbol *best, const struct symbol *symbol)
{
	size_t name = strlen(symbol->name) + 1;
	size_t module = symbol->module ? strlen(symbol->module) + 1 : 0;
	char *line = malloc(name + module);

	if (!line)
		return false;
	free(best->line);
	*best = *symbol;
	best->line = best->name = memcpy(line, symbol->name, name);
	best->module = module ? memcpy(line + name, symbol->module, module) : NULL;
	return true;
}

/* The last symbol that does not lie above each name, and above the name before. */
static int read_symbols(FILE *in, const struct kallsyms_name *names, size_t n, struct symbol *best)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	int failed = 0;

	while (!failed && (size = getline(&line, &room, in)) > 0) {
		struct symbol symbol;
		size_t at;

		if (line[size - 1] != '\n')
			break;
		line[size - 1] = '\0';
		if (!parse(line, &symbol) || !symbol.start)
			continue;
		at = first_from(names, n, symbol.start);
		if (at < n && (!best[at].line || is_better(&symbol, &best[at])) &&
		    !keep(&best[at], &symbol))
			failed = -ENOMEM;
	}
	free(line);
	return failed;
}

/* Only what is mangled: else a copy. */
static char *readable(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R') ? demangle(name) : strdup(name);
}

static int take_name(struct kallsyms_name *name, const struct symbol *symbol)
{
	if (!symbol->is_function || name->address - symbol->start >= MAX_FUNCTION)
		return 0;
	name->function = readable(symbol->name);
	if (symbol->module)
		name->module = strdup(symbol->module);
	return name->function && (name->module || !symbol->module) ? 0 : -ENOMEM;
}

int kallsyms_find(FILE *in, struct kallsyms_name *names, size_t n)
{
	struct symbol *best = calloc(n + 1, sizeof(*best));
	const struct symbol *last = NULL;
	int failed = best ? read_symbols(in, names, n, best) : -ENOMEM;

	for (size_t i = 0; !failed && i < n; i++) {
		if (best[i].line)
			last = &best[i];
		if (last)
			failed = take_name(&names[i], last);
	}
	for (size_t i = 0; best && i < n; i++)
		free(best[i].line);
	free(best);
	return failed;
}

void kallsyms_clear(struct kallsyms_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(names[i].function);
		free(names[i].module);
		names[i].function = names[i].module = NULL;
	}
}
