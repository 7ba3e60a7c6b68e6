/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Go's own table of functions (.gopclntab), which its run-time needs and no linker flag leaves out:
 * a header, names, pairs of a function's offset and where its description lies, and tables by
 * program counter. Of Go 1.18 and later; before, it was another one, which is not read. Nothing of
 * it is trusted.
 */
#ifndef PERFBPF_SYMBOL_GO_TABLE_H
#define PERFBPF_SYMBOL_GO_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "symbol/symbols_read.h"

struct go_table {
	struct section section;
	uint64_t text;       /* the address of what function offsets begin with */
	uint64_t start;      /* of the pairs, in the section; what they tell of is relative to it */
	uint64_t n;          /* functions */
	uint64_t counters;   /* of the tables by program counter, in the section */
	bool has_start_line; /* descriptions are of Go 1.20 and later */
	struct strings names;
};

/* What the compiler says of a function beside. */
#define GO_FUNCTION_TOP      1 /* nobody has called it: a stack ends here */
#define GO_FUNCTION_WRITE_SP 2 /* it changes stacks: its own table of them does not hold */

struct go_function {
	uint64_t address, end;
	const char *name; /* NULL: broken; lies in the section */
	uint8_t flags;
	uint32_t stack; /* where its table of stack sizes begins, behind counters; 0: it has none */
};

/* False where @file has no such table. */
bool go_table_open(struct elf_file *file, struct go_table *table);
/* The function of number @index below n. False where what it says makes no sense. */
bool go_table_function(const struct go_table *table, uint64_t index, struct go_function *function);

/* A function's stack from one address on, to the next or its end. */
struct go_stack {
	const uint8_t *at, *last;
	uint64_t address; /* the end of the stretch */
	int64_t bytes; /* that the stack pointer lies below where it was at the function's entry */
	bool begun;
};

/* Goes through the stretches of @function: first this, then go_stack_next() until it is false. */
void go_stack_begin(const struct go_table *table, const struct go_function *function,
		    struct go_stack *stack);
bool go_stack_next(struct go_stack *stack);

#endif
