/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * planted NAME MS [WORD...]: calls itself NAME in the kernel, whatever bytes that are, works for MS
 * milliseconds, writes NAME on its standard output, and has a child do the same.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "truth.h"

static void work(const char *name, double ms)
{
	uint64_t end = truth_now_ns() + (uint64_t)(ms * 1e6);

	prctl(PR_SET_NAME, name);
	while (truth_now_ns() < end)
		truth_spin(1000);
	puts(name);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	double ms;
	pid_t pid;

	if (argc < 3)
		truth_usage("NAME MS [WORD...]");
	ms = truth_number(argv[2], 10000);
	pid = fork();
	work(argv[1], ms);
	return pid > 0 && waitpid(pid, NULL, 0) != pid;
}
