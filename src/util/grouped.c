/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/grouped.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *format_grouped(char *buf, size_t size, int64_t value)
{
	char digits[GROUPED_MAX], text[GROUPED_MAX];
	size_t n, first, used = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	first = digits[0] == '-';
	n = strlen(digits);
	for (size_t i = 0; i < n; i++) {
		if (i > first && (n - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	snprintf(buf, size, "%s", text);
	return buf;
}
