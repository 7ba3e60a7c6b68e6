/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/escape.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"

void escape_text(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	for (; s && *s; s += length) {
		length = utf8_decode(s, &code);
		if (!length) {
			fprintf(out, "\\x%02x", (unsigned char)*s);
			length = 1;
		} else if (!utf8_is_control(code)) {
			fwrite(s, 1, length, out);
		} else {
			fprintf(out, code < 0x80 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, code);
		}
	}
}

static bool is_formula(const char *s)
{
	return *s && strchr("=+-@\t\r", *s);
}

void escape_csv(FILE *out, const char *s)
{
	bool quoted = s && (is_formula(s) || strpbrk(s, "\",\r\n") || *s == ' ');
	uint32_t code;
	size_t length;

	fputs(quoted ? "\"" : "", out);
	fputs(s && is_formula(s) ? "'" : "", out);
	for (; s && *s; s += length) {
		length = utf8_decode(s, &code);
		if (!length ||
		    (utf8_is_control(code) && code != '\n' && code != '\r' && code != '\t')) {
			fputs(UTF8_REPLACEMENT, out);
			length = length ? length : 1;
		} else if (code == '"') {
			fputs("\"\"", out);
		} else {
			fwrite(s, 1, length, out);
		}
	}
	fputs(quoted ? "\"" : "", out);
}

static void put_markdown(FILE *out, uint32_t code, const char *s, size_t length)
{
	if (code == '&')
		fputs("&amp;", out);
	else if (code == '<')
		fputs("&lt;", out);
	else if (code == '>')
		fputs("&gt;", out);
	else if (code < 0x80 && strchr("\\`*_[]|~#", (int)code))
		fprintf(out, "\\%c", (int)code);
	else
		fwrite(s, 1, length, out);
}

void escape_markdown(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	for (; s && *s; s += length) {
		length = utf8_decode(s, &code);
		if (length && (code == '\n' || code == '\r' || code == '\t'))
			putc(' ', out);
		else if (!length || utf8_is_control(code))
			fputs(UTF8_REPLACEMENT, out);
		else
			put_markdown(out, code, s, length);
		length = length ? length : 1;
	}
}

void escape_openmetrics(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	for (; s && *s; s += length) {
		length = utf8_decode(s, &code);
		if (length && code == '\n')
			fputs("\\n", out);
		else if (!length || utf8_is_control(code))
			fputs(UTF8_REPLACEMENT, out);
		else if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (int)code);
		else
			fwrite(s, 1, length, out);
		length = length ? length : 1;
	}
}

static void put_xml(FILE *out, uint32_t code, const char *s, size_t length)
{
	if (code == '&')
		fputs("&amp;", out);
	else if (code == '<')
		fputs("&lt;", out);
	else if (code == '>')
		fputs("&gt;", out);
	else if (code == '"')
		fputs("&quot;", out);
	else if (code == '\'')
		fputs("&#39;", out);
	else
		fwrite(s, 1, length, out);
}

void escape_xml(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	for (; s && *s; s += length) {
		length = utf8_decode(s, &code);
		/* U+FFFE and U+FFFF are UTF-8, but no characters of XML. */
		if (!length || utf8_is_control(code) || code == 0xfffe || code == 0xffff)
			fputs(UTF8_REPLACEMENT, out);
		else
			put_xml(out, code, s, length);
		length = length ? length : 1;
	}
}

void escape_folded(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	for (; s && *s; s += length) {
		length = utf8_decode(s, &code);
		if (length && code == ';')
			putc(':', out);
		else if (!length || utf8_is_control(code))
			fputs(UTF8_REPLACEMENT, out);
		else
			fwrite(s, 1, length, out);
		length = length ? length : 1;
	}
}

/* Needs the $'...' of bash, since it holds what must not reach a terminal. */
static bool has_controls(const char *s)
{
	uint32_t code;
	size_t length;

	for (; *s; s += length) {
		length = utf8_decode(s, &code);
		if (!length || utf8_is_control(code))
			return true;
	}
	return false;
}

static void put_ansi_c(FILE *out, const char *s)
{
	uint32_t code;
	size_t length;

	fputs("$'", out);
	for (; *s; s += length) {
		length = utf8_decode(s, &code);
		if (length && !utf8_is_control(code)) {
			fputs(code == '\'' || code == '\\' ? "\\" : "", out);
			fwrite(s, 1, length, out);
			continue;
		}
		length = length ? length : 1;
		for (size_t i = 0; i < length; i++)
			fprintf(out, "\\%03o", (unsigned char)s[i]);
	}
	putc('\'', out);
}

static void put_word(FILE *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";

	if (*s && !s[strspn(s, plain)]) {
		fputs(s, out);
	} else if (has_controls(s)) {
		put_ansi_c(out, s);
	} else {
		putc('\'', out);
		for (; *s; s++)
			fputs(*s == '\'' ? "'\\''" : (char[]){*s, '\0'}, out);
		putc('\'', out);
	}
}

static char *join(const char *first, char *const *argv, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		fputs(i ? " " : "", out);
		put_word(out, i ? (argv[i] ? argv[i] : "") : first);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

char *escape_argv(char *const *argv, size_t n)
{
	return join(n && argv[0] ? argv[0] : "", argv, n);
}

char *escape_own_argv(char *const *argv, size_t n)
{
	const char *path = n && argv[0] ? argv[0] : "";
	const char *slash = strrchr(path, '/');

	return join(slash && slash[1] ? slash + 1 : path, argv, n);
}
