/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Labels: short, printable, and the same for requests that ask for the same kind of thing. */
#include <ctype.h>
#include <string.h>

#include "protocol/internal.h"

/* Shorter words may well be names: "deadbeef", "facade". */
#define HEX_MIN   16
#define TOKEN_MIN 20

static void add_byte(char label[PROTOCOL_LABEL_MAX], size_t *length, uint8_t byte)
{
	if (*length >= PROTOCOL_LABEL_MAX - 1)
		return;
	label[(*length)++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
	label[*length] = '\0';
}

void label_add(char label[PROTOCOL_LABEL_MAX], const void *text, size_t n)
{
	size_t length = strlen(label);

	for (size_t i = 0; i < n && length < PROTOCOL_LABEL_MAX - 1; i++)
		add_byte(label, &length, ((const uint8_t *)text)[i]);
}

void label_add_word(char label[PROTOCOL_LABEL_MAX], const char *word)
{
	label_add(label, word, strlen(word));
}

void label_add_upper(char label[PROTOCOL_LABEL_MAX], const void *text, size_t n)
{
	size_t length = strlen(label);

	for (size_t i = 0; i < n && length < PROTOCOL_LABEL_MAX - 1; i++)
		add_byte(label, &length, (uint8_t)toupper(((const uint8_t *)text)[i]));
}

/* 8-4-4-4-12 */
static bool is_uuid(const char *at, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (at[i] != '-')
				return false;
		} else if (!isxdigit((uint8_t)at[i])) {
			return false;
		}
	}
	return true;
}

struct letters {
	size_t digits, hex, lower, upper, others; /* hex has the digits too */
};

static struct letters count_letters(const char *at, size_t n)
{
	struct letters letters = {0};

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)at[i];

		letters.digits += isdigit(byte) != 0;
		letters.hex += isxdigit(byte) != 0;
		letters.lower += islower(byte) != 0;
		letters.upper += isupper(byte) != 0;
		letters.others += !isalnum(byte) && !strchr("-_=+~%", byte);
	}
	return letters;
}

/* What stands for a segment that names one thing among many; NULL for one that is a name. */
static const char *folded(const char *at, size_t n)
{
	struct letters letters = count_letters(at, n);

	if (n && letters.digits == n)
		return ":id";
	if (is_uuid(at, n))
		return ":uuid";
	if (n >= HEX_MIN && letters.hex == n && letters.digits)
		return ":hex";
	if (n >= TOKEN_MIN && letters.digits && letters.lower && letters.upper && !letters.others)
		return ":token";
	return NULL;
}

static void add_segment(char label[PROTOCOL_LABEL_MAX], const char *at, size_t n)
{
	const char *fold = folded(at, n), *dot;

	if (fold) {
		label_add_word(label, fold);
		return;
	}
	/* "1234.json" */
	dot = n ? memchr(at, '.', n) : NULL;
	fold = dot && dot + 1 < at + n && !isdigit((uint8_t)dot[1]) ? folded(at, (size_t)(dot - at))
								    : NULL;
	if (fold) {
		label_add_word(label, fold);
		n -= (size_t)(dot - at);
		at = dot;
	}
	label_add(label, at, n);
}

void label_add_route(char label[PROTOCOL_LABEL_MAX], const void *target, size_t n)
{
	const char *at = target, *end = at, *scheme;

	while (end < at + n && *end != '?' && *end != '#')
		end++;
	/* As a proxy is asked: "http://host/path". */
	scheme = end > at && *at != '/' ? memmem(at, (size_t)(end - at), "://", 3) : NULL;
	if (scheme) {
		at = memchr(scheme + 3, '/', (size_t)(end - scheme - 3));
		if (!at) {
			label_add_word(label, "/");
			return;
		}
	}
	while (at < end) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *stop = slash ? slash : end;

		add_segment(label, at, (size_t)(stop - at));
		if (slash)
			label_add_word(label, "/");
		at = stop + (slash != NULL);
	}
}
