/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as the kernel's symbols and as a map of compiled code. With -DFUZZ_STANDALONE it runs
 * over the files that it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/address_map.h"
#include "symbol/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const uint8_t *data, size_t size)
{
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

/* At the numbers that lines begin with, and beside them. */
static void find_all(const struct address_map *map, const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *at = text; at; at = strchr(at, '\n')) {
		uint64_t address = strtoull(at += *at == '\n', NULL, 16);

		for (uint64_t i = address - 2; i != address + 3; i++) {
			const char *name = address_map_find(map, i);

			if (name && !*name)
				abort();
		}
	}
	free(text);
}

static void check(struct address_map *map, const uint8_t *data, size_t size)
{
	if (!map)
		abort();
	if (address_map_count(map) + address_map_broken(map) > count_lines(data, size))
		abort();
	find_all(map, data, size);
	address_map_free(map);
}

#define MAX_NAMES 64

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct kallsyms_name *)a)->address;
	uint64_t y = ((const struct kallsyms_name *)b)->address;

	return (x > y) - (x < y);
}

/* The numbers of the first lines. */
static void check_kallsyms(FILE *in, const uint8_t *data, size_t size)
{
	struct kallsyms_name names[MAX_NAMES] = {{0}};
	const uint8_t *at = data, *end = data + size;
	size_t n = 0;

	for (; at && at < end && n < MAX_NAMES; n++) {
		char text[20] = "";

		memcpy(text, at, end - at < 17 ? (size_t)(end - at) : 17);
		names[n].address = strtoull(text, NULL, 16) + n % 3;
		at = memchr(at, '\n', (size_t)(end - at));
		if (at)
			at++;
	}
	qsort(names, n, sizeof(names[0]), compare);
	if (kallsyms_find(in, names, n))
		abort();
	for (size_t i = 0; i < n; i++)
		if (names[i].function ? !*names[i].function : names[i].module != NULL)
			abort();
	kallsyms_clear(names, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in;

	if (!size)
		return 0;
	in = fmemopen((void *)(uintptr_t)data, size, "r");
	if (!in)
		return 0;
	check_kallsyms(in, data, size);
	rewind(in);
	check(address_map_read_perf(in, size), data, size);
	fclose(in);
	return 0;
}

#include "standalone.h"
