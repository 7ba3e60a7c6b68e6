/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a mangled name, with what makes it C++'s or Rust's in front, too. With
 * -DFUZZ_STANDALONE it runs over the files that it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const begins[] = {"", "_Z", "_R", "_ZN"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		size_t length = strlen(begins[i]);
		char *name = calloc(1, length + size + 1), *got;

		if (!name)
			return 0;
		memcpy(name, begins[i], length);
		if (size)
			memcpy(name + length, data, size);
		got = demangle(name);
		if (!got || strlen(got) >= 4096 || (*name && !*got))
			abort();
		free(got);
		free(name);
	}
	return 0;
}

#include "standalone.h"
