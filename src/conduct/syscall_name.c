/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conduct/syscall_name.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* The build writes one line for each call of <sys/syscall.h>. */
static const char *const names[] = {
#include "syscall_names.inc"
};

char *syscall_name(int nr)
{
	char *text;

	if (nr >= 0 && (size_t)nr < sizeof(names) / sizeof(names[0]) && names[nr])
		return strdup(names[nr]);
	return asprintf(&text, "call %d", nr) < 0 ? NULL : text;
}
