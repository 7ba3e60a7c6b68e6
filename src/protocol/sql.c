/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verb of an SQL text and its main table, from as much of the text as is known. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "protocol/internal.h"

#define IDENTIFIER_MAX 48

enum token_kind { END, WORD, SYMBOL };

struct token {
	enum token_kind kind;
	const char *at; /* a word with its quotes and qualifiers */
	size_t n;
	int depth; /* of parentheses */
};

struct scanner {
	const char *at, *end;
	int depth;
};

/* What stands between @at and the next thing that means something. */
static void skip_blank(struct scanner *scanner)
{
	const char *stop;

	while (scanner->at < scanner->end) {
		size_t left = (size_t)(scanner->end - scanner->at);

		if (isspace((uint8_t)*scanner->at)) {
			scanner->at++;
		} else if (left > 1 && !memcmp(scanner->at, "--", 2)) {
			stop = memchr(scanner->at, '\n', left);
			scanner->at = stop ? stop + 1 : scanner->end;
		} else if (left > 1 && !memcmp(scanner->at, "/*", 2)) {
			stop = memmem(scanner->at + 2, left - 2, "*/", 2);
			scanner->at = stop ? stop + 2 : scanner->end;
		} else {
			return;
		}
	}
}

static bool is_word_byte(char byte)
{
	return isalnum((uint8_t)byte) || byte == '_' || byte == '$' || (uint8_t)byte >= 0x80;
}

/* name, schema.name, "quoted"."name", `name` */
static void scan_word(struct scanner *scanner)
{
	while (scanner->at < scanner->end) {
		char byte = *scanner->at;

		if (byte == '"' || byte == '`') {
			const char *close = memchr(scanner->at + 1, byte,
						   (size_t)(scanner->end - scanner->at - 1));

			scanner->at = close ? close + 1 : scanner->end;
		} else if (is_word_byte(byte) || byte == '.') {
			scanner->at++;
		} else {
			return;
		}
	}
}

static void scan_string(struct scanner *scanner)
{
	const char *close = memchr(scanner->at + 1, '\'', (size_t)(scanner->end - scanner->at - 1));

	scanner->at = close ? close + 1 : scanner->end;
}

static struct token next_token(struct scanner *scanner)
{
	struct token token = {.kind = SYMBOL};

	skip_blank(scanner);
	token.at = scanner->at;
	token.depth = scanner->depth;
	if (scanner->at == scanner->end) {
		token.kind = END;
	} else if (is_word_byte(*token.at) || *token.at == '"' || *token.at == '`') {
		token.kind = WORD;
		scan_word(scanner);
	} else if (*token.at == '\'') {
		scan_string(scanner);
	} else {
		scanner->depth += (*token.at == '(') - (*token.at == ')');
		scanner->at++;
	}
	token.n = (size_t)(scanner->at - token.at);
	return token;
}

static bool is(const struct token *token, const char *word)
{
	return token->kind == WORD && token->n == strlen(word) &&
	       !strncasecmp(token->at, word, token->n);
}

static bool is_one_of(const struct token *token, const char *const *words)
{
	for (; *words; words++)
		if (is(token, *words))
			return true;
	return false;
}

static void add_table(char label[PROTOCOL_LABEL_MAX], const struct token *token)
{
	char name[IDENTIFIER_MAX];
	size_t n = 0;

	if (token->kind != WORD || isdigit((uint8_t)*token->at))
		return;
	for (size_t i = 0; i < token->n && n < sizeof(name); i++)
		if (token->at[i] != '"' && token->at[i] != '`')
			name[n++] = token->at[i];
	if (!n)
		return;
	label_add_word(label, " ");
	label_add(label, name, n);
}

/* The table behind @word at the depth of the verb. */
static void add_table_after(char label[PROTOCOL_LABEL_MAX], struct scanner *scanner,
			    const char *word, int depth)
{
	struct token token;

	do {
		token = next_token(scanner);
		if (token.kind == END || (token.kind == SYMBOL && *token.at == ';'))
			return;
	} while (token.depth != depth || !is(&token, word));
	token = next_token(scanner);
	if (is(&token, "only"))
		token = next_token(scanner);
	add_table(label, &token);
}

/* "CREATE UNIQUE INDEX": the first word that is no mere quality of the thing. */
static void add_object(char label[PROTOCOL_LABEL_MAX], struct scanner *scanner)
{
	static const char *const qualities[] = {"or",           "replace",   "unique",  "temp",
						"temporary",    "unlogged",  "global",  "local",
						"materialized", "recursive", "foreign", NULL};
	struct token token;

	do
		token = next_token(scanner);
	while (is_one_of(&token, qualities));
	if (token.kind != WORD || !isalpha((uint8_t)*token.at))
		return;
	label_add_word(label, " ");
	label_add_upper(label, token.at, token.n < 16 ? token.n : 16);
}

static void add_next(char label[PROTOCOL_LABEL_MAX], struct scanner *scanner)
{
	static const char *const between[] = {"only",  "ignore",  "low_priority",  "into",
					      "table", "delayed", "high_priority", NULL};
	struct token token;

	do
		token = next_token(scanner);
	while (is_one_of(&token, between));
	add_table(label, &token);
}

/* The statement behind the definitions of WITH. */
static struct token skip_with(struct scanner *scanner, int depth)
{
	static const char *const verbs[] = {"select", "insert", "update", "delete", "merge", NULL};
	struct token token;

	do
		token = next_token(scanner);
	while (token.kind != END && (token.depth != depth || !is_one_of(&token, verbs)));
	return token;
}

void label_add_sql(char label[PROTOCOL_LABEL_MAX], const void *text, size_t n)
{
	static const char *const with_object[] = {"create", "alter", "drop", NULL};
	static const char *const with_next[] = {"insert",   "replace", "update", "copy",
						"truncate", "merge",   NULL};
	const char *nul = n ? memchr(text, '\0', n) : NULL;
	struct scanner scanner = {text, nul ? nul : (const char *)text + n, 0};
	struct token verb;

	do
		verb = next_token(&scanner);
	while (verb.kind == SYMBOL && (*verb.at == '(' || *verb.at == ';'));
	if (is(&verb, "with")) {
		struct token main_verb = skip_with(&scanner, verb.depth);

		verb = main_verb.kind == END ? verb : main_verb;
	}
	if (verb.kind != WORD || !isalpha((uint8_t)*verb.at)) {
		label_add_word(label, "?");
		return;
	}
	label_add_upper(label, verb.at, verb.n < 16 ? verb.n : 16);
	if (is(&verb, "select") || is(&verb, "delete"))
		add_table_after(label, &scanner, "from", verb.depth);
	else if (is_one_of(&verb, with_next))
		add_next(label, &scanner);
	else if (is_one_of(&verb, with_object))
		add_object(label, &scanner);
}
