/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_tree SECONDS: a call tree of known shares. It is built three times: as it is, stripped of
 * its symbols, and with frame pointers instead of CFI. Where its functions begin is told,
 * for who has no symbols.
 *
 *     main - turn - alpha (50 %) - alpha_left (30 %)
 *                                - shared (20 %)
 *                 - beta (30 %) - beta_inner - shared
 *                 - gamma (15 %) - qsort of the C library - gamma_compare
 *                 - delta (5 %), by a pointer, with a large frame
 */
#include "stacks.h"

#define MS 1000000ULL

extern const char __executable_start[];

struct item {
	struct stacks_truth *truth;
	uint64_t ns;
};

STACKS_FUNCTION uint64_t alpha_left(struct stacks_truth *truth);
STACKS_FUNCTION uint64_t shared(struct stacks_truth *truth, uint64_t mean_ns);
STACKS_FUNCTION void alpha(struct stacks_truth *truth);
STACKS_FUNCTION uint64_t beta_inner(struct stacks_truth *truth);
STACKS_FUNCTION void beta(struct stacks_truth *truth);
STACKS_FUNCTION int gamma_compare(const void *a, const void *b);
STACKS_FUNCTION void gamma_sorts(struct stacks_truth *truth);
STACKS_FUNCTION void delta(struct stacks_truth *truth);
STACKS_FUNCTION void turn(struct stacks_truth *truth, void (*by_pointer)(struct stacks_truth *));

uint64_t alpha_left(struct stacks_truth *truth)
{
	uint64_t ns = stacks_burn(truth, 6 * MS);

	stacks_add(truth, "alpha_left", ns);
	return ns;
}

uint64_t shared(struct stacks_truth *truth, uint64_t mean_ns)
{
	uint64_t ns = stacks_burn(truth, mean_ns);

	stacks_add(truth, "shared", ns);
	return ns;
}

void alpha(struct stacks_truth *truth)
{
	uint64_t ns = alpha_left(truth);

	ns += shared(truth, 4 * MS);
	stacks_add(truth, "alpha", ns);
}

uint64_t beta_inner(struct stacks_truth *truth)
{
	uint64_t ns = shared(truth, 6 * MS);

	stacks_add(truth, "beta_inner", ns);
	return ns;
}

void beta(struct stacks_truth *truth)
{
	uint64_t ns = beta_inner(truth);

	stacks_add(truth, "beta", ns);
}

int gamma_compare(const void *a, const void *b)
{
	struct item *item = *(struct item *const *)a;

	(void)b;
	item->ns += stacks_burn(item->truth, 3 * MS);
	return 0;
}

void gamma_sorts(struct stacks_truth *truth)
{
	struct item item = {.truth = truth};
	struct item *items[] = {&item, &item};

	qsort(items, 2, sizeof(struct item *), gamma_compare);
	stacks_add(truth, "gamma_sorts", item.ns);
	stacks_add(truth, "gamma_compare", item.ns);
}

void delta(struct stacks_truth *truth)
{
	volatile char large[40000];

	large[0] = 1;
	stacks_add(truth, "delta", stacks_burn(truth, MS) + large[0] - 1);
}

void turn(struct stacks_truth *truth, void (*by_pointer)(struct stacks_truth *))
{
	alpha(truth);
	beta(truth);
	gamma_sorts(truth);
	by_pointer(truth);
	stacks_stay();
}

static void print_addresses(char *text, size_t size)
{
	const struct {
		const char *name;
		const void *address;
	} functions[] = {
		{"alpha_left", alpha_left},   {"shared", shared}, {"alpha", alpha},
		{"beta_inner", beta_inner},   {"beta", beta},     {"gamma_compare", gamma_compare},
		{"gamma_sorts", gamma_sorts}, {"delta", delta},   {"turn", turn},
	};
	size_t at = 0;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		at += (size_t)snprintf(text + at, size - at, "%s\"0x%tx\": \"%s\"", i ? ", " : "",
				       (const char *)functions[i].address - __executable_start,
				       functions[i].name);
}

int main(int argc, char **argv)
{
	struct stacks_truth truth = {.random = 1};
	char functions[1024], addresses[1024];
	struct rusage usage;
	uint64_t end_ns;

	truth_start(&argc, argv);
	if (argc < 2)
		truth_usage("SECONDS [--truth FILE]");
	end_ns = (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	while (truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		turn(&truth, delta);
	stacks_append(&truth, functions, sizeof(functions));
	print_addresses(addresses, sizeof(addresses));
	usage = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"cpu_seconds\": %.6f, %s, \"addresses\": {%s}}", getpid(),
		    truth_cpu_seconds(&usage), functions, addresses);
	return 0;
}
