/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The words of a command line as a POSIX shell would split them, with its quotes
 * and backslashes, and nothing expanded. What would need a shell is refused, since
 * to pass '|' or '>' as an argument is never what was meant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/internal.h"

#define BLANKS "\t\n "

struct splitter {
	const char *text;
	const char *at;
	char **words;
	size_t n;
	FILE *word; /* NULL: between two words */
	char *buffer;
	size_t size;
	struct error *err;
};

static int no_memory(struct splitter *s)
{
	return error_set(s->err, EXIT_CODE_FAILED, "out of memory");
}

static int word_begin(struct splitter *s)
{
	if (!s->word)
		s->word = open_memstream(&s->buffer, &s->size);
	return s->word ? 0 : no_memory(s);
}

/* @quoted: no variable begins here, whatever follows. */
static void word_put(struct splitter *s, char c, bool quoted)
{
	if (c == '$' && (quoted || s->at[1] != '{'))
		fputc('$', s->word);
	fputc(c, s->word);
}

static int word_end(struct splitter *s)
{
	char **larger;
	bool failed;

	if (!s->word)
		return 0;
	failed = ferror(s->word);
	failed |= fclose(s->word) != 0;
	s->word = NULL;
	larger = failed ? NULL : realloc(s->words, (s->n + 2) * sizeof(*larger));
	if (!larger) {
		free(s->buffer);
		return no_memory(s);
	}
	s->words = larger;
	larger[s->n++] = s->buffer;
	larger[s->n] = NULL;
	return 0;
}

static int fail_operator(struct splitter *s, const char *operator, size_t length)
{
	return error_set(s->err, EXIT_CODE_USAGE,
			 "command line '%.200s': no shell is run, so '%.*s' would do nothing; "
			 "write: sh -c '...', or quote it",
			 s->text, (int)length, operator);
}

static int fail_open(struct splitter *s, char quote)
{
	return error_set(s->err, EXIT_CODE_USAGE,
			 "command line '%.200s': the quote %c is not closed; add another", s->text,
			 quote);
}

/* The two that double quotes do not quote. */
static bool is_substitution(const char *at)
{
	return *at == '`' || (*at == '$' && at[1] == '(');
}

static int read_single(struct splitter *s)
{
	for (s->at++; *s->at != '\''; s->at++) {
		if (!*s->at)
			return fail_open(s, '\'');
		word_put(s, *s->at, true);
	}
	return 0;
}

static int read_double(struct splitter *s)
{
	for (s->at++; *s->at != '"'; s->at++) {
		bool escaped = *s->at == '\\' && s->at[1] && strchr("$`\"\\\n", s->at[1]);

		if (!*s->at)
			return fail_open(s, '"');
		if (is_substitution(s->at))
			return fail_operator(s, s->at, *s->at == '$' ? 2 : 1);
		s->at += escaped;
		if (escaped && *s->at == '\n')
			continue;
		word_put(s, *s->at, escaped);
	}
	return 0;
}

static int read_backslash(struct splitter *s)
{
	if (!s->at[1])
		return error_set(s->err, EXIT_CODE_USAGE,
				 "command line '%.200s': nothing follows the \\ at its end; "
				 "remove it",
				 s->text);
	s->at++;
	if (*s->at == '\n')
		return 0;
	if (word_begin(s))
		return -1;
	word_put(s, *s->at, true);
	return 0;
}

/* Takes what is at s->at, of which the caller skips the last character. */
static int read_one(struct splitter *s)
{
	if (strchr(BLANKS, *s->at))
		return word_end(s);
	if (strchr("|<>;&", *s->at) || is_substitution(s->at))
		return fail_operator(s, s->at, *s->at == '$' ? 2 : 1);
	if (*s->at == '\\')
		return read_backslash(s);
	if (word_begin(s))
		return -1;
	if (*s->at == '\'')
		return read_single(s);
	if (*s->at == '"')
		return read_double(s);
	word_put(s, *s->at, false);
	return 0;
}

int words_split(const char *text, char ***words, size_t *n, struct error *err)
{
	struct splitter s = {.text = text, .at = text, .err = err};
	int result = 0;

	for (; !result && *s.at; s.at++)
		result = read_one(&s);
	if (!result)
		result = word_end(&s);
	if (!result && (!s.n || !*s.words[0]))
		result = error_set(err, EXIT_CODE_USAGE,
				   "the command line '%.200s' names no program; write one", text);
	if (!result) {
		*words = s.words;
		*n = s.n;
		return 0;
	}
	if (s.word) {
		fclose(s.word);
		free(s.buffer);
	}
	names_free(s.words, s.n);
	return -1;
}
