/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names that are in no symbol table: stubs of the procedure linkage table, and Go's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_symbols.h"

#define GOT 0x4000

/* "jmp *SLOT(%rip)" at @address. */
static void put_jump(uint8_t *code, uint64_t address, uint64_t slot)
{
	int32_t distance = (int32_t)(slot - (address + 6));

	code[0] = 0xff;
	code[1] = 0x25;
	memcpy(code + 2, &distance, sizeof(distance));
}

static Elf64_Rela relocation(uint64_t slot, size_t symbol, unsigned int type, uint64_t addend)
{
	return (Elf64_Rela){slot, ELF64_R_INFO(symbol, type), (int64_t)addend};
}

/* Three imports (the middle one mangled, the last one an IFUNC of this file), and a data slot. */
static void put_imports(struct made_elf *made)
{
	size_t text = made_text(made, ".text", 0x1000, NULL, 0x100);
	Elf64_Rela of_plt[3], of_data[2];
	size_t malloc_number, run_number, free_number;

	malloc_number = made_symbol(made, "malloc", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF);
	run_number = made_symbol(made, "_Z3runi", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF);
	free_number = made_symbol(made, "free", 0, 0, STT_FUNC, STB_WEAK, SHN_UNDEF);
	made_symbol(made, "memcpy", 0x1020, 0x10, STT_GNU_IFUNC, STB_GLOBAL, text);
	made_table(made, ".dynsym", SHT_DYNSYM);
	of_plt[0] = relocation(GOT, malloc_number, R_X86_64_JUMP_SLOT, 0);
	of_plt[1] = relocation(GOT + 8, run_number, R_X86_64_JUMP_SLOT, 0);
	of_plt[2] = relocation(GOT + 16, 0, R_X86_64_IRELATIVE, 0x1020);
	made_section(made, ".rela.plt", SHT_RELA, SHF_ALLOC, 0x300, of_plt, sizeof(of_plt));
	of_data[0] = relocation(GOT + 24, free_number, R_X86_64_GLOB_DAT, 0);
	of_data[1] = relocation(GOT + 32, 0, R_X86_64_RELATIVE, 0x1020);
	made_section(made, ".rela.dyn", SHT_RELA, SHF_ALLOC, 0x400, of_data, sizeof(of_data));
}

static void plt(void **state)
{
	struct made_elf *made = made_new();
	uint8_t stubs[5 * 16] = {0}, small[3 * 8];
	struct named named;

	(void)state;
	put_imports(made);
	/* The first one goes to the loader; the last one to where no relocation is. */
	for (uint64_t i = 0; i < 5; i++)
		put_jump(stubs + 16 * i, 0x2000 + 16 * i, i < 4 ? GOT - 8 + 8 * i : 0x5000);
	made_text(made, ".plt", 0x2000, stubs, sizeof(stubs));
	for (uint64_t i = 0; i < 3; i++) {
		put_jump(small + 8 * i, 0x3000 + 8 * i, GOT + 16 + 8 * i);
		memcpy(small + 8 * i + 6, "\x66\x90", 2);
	}
	made_text(made, ".plt.got", 0x3000, small, sizeof(small));
	made_finish(made);
	named = open_made(made, NULL, NULL);
	expect(&named, 0x2000, NULL);
	expect(&named, 0x200f, NULL);
	expect(&named, 0x2010, "malloc@plt");
	expect(&named, 0x201f, "malloc@plt");
	expect(&named, 0x2020, "run(int)@plt");
	expect(&named, 0x2030, "memcpy@plt");
	expect(&named, 0x2040, NULL);
	expect(&named, 0x3000, "memcpy@plt");
	expect(&named, 0x3008, "free@plt");
	expect(&named, 0x300f, "free@plt");
	expect(&named, 0x3010, NULL);
	expect(&named, 0x1020, "memcpy");
	close_named(&named);
	made_free(made);
}

