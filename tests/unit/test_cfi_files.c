/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows of real files against libdw's own unwinding tables, which it finds, reads and interprets by
 * itself: from the same registers and the same memory, both must come to the same caller.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/cfi.h"

/* The stack: each word of it is made from its address, and leads further up. */
#define STACK 0x7fff00000000ULL

static uint64_t word_at(uint64_t address)
{
	uint64_t mixed = address * 0x9e3779b97f4a7c15ULL;

	return STACK + (1ULL << 40) + (mixed >> 32) * 8;
}

static int unwind_read(void *reader, pb_u64 address, pb_u64 *value)
{
	(void)reader;
	*value = word_at(address);
	return 0;
}

#include "unwind.h"

#define MAX_ADDRESSES 100000

/* Registers as DWARF counts them, and the frame's code address. */
struct machine {
	uint64_t reg[17];
	uint64_t cfa;
};

struct files {
	Dwarf_CFI *cfi[2];
	Dwarf *dwarf;
	uint64_t entry;
};

/* What libdw says of a caller. */
struct caller {
	bool is_known, is_end, is_signal, has_rbp;
	uint64_t pc, sp, bp;
};

struct counts {
	uint64_t checked, unknown, unknown_rbp;
};

static struct machine machine_at(uint64_t pc)
{
	struct machine machine = {.cfa = 0};

	for (size_t i = 0; i < 17; i++)
		machine.reg[i] = word_at(i);
	machine.reg[7] = STACK;
	/* Far enough above for any offset from it. */
	machine.reg[6] = STACK + (1ULL << 32);
	machine.reg[10] = STACK + (1ULL << 33);
	machine.reg[16] = pc;
	return machine;
}

struct stack {
	uint64_t values[64];
	size_t n;
};

static void push(struct stack *stack, uint64_t value)
{
	assert_true(stack->n < 64);
	stack->values[stack->n++] = value;
}

static uint64_t pop(struct stack *stack)
{
	assert_true(stack->n > 0);
	return stack->values[--stack->n];
}

static bool compute_two(struct stack *stack, uint8_t atom)
{
	uint64_t a, b;

	/* Not of operations that take none: DW_OP_regx, a value that is in another register. */
	if (stack->n < 2)
		return false;
	b = pop(stack);
	a = pop(stack);
	switch (atom) {
	case DW_OP_and:
		push(stack, a & b);
		return true;
	case DW_OP_plus:
		push(stack, a + b);
		return true;
	case DW_OP_mul:
		push(stack, a * b);
		return true;
	case DW_OP_shl:
		push(stack, b < 64 ? a << b : 0);
		return true;
	case DW_OP_ge:
		push(stack, (int64_t)a >= (int64_t)b);
		return true;
	default:
		return false;
	}
}

/* One operation; false where it is none that CFI of real files has. */
static bool compute_one(const struct machine *machine, const Dwarf_Op *op, struct stack *stack)
{
	uint8_t atom = op->atom;

	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg16) {
		push(stack, machine->reg[atom - DW_OP_breg0] + op->number);
		return true;
	}
	if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) {
		push(stack, atom - DW_OP_lit0);
		return true;
	}
	switch (atom) {
	case DW_OP_bregx:
		if (op->number > 16)
			return false;
		push(stack, machine->reg[op->number] + op->number2);
		return true;
	case DW_OP_call_frame_cfa:
		push(stack, machine->cfa);
		return true;
	case DW_OP_plus_uconst:
		push(stack, pop(stack) + op->number);
		return true;
	case DW_OP_deref:
		push(stack, word_at(pop(stack)));
		return true;
	default:
		return compute_two(stack, atom);
	}
}

static bool compute(const struct machine *machine, const Dwarf_Op *ops, size_t n, uint64_t *value)
{
	struct stack stack = {.n = 0};

	for (size_t i = 0; i < n; i++)
		if (!compute_one(machine, &ops[i], &stack))
			return false;
	if (!stack.n)
		return false;
	*value = pop(&stack);
	return true;
}

