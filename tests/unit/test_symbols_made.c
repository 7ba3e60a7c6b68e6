/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of made files: what no compiler writes on demand, and what is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_symbols.h"

static const struct symbols_options no_debug = {.debug_root = "/nonexistent"};

static void sizes(void **state)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x1000);
	size_t more = made_text(made, ".fini", 0x2000, NULL, 0x100);
	struct named named;

	(void)state;
	made_symbol(made, "sized", 0x1000, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "around", 0x1100, 0x100, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "within", 0x1140, 0x20, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "label_within", 0x1180, 0, STT_NOTYPE, STB_LOCAL, text);
	made_symbol(made, "unsized_within", 0x1190, 0, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "first", 0x1300, 0x80, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "crossing", 0x1340, 0x80, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "unsized", 0x1500, 0, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "assembly", 0x1600, 0, STT_NOTYPE, STB_LOCAL, text);
	made_symbol(made, "last", 0x1f00, 0, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "too_large", 0x2080, UINT64_MAX, STT_GNU_IFUNC, STB_WEAK, more);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	named = open_made(made, NULL, NULL);
	assert_string_equal(symbols_source(named.symbols), "symtab");
	assert_int_equal(symbols_count(named.symbols), 11);
	expect(&named, 0xfff, NULL);
	expect(&named, 0x1000, "sized");
	expect(&named, 0x100f, "sized");
	expect(&named, 0x1010, NULL);
	expect(&named, 0x113f, "around");
	expect(&named, 0x1140, "within");
	expect(&named, 0x115f, "within");
	expect(&named, 0x1160, "around");
	expect(&named, 0x1180, "around");
	expect(&named, 0x11ff, "around");
	expect(&named, 0x1200, NULL);
	expect(&named, 0x133f, "first");
	expect(&named, 0x1340, "crossing");
	expect(&named, 0x13bf, "crossing");
	expect(&named, 0x13c0, NULL);
	expect(&named, 0x15ff, "unsized");
	expect(&named, 0x1600, "assembly");
	expect(&named, 0x1eff, "assembly");
	expect(&named, 0x1fff, "last");
	expect(&named, 0x2000, NULL);
	expect(&named, 0x20ff, "too_large");
	expect(&named, 0x2100, NULL);
	close_named(&named);
	made_free(made);
}

/* At both ends of all addresses, and nearly none between. */
static void far_apart(void **state)
{
	const uint64_t high = UINT64_MAX - 0xfff;
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x10, NULL, 0x100);
	size_t far = made_text(made, ".far", high, NULL, 0x100);
	struct named named;

	(void)state;
	made_symbol(made, "low", 0x10, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "high", high, 0x10, STT_FUNC, STB_GLOBAL, far);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	named = open_made(made, NULL, NULL);
	expect(&named, 0xf, NULL);
	expect(&named, 0x1f, "low");
	expect(&named, 0x20, NULL);
	expect(&named, 1ULL << 63, NULL);
	expect(&named, high - 1, NULL);
	expect(&named, high + 0xf, "high");
	expect(&named, UINT64_MAX, NULL);
	close_named(&named);
	made_free(made);
}

/* Symbols of all sizes in no order, against an array that they are painted into. */
static void painted(void **state)
{
	enum { ROUNDS = 50, SYMBOLS = 60, PLACES = 1024, BASE = 0x1000 };

	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		struct made_elf *made = made_new();
		size_t text = made_text(made, ".text", BASE, NULL, PLACES), sizes[PLACES] = {0};
		int owner[PLACES];
		struct named named;
		char name[16];

		memset(owner, 0xff, sizeof(owner));
		for (int i = 0; i < SYMBOLS; i++) {
			int start = rand() % PLACES, size = 1 + rand() % (1 << rand() % 9);

			if (sizes[start])
				continue;
			sizes[start] = (size_t)size;
			sprintf(name, "f%d", start);
			made_symbol(made, name, (uint64_t)(BASE + start), (uint64_t)size, STT_FUNC,
				    STB_GLOBAL, text);
		}
		for (int start = 0; start < PLACES; start++)
			for (size_t i = 0; i < sizes[start] && (size_t)start + i < PLACES; i++)
				owner[(size_t)start + i] = start;
		made_table(made, ".symtab", SHT_SYMTAB);
		made_finish(made);
		named = open_made(made, NULL, NULL);
		for (int i = 0; i < PLACES; i++) {
			sprintf(name, "f%d", owner[i]);
			expect(&named, (uint64_t)(BASE + i), owner[i] < 0 ? NULL : name);
		}
		close_named(&named);
		made_free(made);
	}
}

/* A table that was stripped but for a few names is none: Debian's libpthread had such a one. */
static void kept_symbols(void **state)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x100);
	struct named named;

	(void)state;
	made_symbol(made, "exported", 0x1000, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "too", 0x1010, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_table(made, ".dynsym", SHT_DYNSYM);
	made_symbol(made, "kept", 0x1020, 0x10, STT_FUNC, STB_LOCAL, text);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	named = open_made(made, NULL, NULL);
	assert_string_equal(symbols_source(named.symbols), "dynsym");
	expect(&named, 0x1000, "exported");
	expect(&named, 0x1010, "too");
	expect(&named, 0x1020, "kept");
	close_named(&named);
	made_free(made);
}

