/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Durations, counts and sizes as people write them, both ways. Pure functions. */
#ifndef PERFBPF_UTIL_UNITS_H
#define PERFBPF_UTIL_UNITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Each parser takes the whole of @text: 0, or -EINVAL for what is no such
 * quantity, -ERANGE for what does not fit. Negative input is -EINVAL.
 */

/* "250ms" "30s" "1.5m" "1h" "10us" "100ns"; a bare "0" is allowed, another bare number is not. */
int parse_duration_ns(const char *text, uint64_t *ns);
/* "14000" "14k" "1.5M" "2G" (powers of 1000), for rates and counts. */
int parse_count(const char *text, double *value);
/* "2%" "0.02": a share of something. */
int parse_share(const char *text, double *share);
/* "512" "512B" "64KiB" "512MiB" "1GiB" (powers of 1024), "10kB" "5MB" "1GB" (powers of 1000). */
int parse_size_bytes(const char *text, uint64_t *bytes);

/*
 * Three significant digits and a unit, for people: "1.23 s", "12.3 ms", "45.6 MiB", "14.1 k".
 * All write into @buf and return it. NaN gives "-".
 */
char *format_seconds(char *buf, size_t size, double seconds);
char *format_bytes(char *buf, size_t size, double bytes);
char *format_count(char *buf, size_t size, double count);
/* "30s", "5m", "250ms": the shortest form that parse_duration_ns takes back exactly. */
char *format_duration_ns(char *buf, size_t size, uint64_t ns);

#endif
