/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With -DFUZZ_STANDALONE a fuzzer becomes a program that runs over the files of its
 * command line: to look at a finding without libFuzzer. Included last, once.
 */
#ifndef PERFBPF_FUZZ_STANDALONE_H
#define PERFBPF_FUZZ_STANDALONE_H

#ifdef FUZZ_STANDALONE
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/file.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t size;
		char *text = file_read(argv[i], 16 << 20, &size);

		if (!text) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)text, size);
		free(text);
	}
	return 0;
}
#endif

#endif
