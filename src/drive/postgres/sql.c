/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/postgres/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQLSTATE_LENGTH (SQLSTATE_SIZE - 1)

/*
 * The next parameter from @at on, past what is in quotes (a quote in quotes is doubled, which ends
 * them and begins them anew); @number is its number, @end what is behind it. NULL: no more.
 */
static const char *next_parameter(const char *at, unsigned long *number, const char **end)
{
	char quote = '\0';

	for (; *at; at++) {
		if (quote) {
			quote = *at == quote ? '\0' : quote;
		} else if (*at == '\'' || *at == '"') {
			quote = *at;
		} else if (*at == '$' && at[1] >= '1' && at[1] <= '9') {
			char *behind;

			*number = strtoul(at + 1, &behind, 10);
			*end = behind;
			return at;
		}
	}
	return NULL;
}

unsigned long sql_parameters(const char *sql)
{
	unsigned long highest = 0, number;
	const char *end;

	while ((sql = next_parameter(sql, &number, &end)) != NULL) {
		highest = number > highest ? number : highest;
		sql = end;
	}
	return highest;
}

static void write_row(FILE *out, const char *row, unsigned long first)
{
	const char *at, *end;
	unsigned long number;

	while ((at = next_parameter(row, &number, &end)) != NULL) {
		fprintf(out, "%.*s$%lu", (int)(at - row), row, number + first);
		row = end;
	}
	fputs(row, out);
}

char *sql_batch(const char *sql, const char *row, size_t n, size_t batch)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(sql, out);
	for (size_t i = 0; i < batch; i++) {
		fputs(i ? ", " : " ", out);
		write_row(out, row, (unsigned long)(i * n));
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

bool sql_find_state(const char *message, char *code)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	/* Whatever the language of the server, a severity, a colon and two spaces come before. */
	for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
		const char *word = at + 3;

		if (strspn(word, letters) != SQLSTATE_LENGTH)
			continue;
		if (word[SQLSTATE_LENGTH] && word[SQLSTATE_LENGTH] != ':' &&
		    word[SQLSTATE_LENGTH] != '\n')
			continue;
		memcpy(code, word, SQLSTATE_LENGTH);
		code[SQLSTATE_LENGTH] = '\0';
		return true;
	}
	return false;
}
