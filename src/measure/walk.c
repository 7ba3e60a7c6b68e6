/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure/walk.h"

#include <string.h>

struct copied_stack {
	uint64_t from, bytes;
	const char *copy;
};

static int unwind_read(void *reader, pb_u64 address, pb_u64 *value)
{
	const struct copied_stack *stack = reader;

	if (address < stack->from || address - stack->from > stack->bytes ||
	    stack->bytes - (address - stack->from) < sizeof(*value))
		return -1;
	memcpy(value, stack->copy + (address - stack->from), sizeof(*value));
	return 0;
}

#include "unwind.h"

static bool is_code(walk_rule_fn *rule, void *context, uint64_t pc)
{
	uint32_t what;
	bool by_fp;

	return rule(context, pc, &what, &by_fp) < 0;
}

static int guess_caller(struct copied_stack *stack, struct pb_unwind *state, walk_rule_fn *rule,
			void *context)
{
	struct pb_guess guess = unwind_guess(stack, state);

	if (guess.at_bp && is_code(rule, context, guess.at_bp - 1))
		return unwind_not_ended(unwind_by_fp(stack, state));
	if (guess.at_sp && is_code(rule, context, guess.at_sp - 1))
		return unwind_by_sp(state, guess.at_sp);
	return PB_WALK_BROKEN;
}

void walk_on(const struct pb_event_stack *event, const void *copy, walk_rule_fn *rule,
	     void *context, uint64_t *addresses, uint32_t max, struct walk_result *result)
{
	struct copied_stack stack = {event->sp, event->n_copied, copy};
	struct pb_unwind state = {
		.pc = event->pc,
		.sp = event->sp,
		.bp = event->bp,
		.r10 = event->r10,
		.is_inner = event->is_inner,
		.is_exact = event->is_exact,
		.by_fp = event->by_fp,
	};
	int end = -1;

	result->n = 0;
	while (end < 0) {
		uint32_t what = PB_CFA_NONE;
		bool by_fp = false;

		end = rule(context, unwind_lookup_pc(&state), &what, &by_fp);
		if (end >= 0)
			break;
		if (by_fp)
			end = unwind_by_fp(&stack, &state);
		else if (pb_rule_cfa(what) == PB_CFA_NONE)
			end = guess_caller(&stack, &state, rule, context);
		else
			end = unwind_by_rule(&stack, &state, what);
		if (by_fp && pb_rule_cfa(what) == PB_CFA_NONE)
			end = unwind_not_ended(end);
		if (end < 0 && result->n == max)
			end = PB_WALK_DEPTH;
		if (end < 0)
			addresses[result->n++] = unwind_lookup_pc(&state);
	}
	result->end = (enum pb_walk)end;
	result->by_fp = state.by_fp > 0;
}
