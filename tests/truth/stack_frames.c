/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_frames SECONDS: frames whose place is not a fixed number of bytes below their caller's.
 *
 *     main - turn - with_alloca (a third) - innermost
 *                 - realigned (a third): what it has is aligned to 64 bytes, and its arguments lie
 *                   on its caller's stack - innermost
 *                 - both (a third) - with_alloca - realigned - innermost
 */
#include "stacks.h"

#include <alloca.h>

#define MEAN_NS 4000000

struct arguments {
	long a, b, c, d, e;
};

STACKS_FUNCTION uint64_t innermost(struct stacks_truth *truth);
STACKS_FUNCTION uint64_t realigned(struct stacks_truth *truth, long n, struct arguments on_stack);
STACKS_FUNCTION uint64_t with_alloca(struct stacks_truth *truth, long n,
				     uint64_t (*next)(struct stacks_truth *));
STACKS_FUNCTION uint64_t calls_realigned(struct stacks_truth *truth);
STACKS_FUNCTION void both(struct stacks_truth *truth, long n);
STACKS_FUNCTION void turn(struct stacks_truth *truth, long n);

uint64_t innermost(struct stacks_truth *truth)
{
	uint64_t ns = stacks_burn(truth, MEAN_NS);

	stacks_add(truth, "innermost", ns);
	return ns;
}

uint64_t realigned(struct stacks_truth *truth, long n, struct arguments on_stack)
{
	struct {
		char bytes[64] __attribute__((aligned(64)));
	} vector;
	char *room = alloca((size_t)(16 + n));
	uint64_t ns;

	memset(&vector, (int)on_stack.a, sizeof(vector));
	memset(room, (int)on_stack.e, (size_t)(16 + n));
	__asm__ volatile("" ::"r"(&vector), "r"(room) : "memory");
	if ((uintptr_t)&vector & 63)
		truth_die("not aligned");
	ns = innermost(truth);
	__asm__ volatile("" ::"r"(&vector), "r"(room) : "memory");
	stacks_add(truth, "realigned", ns);
	return ns;
}

uint64_t with_alloca(struct stacks_truth *truth, long n, uint64_t (*next)(struct stacks_truth *))
{
	char *room = alloca((size_t)(100 + n * 8));
	uint64_t ns;

	memset(room, (int)n, (size_t)(100 + n * 8));
	ns = next(truth);
	__asm__ volatile("" ::"r"(room) : "memory");
	stacks_add(truth, "with_alloca", ns);
	return ns;
}

uint64_t calls_realigned(struct stacks_truth *truth)
{
	uint64_t ns = realigned(truth, 40, (struct arguments){1, 2, 3, 4, 5});

	stacks_stay();
	return ns;
}

void both(struct stacks_truth *truth, long n)
{
	uint64_t ns = with_alloca(truth, n, calls_realigned);

	stacks_add(truth, "both", ns);
}

void turn(struct stacks_truth *truth, long n)
{
	with_alloca(truth, n, innermost);
	realigned(truth, n, (struct arguments){n, n, n, n, n});
	both(truth, n);
	stacks_stay();
}

int main(int argc, char **argv)
{
	struct stacks_truth truth = {.random = 1};
	uint64_t end_ns;

	truth_start(&argc, argv);
	if (argc < 2)
		truth_usage("SECONDS [--truth FILE]");
	end_ns = (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	for (long n = 0; truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns; n++)
		turn(&truth, n % 50);
	stacks_print(&truth);
	return 0;
}
