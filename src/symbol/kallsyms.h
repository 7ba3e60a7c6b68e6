/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of the kernel's code (/proc/kallsyms): read once for all addresses that are wanted, so that
 * nothing is kept of the hundred thousand others.
 */
#ifndef PERFBPF_SYMBOL_KALLSYMS_H
#define PERFBPF_SYMBOL_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct kallsyms_name {
	uint64_t address;
	char *function; /* demangled; NULL: not known */
	char *module;   /* NULL: of the kernel itself */
};

/*
 * Names the @n ascending addresses of @names, whose other fields are empty: functions only (t, T,
 * w, W). Each reaches to the next symbol of any kind, but never further than 1 MiB. Lines that are
 * broken are ignored, and so is a last one that does not end; where all addresses are 0
 * (kptr_restrict, or no rights), nothing is known. @in stays the caller's. 0, or -ENOMEM.
 */
int kallsyms_find(FILE *in, struct kallsyms_name *names, size_t n);
/* What kallsyms_find() has put there. */
void kallsyms_clear(struct kallsyms_name *names, size_t n);

#endif
