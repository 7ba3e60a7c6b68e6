/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A filter must mean the same to every tool, or the tools would not do the same
 * work: what cannot be said to all of them is refused when the file is read.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"

#define CLAUSES_MAX 4 /* their orders are written out for tools that know only regexes: 4! = 24 */
#define WORDS_MAX   32
#define LENGTH_MAX  64
#define REGEX_MAX   512
#define REPEATS_MAX                                                                                \
	1000 /* the product of all {n}: the C library writes them out when it compiles */

/* ASCII whatever the locale. */
static bool is_word(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";

	return *text && strlen(text) <= LENGTH_MAX && !text[strspn(text, letters)];
}

static int check_clause(const struct filter_clause *clause, size_t index,
			const struct yaml_file *file, struct error *err)
{
	char where[64];

	snprintf(where, sizeof(where), "filter.match[%zu]", index);
	if (!clause->n_words)
		return yaml_file_error(file, where, err, "has no words; write some or remove it");
	if (clause->n_words > WORDS_MAX)
		return yaml_file_error(file, where, err, "has %zu words; write at most %d",
				       clause->n_words, WORDS_MAX);
	for (size_t i = 0; i < clause->n_words; i++) {
		snprintf(where, sizeof(where), "filter.match[%zu][%zu]", index, i);
		if (!is_word(clause->words[i]))
			return yaml_file_error(
				file, where, err,
				"'%.80s' is no plain word; write at most %d letters, "
				"digits, '_' and '-', or use filter.regex",
				clause->words[i], LENGTH_MAX);
	}
	return 0;
}

/* Does the end of @a begin @b? */
static bool runs_into(const char *a, const char *b)
{
	for (size_t n = 1, length = strlen(a); n < length && n < strlen(b); n++)
		if (!strncmp(a + length - n, b, n))
			return true;
	return false;
}

static int check_words(const struct filter *filter, size_t i, size_t j,
		       const struct yaml_file *file, struct error *err)
{
	for (size_t k = 0; k < filter->clauses[i].n_words; k++) {
		for (size_t l = 0; l < filter->clauses[j].n_words; l++) {
			const char *a = filter->clauses[i].words[k];
			const char *b = filter->clauses[j].words[l];
			bool within = strstr(a, b) || strstr(b, a);
			char where[64];

			/* Of two clauses, filter_regex() writes the overlaps out. */
			if (!within &&
			    (filter->n_clauses == 2 || (!runs_into(a, b) && !runs_into(b, a))))
				continue;
			snprintf(where, sizeof(where), "filter.match[%zu][%zu]", j, l);
			return yaml_file_error(
				file, where, err,
				"'%s' can share letters with '%s' of another clause, "
				"which a regex cannot say; choose another word",
				b, a);
		}
	}
	return 0;
}

static int check_match(const struct filter *filter, const struct yaml_file *file, struct error *err)
{
	if (filter->n_clauses > CLAUSES_MAX)
		return yaml_file_error(file, "filter.match", err,
				       "has %zu clauses; write at most %d", filter->n_clauses,
				       CLAUSES_MAX);
	for (size_t i = 0; i < filter->n_clauses; i++)
		if (check_clause(&filter->clauses[i], i, file, err))
			return -1;
	for (size_t i = 0; i < filter->n_clauses; i++)
		for (size_t j = i + 1; j < filter->n_clauses; j++)
			if (check_words(filter, i, j, file, err))
				return -1;
	return 0;
}

/* What is wrong with @regex before it may be compiled; NULL: nothing. */
static const char *regex_fault(const char *regex)
{
	unsigned long repeats = 1;

	if (strlen(regex) > REGEX_MAX)
		return "is longer than 512 characters; shorten it";
	for (const char *c = regex; *c; c++) {
		if (*c == '\\' && c[1]) {
			c++;
			if (strchr("0123456789dD", *c))
				return "has a \\ before a digit or a d, which not every tool "
				       "takes; "
				       "write [0-9] for a digit";
		} else if (*c == '{') {
			char *end;
			unsigned long least = strtoul(c + 1, &end, 10), most = least;

			if (*end == ',' && end[1] != '}')
				most = strtoul(end + 1, NULL, 10);
			if (most > REPEATS_MAX || least > REPEATS_MAX)
				return "repeats too often; write smaller numbers in {}";
			repeats *= most > 1 ? most : least > 1 ? least : 1;
			if (repeats > REPEATS_MAX)
				return "repeats too often; write smaller numbers in {}";
		}
	}
	return NULL;
}

static int check_regex(const char *regex, const char *where, const struct yaml_file *file,
		       struct error *err)
{
	regex_t compiled;
	const char *fault;
	char text[128];
	int problem;

	if (!regex)
		return 0;
	if (!*regex)
		return yaml_file_error(file, where, err, "is empty; write a regex or remove it");
	fault = regex_fault(regex);
	if (fault)
		return yaml_file_error(file, where, err, "%s", fault);
	problem = regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB);
	if (!problem) {
		regfree(&compiled);
		return 0;
	}
	regerror(problem, &compiled, text, sizeof(text));
	return yaml_file_error(file, where, err,
			       "'%.200s' is no extended regular expression: %s; correct it", regex,
			       text);
}

int filter_check(const struct filter *filter, const struct yaml_file *file, struct error *err)
{
	if (filter->n_clauses && filter->regex)
		return yaml_file_error(file, "filter.regex", err,
				       "excludes 'match'; keep one of the two");
	if (filter->prefixed_regex && !filter->regex)
		return yaml_file_error(file, "filter.prefixed_regex", err,
				       "is there without 'regex'; write what it stands for too");
	if (check_match(filter, file, err) || check_regex(filter->regex, "filter.regex", file, err))
		return -1;
	return check_regex(filter->prefixed_regex, "filter.prefixed_regex", file, err);
}
