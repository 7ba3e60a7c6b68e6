/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

int error_set(struct error *err, enum exit_code code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	err->exit_code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	utf8_clean(err->text);
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	int n;

	if (!err)
		return -1;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %.*s", (int)(sizeof(text) - 3) - n,
			 err->text);
	memcpy(err->text, text, sizeof(text));
	utf8_clean(err->text);
	return -1;
}
