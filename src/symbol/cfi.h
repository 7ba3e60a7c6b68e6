/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The call frame information of a file (.eh_frame and .debug_frame, DWARF 5 section 6.4 and the
 * LSB's .eh_frame) as rows that the kernel's walker reads: see struct pb_row. Pure: a file in, rows
 * out. Nothing in the file is trusted; work and memory are bounded by its size.
 */
#ifndef PERFBPF_SYMBOL_CFI_H
#define PERFBPF_SYMBOL_CFI_H

#include <stddef.h>
#include <stdint.h>

#include "perfbpf.h"
#include "symbol/elf_file.h"

/* What of a file's CFI its rows cannot hold. */
enum cfi_gap {
	CFI_GAP_CFA_EXPRESSION, /* a CFA by an expression that is none of those known */
	CFI_GAP_CFA_REGISTER,   /* a CFA from another register */
	CFI_GAP_CFA_OFFSET,     /* beyond PB_CFA_OFFSET_MAX, or no multiple of 8 */
	CFI_GAP_RETURN_ADDRESS, /* not just below the CFA */
	CFI_GAP_RBP,            /* kept where a row cannot say: rows go on with PB_RBP_UNKNOWN */
	CFI_GAP_BROKEN,         /* entries or instructions that make no sense */
	CFI_GAPS,
};

struct cfi_rows {
	uint64_t base;           /* the address of pc 0 */
	size_t n;                /* 0: the file has no CFI, or is of another machine than x86-64 */
	struct pb_row *rows;     /* ascending, each pc once; between two functions PB_CFA_NONE */
	uint64_t entries;        /* functions (FDEs) */
	uint64_t gaps[CFI_GAPS]; /* rows that are PB_CFA_UNKNOWN or PB_RBP_UNKNOWN, by why; FDEs
				    that are broken */
};

/*
 * Where both sections tell of a function, .eh_frame is taken. Neighbouring rows of one rule are
 * one. 0; -ENOMEM; -E2BIG where code spans 4 GiB and more. A broken file is no error: what can be
 * read of it becomes rows, the rest is in gaps.
 */
int cfi_rows_build(const struct elf_file *file, struct cfi_rows *out);
void cfi_rows_clear(struct cfi_rows *rows);
/* The rule for @address, PB_CFA_NONE where there is none. */
uint32_t cfi_rows_find(const struct cfi_rows *rows, uint64_t address);
/* "CFA by an expression", for people. */
const char *cfi_gap_name(enum cfi_gap gap);

#endif
