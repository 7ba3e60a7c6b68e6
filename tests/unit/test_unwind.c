/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One step up a stack, by each kind of rule and by the frame pointer, on a made-up stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>

#include "perfbpf.h"

#define STACK 0x7ffc00000000ULL
#define WORDS 64
#define PC    0x401234ULL

struct memory {
	uint64_t words[WORDS];
	uint64_t reads;
};

static int unwind_read(void *reader, pb_u64 address, pb_u64 *value)
{
	struct memory *memory = reader;

	memory->reads++;
	if (address < STACK || address % 8 || (address - STACK) / 8 >= WORDS)
		return -1;
	*value = memory->words[(address - STACK) / 8];
	return 0;
}

#include "unwind.h"

/* Word n of the stack holds 0x1000 + n, at which no code is; so is the address of word n. */
static struct memory stack_of_words(void)
{
	struct memory memory = {.reads = 0};

	for (size_t i = 0; i < WORDS; i++)
		memory.words[i] = 0x1000 + i;
	return memory;
}

static uint64_t at(uint64_t word)
{
	return STACK + word * 8;
}

/* The innermost frame, its stack from word 4 on, its rbp at word 8 and its r10 at word 12. */
static struct pb_unwind innermost(void)
{
	return (struct pb_unwind){
		.pc = PC, .sp = at(4), .bp = at(8), .r10 = at(12), .is_inner = 1, .is_exact = 1};
}

static void assert_moved(const struct pb_unwind *state, uint64_t pc, uint64_t sp, uint64_t bp)
{
	assert_int_equal(state->pc, pc);
	assert_int_equal(state->sp, sp);
	assert_int_equal(state->bp, bp);
	assert_int_equal(state->is_inner, 0);
	assert_int_equal(state->is_exact, 0);
	assert_int_equal(state->by_fp, 0);
	assert_int_equal(unwind_lookup_pc(state), pc - 1);
}

static void by_the_stack_pointer(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	assert_int_equal(unwind_lookup_pc(&frame), PC);
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 2, PB_RBP_SAME, 0)),
			 -1);
	assert_moved(&frame, 0x1005, at(6), at(8));
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 3, PB_RBP_CFA, -2)),
			 -1);
	assert_moved(&frame, 0x1008, at(9), 0x1007);
}

static void by_the_frame_register(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RBP, 2, PB_RBP_CFA, -2)),
			 -1);
	assert_moved(&frame, 0x1009, at(10), 0x1008);
}

static void by_r10_of_the_innermost_frame_only(void **state)
{
	const uint32_t rule = pb_rule(PB_CFA_R10, 0, PB_RBP_RBP, 1);
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	assert_int_equal(unwind_by_rule(&memory, &frame, rule), -1);
	assert_moved(&frame, 0x100b, at(12), 0x1009);
	frame = innermost();
	frame.is_inner = 0;
	assert_int_equal(unwind_by_rule(&memory, &frame, rule), PB_WALK_EXPRESSION);
}

static void by_what_lies_somewhere(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	/* A realigned stack: the CFA below rbp, the old rbp at it. */
	memory.words[7] = at(20);
	assert_int_equal(
		unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RBP_DEREF, -1, PB_RBP_RBP, 0)), -1);
	assert_moved(&frame, 0x1013, at(20), 0x1008);
	frame = innermost();
	memory.words[10] = at(30);
	assert_int_equal(
		unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP_DEREF, 6, PB_RBP_CFA, -3)), -1);
	assert_moved(&frame, 0x101d, at(30), 0x101b);
	frame = innermost();
	assert_int_equal(
		unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP_DEREF_8, 6, PB_RBP_CFA, -2)),
		-1);
	assert_moved(&frame, 0x101e, at(31), 0x101d);
}

