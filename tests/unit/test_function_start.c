/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where functions begin, as linkers' tables have it: made ones, broken ones, and this program's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "made_elf.h"
#include "symbol/function_start.h"

/* Of the section; functions lie around it. */
#define SECTION 0x10000

struct table {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
	struct {
		int32_t begin, entry;
	} entries[4];
};

/* As all linkers write it: functions at 0x8000, 0x9000, 0x11000 and 0x20000. */
static const struct table sound = {
	.version = 1,
	.frame_encoding = 0x1b,
	.count_encoding = 0x03,
	.table_encoding = 0x3b,
	.count = 4,
	.entries = {{-0x8000, 0}, {-0x7000, 0}, {0x1000, 0}, {0x10000, 0}},
};

/* What @size bytes of @table say of @address. */
static uint64_t start_of(const struct table *table, size_t size, uint64_t address)
{
	struct made_elf *made = made_new();
	struct elf_file *file;
	uint64_t start;

	made_text(made, ".text", 0x8000, NULL, 0x100);
	made_section(made, ".eh_frame_hdr", SHT_PROGBITS, SHF_ALLOC, SECTION, table, size);
	made_finish(made);
	file = elf_file_open_memory(made->bytes, made->size);
	assert_non_null(file);
	start = function_start(file, address);
	elf_file_close(file);
	made_free(made);
	return start;
}

static void assert_start(uint64_t address, uint64_t start)
{
	assert_int_equal(start_of(&sound, sizeof(sound), address), start);
}

static void by_the_table(void **state)
{
	(void)state;
	assert_start(0x8000, 0x8000);
	assert_start(0x8001, 0x8000);
	assert_start(0x8fff, 0x8000);
	assert_start(0x9000, 0x9000);
	assert_start(0x10fff, 0x9000);
	assert_start(0x11000, 0x11000);
	assert_start(0x20000, 0x20000);
	assert_start(UINT64_MAX, 0x20000);
	/* Above all that is told of. */
	assert_start(0x7fff, 0x7fff);
	assert_start(0, 0);
}

static void without_a_table(void **state)
{
	struct made_elf *made = made_new();
	struct elf_file *file;

	(void)state;
	made_text(made, ".text", 0x8000, NULL, 0x100);
	made_finish(made);
	file = elf_file_open_memory(made->bytes, made->size);
	assert_int_equal(function_start(file, 0x8010), 0x8010);
	elf_file_close(file);
	made_free(made);
}

/* Encodings that nobody writes, and sections that end too early. */
static void tables_that_are_not_read(void **state)
{
	struct table table = sound;

	(void)state;
	table.version = 2;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	table = sound;
	table.frame_encoding = 0xff;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	table = sound;
	table.count_encoding = 0x04;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	table = sound;
	table.table_encoding = 0x1b;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	table = sound;
	table.count = UINT32_MAX;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	table.count = 5;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	table.count = 0;
	assert_int_equal(start_of(&table, sizeof(table), 0x8010), 0x8010);
	for (size_t size = 0; size < sizeof(sound); size++)
		assert_int_equal(start_of(&sound, size, 0x8010), 0x8010);
}

/* Entries in no order: some address comes out of it, and nothing else happens. */
static void tables_out_of_order(void **state)
{
	struct table table = sound;

	(void)state;
	table.entries[0].begin = INT32_MAX;
	table.entries[3].begin = INT32_MIN;
	for (uint64_t address = 0; address < 0x30000; address += 0x7ff)
		start_of(&table, sizeof(table), address);
}

static int first_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1;
}

/* The program itself: what its compiler says of its own functions. */
static void this_program(void **state)
{
	static void (*const functions[])(void **) = {by_the_table, without_a_table,
						     tables_that_are_not_read, tables_out_of_order};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_file *file = elf_file_open(fd);
	uint64_t bias = 0;

	(void)state;
	assert_non_null(file);
	dl_iterate_phdr(first_bias, &bias);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		uint64_t address = (uint64_t)(uintptr_t)functions[i] - bias;

		assert_int_equal(function_start(file, address), address);
		assert_int_equal(function_start(file, address + 9), address);
	}
	elf_file_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_table),
		cmocka_unit_test(without_a_table),
		cmocka_unit_test(tables_that_are_not_read),
		cmocka_unit_test(tables_out_of_order),
		cmocka_unit_test(this_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
