/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of made files, asked for and compared. After cmocka.h. */
#ifndef PERFBPF_TESTS_UNIT_MADE_SYMBOLS_H
#define PERFBPF_TESTS_UNIT_MADE_SYMBOLS_H

#include "made_elf.h"
#include "symbol/symbols.h"

struct named {
	struct elf_file *file;
	struct symbols *symbols;
};

static inline struct named open_made(const struct made_elf *made, const char *path,
				     const char *root)
{
	struct symbols_options options = {.debug_root = root ? root : "/nonexistent"};
	struct named named = {.file = elf_file_open_memory(made->bytes, made->size)};

	assert_non_null(named.file);
	named.symbols = symbols_open(named.file, path, &options);
	assert_non_null(named.symbols);
	return named;
}

static inline void close_named(struct named *named)
{
	symbols_close(named->symbols);
	elf_file_close(named->file);
}

static inline void expect(const struct named *named, uint64_t address, const char *wanted)
{
	struct symbol_frame frames[SYMBOL_MAX_FRAMES];
	size_t n = symbols_find(named->symbols, address, frames);
	const char *got = n ? frames[n - 1].function : NULL;

	if (!got != !wanted || (got && wanted && strcmp(got, wanted) != 0))
		fail_msg("%#lx: \"%s\" instead of \"%s\"", address, got ? got : "-",
			 wanted ? wanted : "-");
}

/* A sound file whose one symbol is "inner" at 0x1000; to be freed. */
static inline struct made_elf *made_debug(uint8_t build_id)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x100);

	made->headers[text].sh_type = SHT_NOBITS;
	if (build_id)
		made_build_id(made, build_id, 20);
	made_symbol(made, "inner", 0x1000, 0x80, STT_FUNC, STB_LOCAL, text);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	return made;
}

#endif
