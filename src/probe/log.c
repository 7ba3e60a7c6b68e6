/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "probe/log.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	char first[512];
	char program[64];
} kept;

static int keep(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[sizeof(kept.first)];
	const char *name;

	if (level != LIBBPF_WARN)
		return 0;
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
