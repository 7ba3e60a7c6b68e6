/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each instruction and each kind of expression, by sections made for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_cfi.h"

/* After the initial instructions of made_cie(). */
#define ENTRY pb_rule(PB_CFA_RSP, 1, PB_RBP_SAME, 0)

struct expected {
	uint64_t address;
	uint32_t rule;
};

#define EXPECT(rows, ...)                                                                          \
	expect(rows, (const struct expected[]){__VA_ARGS__},                                       \
	       sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

/* The rows are exactly these; clears them. */
static void expect(struct cfi_rows rows, const struct expected *expected, size_t n)
{
	for (size_t i = 0; i < n && i < rows.n; i++) {
		assert_int_equal(rows.base + rows.rows[i].pc, expected[i].address);
		assert_int_equal(rows.rows[i].rule, expected[i].rule);
		assert_int_equal(cfi_rows_find(&rows, expected[i].address), expected[i].rule);
	}
	assert_int_equal(rows.n, n);
	cfi_rows_clear(&rows);
}

/* One function of 0x100 bytes with instructions that hold for all of it. */
#define EXPECT_RULE(rule, ...)                                                                     \
	EXPECT(made_function_rows(MADE_CODE(__VA_ARGS__)), {MADE_TEXT, rule},                      \
	       {MADE_TEXT + 0x100, PB_CFA_NONE})

/* The same, where its row is PB_CFA_UNKNOWN or PB_RBP_UNKNOWN and counts as @gap. */
#define EXPECT_GAP(gap, ...) expect_gap(gap, made_function_rows(MADE_CODE(__VA_ARGS__)))

static void expect_gap(enum cfi_gap gap, struct cfi_rows rows)
{
	uint32_t rule = cfi_rows_find(&rows, MADE_TEXT);

	if (gap == CFI_GAP_RBP)
		assert_int_equal(pb_rule_rbp(rule), PB_RBP_UNKNOWN);
	else
		assert_int_equal(pb_rule_cfa(rule), PB_CFA_UNKNOWN);
	for (int i = 0; i < CFI_GAPS; i++)
		assert_int_equal(rows.gaps[i], i == (int)gap);
	cfi_rows_clear(&rows);
}

static uint32_t rsp_rule(int32_t words)
{
	return pb_rule(PB_CFA_RSP, words, PB_RBP_SAME, 0);
}

static void advances_of_each_size(void **state)
{
	(void)state;
	EXPECT(made_function_rows(MADE_CODE(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16,
					    DW_CFA_advance_loc1, 2, DW_CFA_def_cfa_offset, 24,
					    DW_CFA_advance_loc2, 3, 0, DW_CFA_def_cfa_offset, 32,
					    DW_CFA_advance_loc4, 4, 0, 0, 0, DW_CFA_def_cfa_offset,
					    40, DW_CFA_MIPS_advance_loc8, 5, 0, 0, 0, 0, 0, 0, 0,
					    DW_CFA_def_cfa_offset, 48)),
	       {MADE_TEXT, ENTRY}, {MADE_TEXT + 1, rsp_rule(2)}, {MADE_TEXT + 3, rsp_rule(3)},
	       {MADE_TEXT + 6, rsp_rule(4)}, {MADE_TEXT + 10, rsp_rule(5)},
	       {MADE_TEXT + 15, rsp_rule(6)}, {MADE_TEXT + 0x100, PB_CFA_NONE});
}

static void set_loc_is_an_address_like_others(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);

	(void)state;
	made_fde_begin(cfi, MADE_TEXT, 0x100);
	made_u(cfi, DW_CFA_set_loc, 1);
	made_address(cfi, MADE_TEXT + 0x20);
	made_put(cfi, MADE_CODE(DW_CFA_def_cfa_offset, 16));
	made_end(cfi);
	EXPECT(made_rows(cfi, NULL), {MADE_TEXT, ENTRY}, {MADE_TEXT + 0x20, rsp_rule(2)},
	       {MADE_TEXT + 0x100, PB_CFA_NONE});
	/* Backwards makes no sense. */
	cfi = made_cfi_new(true);
	made_fde_begin(cfi, MADE_TEXT + 0x40, 0x100);
	made_u(cfi, DW_CFA_set_loc, 1);
	made_address(cfi, MADE_TEXT + 0x20);
	made_end(cfi);
	EXPECT(made_rows(cfi, NULL),
	       {MADE_TEXT + 0x40, pb_rule(PB_CFA_UNKNOWN, CFI_GAP_BROKEN, PB_RBP_SAME, 0)},
	       {MADE_TEXT + 0x140, PB_CFA_NONE});
}