/* With indirect branch tracking: .plt pushes numbers, .plt.sec jumps. */
static void plt_sec(void **state)
{
	static const uint8_t landing[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct made_elf *made = made_new();
	uint8_t lazy[5 * 16] = {0}, stubs[3 * 16];
	struct named named;

	(void)state;
	put_imports(made);
	for (uint32_t i = 1; i < 5; i++) {
		uint8_t *stub = lazy + 16 * i;
		int32_t back = -(int32_t)(16 * i + (i == 2 ? 15 : 14));

		memcpy(stub, landing, 4);
		stub[4] = 0x68;
		/* The last one's number is no relocation's. */
		stub[5] = i < 4 ? (uint8_t)(i - 1) : 200;
		stub[9] = i == 2 ? 0xf2 : 0xe9;
		stub[10] = 0xe9;
		memcpy(stub + (i == 2 ? 11 : 10), &back, sizeof(back));
	}
	made_text(made, ".plt", 0x2000, lazy, sizeof(lazy));
	for (uint64_t i = 0; i < 3; i++) {
		memcpy(stubs + 16 * i, landing, 4);
		stubs[16 * i + 4] = 0xf2;
		put_jump(stubs + 16 * i + 5, 0x3000 + 16 * i + 5, GOT + 8 * i);
	}
	made_text(made, ".plt.sec", 0x3000, stubs, sizeof(stubs));
	made_finish(made);
	named = open_made(made, NULL, NULL);
	expect(&named, 0x2000, NULL);
	expect(&named, 0x2010, "malloc@plt");
	expect(&named, 0x2020, "run(int)@plt");
	expect(&named, 0x2030, "memcpy@plt");
	expect(&named, 0x2040, NULL);
	expect(&named, 0x3000, "malloc@plt");
	expect(&named, 0x301f, "run(int)@plt");
	expect(&named, 0x3020, "memcpy@plt");
	close_named(&named);
	made_free(made);
}

static void put_word(uint8_t *bytes, size_t at, uint64_t word)
{
	memcpy(bytes + at, &word, sizeof(word));
}

static void put_half(uint8_t *bytes, size_t at, size_t half)
{
	memcpy(bytes + at, &(uint32_t){(uint32_t)half}, 4);
}

#define GO_NAMES 72
#define GO_TABLE 128
#define GO_BYTES 256
#define GO_ENTRY 0x1080

/* main.main at 0x1000, _rt0_test at 0x1080, runtime.exit at 0x10c0 up to 0x10f0; relative to
 * @text. */
static void put_go(uint8_t bytes[GO_BYTES], uint32_t magic, uint64_t text, uint64_t code)
{
	static const char names[] = "\0main.main\0_rt0_test\0runtime.exit";
	static const uint64_t entries[] = {0x1000, GO_ENTRY, 0x10c0, 0x10f0};
	static const size_t at_name[] = {1, 11, 21};

	memset(bytes, 0, GO_BYTES);
	put_half(bytes, 0, magic);
	bytes[6] = 1;
	bytes[7] = 8;
	put_word(bytes, 8, 3);
	put_word(bytes, 24, text);
	put_word(bytes, 32, GO_NAMES);
	put_word(bytes, 64, GO_TABLE);
	memcpy(bytes + GO_NAMES, names, sizeof(names));
	for (size_t i = 0; i < 4; i++) {
		size_t description = 32 + 8 * i;

		put_half(bytes, GO_TABLE + 8 * i, entries[i] - code);
		if (i == 3)
			break;
		put_half(bytes, GO_TABLE + 8 * i + 4, description);
		put_half(bytes, GO_TABLE + description, entries[i] - code);
		put_half(bytes, GO_TABLE + description + 4, at_name[i]);
	}
}

static struct made_elf *made_go(const uint8_t *table, const char *name, const uint8_t *module)
{
	struct made_elf *made = made_new();

	made_text(made, ".text", 0x1000, NULL, 0x1000);
	made_section(made, name, SHT_PROGBITS, SHF_ALLOC, 0x8000, table, GO_BYTES);
	if (module)
		made_section(made, ".go.module", SHT_PROGBITS, SHF_ALLOC, 0x9000, module, 256);
	made_finish(made);
	return made;
}

static void expect_go(struct made_elf *made, bool found)
{
	struct named named = open_made(made, NULL, NULL);

	assert_string_equal(symbols_source(named.symbols), found ? "gopclntab" : "none");
	expect(&named, 0xfff, NULL);
	expect(&named, 0x1000, found ? "main.main" : NULL);
	expect(&named, 0x107f, found ? "main.main" : NULL);
	expect(&named, 0x1080, found ? "_rt0_test" : NULL);
	expect(&named, 0x10ef, found ? "runtime.exit" : NULL);
	expect(&named, 0x10f0, NULL);
	close_named(&named);
	made_free(made);
}

static void go_table(void **state)
{
	uint8_t table[GO_BYTES];

	(void)state;
	put_go(table, 0xfffffff1, 0x1000, 0x1000);
	expect_go(made_go(table, ".gopclntab", NULL), true);
	expect_go(made_go(table, ".data.rel.ro.gopclntab", NULL), true);
	expect_go(made_go(table, ".other", NULL), false);
	put_go(table, 0xfffffff0, 0x1000, 0x1000);
	expect_go(made_go(table, ".gopclntab", NULL), true);
	/* Of Go 1.16. */
	put_go(table, 0xfffffffa, 0x1000, 0x1000);
	expect_go(made_go(table, ".gopclntab", NULL), false);
}

/* Since Go 1.26 the header does not say where code begins. */
static void go_module(void **state)
{
	uint8_t table[GO_BYTES], module[256] = {0};
	struct made_elf *made;

	(void)state;
	put_go(table, 0xfffffff1, 0, 0x0f80);
	put_word(module, 0, 0x8000);
	put_word(module, 22 * 8, 0x0f80);
	expect_go(made_go(table, ".gopclntab", module), true);
	/* The data of another table's module. */
	put_word(module, 0, 0x8008);
	expect_go(made_go(table, ".gopclntab", module), false);
	/* Where .text begins, but only if the entry point is then what it is to be. */
	put_go(table, 0xfffffff1, 0, 0x1000);
	expect_go(made_go(table, ".gopclntab", NULL), false);
	made = made_go(table, ".gopclntab", NULL);
	((Elf64_Ehdr *)made->bytes)->e_entry = GO_ENTRY;
	expect_go(made, true);
	made = made_go(table, ".gopclntab", NULL);
	((Elf64_Ehdr *)made->bytes)->e_entry = 0x1000;
	expect_go(made, false);
}

/* Each byte of the table set to its extremes: nothing but less names, or other ones. */
static void go_broken(void **state)
{
	static const uint8_t values[] = {0, 0x7f, 0x80, 0xff};
	uint8_t table[GO_BYTES];

	(void)state;
	for (size_t i = 0; i < GO_BYTES * sizeof(values); i++) {
		struct made_elf *made;
		struct named named;

		put_go(table, 0xfffffff1, 0x1000, 0x1000);
		table[i / sizeof(values)] = values[i % sizeof(values)];
		made = made_go(table, ".gopclntab", NULL);
		named = open_made(made, NULL, NULL);
		assert_true(symbols_count(named.symbols) <= GO_BYTES / 8);
		close_named(&named);
		made_free(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plt),       cmocka_unit_test(plt_sec),
		cmocka_unit_test(go_table),  cmocka_unit_test(go_module),
		cmocka_unit_test(go_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
