/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A filter in the words of the tools, and as the driver itself applies it. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"

bool filter_is_empty(const struct filter *filter)
{
	return !filter->n_clauses && !filter->regex;
}

static void put_escaped(FILE *out, const char *word)
{
	for (; *word; word++) {
		if (strchr("\\.[](){}*+?^$|", *word))
			fputc('\\', out);
		fputc(*word, out);
	}
}

static void put_clause(FILE *out, const struct filter_clause *clause, bool in_sequence)
{
	bool grouped = in_sequence && clause->n_words > 1;

	if (grouped)
		fputc('(', out);
	for (size_t i = 0; i < clause->n_words; i++) {
		if (i)
			fputc('|', out);
		put_escaped(out, clause->words[i]);
	}
	if (grouped)
		fputc(')', out);
}

/* Closes a memory stream; NULL where memory ran out on the way. */
static char *finish(FILE *out, char **text)
{
	bool failed = ferror(out);

	if (fclose(out) || failed) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *filter_clause_regex(const struct filter_clause *clause)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_clause(out, clause, false);
	return finish(out, &text);
}

static void swap(size_t *a, size_t *b)
{
	size_t kept = *a;

	*a = *b;
	*b = kept;
}

/* The next permutation in the order of the alphabet; false after the last. */
static bool next_order(size_t *order, size_t n)
{
	size_t i = n - 1, j = n - 1;

	while (i > 0 && order[i - 1] > order[i])
		i--;
	if (!i)
		return false;
	while (order[j] < order[i - 1])
		j--;
	swap(&order[i - 1], &order[j]);
	for (size_t a = i, b = n - 1; a < b; a++, b--)
		swap(&order[a], &order[b]);
	return true;
}

/* "error" and "rate" are both in "errorate", where no order of the two finds them. */
static void put_merged(FILE *out, const char *first, const char *second)
{
	size_t length = strlen(first);

	for (size_t n = 1; n < length && n < strlen(second); n++) {
		if (strncmp(first + length - n, second, n) != 0)
			continue;
		fputc('|', out);
		put_escaped(out, first);
		put_escaped(out, second + n);
	}
}

static void put_all_merged(FILE *out, const struct filter_clause *a, const struct filter_clause *b)
{
	for (size_t i = 0; i < a->n_words; i++) {
		for (size_t j = 0; j < b->n_words; j++) {
			put_merged(out, a->words[i], b->words[j]);
			put_merged(out, b->words[j], a->words[i]);
		}
	}
}

char *filter_regex(const struct filter *filter)
{
	size_t n = filter->n_clauses, size, *order;
	char *text;
	FILE *out;

	if (filter->regex)
		return strdup(filter->regex);
	if (!n)
		return NULL;
	order = calloc(n, sizeof(*order));
	out = order ? open_memstream(&text, &size) : NULL;
	if (!out) {
		free(order);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	do {
		if (ftell(out) > 0)
			fputc('|', out);
		for (size_t i = 0; i < n; i++) {
			if (i)
				fputs(".*", out);
			put_clause(out, &filter->clauses[order[i]], n > 1);
		}
	} while (next_order(order, n));
	if (n == 2)
		put_all_merged(out, &filter->clauses[0], &filter->clauses[1]);
	free(order);
	return finish(out, &text);
}

char *filter_words(const struct filter *filter)
{
	size_t size;
	char *text;
	FILE *out;

	if (filter->regex)
		return strdup(filter->regex);
	if (!filter->n_clauses)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	for (size_t i = 0; i < filter->n_clauses; i++) {
		const struct filter_clause *clause = &filter->clauses[i];
		bool grouped = filter->n_clauses > 1 && clause->n_words > 1;

		fprintf(out, "%s%s", i ? " && " : "", grouped ? "(" : "");
		for (size_t j = 0; j < clause->n_words; j++)
			fprintf(out, "%s%s", j ? " || " : "", clause->words[j]);
		if (grouped)
			fputc(')', out);
	}
	return finish(out, &text);
}

struct filter_matcher {
	const struct filter *filter;
	bool has_regex;
	regex_t regex;
};

struct filter_matcher *filter_matcher_new(const struct filter *filter, struct error *err)
{
	struct filter_matcher *matcher = calloc(1, sizeof(*matcher));
	int problem;

	if (!matcher) {
		error_set(err, EXIT_CODE_FAILED, "out of memory");
		return NULL;
	}
	matcher->filter = filter;
	if (!filter->regex)
		return matcher;
	problem = regcomp(&matcher->regex, filter->regex, REG_EXTENDED | REG_NOSUB);
	if (problem) {
		char text[128];

		regerror(problem, &matcher->regex, text, sizeof(text));
		error_set(err, EXIT_CODE_USAGE, "'%s' is no extended regular expression: %s",
			  filter->regex, text);
		free(matcher);
		return NULL;
	}
	matcher->has_regex = true;
	return matcher;
}

static bool clause_matches(const struct filter_clause *clause, const char *message, size_t length)
{
	for (size_t i = 0; i < clause->n_words; i++)
		if (memmem(message, length, clause->words[i], strlen(clause->words[i])))
			return true;
	return false;
}

/* regexec() wants a string that ends; lines beyond the buffer are rare. */
static bool regex_matches(const regex_t *regex, const char *message, size_t length)
{
	char buffer[4096], *copy = buffer;
	bool matches;

	if (length >= sizeof(buffer))
		copy = malloc(length + 1);
	if (!copy)
		return false;
	memcpy(copy, message, length);
	copy[length] = '\0';
	matches = !regexec(regex, copy, 0, NULL, 0);
	if (copy != buffer)
		free(copy);
	return matches;
}

bool filter_matches(const struct filter_matcher *matcher, const char *message, size_t length)
{
	const struct filter *filter = matcher->filter;

	if (matcher->has_regex)
		return regex_matches(&matcher->regex, message, length);
	for (size_t i = 0; i < filter->n_clauses; i++)
		if (!clause_matches(&filter->clauses[i], message, length))
			return false;
	return true;
}

void filter_matcher_free(struct filter_matcher *matcher)
{
	if (!matcher)
		return;
	if (matcher->has_regex)
		regfree(&matcher->regex);
	free(matcher);
}
