/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 4096

/* What libiberty has written so far. */
struct text {
	jmp_buf too_long;
	bool is_rust;
	size_t n;
	char bytes[MAX_BYTES];
};

static bool is_ascii(const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)piece[i] >= 0x80)
			return false;
	return true;
}

/*
 * A name of 230 bytes can stand for 140 MB by references to itself, and libiberty neither stops
 * there nor can be told to. So it is left by a jump. It allocates nothing meanwhile, but for
 * a Rust identifier beyond ASCII, which it hands over in one piece and then frees: the jump
 * waits for the next piece.
 */
static void append(const char *piece, size_t length, void *context)
{
	struct text *text = context;

	if (!length)
		return; /* an empty identifier, perhaps without an address */
	if (length < sizeof(text->bytes) - text->n) {
		memcpy(text->bytes + text->n, piece, length);
		text->n += length;
		return;
	}
	text->n = sizeof(text->bytes) - 1;
	if (!text->is_rust || is_ascii(piece, length))
		longjmp(text->too_long, 1);
}

/* Where what the compiler appended to a Rust name begins, else its end. */
static const char *rust_suffix(const char *name)
{
	const char *hash = NULL, *at = name, *dot;

	/* A legacy name may hold dots; behind its hash there are none. */
	while ((at = strstr(at, "17h")))
		hash = at++;
	dot = strchr(name[1] == 'Z' && hash ? hash : name, '.');
	return dot ? dot : name + strlen(name);
}

/* The name in @text, not terminated; 0 where it is not mangled, or too long. */
static size_t take_demangled(const char *name, struct text *text)
{
	const char *suffix;

	if (setjmp(text->too_long))
		return 0;
	text->n = 0;
	text->is_rust = true;
	if (rust_demangle_callback(name, DMGL_PARAMS | DMGL_ANSI, append, text)) {
		suffix = rust_suffix(name);
		append(suffix, strlen(suffix), text);
		return text->n < sizeof(text->bytes) - 1 ? text->n : 0;
	}
	text->n = 0;
	text->is_rust = false;
	return cplus_demangle_v3_callback(name, DMGL_PARAMS | DMGL_ANSI, append, text) ? text->n
										       : 0;
}

static bool is_mangled(const char *name)
{
	return name[0] == '_' &&
	       (name[1] == 'Z' || name[1] == 'R' || !strncmp(name, "_GLOBAL_", 8));
}

/* The length of @name without "@VERSION" or "@@VERSION" at its end. */
static size_t length_without_version(const char *name, size_t length)
{
	static const char in_versions[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					  "0123456789_.";
	const char *at = memchr(name, '@', length), *version;
	size_t left;

	if (!at || at == name)
		return length;
	version = at[1] == '@' ? at + 2 : at + 1;
	left = length - (size_t)(version - name);
	if (!left || strspn(version, in_versions) < left)
		return length;
	return (size_t)(at - name);
}

/* A character that the cut goes through is left out. */
static size_t whole_characters(const char *name, size_t length)
{
	if (name[length] == '\0')
		return length;
	while (length && ((unsigned char)name[length] & 0xc0) == 0x80)
		length--;
	return length;
}

char *demangle(const char *name)
{
	size_t length = strnlen(name, MAX_BYTES), n;
	struct text text;
	char *plain;

	if (length == MAX_BYTES)
		return strndup(name, whole_characters(name, MAX_BYTES - 1));
	plain = strndup(name, length_without_version(name, length));
	if (!plain || !is_mangled(plain))
		return plain;
	n = take_demangled(plain, &text);
	if (!n)
		return plain;
	free(plain);
	return strndup(text.bytes, n);
}
