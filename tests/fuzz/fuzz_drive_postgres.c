/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any text as an SQL statement, as one row of a batch, and as a server's message: parameters are
 * numbered on, nothing else is changed, and a code is five letters of the message. With
 * -DFUZZ_STANDALONE it runs over the files that it is given.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drive/postgres/sql.h"

#define ROWS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void check_batch(const char *row)
{
	unsigned long highest = sql_parameters(row);
	char *none = sql_batch("", "", 0, ROWS), *one, *more;

	/* More is no number of a parameter; what is read of it is as good as any. */
	if (highest > 1000000) {
		free(none);
		return;
	}
	one = sql_batch("I", row, highest, 1);
	more = sql_batch("", row, highest, ROWS);
	expect(one && more && none);
	/* With nothing added it is the row itself. */
	expect(!strncmp(one, "I ", 2));
	expect(!strcmp(one + 2, row));
	expect(sql_parameters(one) == highest);
	expect(strlen(more) >= ROWS * strlen(row) + strlen(none));
	free(one);
	free(more);
	free(none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), code[SQLSTATE_SIZE];

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_batch(text);
	if (sql_find_state(text, code)) {
		expect(strlen(code) == SQLSTATE_SIZE - 1);
		expect(strstr(text, code));
	}
	free(text);
	return 0;
}

#include "standalone.h"
