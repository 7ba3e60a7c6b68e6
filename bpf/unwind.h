/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One step up a stack, from a frame to its caller's, by a row of CFI or by the frame
 * pointer. The BPF programs and the loader both include it: the first walk stacks where they are,
 * the second walks copies of them, and tests walk made-up ones.
 *
 * Who includes it says before how memory of the stack is read:
 *     static int unwind_read(void *reader, pb_u64 address, pb_u64 *value);   0: it could be
 */
#ifndef PERFBPF_UNWIND_H
#define PERFBPF_UNWIND_H

#include "perfbpf.h"

#ifndef __bpf__
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#endif

/* What bp holds where the register is not known any more: no frame lies at such an address. */
#define UNWIND_BP_LOST 1

struct pb_unwind {
	pb_u64 pc, sp, bp;
	pb_u64 r10;      /* only of the innermost frame */
	pb_u32 is_inner; /* the innermost frame: all registers are as they were */
	/* pc is the instruction that was interrupted; else it is a return address, and what it
	 * returns to belongs to the instruction before: the call. */
	pb_u32 is_exact;
	pb_u32 by_fp; /* frames so far whose caller was found by the frame pointer */
};

/* The address by which a frame's row and name are looked up. */
static __always_inline pb_u64 unwind_lookup_pc(const struct pb_unwind *state)
{
	return state->is_exact ? state->pc : state->pc - 1;
}

/* Is there a further frame? Frames lie at ascending addresses, but for those below a signal's. */
static __always_inline int unwind_move(struct pb_unwind *state, pb_u64 pc, pb_u64 sp, pb_u64 bp,
				       pb_u32 is_exact)
{
	if (!is_exact && sp <= state->sp)
		return PB_WALK_BROKEN;
	state->pc = pc;
	state->sp = sp;
	state->bp = bp;
	state->is_inner = 0;
	state->is_exact = is_exact;
	return -1;
}

/* The frame that rbp points to, on whatever stack. */
static __always_inline int unwind_to_rbp(void *reader, struct pb_unwind *state)
{
	pb_u64 pc, bp;

	/* The thread's start leaves 0 in rbp. */
	if (!state->bp)
		return PB_WALK_COMPLETE;
	if (state->bp == UNWIND_BP_LOST)
		return PB_WALK_EXPRESSION;
	if (state->bp & 7)
		return PB_WALK_BROKEN;
	if (unwind_read(reader, state->bp + 8, &pc) || unwind_read(reader, state->bp, &bp))
		return PB_WALK_MEMORY;
	if (!pc)
		return PB_WALK_COMPLETE;
	state->sp = state->bp + 16;
	state->pc = pc;
	state->bp = bp;
	state->is_inner = 0;
	state->is_exact = 0;
	return -1;
}

/* Frame pointers lead upwards, but where stacks are changed. */
static __always_inline int unwind_fp_is_broken(const struct pb_unwind *state)
{
	return state->bp && state->bp != UNWIND_BP_LOST && state->bp < state->sp;
}

/* For code that keeps the frame pointer and says nothing else: compiled at run time. */
static __always_inline int unwind_by_fp(void *reader, struct pb_unwind *state)
{
	int end;

	if (unwind_fp_is_broken(state))
		return PB_WALK_BROKEN;
	end = unwind_to_rbp(reader, state);
	if (end < 0)
		state->by_fp++;
	return end;
}

/* No thread starts in such code: that rbp led nowhere is no proper end of its stack. */
static __always_inline int unwind_not_ended(int end)
{
	return end == PB_WALK_COMPLETE ? PB_WALK_BROKEN : end;
}

/*
 * Code that nobody says anything of, in a file that says something of its other code: assembly, or
 * what was built otherwise. Who has called it can be guessed only. Of these two the first is taken
 * that is a return into code, which the caller of this finds out; 0: none.
 */
struct pb_guess {
	pb_u64 at_bp; /* it keeps the frame pointer */
	pb_u64 at_sp; /* the innermost frame has pushed nothing */
};

/* A frame is seldom larger. */
#define UNWIND_GUESS_BYTES (1 << 20)