/* The caller's value of @reg; false where it cannot be had. */
static bool register_of(Dwarf_Frame *frame, const struct machine *machine, int reg, uint64_t *value)
{
	Dwarf_Op memory[3], *ops;
	size_t n;

	assert_int_equal(dwarf_frame_register(frame, reg, memory, &ops, &n), 0);
	if (!n) {
		*value = machine->reg[reg];
		return ops != memory;
	}
	if (ops[n - 1].atom == DW_OP_stack_value)
		return compute(machine, ops, n - 1, value);
	if (!compute(machine, ops, n, value))
		return false;
	*value = word_at(*value);
	return true;
}

static bool is_undefined(Dwarf_Frame *frame)
{
	Dwarf_Op memory[3], *ops;
	size_t n;

	assert_int_equal(dwarf_frame_register(frame, 16, memory, &ops, &n), 0);
	return !n && ops == memory;
}

/* False where libdw has nothing of @pc. */
static bool caller_by_libdw(const struct files *files, uint64_t pc, struct caller *caller)
{
	struct machine machine = machine_at(pc);
	Dwarf_Frame *frame = NULL;
	Dwarf_Op *ops;
	size_t n;

	if ((!files->cfi[0] || dwarf_cfi_addrframe(files->cfi[0], pc, &frame)) &&
	    (!files->cfi[1] || dwarf_cfi_addrframe(files->cfi[1], pc, &frame)))
		return false;
	memset(caller, 0, sizeof(*caller));
	dwarf_frame_info(frame, NULL, NULL, &caller->is_signal);
	caller->is_end = is_undefined(frame);
	if (!dwarf_frame_cfa(frame, &ops, &n) && n && compute(&machine, ops, n, &machine.cfa)) {
		caller->is_known = register_of(frame, &machine, 16, &caller->pc);
		caller->has_rbp = register_of(frame, &machine, 6, &caller->bp);
		caller->sp = machine.cfa;
	}
	free(frame);
	return true;
}

static void compare(const struct files *files, const struct cfi_rows *rows, uint64_t pc,
		    struct counts *counts)
{
	struct machine machine = machine_at(pc);
	struct pb_unwind state = {.pc = pc,
				  .sp = machine.reg[7],
				  .bp = machine.reg[6],
				  .r10 = machine.reg[10],
				  .is_inner = 1,
				  .is_exact = 1};
	uint32_t rule = cfi_rows_find(rows, pc);
	struct caller caller;
	int end;

	if (!caller_by_libdw(files, pc, &caller)) {
		/* Nobody calls what a program begins with, said or not. */
		if (pc - files->entry >= 64)
			assert_int_equal(pb_rule_cfa(rule), PB_CFA_NONE);
		return;
	}
	counts->checked++;
	assert_int_not_equal(pb_rule_cfa(rule), PB_CFA_NONE);
	if (pb_rule_cfa(rule) == PB_CFA_UNKNOWN) {
		counts->unknown++;
		return;
	}
	end = unwind_by_rule(NULL, &state, rule);
	assert_int_equal(end == PB_WALK_COMPLETE, caller.is_end);
	if (caller.is_end)
		return;
	assert_true(caller.is_known);
	if (end == PB_WALK_BROKEN) {
		/* Hand-written code may have its frame where a walk cannot go on. */
		assert_true(caller.sp <= machine.reg[7]);
		return;
	}
	assert_int_equal(end, -1);
	assert_int_equal(state.pc, caller.pc);
	assert_int_equal(state.sp, caller.sp);
	assert_int_equal(state.is_exact, caller.is_signal);
	if (pb_rule_rbp(rule) == PB_RBP_UNKNOWN)
		counts->unknown_rbp++;
	else
		assert_true(caller.has_rbp && state.bp == caller.bp);
}