static void advances_are_multiples_of_the_code_factor(void **state)
{
	struct made_cfi *cfi = made_cfi_new(true);
	const uint8_t encoding = DW_EH_PE_pcrel | DW_EH_PE_sdata4;

	(void)state;
	made_cie_full(cfi, "zR", &encoding, 1, 4, MADE_RA,
		      MADE_CODE(DW_CFA_def_cfa, MADE_RSP, 8, DW_CFA_offset | MADE_RA, 1));
	made_fde(cfi, MADE_TEXT, 0x100,
		 MADE_CODE(DW_CFA_advance_loc | 3, DW_CFA_def_cfa_offset, 16));
	EXPECT(made_rows(cfi, NULL), {MADE_TEXT, ENTRY}, {MADE_TEXT + 12, rsp_rule(2)},
	       {MADE_TEXT + 0x100, PB_CFA_NONE});
}

static void advances_beyond_the_function_end_it(void **state)
{
	(void)state;
	EXPECT(made_function_rows(MADE_CODE(DW_CFA_advance_loc2, 0, 1, DW_CFA_def_cfa_offset, 16)),
	       {MADE_TEXT, ENTRY}, {MADE_TEXT + 0x100, PB_CFA_NONE});
	EXPECT(made_function_rows(MADE_CODE(DW_CFA_MIPS_advance_loc8, 255, 255, 255, 255, 255, 255,
					    255, 127, DW_CFA_def_cfa_offset, 16)),
	       {MADE_TEXT, ENTRY}, {MADE_TEXT + 0x100, PB_CFA_NONE});
	/* One that wraps around is broken. */
	EXPECT(made_function_rows(MADE_CODE(DW_CFA_advance_loc | 8, DW_CFA_MIPS_advance_loc8, 255,
					    255, 255, 255, 255, 255, 255, 255)),
	       {MADE_TEXT, ENTRY},
	       {MADE_TEXT + 8, pb_rule(PB_CFA_UNKNOWN, CFI_GAP_BROKEN, PB_RBP_SAME, 0)},
	       {MADE_TEXT + 0x100, PB_CFA_NONE});
}

static void cfa_by_registers(void **state)
{
	(void)state;
	EXPECT_RULE(ENTRY, DW_CFA_nop);
	EXPECT_RULE(pb_rule(PB_CFA_RBP, 2, PB_RBP_SAME, 0), DW_CFA_def_cfa, MADE_RBP, 16);
	EXPECT_RULE(pb_rule(PB_CFA_R10, 0, PB_RBP_SAME, 0), DW_CFA_def_cfa, MADE_R10, 0);
	EXPECT_RULE(pb_rule(PB_CFA_RBP, 1, PB_RBP_SAME, 0), DW_CFA_def_cfa_register, MADE_RBP);
	EXPECT_RULE(rsp_rule(16), DW_CFA_def_cfa_offset, 0x80, 1);
	/* Factored: 2 * -8, -2 * -8. */
	EXPECT_RULE(rsp_rule(-2), DW_CFA_def_cfa_sf, MADE_RSP, 2);
	EXPECT_RULE(rsp_rule(2), DW_CFA_def_cfa_offset_sf, 0x7e);
	/* What of the stack is arguments does not matter. */
	EXPECT_RULE(ENTRY, DW_CFA_GNU_args_size, 0x80, 1, DW_CFA_GNU_window_save);
	EXPECT_GAP(CFI_GAP_CFA_REGISTER, DW_CFA_def_cfa_register, MADE_RAX);
	EXPECT_GAP(CFI_GAP_CFA_REGISTER, DW_CFA_def_cfa, 0xff, 0xff, 3, 8);
	EXPECT_GAP(CFI_GAP_CFA_OFFSET, DW_CFA_def_cfa_offset, 12);
	/* 32767 words and one more. */
	EXPECT_RULE(rsp_rule(32767), DW_CFA_def_cfa_offset, 0xf8, 0xff, 0x0f);
	EXPECT_GAP(CFI_GAP_CFA_OFFSET, DW_CFA_def_cfa_offset, 0x80, 0x80, 0x10);
}

