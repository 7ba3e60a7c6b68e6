/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rows of Go's functions, by the tables that its programs keep. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbol/cfi.h"
#include "symbol/go_table.h"
#include "symbol/symbols.h"

#define TABLE_SIZE 32

static struct go_table table_of(const uint8_t *bytes, size_t size)
{
	return (struct go_table){.section = {.bytes = bytes, .size = size}};
}

static void test_stretches(void **state)
{
	/* -1 + 1 = 0 for 4 bytes; + 16 for 10; - 16 for 300, whose length takes two bytes; the end
	 */
	static const uint8_t bytes[TABLE_SIZE] = {0xff, 2, 4, 32, 10, 31, 0xac, 2, 0};
	struct go_function function = {.address = 0x1000, .end = 0x2000, .stack = 1};
	struct go_table table = table_of(bytes, sizeof(bytes));
	struct go_stack stack;

	(void)state;
	go_stack_begin(&table, &function, &stack);
	assert_true(go_stack_next(&stack));
	assert_int_equal(stack.bytes, 0);
	assert_int_equal(stack.address, 0x1004);
	assert_true(go_stack_next(&stack));
	assert_int_equal(stack.bytes, 16);
	assert_int_equal(stack.address, 0x100e);
	assert_true(go_stack_next(&stack));
	assert_int_equal(stack.bytes, 0);
	assert_int_equal(stack.address, 0x100e + 300);
	assert_false(go_stack_next(&stack));
}

/* The first change may be 0: only a later one ends the table. */
static void test_first_change_is_zero(void **state)
{
	static const uint8_t bytes[TABLE_SIZE] = {0xff, 0, 4, 0};
	struct go_function function = {.address = 0x1000, .end = 0x2000, .stack = 1};
	struct go_table table = table_of(bytes, sizeof(bytes));
	struct go_stack stack;

	(void)state;
	go_stack_begin(&table, &function, &stack);
	assert_true(go_stack_next(&stack));
	assert_int_equal(stack.bytes, -1);
	assert_false(go_stack_next(&stack));
}

static void test_broken_tables(void **state)
{
	static const uint8_t cut[] = {0xff, 2, 0x80},
			     endless[] = {0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
	struct go_function function = {.address = 0x1000, .end = 0x2000, .stack = 1};
	struct go_table table = table_of(cut, sizeof(cut));
	struct go_stack stack;

	(void)state;
	go_stack_begin(&table, &function, &stack);
	assert_false(go_stack_next(&stack));
	table = table_of(endless, sizeof(endless));
	go_stack_begin(&table, &function, &stack);
	assert_false(go_stack_next(&stack));
	/* Beyond the section, and none at all. */
	function.stack = 1000;
	go_stack_begin(&table, &function, &stack);
	assert_false(go_stack_next(&stack));
	function.stack = 0;
	go_stack_begin(&table, &function, &stack);
	assert_false(go_stack_next(&stack));
}

static const char *const programs[] = {"/usr/bin/kubectl", "/usr/local/go/bin/go",
				       "/usr/local/go/bin/gofmt", "/usr/lib/go/bin/go"};

/* A program of Go's that is here, with a table that can be read. */
static struct elf_file *open_program(struct go_table *table)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		int fd = open(programs[i], O_RDONLY | O_CLOEXEC);
		struct elf_file *file = fd < 0 ? NULL : elf_file_open(fd);

		if (file && elf_file_machine(file) == EM_X86_64 && go_table_open(file, table))
			return file;
		elf_file_close(file);
	}
	print_message("skip: no program of Go's (1.18 or later) is here\n");
	skip();
	return NULL;
}

static void expect(const struct cfi_rows *rows, const struct go_table *table, const char *name,
		   enum pb_cfa cfa)
{
	struct go_function function;

	for (uint64_t i = 0; i < table->n; i++) {
		if (!go_table_function(table, i, &function) || !function.name ||
		    strcmp(function.name, name))
			continue;
		assert_int_equal(pb_rule_cfa(cfi_rows_find(rows, function.address)), cfa);
		assert_int_equal(pb_rule_cfa(cfi_rows_find(rows, function.end - 1)), cfa);
		return;
	}
}

static void test_program(void **state)
{
	struct go_function function;
	struct go_table table;
	struct elf_file *file = open_program(&table);
	struct cfi_rows rows;
	size_t at_entry = 0, known = 0;

	(void)state;
	assert_int_equal(cfi_rows_build(file, &rows), 0);
	assert_true(rows.n > table.n);
	expect(&rows, &table, "runtime.goexit", PB_CFA_END);
	expect(&rows, &table, "runtime.mcall", PB_CFA_END);
	expect(&rows, &table, "runtime.rt0_go", PB_CFA_END);
	expect(&rows, &table, "runtime.systemstack", PB_CFA_FP);
	/* At its entry a function's caller is just above. */
	for (uint64_t i = 0; i < table.n; i++) {
		uint32_t rule;

		if (!go_table_function(&table, i, &function) || !function.stack ||
		    function.flags & (GO_FUNCTION_TOP | GO_FUNCTION_WRITE_SP))
			continue;
		rule = cfi_rows_find(&rows, function.address);
		known++;
		at_entry += rule == pb_rule(PB_CFA_RSP, 1, PB_RBP_SAME, 0);
	}
	assert_true(known > 1000);
	assert_true(at_entry * 1000 >= known * 999);
	cfi_rows_clear(&rows);
	elf_file_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stretches),
		cmocka_unit_test(test_first_change_is_zero),
		cmocka_unit_test(test_broken_tables),
		cmocka_unit_test(test_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
