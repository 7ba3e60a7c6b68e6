/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the parts of the CFI reader share: sections become entries (cfi_section.c, by what
 * cfi_read.c reads), the instructions
 * of an entry become states (cfi_program.c), expressions in them are told apart (cfi_expression.c),
 * a state becomes the rule of a row (cfi_rule.c), and rows a table (cfi.c).
 */
#ifndef PERFBPF_SYMBOL_CFI_INTERNAL_H
#define PERFBPF_SYMBOL_CFI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/cfi.h"

/* DWARF's numbers of x86-64's registers. */
enum cfi_register {
	CFI_RBP = 6,
	CFI_RSP = 7,
	CFI_R10 = 10,
	CFI_RETURN_ADDRESS = 16,
};

/* Bytes that are read up to an end. What does not fit in sets broken, and reads as 0. */
struct cfi_cursor {
	const uint8_t *at, *end;
	bool broken;
};

/* Little-endian, @size bytes of 1 to 8. */
uint64_t cfi_read(struct cfi_cursor *cursor, size_t size);
/* Bits beyond 64 are dropped. */
uint64_t cfi_read_uleb(struct cfi_cursor *cursor);
int64_t cfi_read_sleb(struct cfi_cursor *cursor);
/* The next @size bytes as a cursor of their own, an empty one where there are fewer. */
struct cfi_cursor cfi_read_block(struct cfi_cursor *cursor, uint64_t size);

/* Where the caller's value of a register is. */
struct cfi_place {
	enum {
		CFI_PLACE_SAME, /* in the register itself; nothing was said of it */
		CFI_PLACE_UNDEFINED,
		CFI_PLACE_CFA,      /* at CFA + offset */
		CFI_PLACE_REGISTER, /* at reg + offset */
		CFI_PLACE_OTHER,
	} kind;
	uint8_t reg; /* enum cfi_register */
	int64_t offset;
};

struct cfi_cfa {
	enum {
		CFI_CFA_UNSET,
		CFI_CFA_REGISTER, /* reg + offset */
		CFI_CFA_DEREF,    /* what lies at reg + offset */
		CFI_CFA_DEREF_8,  /* 8 beyond what lies there */
		CFI_CFA_PLT,      /* see PB_CFA_PLT */
		CFI_CFA_OTHER,
	} kind;
	uint64_t reg;
	int64_t offset;
};

/* What holds at an address: of the registers, those that a walk needs. */
struct cfi_state {
	struct cfi_cfa cfa;
	struct cfi_place rbp;
	struct cfi_place return_address;
};

/* The CFA that an expression computes. */
struct cfi_cfa cfi_expression_cfa(struct cfi_cursor expression);
/* The place whose address an expression computes. */
struct cfi_place cfi_expression_place(struct cfi_cursor expression);

/*
 * The rule of a row. One that a row cannot hold has in the place of its offset why: PB_CFA_UNKNOWN
 * in that of the CFA.
 */
uint32_t cfi_rule(const struct cfi_state *state);
uint32_t cfi_rule_unknown(enum cfi_gap why);

/* Rows in the order in which they come. */
struct cfi_table {
	struct pb_row *rows;
	size_t n, capacity;
};

/* 0 or -ENOMEM. */
int cfi_table_add(struct cfi_table *table, uint32_t pc, uint32_t rule);

struct cfi_section {
	const unsigned char *ident; /* of the ELF header */
	Elf_Data data;
	uint64_t address;     /* of its first byte */
	uint64_t got_address; /* 0: there is none */
	bool is_eh;
};

struct cfi_cie {
	uint64_t offset; /* in its section */
	uint64_t code_factor;
	int64_t data_factor;
	bool is_broken;           /* so are the entries that refer to it */
	bool is_sized;            /* entries have augmentation data, behind their size */
	uint8_t encoding;         /* of addresses in entries, DW_EH_PE_* */
	struct cfi_state initial; /* before an entry's own instructions */
};

struct cfi_fde {
	uint64_t start, end;
	struct cfi_cursor instructions;
};

/* An address as @encoding (DW_EH_PE_*) says. */
uint64_t cfi_read_address(const struct cfi_section *section, struct cfi_cursor *cursor,
			  uint8_t encoding);

/* Sets @cie's initial state by its instructions. False where they make no sense. */
bool cfi_program_begin(const struct cfi_section *section, struct cfi_cie *cie,
		       struct cfi_cursor instructions);
/*
 * Adds the rows of @fde to @table, with addresses from @base on; from where instructions make no
 * sense, it has a row that says so. 0 or -ENOMEM.
 */
int cfi_program_run(const struct cfi_section *section, const struct cfi_cie *cie,
		    const struct cfi_fde *fde, uint64_t base, struct cfi_table *table);

/* A function. What is returned, where not 0, ends the visit. */
typedef int cfi_visit_fn(void *context, const struct cfi_section *section,
			 const struct cfi_cie *cie, const struct cfi_fde *fde);

/*
 * Visits the functions of @section in its order; adds to @broken those entries that make no sense.
 * 0; -ENOMEM; what @visit returned.
 */
int cfi_section_visit(const struct cfi_section *section, cfi_visit_fn *visit, void *context,
		      uint64_t *broken);

/* A function's rows are those of @table from @first on. Returns what is not 0 to end the visit. */
typedef int cfi_take_fn(void *context, uint64_t start, uint64_t end, size_t first);
/*
 * Go's functions, by its own table of how they move the stack: it holds at every instruction, and
 * stripped programs have it too. Adds their rows, with addresses from @base on. 0; -ENOMEM; what
 * @take returned.
 */
int cfi_go_visit(struct elf_file *file, uint64_t base, struct cfi_table *table, cfi_take_fn *take,
		 void *context);

#endif
