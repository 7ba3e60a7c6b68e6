/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/utf8.h"

#include <string.h>

size_t utf8_decode(const char *s, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	size_t length;

	if (u[0] < 0x80) {
		*code = u[0];
		return 1;
	}
	if ((u[0] & 0xe0) == 0xc0)
		length = 2;
	else if ((u[0] & 0xf0) == 0xe0)
		length = 3;
	else if ((u[0] & 0xf8) == 0xf0)
		length = 4;
	else
		return 0;
	*code = u[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((u[i] & 0xc0) != 0x80) /* the terminating NUL ends here too */
			return 0;
		*code = *code << 6 | (u[i] & 0x3fu);
	}
	if (*code < smallest[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return length;
}

struct range {
	uint32_t first, last;
};

static bool is_within(uint32_t code, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

bool utf8_is_control(uint32_t code)
{
	static const struct range ranges[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};

	return is_within(code, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

void utf8_clean(char *text)
{
	uint32_t code;
	size_t length;

	for (; *text; text += length) {
		length = utf8_decode(text, &code);
		if (length && !utf8_is_control(code))
			continue;
		length = length ? length : 1;
		memset(text, '?', length);
	}
}

int utf8_columns(uint32_t code)
{
	/* What some terminal draws two columns wide; combining marks are counted as one. */
	static const struct range ranges[] = {
		{0x1100, 0x115f},   {0x231a, 0x232a},   {0x23e9, 0x23f3},   {0x2600, 0x27bf},
		{0x2b1b, 0x2b55},   {0x2e80, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
		{0xf900, 0xfaff},   {0xfe10, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
		{0xfdfd, 0xfdfd},   {0x16fe0, 0x18dff}, {0x1aff0, 0x1b2ff}, {0x1f000, 0x1faff},
		{0x20000, 0x3fffd},
	};

	return is_within(code, ranges, sizeof(ranges) / sizeof(ranges[0])) ? 2 : 1;
}
