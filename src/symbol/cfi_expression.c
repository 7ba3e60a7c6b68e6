/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few expressions that compilers, linkers and the C library put into the CFI of x86-64. */
#include <dwarf.h>

#include "symbol/cfi_internal.h"

static bool is_at_end(const struct cfi_cursor *cursor)
{
	return !cursor->broken && cursor->at >= cursor->end;
}

static bool takes(struct cfi_cursor *cursor, uint8_t operation)
{
	return cfi_read(cursor, 1) == operation && !cursor->broken;
}

/* DW_OP_bregN OFFSET. */
static bool take_register(struct cfi_cursor *cursor, uint8_t *reg, int64_t *offset)
{
	uint64_t operation = cfi_read(cursor, 1);

	if (operation < DW_OP_breg0 || operation > DW_OP_breg31)
		return false;
	*reg = (uint8_t)(operation - DW_OP_breg0);
	*offset = cfi_read_sleb(cursor);
	return !cursor->broken;
}

/*
 * What linkers say of all entries of a procedure linkage table at once: rsp + 8, and 8 more
 * from the instruction on that follows the push, @pushed bytes into the 16 of an entry:
 *     ((rip & 15) >= pushed) << 3, + rsp + 8
 */
static bool is_plt(struct cfi_cursor cursor, int64_t *pushed)
{
	int64_t offset, zero;
	uint8_t reg, rip;
	uint64_t literal;

	if (!take_register(&cursor, &reg, &offset) || reg != CFI_RSP || offset != 8 ||
	    !take_register(&cursor, &rip, &zero) || rip != CFI_RETURN_ADDRESS || zero ||
	    !takes(&cursor, DW_OP_lit15) || !takes(&cursor, DW_OP_and))
		return false;
	literal = cfi_read(&cursor, 1);
	if (literal < DW_OP_lit0 || literal > DW_OP_lit15)
		return false;
	*pushed = (int64_t)literal - DW_OP_lit0;
	return takes(&cursor, DW_OP_ge) && takes(&cursor, DW_OP_lit3) &&
	       takes(&cursor, DW_OP_shl) && takes(&cursor, DW_OP_plus) && is_at_end(&cursor);
}

struct cfi_cfa cfi_expression_cfa(struct cfi_cursor expression)
{
	struct cfi_cfa cfa = {.kind = CFI_CFA_OTHER};
	struct cfi_cursor cursor = expression;
	uint8_t reg;

	if (is_plt(expression, &cfa.offset))
		return (struct cfi_cfa){.kind = CFI_CFA_PLT, .offset = cfa.offset};
	if (!take_register(&cursor, &reg, &cfa.offset))
		return cfa;
	cfa.reg = reg;
	if (is_at_end(&cursor))
		cfa.kind = CFI_CFA_REGISTER;
	else if (!takes(&cursor, DW_OP_deref))
		return cfa;
	else if (is_at_end(&cursor))
		cfa.kind = CFI_CFA_DEREF;
	else if (takes(&cursor, DW_OP_plus_uconst) && cfi_read_uleb(&cursor) == 8 &&
		 is_at_end(&cursor))
		cfa.kind = CFI_CFA_DEREF_8;
	return cfa;
}

struct cfi_place cfi_expression_place(struct cfi_cursor expression)
{
	struct cfi_place place = {.kind = CFI_PLACE_OTHER};

	if (take_register(&expression, &place.reg, &place.offset) && is_at_end(&expression))
		place.kind = CFI_PLACE_REGISTER;
	return place;
}
