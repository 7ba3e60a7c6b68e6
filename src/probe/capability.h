/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this kernel and these privileges can do; what is missing, and the remedy. */
#ifndef PERFBPF_PROBE_CAPABILITY_H
#define PERFBPF_PROBE_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

/* May the programs be loaded at all? -1 with EXIT_CODE_PRIVILEGE, naming capabilities or BTF. */
int capability_check(struct error *err);

/*
 * Explains why loading or attaching failed with @errno_value: @program is the
 * program that the kernel refused ("" unknown), @detail libbpf's first words. Returns -1.
 */
int capability_explain(int errno_value, const char *program, const char *detail, struct error *err);

/* May programs be loaded and attached, as far as capabilities decide? */
bool capability_has_rights(void);

/* May a program be attached to the end of the kernel's function @name? Tries it. */
bool capability_has_function_exit(const char *name);

/* One thing that perfbpf can use, as `perfbpf doctor` shows it. */
struct capability {
	const char *name;
	const char *gives;    /* what it is for */
	const char *replaced; /* what happens without it */
	const char *remedy;
	bool required;
	/* Tries it, never infers it: true where it works; else @why says what came back. */
	bool (*probe)(char *why, size_t size);
};

const struct capability *capability_table(size_t *n);

#endif