static void aliases(void **state)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x1000);
	struct named named;

	(void)state;
	made_symbol(made, "a_local", 0x1000, 0x10, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "__libc_write", 0x1000, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "write", 0x1000, 0x10, STT_FUNC, STB_WEAK, text);
	made_symbol(made, "text", 0x1000, 0, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "__write", 0x1000, 0x20, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "label", 0x1000, 0, STT_NOTYPE, STB_GLOBAL, text);
	made_symbol(made, "longer", 0x1100, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "short", 0x1100, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "shorn", 0x1100, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "_Z3runi", 0x1200, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_symbol(made, "read@@LIB_1.2", 0x1300, 0x10, STT_FUNC, STB_GLOBAL, text);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	named = open_made(made, NULL, NULL);
	assert_int_equal(symbols_count(named.symbols), 4);
	expect(&named, 0x1000, "write");
	/* The greatest size counts, whichever name it came with. */
	expect(&named, 0x101f, "write");
	expect(&named, 0x1020, NULL);
	expect(&named, 0x1100, "shorn");
	expect(&named, 0x1200, "run(int)");
	expect(&named, 0x1300, "read");
	close_named(&named);
	made_free(made);
}

static void no_functions(void **state)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x1000);
	size_t data = made_section(made, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x3000, NULL,
				   0x100);
	struct named named;

	(void)state;
	made_symbol(made, "$x", 0x1000, 0, STT_NOTYPE, STB_LOCAL, text);
	made_symbol(made, "$d.12", 0x1000, 0, STT_NOTYPE, STB_LOCAL, text);
	made_symbol(made, ".L12", 0x1000, 0, STT_NOTYPE, STB_LOCAL, text);
	made_symbol(made, "", 0x1000, 0x10, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "undefined", 0x1000, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF);
	made_symbol(made, "absolute", 0x1000, 0, STT_FUNC, STB_GLOBAL, SHN_ABS);
	made_symbol(made, "object", 0x1000, 0x10, STT_OBJECT, STB_GLOBAL, text);
	made_symbol(made, "variable", 0x3000, 8, STT_FUNC, STB_GLOBAL, data);
	made_symbol(made, "outside", 0x9000, 8, STT_FUNC, STB_GLOBAL, text);
	made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	named = open_made(made, NULL, NULL);
	assert_int_equal(symbols_count(named.symbols), 0);
	assert_string_equal(symbols_source(named.symbols), "none");
	expect(&named, 0x1000, NULL);
	close_named(&named);
	symbols_close(NULL);
	made_free(made);
}

/* What "$a" begins is a name all the same, if it is not one of those. */
static void odd_names(void **state)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x1000);
	struct named named;

	(void)state;
	made_symbol(made, "$apple", 0x1000, 0x10, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "$", 0x1010, 0x10, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "main.(*T).run", 0x1020, 0x10, STT_FUNC, STB_LOCAL, text);
	made_table(made, ".dynsym", SHT_DYNSYM);
	made_finish(made);
	named = open_made(made, NULL, NULL);
	assert_string_equal(symbols_source(named.symbols), "dynsym");
	expect(&named, 0x1000, "$apple");
	expect(&named, 0x1010, "$");
	expect(&named, 0x1020, "main.(*T).run");
	close_named(&named);
	made_free(made);
}

/* Opens, and takes what is at @address. */
static void expect_of(const struct made_elf *made, uint64_t address, const char *wanted)
{
	struct named named = open_made(made, NULL, NULL);

	expect(&named, address, wanted);
	close_named(&named);
}

static void broken_tables(void **state)
{
	struct made_elf *made = made_new();
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x100), table;
	Elf64_Shdr *headers;

	(void)state;
	made_symbol(made, "function", 0x1000, 0x80, STT_FUNC, STB_LOCAL, text);
	made_symbol(made, "unfinished", 0x1080, 0x80, STT_FUNC, STB_LOCAL, text);
	table = made_table(made, ".symtab", SHT_SYMTAB);
	made_finish(made);
	headers = (void *)(made->bytes + ((Elf64_Ehdr *)made->bytes)->e_shoff);
	expect_of(made, 0x1000, "function");
	expect_of(made, 0x1080, "unfinished");
	/* Without its last NUL, the last name is none. */
	headers[table + 1].sh_size--;
	expect_of(made, 0x1000, "function");
	expect_of(made, 0x1080, NULL);
	headers[table + 1].sh_offset = made->size - 4;
	expect_of(made, 0x1000, NULL);
	headers[table + 1].sh_offset = UINT64_MAX - 4;
	expect_of(made, 0x1000, NULL);
	headers[table].sh_link = 77;
	expect_of(made, 0x1000, NULL);
	headers[table].sh_link = (uint32_t)table;
	expect_of(made, 0x1000, NULL);
	headers[table].sh_entsize = 0;
	expect_of(made, 0x1000, NULL);
	headers[table].sh_size = UINT64_MAX;
	expect_of(made, 0x1000, NULL);
	headers[text].sh_addr = UINT64_MAX;
	expect_of(made, UINT64_MAX, NULL);
	made_free(made);
}

/* A file that is cut anywhere: nothing but less names. */
static void cut_files(void **state)
{
	struct made_elf *made = made_debug(0xab);

	(void)state;
	for (size_t size = 0; size < made->size; size++) {
		uint8_t *exact = malloc(size ? size : 1);
		struct elf_file *file;

		memcpy(exact, made->bytes, size);
		file = elf_file_open_memory(exact, size);
		free(exact);
		if (file)
			symbols_close(symbols_open(file, NULL, &no_debug));
		elf_file_close(file);
	}
	made_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),     cmocka_unit_test(far_apart),
		cmocka_unit_test(painted),   cmocka_unit_test(kept_symbols),
		cmocka_unit_test(aliases),   cmocka_unit_test(no_functions),
		cmocka_unit_test(odd_names), cmocka_unit_test(broken_tables),
		cmocka_unit_test(cut_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