static void rbp_in_each_place(void **state)
{
	(void)state;
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, -2), DW_CFA_offset | MADE_RBP, 2);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, -2), DW_CFA_offset_extended, MADE_RBP, 2);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, -2), DW_CFA_offset_extended_sf, MADE_RBP, 2);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, 1), DW_CFA_offset_extended_sf, MADE_RBP,
		    0x7f);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, 2), DW_CFA_GNU_negative_offset_extended,
		    MADE_RBP, 2);
	EXPECT_RULE(ENTRY, DW_CFA_offset | MADE_RBP, 2, DW_CFA_same_value, MADE_RBP);
	EXPECT_RULE(ENTRY, DW_CFA_offset | MADE_RBP, 2, DW_CFA_register, MADE_RBP, MADE_RBP);
	EXPECT_RULE(ENTRY, DW_CFA_offset | MADE_RBP, 2, DW_CFA_restore | MADE_RBP);
	EXPECT_RULE(ENTRY, DW_CFA_offset | MADE_RBP, 2, DW_CFA_restore_extended, MADE_RBP);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_RBP, -3), DW_CFA_expression, MADE_RBP, 2,
		    MADE_BREG(MADE_RBP), 0x68);
	/* By rsp, from which the CFA is known to be 8 away. */
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, -1), DW_CFA_expression, MADE_RBP, 2,
		    MADE_BREG(MADE_RSP), 0);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 1, PB_RBP_CFA, -511), DW_CFA_offset | MADE_RBP, 0xff, 3);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_offset | MADE_RBP, 0x80, 4);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_undefined, MADE_RBP);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_register, MADE_RBP, MADE_RAX);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_val_offset, MADE_RBP, 2);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_val_offset_sf, MADE_RBP, 2);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_val_expression, MADE_RBP, 2, MADE_BREG(MADE_RBP), 0);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_expression, MADE_RBP, 2, MADE_BREG(MADE_RAX), 0);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_expression, MADE_RBP, 2, MADE_BREG(MADE_RBP), 4);
	EXPECT_GAP(CFI_GAP_RBP, DW_CFA_expression, MADE_RBP, 3, MADE_BREG(MADE_RBP), 0,
		   DW_OP_deref);
}

static void other_registers_do_not_matter(void **state)
{
	(void)state;
	EXPECT_RULE(ENTRY, DW_CFA_offset | MADE_RBX, 3, DW_CFA_undefined, MADE_RBX,
		    DW_CFA_expression, MADE_RBX, 2, MADE_BREG(MADE_RAX), 0, DW_CFA_val_expression,
		    MADE_RBX, 1, DW_OP_lit0, DW_CFA_val_offset, MADE_RBX, 1, DW_CFA_register,
		    MADE_RBX, MADE_RAX, DW_CFA_restore | MADE_RBX, DW_CFA_same_value, 0xff, 0x7f);
}

static void states_are_remembered(void **state)
{
	(void)state;
	EXPECT(made_function_rows(MADE_CODE(
		       DW_CFA_def_cfa_offset, 16, DW_CFA_offset | MADE_RBP, 2,
		       DW_CFA_remember_state, DW_CFA_advance_loc | 4, DW_CFA_def_cfa, MADE_RBP, 16,
		       DW_CFA_same_value, MADE_RBP, DW_CFA_advance_loc | 4, DW_CFA_restore_state)),
	       {MADE_TEXT, pb_rule(PB_CFA_RSP, 2, PB_RBP_CFA, -2)},
	       {MADE_TEXT + 4, pb_rule(PB_CFA_RBP, 2, PB_RBP_SAME, 0)},
	       {MADE_TEXT + 8, pb_rule(PB_CFA_RSP, 2, PB_RBP_CFA, -2)},
	       {MADE_TEXT + 0x100, PB_CFA_NONE});
	EXPECT_GAP(CFI_GAP_BROKEN, DW_CFA_restore_state);
	EXPECT_GAP(CFI_GAP_BROKEN, DW_CFA_remember_state, DW_CFA_restore_state,
		   DW_CFA_restore_state);
}

static void states_are_remembered_to_a_bound(void **state)
{
	uint8_t code[100];

	(void)state;
	memset(code, DW_CFA_remember_state, sizeof(code));
	expect_gap(CFI_GAP_BROKEN, made_function_rows(code, sizeof(code)));
	memset(code + 10, DW_CFA_restore_state, 10);
	EXPECT(made_function_rows(code, 20), {MADE_TEXT, ENTRY}, {MADE_TEXT + 0x100, PB_CFA_NONE});
}

