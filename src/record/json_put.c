/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/json_put.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "record/decimal.h"
#include "util/utf8.h"

/* Beyond 16 bits as a pair of surrogates. */
static void put_escaped(FILE *out, uint32_t code)
{
	if (code < 0x10000)
		fprintf(out, "\\u%04" PRIx32, code);
	else
		fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd7c0 + (code >> 10),
			0xdc00 + (code & 0x3ff));
}

/* What is no valid UTF-8 (names of processes can be) would make the whole file unreadable. */
void json_put_string(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	if (!s) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	for (; *s; s += length) {
		length = utf8_decode(s, &code);
		if (!length) {
			fputs(UTF8_REPLACEMENT, out);
			length = 1;
		} else if (code == '"' || code == '\\') {
			fprintf(out, "\\%c", (int)code);
		} else if (utf8_is_control(code)) {
			put_escaped(out, code);
		} else {
			fwrite(s, 1, length, out);
		}
	}
	putc('"', out);
}

/*
 * 15 digits are what a double holds of any decimal, so that reading and writing again
 * changes nothing. Near the largest double they would round up to infinity, and a
 * negative zero would come back as an integer.
 */
static size_t format_real(char buf[DECIMAL_MAX], double value)
{
	if (!isfinite(value))
		return (size_t)(stpcpy(buf, "null") - buf);
	if (fabs(value) < 1e308)
		return decimal_format(buf, value);
	return (size_t)snprintf(buf, DECIMAL_MAX, "%.17g", value);
}

void json_put_real(FILE *out, double value)
{
	char buf[DECIMAL_MAX];

	fwrite(buf, 1, format_real(buf, value), out);
}

void json_put_reals(FILE *out, const double *values, size_t n)
{
	char buf[4096];
	size_t used = 0;

	putc('[', out);
	for (size_t i = 0; i < n; i++) {
		if (used + DECIMAL_MAX + 1 > sizeof(buf)) {
			fwrite(buf, 1, used, out);
			used = 0;
		}
		if (i)
			buf[used++] = ',';
		used += format_real(buf + used, values[i]);
	}
	fwrite(buf, 1, used, out);
	putc(']', out);
}