static __always_inline struct pb_guess unwind_guess(void *reader, const struct pb_unwind *state)
{
	struct pb_guess guess = {0, 0};

	if (state->is_inner && unwind_read(reader, state->sp, &guess.at_sp))
		guess.at_sp = 0;
	if (state->bp >= state->sp && state->bp - state->sp < UNWIND_GUESS_BYTES &&
	    !(state->bp & 7) && unwind_read(reader, state->bp + 8, &guess.at_bp))
		guess.at_bp = 0;
	return guess;
}

/* The first of the guesses is right. */
static __always_inline int unwind_by_sp(struct pb_unwind *state, pb_u64 pc)
{
	state->by_fp++;
	return unwind_move(state, pc, state->sp + 8, state->bp, 0);
}

static __always_inline int unwind_signal(void *reader, struct pb_unwind *state, pb_u32 rule)
{
	pb_u64 at = state->sp + (pb_s64)pb_rule_cfa_words(rule) * 8, sp, pc, bp;

	if (unwind_read(reader, at, &sp) || unwind_read(reader, at + 8, &pc) ||
	    unwind_read(reader, at + (pb_s64)pb_rule_rbp_words(rule) * 8, &bp))
		return PB_WALK_MEMORY;
	return unwind_move(state, pc, sp, bp, 1);
}

static __always_inline int unwind_cfa(void *reader, const struct pb_unwind *state, pb_u32 rule,
				      pb_u64 *cfa)
{
	pb_s64 offset = (pb_s64)pb_rule_cfa_words(rule) * 8;

	switch (pb_rule_cfa(rule)) {
	case PB_CFA_RSP:
		*cfa = state->sp + offset;
		return -1;
	case PB_CFA_RBP:
		*cfa = state->bp + offset;
		return state->bp == UNWIND_BP_LOST ? PB_WALK_EXPRESSION : -1;
	case PB_CFA_R10:
		*cfa = state->r10 + offset;
		return state->is_inner ? -1 : PB_WALK_EXPRESSION;
	case PB_CFA_RBP_DEREF:
		if (state->bp == UNWIND_BP_LOST)
			return PB_WALK_EXPRESSION;
		return unwind_read(reader, state->bp + offset, cfa) ? PB_WALK_MEMORY : -1;
	case PB_CFA_RSP_DEREF:
		return unwind_read(reader, state->sp + offset, cfa) ? PB_WALK_MEMORY : -1;
	case PB_CFA_RSP_DEREF_8:
		if (unwind_read(reader, state->sp + offset, cfa))
			return PB_WALK_MEMORY;
		*cfa += 8;
		return -1;
	case PB_CFA_PLT:
		*cfa = state->sp + 8 +
		       ((pb_s64)(state->pc & 15) >= pb_rule_cfa_words(rule) ? 8 : 0);
		return -1;
	case PB_CFA_END:
		return PB_WALK_COMPLETE;
	default:
		return PB_WALK_EXPRESSION;
	}
}

/*
 * Moves @state to the caller's frame by @rule, the row of unwind_lookup_pc(). Returns -1 where
 * there is one, else how the walk ended (enum pb_walk).
 */
static __always_inline int unwind_by_rule(void *reader, struct pb_unwind *state, pb_u32 rule)
{
	pb_s64 offset = (pb_s64)pb_rule_rbp_words(rule) * 8;
	pb_u64 cfa = 0, pc, bp = state->bp;
	int end;

	if (pb_rule_cfa(rule) == PB_CFA_SIGNAL)
		return unwind_signal(reader, state, rule);
	if (pb_rule_cfa(rule) == PB_CFA_FP)
		return unwind_to_rbp(reader, state);
	end = unwind_cfa(reader, state, rule, &cfa);
	if (end >= 0)
		return end;
	if (unwind_read(reader, cfa - 8, &pc))
		return PB_WALK_MEMORY;
	if (pb_rule_rbp(rule) == PB_RBP_CFA && unwind_read(reader, cfa + offset, &bp))
		return PB_WALK_MEMORY;
	if (pb_rule_rbp(rule) == PB_RBP_RBP && bp != UNWIND_BP_LOST &&
	    unwind_read(reader, bp + offset, &bp))
		return PB_WALK_MEMORY;
	if (pb_rule_rbp(rule) == PB_RBP_UNKNOWN)
		bp = UNWIND_BP_LOST;
	/* Nobody returns to 0: what begins a thread by hand (coroutines) leaves it there. */
	if (!pc)
		return PB_WALK_COMPLETE;
	return unwind_move(state, pc, cfa, bp, 0);
}

#endif
