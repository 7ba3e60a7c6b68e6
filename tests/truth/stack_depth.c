/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stack_depth DEPTH SECONDS: down() calls itself until it is there DEPTH times, and burns. */
#include "stacks.h"

STACKS_FUNCTION uint64_t down(long depth, struct stacks_truth *truth);

/* Frames of different lengths, with what changes in them between calls. */
uint64_t down(long depth, struct stacks_truth *truth)
{
	char room[16 + 8 * (depth % 9)];
	uint64_t ns;

	memset(room, (int)depth, sizeof(room));
	ns = depth > 1 ? down(depth - 1, truth) : stacks_burn(truth, 5000000);
	__asm__ volatile("" ::"r"(room) : "memory");
	return ns + (uint64_t)(room[0] - (char)depth);
}

int main(int argc, char **argv)
{
	struct stacks_truth truth = {.random = 1};
	uint64_t end_ns;
	long depth;

	truth_start(&argc, argv);
	if (argc < 3)
		truth_usage("DEPTH SECONDS [--truth FILE]");
	depth = truth_count(argv[1], 10000);
	end_ns = (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC) * 1e9);
	while (truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		stacks_add(&truth, "down", down(depth, &truth));
	stacks_print(&truth);
	return 0;
}
