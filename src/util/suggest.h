/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* "did you mean …": the nearest of a list of names. Pure. */
#ifndef PERFBPF_UTIL_SUGGEST_H
#define PERFBPF_UTIL_SUGGEST_H

#include <stddef.h>

/*
 * The name in @names[0..n) that is nearest to @word by edit distance
 * (insertions, deletions, substitutions, transpositions of neighbours), or NULL
 * where none is near enough to be what was meant. The result points into @names.
 */
const char *suggest_nearest(const char *word, const char *const *names, size_t n);

#endif
