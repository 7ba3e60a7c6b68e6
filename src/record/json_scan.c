/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/json_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/json_source.h"
#include "util/utf8.h"

#define MAX_DEPTH 32

/* Where in the text it is: "byte 17", or "3:5" as an editor counts. */
static void place_of(const struct json_scan *scan, char *buf, size_t size)
{
	uint64_t line = scan->lines_before + 1, column = scan->column_before + 1;

	for (const char *c = scan->begin; c < scan->at; c++) {
		column++;
		if (*c == '\n') {
			line++;
			column = 1;
		}
	}
	if (scan->by_line)
		snprintf(buf, size, "%" PRIu64 ":%" PRIu64, line, column);
	else
		snprintf(buf, size, "byte %" PRIu64, json_scan_offset(scan));
}

int json_scan_broken(const struct json_scan *scan, const char *what)
{
	const char *colon = *scan->path ? ": " : "";
	char place[64];

	if (scan->source.error)
		return error_set(scan->err, EXIT_CODE_USAGE, "%s: %s", scan->file,
				 scan->source.error == EFBIG
					 ? "is larger than any record of perfbpf"
					 : strerror(scan->source.error));
	place_of(scan, place, sizeof(place));
	if (scan->by_line)
		return error_set(scan->err, EXIT_CODE_USAGE, "%s:%s: %s%sis no JSON: %s",
				 scan->file, place, scan->path, colon, what);
	return error_set(scan->err, EXIT_CODE_USAGE, "%s: %s%s%s: is no JSON: %s", scan->file,
			 scan->path, colon, place, what);
}

int json_scan_unfit(const struct json_scan *scan, const char *wanted)
{
	return error_set(scan->err, EXIT_CODE_USAGE, "%s: %s%smust be %s (byte %" PRIu64 ")",
			 scan->file, scan->path, *scan->path ? ": " : "", wanted,
			 json_scan_offset(scan));
}

/* What is next may be in the file still. */
static inline void ensure(struct json_scan *scan)
{
	while (scan->end - scan->at < JSON_SCAN_AHEAD && scan->source.is_open)
		json_source_more(scan);
}

char json_scan_peek(struct json_scan *scan)
{
	do {
		ensure(scan);
		while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
						*scan->at == '\t' || *scan->at == '\r'))
			scan->at++;
	} while (scan->at == scan->end && scan->source.is_open);
	ensure(scan);
	return scan->at < scan->end ? *scan->at : '\0';
}

bool json_scan_take(struct json_scan *scan, char c)
{
	if (json_scan_peek(scan) != c || scan->at == scan->end)
		return false;
	scan->at++;
	return true;
}

int json_scan_expect(struct json_scan *scan, char c)
{
	char what[] = "'?' is missing";

	what[1] = c;
	return json_scan_take(scan, c) ? 0 : json_scan_broken(scan, what);
}

int json_scan_step(struct json_scan *scan, char close, bool *first)
{
	if (json_scan_take(scan, close))
		return 0;
	if (!*first && json_scan_expect(scan, ','))
		return -1;
	*first = false;
	return 1;
}

static bool take_word(struct json_scan *scan, const char *word)
{
	size_t length = strlen(word);

	if (json_scan_peek(scan) != *word || (size_t)(scan->end - scan->at) < length ||
	    memcmp(scan->at, word, length) != 0)
		return false;
	scan->at += length;
	return true;
}

bool json_scan_null(struct json_scan *scan)
{
	return take_word(scan, "null");
}

int json_scan_boolean(struct json_scan *scan)
{
	if (take_word(scan, "true"))
		return 1;
	return take_word(scan, "false") ? 0 : -1;
}

/* Four hexadecimal digits after "\u"; -1 where they are none. */
static int32_t scan_hex(const char *at, const char *end)
{
	int32_t code = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = at[i] ? strchr(digits, at[i] | 0x20) : NULL;

		if (!digit)
			return -1;
		code = code << 4 | (int32_t)(digit - digits);
	}
	return code;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* After "\u"; surrogates come in pairs. What it stands for is never longer than what it is. */
static int unescape_code(struct json_scan *scan, char **out)
{
	int32_t code = scan_hex(scan->at, scan->end), low;

	if (code < 0)
		return json_scan_broken(scan, "\\u needs four hexadecimal digits");
	if (!code)
		return json_scan_broken(scan, "a string holds a NUL");
	scan->at += 4;
	if (code >= 0xd800 && code <= 0xdfff) {
		low = -1;
		if (code < 0xdc00 && scan->end - scan->at >= 6 && scan->at[0] == '\\' &&
		    scan->at[1] == 'u')
			low = scan_hex(scan->at + 2, scan->end);
		if (low < 0xdc00 || low > 0xdfff)
			return json_scan_broken(scan, "half of a pair of surrogates");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		scan->at += 6;
	}
	*out = put_utf8(*out, (uint32_t)code);
	return 0;
}