static void cfa_by_expressions(void **state)
{
	(void)state;
	EXPECT_RULE(pb_rule(PB_CFA_RBP_DEREF, -1, PB_RBP_RBP, 0), DW_CFA_expression, MADE_RBP, 2,
		    MADE_BREG(MADE_RBP), 0, DW_CFA_def_cfa_expression, 3, MADE_BREG(MADE_RBP), 0x78,
		    DW_OP_deref);
	EXPECT_RULE(pb_rule(PB_CFA_RSP_DEREF, 16, PB_RBP_SAME, 0), DW_CFA_def_cfa_expression, 4,
		    MADE_BREG(MADE_RSP), 0x80, 1, DW_OP_deref);
	EXPECT_RULE(pb_rule(PB_CFA_RSP_DEREF_8, 5, PB_RBP_CFA, -2), DW_CFA_offset | MADE_RBP, 2,
		    DW_CFA_def_cfa_expression, 5, MADE_BREG(MADE_RSP), 40, DW_OP_deref,
		    DW_OP_plus_uconst, 8);
	EXPECT_RULE(pb_rule(PB_CFA_RSP, 2, PB_RBP_SAME, 0), DW_CFA_def_cfa_expression, 2,
		    MADE_BREG(MADE_RSP), 16);
	for (uint8_t pushed = 0; pushed < 16; pushed++)
		EXPECT_RULE(pb_rule(PB_CFA_PLT, pushed, PB_RBP_SAME, 0), DW_CFA_def_cfa_expression,
			    11, MADE_BREG(MADE_RSP), 8, MADE_BREG(MADE_RA), 0, DW_OP_lit15,
			    DW_OP_and, (uint8_t)(DW_OP_lit0 + pushed), DW_OP_ge, DW_OP_lit3,
			    DW_OP_shl, DW_OP_plus);
	EXPECT_GAP(CFI_GAP_CFA_REGISTER, DW_CFA_def_cfa_expression, 3, MADE_BREG(MADE_RAX), 0,
		   DW_OP_deref);
	EXPECT_GAP(CFI_GAP_CFA_OFFSET, DW_CFA_def_cfa_expression, 3, MADE_BREG(MADE_RSP), 4,
		   DW_OP_deref);
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 5, MADE_BREG(MADE_RSP), 40,
		   DW_OP_deref, DW_OP_plus_uconst, 16);
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 5, MADE_BREG(MADE_RBP), 40,
		   DW_OP_deref, DW_OP_plus_uconst, 8);
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 0);
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 1, MADE_BREG(MADE_RSP));
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 4, MADE_BREG(MADE_RSP), 0,
		   DW_OP_deref, DW_OP_deref);
	/* A PLT's with 16 or more pushed, and one with a byte more. */
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 11, MADE_BREG(MADE_RSP), 8,
		   MADE_BREG(MADE_RA), 0, DW_OP_lit15, DW_OP_and, DW_OP_lit16, DW_OP_ge, DW_OP_lit3,
		   DW_OP_shl, DW_OP_plus);
	EXPECT_GAP(CFI_GAP_CFA_EXPRESSION, DW_CFA_def_cfa_expression, 12, MADE_BREG(MADE_RSP), 8,
		   MADE_BREG(MADE_RA), 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11, DW_OP_ge, DW_OP_lit3,
		   DW_OP_shl, DW_OP_plus, DW_OP_nop);
}

static void signal_frames(void **state)
{
	(void)state;
	EXPECT_RULE(pb_rule(PB_CFA_SIGNAL, 20, PB_RBP_CFA, -5), DW_CFA_def_cfa_expression, 4,
		    MADE_BREG(MADE_RSP), 0xa0, 1, DW_OP_deref, DW_CFA_expression, MADE_RBP, 3,
		    MADE_BREG(MADE_RSP), 0xf8, 0, DW_CFA_expression, MADE_RA, 3,
		    MADE_BREG(MADE_RSP), 0xa8, 1);
	/* The return address is elsewhere than behind the stack pointer. */
	EXPECT_GAP(CFI_GAP_RETURN_ADDRESS, DW_CFA_def_cfa_expression, 4, MADE_BREG(MADE_RSP), 0xa0,
		   1, DW_OP_deref, DW_CFA_expression, MADE_RBP, 3, MADE_BREG(MADE_RSP), 0xf8, 0,
		   DW_CFA_expression, MADE_RA, 3, MADE_BREG(MADE_RSP), 0xb0, 1);
	/* Nothing is said of rbp. */
	EXPECT_GAP(CFI_GAP_RETURN_ADDRESS, DW_CFA_def_cfa_expression, 4, MADE_BREG(MADE_RSP), 0xa0,
		   1, DW_OP_deref, DW_CFA_expression, MADE_RA, 3, MADE_BREG(MADE_RSP), 0xa8, 1);
}

