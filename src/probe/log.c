/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/log.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	char first[512];
	char program[64];
	char verifier[4096];
} kept;

/* The end of the verifier's log, where it says what it did not like. */
static void keep_verifier(const char *fmt, va_list args)
{
	char *text;
	size_t length;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	length = strlen(text);
	if (strstr(text, "PROG LOAD LOG") && !kept.verifier[0])
		snprintf(kept.verifier, sizeof(kept.verifier), "%s",
			 length < sizeof(kept.verifier)
				 ? text
				 : text + length - sizeof(kept.verifier) + 1);
	free(text);
}

static int keep(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[sizeof(kept.first)];
	const char *name;
	va_list again;

	if (level != LIBBPF_WARN)
		return 0;
	va_copy(again, args);
	keep_verifier(fmt, again);
	va_end(again);
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = 0;
	if (!kept.first[0])
		memcpy(kept.first, text, sizeof(kept.first));
	name = strstr(text, "prog '");
	if (name && !kept.program[0])
		snprintf(kept.program, sizeof(kept.program), "%.*s", (int)strcspn(name + 6, "'"),
			 name + 6);
	return 0;
}

void probe_log_start(void)
{
	memset(&kept, 0, sizeof(kept));
	libbpf_set_print(keep);
}

const char *probe_log_first(void)
{
	return kept.first;
}

const char *probe_log_program(void)
{
	return kept.program;
}

const char *probe_log_verifier(void)
{
	return kept.verifier;
}
