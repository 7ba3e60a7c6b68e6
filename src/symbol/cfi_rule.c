/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "symbol/cfi_internal.h"

uint32_t cfi_rule_unknown(enum cfi_gap why)
{
	return pb_rule(PB_CFA_UNKNOWN, (pb_s32)why, PB_RBP_SAME, 0);
}

/* Is @offset one that a row holds, in words? */
static bool in_words(int64_t offset, int64_t max, int32_t *words)
{
	if (offset & 7 || offset > max || offset < -max)
		return false;
	*words = (int32_t)(offset / 8);
	return true;
}

/* @place as an offset from the CFA, where it is one. */
static bool from_cfa(const struct cfi_state *state, const struct cfi_place *place, int64_t *offset)
{
	if (place->kind == CFI_PLACE_CFA)
		*offset = place->offset;
	else if (place->kind == CFI_PLACE_REGISTER && state->cfa.kind == CFI_CFA_REGISTER &&
		 place->reg == state->cfa.reg)
		*offset = (int64_t)((uint64_t)place->offset - (uint64_t)state->cfa.offset);
	else
		return false;
	return true;
}

static enum pb_rbp rbp_of(const struct cfi_state *state, int32_t *words)
{
	int64_t offset;

	*words = 0;
	if (state->rbp.kind == CFI_PLACE_SAME)
		return PB_RBP_SAME;
	if (from_cfa(state, &state->rbp, &offset) && in_words(offset, PB_RBP_OFFSET_MAX, words))
		return PB_RBP_CFA;
	if (state->rbp.kind == CFI_PLACE_REGISTER && state->rbp.reg == CFI_RBP &&
	    in_words(state->rbp.offset, PB_RBP_OFFSET_MAX, words))
		return PB_RBP_RBP;
	return PB_RBP_UNKNOWN;
}

/* What the C library says of the code that a signal handler returns to: all lies by rsp. */
static bool is_signal(const struct cfi_state *state, int32_t *rbp_words)
{
	const struct cfi_cfa *cfa = &state->cfa;
	uint64_t at = (uint64_t)cfa->offset;

	return cfa->kind == CFI_CFA_DEREF && cfa->reg == CFI_RSP &&
	       state->return_address.kind == CFI_PLACE_REGISTER &&
	       state->return_address.reg == CFI_RSP &&
	       (uint64_t)state->return_address.offset == at + 8 &&
	       state->rbp.kind == CFI_PLACE_REGISTER && state->rbp.reg == CFI_RSP &&
	       in_words((int64_t)((uint64_t)state->rbp.offset - at), PB_RBP_OFFSET_MAX, rbp_words);
}

/* PB_CFA_UNKNOWN with @why where a row has no word for it. */
static enum pb_cfa cfa_of(const struct cfi_cfa *cfa, enum cfi_gap *why)
{
	switch (cfa->kind) {
	case CFI_CFA_REGISTER:
		if (cfa->reg == CFI_RSP)
			return PB_CFA_RSP;
		if (cfa->reg == CFI_RBP)
			return PB_CFA_RBP;
		if (cfa->reg == CFI_R10)
			return PB_CFA_R10;
		*why = CFI_GAP_CFA_REGISTER;
		return PB_CFA_UNKNOWN;
	case CFI_CFA_DEREF:
		if (cfa->reg == CFI_RSP)
			return PB_CFA_RSP_DEREF;
		if (cfa->reg == CFI_RBP)
			return PB_CFA_RBP_DEREF;
		*why = CFI_GAP_CFA_REGISTER;
		return PB_CFA_UNKNOWN;
	case CFI_CFA_DEREF_8:
		*why = CFI_GAP_CFA_EXPRESSION;
		return cfa->reg == CFI_RSP ? PB_CFA_RSP_DEREF_8 : PB_CFA_UNKNOWN;
	case CFI_CFA_PLT:
		return PB_CFA_PLT;
	case CFI_CFA_OTHER:
		*why = CFI_GAP_CFA_EXPRESSION;
		return PB_CFA_UNKNOWN;
	default:
		*why = CFI_GAP_BROKEN;
		return PB_CFA_UNKNOWN;
	}
}

uint32_t cfi_rule(const struct cfi_state *state)
{
	enum cfi_gap why = CFI_GAP_BROKEN;
	int32_t cfa_words = 0, rbp_words = 0;
	enum pb_cfa cfa;
	enum pb_rbp rbp;
	int64_t offset;

	/* Said of the thread's start: whatever else is said of it, nobody called it. */
	if (state->return_address.kind == CFI_PLACE_UNDEFINED)
		return pb_rule(PB_CFA_END, 0, PB_RBP_SAME, 0);
	cfa = cfa_of(&state->cfa, &why);
	if (cfa == PB_CFA_UNKNOWN)
		return cfi_rule_unknown(why);
	if (cfa == PB_CFA_PLT)
		cfa_words = (int32_t)state->cfa.offset;
	else if (!in_words(state->cfa.offset, PB_CFA_OFFSET_MAX, &cfa_words))
		return cfi_rule_unknown(CFI_GAP_CFA_OFFSET);
	if (is_signal(state, &rbp_words))
		return pb_rule(PB_CFA_SIGNAL, cfa_words, PB_RBP_CFA, rbp_words);
	if (!from_cfa(state, &state->return_address, &offset) || offset != -8)
		return cfi_rule_unknown(CFI_GAP_RETURN_ADDRESS);
	rbp = rbp_of(state, &rbp_words);
	return pb_rule(cfa, cfa_words, rbp, rbp_words);
}
