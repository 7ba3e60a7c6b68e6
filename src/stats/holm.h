/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Several tests at once. */
#ifndef PERFBPF_STATS_HOLM_H
#define PERFBPF_STATS_HOLM_H

#include <stddef.h>

/*
 * Adjusted p of @n tests (Holm 1979), in their order; a p that is NAN stays NAN and does not count.
 * @out may be @p. All are NAN without memory.
 */
void stats_holm(const double *p, size_t n, double *out);

#endif
