/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows of Go's functions. Go's compiler saves rbp just below the return address wherever a function
 * has a frame. The run-time changes between the stacks of goroutines and of threads: there, rbp
 * still is the goroutine's, and leads on.
 */
#include <string.h>

#include "symbol/cfi_internal.h"
#include "symbol/go_table.h"

/* Kernel's struct ucontext at rsp: rsp at 160, then the pc; rbp at 120. */
#define UCONTEXT_RSP_WORDS 20
#define UCONTEXT_RBP_WORDS (-5)

static bool is_named(const struct go_function *function, const char *name)
{
	return function->name && !strcmp(function->name, name);
}

/* What returns from a signal's handler; no call leads to it, so the address before is looked up. */
static bool is_sigreturn(const struct go_function *function)
{
	return is_named(function, "runtime.sigreturn") ||
	       is_named(function, "runtime.sigreturn__sigaction") ||
	       is_named(function, "runtime.sigreturn.abi0") ||
	       is_named(function, "runtime.sigreturn__sigaction.abi0");
}

/* The goroutine that called it is parked or gone: what its stack holds is no caller any more. */
static bool is_end(const struct go_function *function)
{
	return function->flags & GO_FUNCTION_TOP || is_named(function, "runtime.mcall");
}

static uint32_t rule_of(int64_t bytes)
{
	int64_t words = bytes / 8 + 1;

	if (bytes < 0 || bytes & 7 || bytes + 8 > PB_CFA_OFFSET_MAX)
		return cfi_rule_unknown(CFI_GAP_CFA_OFFSET);
	return pb_rule(PB_CFA_RSP, (pb_s32)words, bytes ? PB_RBP_CFA : PB_RBP_SAME, bytes ? -2 : 0);
}

static int add_stretches(const struct go_table *go, const struct go_function *function,
			 uint64_t base, struct cfi_table *table)
{
	uint64_t from = function->address;
	struct go_stack stack;

	go_stack_begin(go, function, &stack);
	while (from < function->end && go_stack_next(&stack)) {
		int err = cfi_table_add(table, (uint32_t)(from - base), rule_of(stack.bytes));

		if (err)
			return err;
		if (stack.address <= from)
			break;
		from = stack.address;
	}
	return 0;
}

static int add_function(const struct go_table *go, struct go_function *function, uint64_t base,
			struct cfi_table *table)
{
	uint32_t rule = 0;

	if (is_sigreturn(function)) {
		rule = pb_rule(PB_CFA_SIGNAL, UCONTEXT_RSP_WORDS, PB_RBP_CFA, UCONTEXT_RBP_WORDS);
		function->address--;
	} else if (is_end(function)) {
		rule = pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	} else if (function->flags & GO_FUNCTION_WRITE_SP) {
		rule = pb_rule(PB_CFA_FP, 0, PB_RBP_SAME, 0);
	}
	if (rule)
		return cfi_table_add(table, (uint32_t)(function->address - base), rule);
	return add_stretches(go, function, base, table);
}

int cfi_go_visit(struct elf_file *file, uint64_t base, struct cfi_table *table, cfi_take_fn *take,
		 void *context)
{
	struct go_function function, next;
	size_t before = table->n;
	struct go_table go;
	int err = 0;

	if (!go_table_open(file, &go))
		return 0;
	/* A sound table has a byte or more for each row; in a broken one many functions may share.
	 */
	for (uint64_t i = 0; !err && i < go.n && table->n - before <= go.section.size; i++) {
		size_t first = table->n;

		if (!go_table_function(&go, i, &function) || function.address < base)
			continue;
		if (i + 1 < go.n && go_table_function(&go, i + 1, &next) && is_sigreturn(&next))
			function.end--;
		err = add_function(&go, &function, base, table);
		if (!err && table->n > first)
			err = take(context, function.address, function.end, first);
	}
	return err;
}