static void in_linkage_stubs(void **state)
{
	struct memory memory = stack_of_words();

	(void)state;
	for (uint64_t byte = 0; byte < 16; byte++) {
		struct pb_unwind frame = innermost();
		bool pushed = byte >= 11;

		frame.pc = 0x401000 + byte;
		assert_int_equal(
			unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_PLT, 11, PB_RBP_SAME, 0)),
			-1);
		assert_moved(&frame, pushed ? 0x1005 : 0x1004, at(pushed ? 6 : 5), at(8));
	}
}

static void through_a_signal(void **state)
{
	const uint32_t rule = pb_rule(PB_CFA_SIGNAL, 20, PB_RBP_CFA, -5);
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	/* The code that was interrupted runs on a stack below: a handler's may be anywhere. */
	memory.words[24] = at(2);
	memory.words[25] = 0x402000;
	memory.words[19] = 0xb9;
	assert_int_equal(unwind_by_rule(&memory, &frame, rule), -1);
	assert_int_equal(frame.pc, 0x402000);
	assert_int_equal(frame.sp, at(2));
	assert_int_equal(frame.bp, 0xb9);
	assert_int_equal(frame.is_exact, 1);
	assert_int_equal(unwind_lookup_pc(&frame), 0x402000);
	/* What it had in r10 is not known any more. */
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_R10, 0, PB_RBP_SAME, 0)),
			 PB_WALK_EXPRESSION);
}

static void ends(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0)),
			 PB_WALK_COMPLETE);
	assert_int_equal(memory.reads, 0);
	/* A coroutine's first frame returns to nowhere. */
	memory.words[4] = 0;
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 1, PB_RBP_SAME, 0)),
			 PB_WALK_COMPLETE);
}

static void what_a_row_cannot_say(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	for (enum pb_cfa cfa = PB_CFA_UNKNOWN; cfa < 16; cfa++)
		assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(cfa, 1, PB_RBP_SAME, 0)),
				 PB_WALK_EXPRESSION);
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_NONE, 0, PB_RBP_SAME, 0)),
			 PB_WALK_EXPRESSION);
}

/* Frames go on without rbp, as long as none is found by it. */
static void a_frame_register_that_is_lost(void **state)
{
	static const uint32_t by_rbp[] = {PB_CFA_RBP, PB_CFA_RBP_DEREF};
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost(), lost;

	(void)state;
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 1, PB_RBP_UNKNOWN, 0)),
			 -1);
	lost = frame;
	for (size_t i = 0; i < 2; i++) {
		frame = lost;
		assert_int_equal(unwind_by_rule(&memory, &frame,
						pb_rule((enum pb_cfa)by_rbp[i], 2, PB_RBP_CFA, -2)),
				 PB_WALK_EXPRESSION);
	}
	frame = lost;
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_EXPRESSION);
	/* Another frame that leaves it as it is; then one that has saved it. */
	frame = lost;
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 1, PB_RBP_SAME, 0)),
			 -1);
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_EXPRESSION);
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 2, PB_RBP_CFA, -2)),
			 -1);
	assert_moved(&frame, 0x1007, at(8), 0x1006);
}

static void memory_that_cannot_be_read(void **state)
{
	static const uint32_t rules[][4] = {
		{PB_CFA_RSP, WORDS, PB_RBP_SAME, 0},     {PB_CFA_RSP, 1, PB_RBP_CFA, 300},
		{PB_CFA_RSP, 1, PB_RBP_RBP, 300},        {PB_CFA_RBP_DEREF, 300, PB_RBP_SAME, 0},
		{PB_CFA_RSP_DEREF, 300, PB_RBP_SAME, 0}, {PB_CFA_RSP_DEREF_8, 300, PB_RBP_SAME, 0},
		{PB_CFA_SIGNAL, 300, PB_RBP_CFA, 0},     {PB_CFA_SIGNAL, WORDS - 5, PB_RBP_CFA, -5},
		{PB_CFA_SIGNAL, 1, PB_RBP_CFA, 300},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct memory memory = stack_of_words();
		struct pb_unwind frame = innermost();
		uint32_t rule = pb_rule((enum pb_cfa)rules[i][0], (int32_t)rules[i][1],
					(enum pb_rbp)rules[i][2], (int32_t)rules[i][3]);

		assert_int_equal(unwind_by_rule(&memory, &frame, rule), PB_WALK_MEMORY);
	}
}

