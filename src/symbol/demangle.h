/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* C++ and Rust (legacy and v0) names as people wrote them, by libiberty. */
#ifndef PERFBPF_SYMBOL_DEMANGLE_H
#define PERFBPF_SYMBOL_DEMANGLE_H

/*
 * @name demangled, or a copy of it where it is not mangled (C, Go); to be freed. NULL without
 * memory. Symbol versions ("@GLIBC_2.2.5") are cut off; suffixes of the compiler (".isra.0",
 * ".cold", ".llvm.123") stay readable as a suffix. Names that would become longer than 4 KiB, or
 * are longer than that, stay as they are (cut).
 */
char *demangle(const char *name);

#endif
