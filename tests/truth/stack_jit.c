/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_jit SECONDS [--map]: code that is made while it runs, in no file, with frame pointers as
 * such code has them. With --map it says what it is in /tmp/perf-PID.map, which is left there.
 *
 *     main - jit_outer - jit_inner (in no file, both) - burn
 */
#include <sys/mman.h>

#include "stacks.h"

#define OUTER_AT 0
#define INNER_AT 64

STACKS_FUNCTION void burn(uint64_t *ns);

void burn(uint64_t *ns)
{
	struct stacks_truth lengths = {.random = (uint32_t)*ns | 1};

	*ns += stacks_burn(&lengths, 5000000);
}

/* push rbp; mov rbp, rsp; mov rax, TARGET; call rax; pop rbp; ret */
static void put_caller(unsigned char *at, uint64_t target)
{
	static const unsigned char before[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8};
	static const unsigned char after[] = {0xff, 0xd0, 0x5d, 0xc3};

	memcpy(at, before, sizeof(before));
	memcpy(at + sizeof(before), &target, sizeof(target));
	memcpy(at + sizeof(before) + sizeof(target), after, sizeof(after));
}

static void write_map(const unsigned char *code)
{
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	map = fopen(path, "we");
	if (!map)
		truth_die("cannot write %s", path);
	fprintf(map, "%lx %x jit_outer\n%lx %x jit_inner with a space\n",
		(unsigned long)(code + OUTER_AT), INNER_AT - OUTER_AT,
		(unsigned long)(code + INNER_AT), 64);
	fclose(map);
}

int main(int argc, char **argv)
{
	bool map = truth_flag(&argc, argv, "--map");
	struct stacks_truth truth = {.random = 1};
	uint64_t end_ns, ns = 0;
	unsigned char *code;

	truth_start(&argc, argv);
	if (argc < 2)
		truth_usage("SECONDS [--map] [--truth FILE]");
#ifndef __x86_64__
	exit(77);
#endif
	end_ns = (uint64_t)(truth_number(argv[1], TRUTH_MAX_SEC) * 1e9);
	code = mmap(NULL, TRUTH_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		truth_die("mmap");
	put_caller(code + OUTER_AT, (uint64_t)(code + INNER_AT));
	put_caller(code + INNER_AT, (uint64_t)burn);
	if (mprotect(code, TRUTH_PAGE, PROT_READ | PROT_EXEC))
		truth_die("mprotect");
	if (map)
		write_map(code);
	while (truth_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns) {
		((void (*)(uint64_t *))(code + OUTER_AT))(&ns);
		stacks_stay();
	}
	stacks_add(&truth, "burn", ns);
	stacks_print(&truth);
	return 0;
}
