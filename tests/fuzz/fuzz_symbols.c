/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as an ELF file: its symbols are read and asked for all over its code, with what was
 * inlined there. With -DFUZZ_STANDALONE it runs over the files that it is given.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/symbols.h"

/* Names are cut at 4 KiB, and stubs have "@plt" behind them. */
#define MAX_NAME (4096 + 4)
#define PLACES   257

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void find(struct symbols *symbols, uint64_t address)
{
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	size_t n = symbols_find(symbols, address, frames);

	expect(n <= SYMBOL_MAX_FRAMES);
	for (size_t i = 0; i < n; i++) {
		expect(strlen(frames[i].function) < MAX_NAME);
		expect(frames[i].inlined == (i + 1 < n));
		/* To be read: it lives as long. */
		expect(!frames[i].source || strlen(frames[i].source) < SIZE_MAX);
	}
	expect(!n || frames[n - 1].address <= address);
}

static void find_all(struct elf_file *file, struct symbols *symbols)
{
	uint64_t low, high, step;

	find(symbols, 0);
	find(symbols, UINT64_MAX);
	if (!elf_file_text(file, &low, &high))
		return;
	step = (high - low) / PLACES + 1;
	for (uint64_t i = 0; i < PLACES; i++)
		find(symbols, low + i * step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbols_options options = {.inlines = true, .debug_root = "/nonexistent"};
	struct elf_file *file = elf_file_open_memory(data, size);
	struct symbols *symbols;

	if (!file)
		return 0;
	symbols = symbols_open(file, NULL, &options);
	expect(symbols != NULL);
	/* A name is of a string table of the file, or of what was compressed in it. */
	expect((symbols_count(symbols) == 0) == !strcmp(symbols_source(symbols), "none"));
	find_all(file, symbols);
	symbols_close(symbols);
	elf_file_close(file);
	return 0;
}

#include "standalone.h"
