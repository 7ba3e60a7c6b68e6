/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UTF-8 as it comes from outside: perhaps broken, perhaps meant to break a terminal. Pure. */
#ifndef PERFBPF_UTIL_UTF8_H
#define PERFBPF_UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * Bytes of the character that the NUL-terminated @s begins with, its code point in
 * @code; 0 where no valid character begins (overlong forms and surrogates are none).
 */
size_t utf8_decode(const char *s, uint32_t *code);
/* Does @code steer a terminal or the direction of text, or print nothing at all? */
bool utf8_is_control(uint32_t code);
/* Puts a '?' in place of each byte of @text that is of a control character or no UTF-8. */
void utf8_clean(char *text);
/* Columns of a terminal that a printable @code takes: 1 or 2, never too few. */
int utf8_columns(uint32_t code);

#endif