static int unescape(struct json_scan *scan, char **out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (scan->at == scan->end)
		return json_scan_broken(scan, "a string does not end");
	if (*scan->at == 'u') {
		scan->at++;
		return unescape_code(scan, out);
	}
	name = *scan->at ? strchr(names, *scan->at) : NULL;
	if (!name)
		return json_scan_broken(scan, "unknown escape in a string");
	scan->at++;
	*(*out)++ = values[name - names];
	return 0;
}

/* Where the string that begins at @at (after its quote) ends: at its closing quote, or @end. */
static const char *find_quote(const char *at, const char *end)
{
	for (; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at;
}

/* A character that is not escaped. */
static int copy_character(struct json_scan *scan, char **to)
{
	uint32_t code;
	size_t length = utf8_decode(scan->at, &code); /* ends at the closing quote at the latest */

	if (!length)
		return json_scan_broken(scan, "a string is no UTF-8");
	if (code < 0x20)
		return json_scan_broken(scan, "a control character in a string");
	*to = mempcpy(*to, scan->at, length);
	scan->at += length;
	return 0;
}

int json_scan_string(struct json_scan *scan, char **out)
{
	const char *close;
	char *text, *to;

	if (!json_scan_take(scan, '"'))
		return json_scan_unfit(scan, "a string");
	while ((close = find_quote(scan->at, scan->end)) == scan->end)
		if (!json_source_more(scan))
			return json_scan_broken(scan, "a string does not end");
	text = to = malloc((size_t)(close - scan->at) + 1);
	if (!text)
		return error_set(scan->err, EXIT_CODE_FAILED, "%s: out of memory", scan->file);
	while (scan->at < close) {
		int rc = 0;

		if (*scan->at == '\\') {
			scan->at++;
			rc = unescape(scan, &to);
		} else {
			rc = copy_character(scan, &to);
		}
		if (rc) {
			free(text);
			return -1;
		}
	}
	*to = '\0';
	scan->at++;
	*out = text;
	return 0;
}

int json_scan_key(struct json_scan *scan, char key[JSON_SCAN_KEY_MAX])
{
	char *text;
	size_t length;

	if (json_scan_peek(scan) != '"')
		return json_scan_broken(scan, "a key is missing");
	if (json_scan_string(scan, &text))
		return -1;
	length = strnlen(text, JSON_SCAN_KEY_MAX - 1);
	memcpy(key, text, length);
	key[length] = '\0';
	free(text);
	return json_scan_expect(scan, ':');
}

int json_scan_number(struct json_scan *scan, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	const char *begin;

	json_scan_peek(scan);
	for (begin = scan->at; scan->at < scan->end; scan->at++) {
		unsigned int digit = (unsigned char)*scan->at - (unsigned int)'0';

		if (digit > 9)
			break;
		if (digit > max || value > (max - digit) / 10)
			return json_scan_unfit(scan, "smaller");
		value = value * 10 + digit;
	}
	if (scan->at == begin || (scan->at < scan->end && strchr(".eE", *scan->at) && *scan->at))
		return json_scan_unfit(scan, "a natural number");
	*out = value;
	return 0;
}

size_t json_scan_decimal(struct json_scan *scan, struct decimal *out)
{
	json_scan_peek(scan);
	return decimal_parse(scan->at, scan->end, out);
}

int json_scan_real(struct json_scan *scan, double *out)
{
	struct decimal decimal;

	if (!json_scan_decimal(scan, &decimal))
		return json_scan_unfit(scan, "a number");
	*out = decimal_real(&decimal);
	if (!isfinite(*out))
		return json_scan_unfit(scan, "a number");
	scan->at += decimal.length;
	return 0;
}

/* Numbers, true, false and null. */
static int skip_word(struct json_scan *scan)
{
	struct decimal decimal;

	if (json_scan_null(scan) || json_scan_boolean(scan) >= 0)
		return 0;
	if (!json_scan_decimal(scan, &decimal))
		return json_scan_broken(scan, "a value is missing");
	scan->at += decimal.length;
	return 0;
}

static int skip(struct json_scan *scan, int depth)
{
	char open = json_scan_peek(scan), close = open == '{' ? '}' : ']', *text;
	bool first = true;
	int more;

	if (open == '"') {
		if (json_scan_string(scan, &text))
			return -1;
		free(text);
		return 0;
	}
	if (open != '{' && open != '[')
		return skip_word(scan);
	if (depth == MAX_DEPTH)
		return json_scan_broken(scan, "too many brackets in brackets");
	scan->at++;
	while ((more = json_scan_step(scan, close, &first)) > 0) {
		char key[JSON_SCAN_KEY_MAX];

		if ((open == '{' && json_scan_key(scan, key)) || skip(scan, depth + 1))
			return -1;
	}
	return more;
}

int json_scan_skip(struct json_scan *scan)
{
	return skip(scan, 0);
}

int json_scan_end(struct json_scan *scan)
{
	json_scan_peek(scan);
	return scan->at == scan->end ? 0 : json_scan_broken(scan, "more after its end");
}
