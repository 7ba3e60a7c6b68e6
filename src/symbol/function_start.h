/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where functions begin in a file that has lost their names: by .eh_frame_hdr (LSB, 10.6.2). */
#ifndef PERFBPF_SYMBOL_FUNCTION_START_H
#define PERFBPF_SYMBOL_FUNCTION_START_H

#include <stdint.h>

#include "symbol/elf_file.h"

/*
 * The beginning of the function that holds @address, as the table of those with CFI says; @address
 * itself where the file has no such table, or it begins above.
 */
uint64_t function_start(const struct elf_file *file, uint64_t address);

#endif
