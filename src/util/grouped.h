/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whole numbers as people write them: "1,204". */
#ifndef PERFBPF_UTIL_GROUPED_H
#define PERFBPF_UTIL_GROUPED_H

#include <stddef.h>
#include <stdint.h>

#define GROUPED_MAX 32 /* holds every int64_t */

/* Writes @value with a comma after each three digits into @buf and returns it. */
char *format_grouped(char *buf, size_t size, int64_t value);

#endif
