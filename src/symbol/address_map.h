/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of code that run-time compilers make, as they write them (/tmp/perf-PID.map). */
#ifndef PERFBPF_SYMBOL_ADDRESS_MAP_H
#define PERFBPF_SYMBOL_ADDRESS_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct address_map;

/*
 * "START SIZE NAME" in hexadecimal, a line each; NAME is the rest of the line. A later line
 * replaces what it overlaps, and no more: code is compiled anew at the same place. Lines that are
 * broken are counted and otherwise ignored; so is a last one that does not end. At most @max_bytes
 * are read. NULL without memory.
 */
struct address_map *address_map_read_perf(FILE *in, size_t max_bytes);
/* NULL is fine. */
void address_map_free(struct address_map *map);

/* Names that are found at some address. */
size_t address_map_count(const struct address_map *map);
size_t address_map_broken(const struct address_map *map);
/* The name at @address (demangled), NULL where there is none; lives as long as the map. */
const char *address_map_find(const struct address_map *map, uint64_t address);

#endif