/* All first addresses of rows, and one inside of each at random; of large files some of them. */
static void compare_all(const struct files *files, const struct cfi_rows *rows)
{
	size_t step = rows->n / (MAX_ADDRESSES / 2) + 1;
	struct counts counts = {.checked = 0};

	srand(1);
	for (size_t i = 0; i < rows->n; i += step) {
		uint64_t pc = rows->base + rows->rows[i].pc, size = 64;

		if (i + 1 < rows->n)
			size = rows->rows[i + 1].pc - rows->rows[i].pc;
		compare(files, rows, pc, &counts);
		compare(files, rows, pc + (uint64_t)rand() % size, &counts);
		compare(files, rows, pc + size - 1, &counts);
	}
	print_message("# %zu rows, %" PRIu64 " functions; %" PRIu64 " addresses, %" PRIu64
		      " unknown, %" PRIu64 " without rbp\n",
		      rows->n, rows->entries, counts.checked, counts.unknown, counts.unknown_rbp);
	assert_true(counts.checked > 0);
	assert_true(counts.unknown * 100 <= counts.checked);
	assert_true(counts.unknown_rbp * 1000 <= counts.checked);
}

/* Few rows of any file must be unknown, and none broken. */
static void assert_few_gaps(const struct cfi_rows *rows)
{
	uint64_t gaps = 0;

	for (int gap = 0; gap < CFI_GAPS; gap++)
		gaps += rows->gaps[gap];
	assert_int_equal(rows->gaps[CFI_GAP_BROKEN], 0);
	assert_true(gaps * 100 <= rows->n);
}

static void check_file(void **state)
{
	const char *path = *state;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct files files = {.dwarf = NULL};
	struct elf_file *file;
	struct cfi_rows rows;

	if (fd < 0) {
		print_message("skip: %s is not there\n", path ? path : "it");
		skip();
	}
	file = elf_file_open(fd);
	assert_non_null(file);
	if (elf_file_machine(file) != EM_X86_64) {
		elf_file_close(file);
		print_message("skip: rows are of x86-64 only\n");
		skip();
	}
	assert_int_equal(cfi_rows_build(file, &rows), 0);
	assert_true(rows.n > 0);
	assert_few_gaps(&rows);
	files.entry = elf_file_entry(file);
	files.cfi[0] = dwarf_getcfi_elf(elf_file_elf(file));
	files.dwarf = dwarf_begin_elf(elf_file_elf(file), DWARF_C_READ, NULL);
	files.cfi[1] = files.dwarf ? dwarf_getcfi(files.dwarf) : NULL;
	compare_all(&files, &rows);
	dwarf_end(files.dwarf);
	dwarf_cfi_end(files.cfi[0]);
	cfi_rows_clear(&rows);
	elf_file_close(file);
}

/* The first of @paths that is there, else the last one. */
static const char *first_of(const char *const *paths)
{
	while (paths[1] && access(*paths, R_OK))
		paths++;
	return *paths;
}

#define FIRST(...) (void *)first_of((const char *const[]){__VA_ARGS__, NULL})
#define LIB        "/usr/lib/x86_64-linux-gnu/"
#define CHECK(what, ...)                                                                           \
	{                                                                                          \
		.name = #what, .test_func = check_file, .initial_state = FIRST(__VA_ARGS__)        \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK(itself, "/proc/self/exe"),
		CHECK(libc, LIB "libc.so.6"),
		CHECK(loader, "/lib64/ld-linux-x86-64.so.2"),
		CHECK(libstdcxx, LIB "libstdc++.so.6"),
		CHECK(libcrypto, LIB "libcrypto.so.3", LIB "libcrypto.so.1.1"),
		CHECK(bash, "/bin/bash"),
		CHECK(nginx, "/usr/sbin/nginx"),
		CHECK(python, "/usr/bin/python3"),
		CHECK(postgres, "/usr/lib/postgresql/15/bin/postgres",
		      "/usr/lib/postgresql/17/bin/postgres"),
		CHECK(redis, "/usr/bin/redis-server", "/usr/bin/redis-benchmark"),
		CHECK(llvm, LIB "libLLVM-15.so.1", LIB "libLLVM-14.so.1", LIB "libLLVM.so.19.1"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