static void return_addresses(void **state)
{
	(void)state;
	EXPECT_RULE(PB_CFA_END, DW_CFA_undefined, MADE_RA);
	EXPECT_RULE(PB_CFA_END, DW_CFA_undefined, MADE_RA, DW_CFA_def_cfa_register, MADE_RAX,
		    DW_CFA_undefined, MADE_RBP);
	EXPECT_RULE(ENTRY, DW_CFA_undefined, MADE_RA, DW_CFA_restore | MADE_RA);
	EXPECT_RULE(ENTRY, DW_CFA_expression, MADE_RA, 2, MADE_BREG(MADE_RSP), 0);
	EXPECT_GAP(CFI_GAP_RETURN_ADDRESS, DW_CFA_offset | MADE_RA, 2);
	EXPECT_GAP(CFI_GAP_RETURN_ADDRESS, DW_CFA_same_value, MADE_RA);
	EXPECT_GAP(CFI_GAP_RETURN_ADDRESS, DW_CFA_register, MADE_RA, MADE_RAX);
	EXPECT_GAP(CFI_GAP_RETURN_ADDRESS, DW_CFA_expression, MADE_RA, 2, MADE_BREG(MADE_RBP), 8);
}

static void what_makes_no_sense_is_unknown_from_there_on(void **state)
{
	const uint32_t broken = pb_rule(PB_CFA_UNKNOWN, CFI_GAP_BROKEN, PB_RBP_SAME, 0);

	(void)state;
	EXPECT(made_function_rows(MADE_CODE(DW_CFA_advance_loc | 4, 0x3e, DW_CFA_advance_loc | 4,
					    DW_CFA_def_cfa_offset, 16)),
	       {MADE_TEXT, ENTRY}, {MADE_TEXT + 4, broken}, {MADE_TEXT + 0x100, PB_CFA_NONE});
	EXPECT_GAP(CFI_GAP_BROKEN, 0x3e);
	/* Instructions without their operands. */
	EXPECT_GAP(CFI_GAP_BROKEN, DW_CFA_def_cfa_expression, 0x7f);
	EXPECT_GAP(CFI_GAP_BROKEN, DW_CFA_val_expression, MADE_RBX, 0x7f);
	EXPECT_GAP(CFI_GAP_BROKEN, DW_CFA_expression, MADE_RBX, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		   0xff, 0xff, 0xff, 1);
	/* Another offset for what is no register. */
	EXPECT_GAP(CFI_GAP_BROKEN, DW_CFA_def_cfa_expression, 3, MADE_BREG(MADE_RSP), 0,
		   DW_OP_deref, DW_CFA_def_cfa_offset, 8);
}

static void operands_that_are_cut_off(void **state)
{
	static const uint8_t cut[][8] = {
		{DW_CFA_advance_loc1},
		{DW_CFA_advance_loc4, 1, 0},
		{DW_CFA_def_cfa, MADE_RSP},
		{DW_CFA_def_cfa, MADE_RSP, 0x80},
		{DW_CFA_def_cfa_sf, MADE_RSP, 0x80},
		{DW_CFA_offset | MADE_RBX},
		{DW_CFA_register, MADE_RBX},
		{DW_CFA_GNU_args_size},
		{DW_CFA_set_loc, 0, 0},
		{DW_CFA_undefined, 0x80, 0x80},
	};
	static const size_t sizes[] = {1, 3, 2, 3, 3, 1, 2, 1, 3, 3};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct made_cfi *cfi = made_cfi_new(true);
		uint32_t length;

		made_fde_begin(cfi, MADE_TEXT, 0x100);
		made_put(cfi, cut[i], sizes[i]);
		/* Not filled up. */
		length = (uint32_t)(cfi->n - cfi->entry - 4);
		memcpy(cfi->bytes + cfi->entry, &length, sizeof(length));
		expect_gap(CFI_GAP_BROKEN, made_rows(cfi, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advances_of_each_size),
		cmocka_unit_test(set_loc_is_an_address_like_others),
		cmocka_unit_test(advances_are_multiples_of_the_code_factor),
		cmocka_unit_test(advances_beyond_the_function_end_it),
		cmocka_unit_test(cfa_by_registers),
		cmocka_unit_test(rbp_in_each_place),
		cmocka_unit_test(other_registers_do_not_matter),
		cmocka_unit_test(states_are_remembered),
		cmocka_unit_test(states_are_remembered_to_a_bound),
		cmocka_unit_test(cfa_by_expressions),
		cmocka_unit_test(signal_frames),
		cmocka_unit_test(return_addresses),
		cmocka_unit_test(what_makes_no_sense_is_unknown_from_there_on),
		cmocka_unit_test(operands_that_are_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
