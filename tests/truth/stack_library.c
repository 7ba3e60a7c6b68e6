/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_library SECONDS [GO]: loads libraries while it runs, in turn one of two, and gives each
 * back before the next: likely it comes to the same address. With GO it first waits until
 * there is such a file, for SECONDS of CPU time to follow.
 */
#include <dlfcn.h>
#include <libgen.h>

#include "stacks.h"

#define STAY_NS 600000000

struct stay {
	struct stacks_truth *truth;
	uint64_t ns;
};

typedef void late_fn(void (*work)(void *), void *context);

static void burn(void *context)
{
	struct stay *stay = context;

	stay->ns = stacks_burn(stay->truth, STAY_NS);
}

/* Returns where it lay. */
static const void *use(struct stacks_truth *truth, const char *name, const char *function,
		       const char *inner)
{
	struct stay stay = {.truth = truth};
	char path[4096], self[2048] = "";
	late_fn *late;
	Dl_info where;
	void *library;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		truth_die("readlink");
	snprintf(path, sizeof(path), "%s/%s", dirname(self), name);
	library = dlopen(path, RTLD_NOW);
	if (!library)
		truth_die("%s", dlerror());
	late = (late_fn *)dlsym(library, function);
	if (!late)
		truth_die("%s", dlerror());
	if (!dladdr((const void *)late, &where))
		truth_die("%s", dlerror());
	late(burn, &stay);
	dlclose(library);
	stacks_add(truth, inner, stay.ns);
	return where.dli_fbase;
}

static void wait_for(const char *path)
{
	uint64_t end_ns = truth_now_ns() + (uint64_t)(TRUTH_MAX_SEC * 1e9);

	while (access(path, F_OK) != 0 && truth_now_ns() < end_ns)
		truth_sleep_ns(2000000);
}

int main(int argc, char **argv)
{
	struct stacks_truth truth = {.random = 1};
	const void *first, *second;
	uint64_t end_ns;

	truth_start(&argc, argv);
	if (argc < 2)
		truth_usage("SECONDS [GO] [--truth FILE]");
	end_ns = (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	if (argc > 2)
		wait_for(argv[2]);
	do {
		first = use(&truth, "stack_late_1.so", "late_first", "late_first_inner");
		second = use(&truth, "stack_late_2.so", "late_second", "late_second_inner");
	} while (truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns);
	stacks_add(&truth, first == second ? "at the same place" : "elsewhere", 0);
	stacks_print(&truth);
	return 0;
}