static void frames_that_do_not_lie_above(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RSP, 0, PB_RBP_SAME, 0)),
			 PB_WALK_BROKEN);
	assert_int_equal(unwind_by_rule(&memory, &frame, pb_rule(PB_CFA_RBP, -5, PB_RBP_SAME, 0)),
			 PB_WALK_BROKEN);
}

static void by_frame_pointers(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	memory.words[8] = at(20);
	memory.words[20] = 0;
	assert_int_equal(unwind_by_fp(&memory, &frame), -1);
	assert_int_equal(frame.pc, 0x1009);
	assert_int_equal(frame.sp, at(10));
	assert_int_equal(frame.bp, at(20));
	assert_int_equal(frame.by_fp, 1);
	assert_int_equal(frame.is_inner, 0);
	assert_int_equal(frame.is_exact, 0);
	assert_int_equal(unwind_by_fp(&memory, &frame), -1);
	assert_int_equal(frame.by_fp, 2);
	/* The thread's start. */
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_COMPLETE);
	frame = innermost();
	memory.words[9] = 0;
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_COMPLETE);
	assert_int_equal(frame.by_fp, 0);
}

static void frame_pointers_that_lead_nowhere(void **state)
{
	struct memory memory = stack_of_words();
	struct pb_unwind frame = innermost();

	(void)state;
	frame.bp = at(3);
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_BROKEN);
	frame.bp = at(8) + 4;
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_BROKEN);
	frame.bp = at(WORDS - 1);
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_MEMORY);
	frame.bp = UINT64_MAX - 7;
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_MEMORY);
	/* A chain that goes in a circle ends where it would go down. */
	frame = innermost();
	memory.words[8] = at(12);
	memory.words[12] = at(8);
	assert_int_equal(unwind_by_fp(&memory, &frame), -1);
	assert_int_equal(unwind_by_fp(&memory, &frame), -1);
	assert_int_equal(unwind_by_fp(&memory, &frame), PB_WALK_BROKEN);
}

static void rules_hold_what_was_put_into_them(void **state)
{
	static const int32_t cfas[] = {-32767, -1, 0, 1, 32767}, rbps[] = {-511, -1, 0, 1, 511};

	(void)state;
	for (unsigned int cfa = 0; cfa < 16; cfa++)
		for (unsigned int rbp = 0; rbp < 4; rbp++)
			for (size_t i = 0; i < 25; i++) {
				uint32_t rule = pb_rule((enum pb_cfa)cfa, cfas[i / 5],
							(enum pb_rbp)rbp, rbps[i % 5]);

				assert_int_equal(pb_rule_cfa(rule), cfa);
				assert_int_equal(pb_rule_rbp(rule), rbp);
				assert_int_equal(pb_rule_cfa_words(rule), cfas[i / 5]);
				assert_int_equal(pb_rule_rbp_words(rule), rbps[i % 5]);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_stack_pointer),
		cmocka_unit_test(by_the_frame_register),
		cmocka_unit_test(by_r10_of_the_innermost_frame_only),
		cmocka_unit_test(by_what_lies_somewhere),
		cmocka_unit_test(in_linkage_stubs),
		cmocka_unit_test(through_a_signal),
		cmocka_unit_test(ends),
		cmocka_unit_test(what_a_row_cannot_say),
		cmocka_unit_test(a_frame_register_that_is_lost),
		cmocka_unit_test(memory_that_cannot_be_read),
		cmocka_unit_test(frames_that_do_not_lie_above),
		cmocka_unit_test(by_frame_pointers),
		cmocka_unit_test(frame_pointers_that_lead_nowhere),
		cmocka_unit_test(rules_hold_what_was_put_into_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
