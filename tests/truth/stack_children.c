/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack_children fork SECONDS         a child that is no other program burns
 * stack_children vfork SECONDS        a child does that still has its parent's memory
 * stack_children spawn N MILLISECONDS N times another image of this program, one after the other,
 *                                     as posix_spawn makes them; each burns so much in all
 */
#include <spawn.h>

#include "stacks.h"

extern char **environ;

STACKS_FUNCTION void in_child(uint64_t end_ns);

void in_child(uint64_t end_ns)
{
	truth_burn_until(CLOCK_THREAD_CPUTIME_ID, end_ns);
	stacks_stay();
}

static void one_child(bool shares_memory, uint64_t ns)
{
	pid_t pid = shares_memory ? vfork() : fork();

	if (pid == 0) {
		in_child(ns);
		_exit(0);
	}
	if (pid < 0)
		truth_die("fork");
	truth_wait(pid);
}

static void many_images(char **argv)
{
	char self[4096] = "", image[] = "image", *words[] = {argv[0], image, argv[3], NULL};
	long n = truth_count(argv[2], 10000);
	pid_t pid;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		truth_die("readlink");
	for (long i = 0; i < n; i++) {
		errno = posix_spawn(&pid, self, NULL, NULL, words, environ);
		if (errno)
			truth_die("posix_spawn");
		truth_wait(pid);
	}
}

int main(int argc, char **argv)
{
	struct stacks_truth truth = {.random = 1};
	struct rusage usage;

	/* As short as it can be: of its life as little as possible is before in_child(). */
	if (argc > 2 && strcmp(argv[1], "image") == 0) {
		in_child((uint64_t)(atof(argv[2]) * 1e6));
		return 0;
	}
	truth_start(&argc, argv);
	if (argc > 3 && strcmp(argv[1], "spawn") == 0)
		many_images(argv);
	else if (argc > 2 && (strcmp(argv[1], "fork") == 0 || strcmp(argv[1], "vfork") == 0))
		one_child(argv[1][0] == 'v', (uint64_t)(truth_number(argv[2], 100) * 1e9));
	else
		truth_usage("fork|vfork SECONDS or spawn N MILLISECONDS [--truth FILE]");
	usage = truth_rusage(RUSAGE_CHILDREN);
	stacks_add(&truth, "in_child", (uint64_t)(truth_cpu_seconds(&usage) * 1e9));
	stacks_print(&truth);
	return 0;
}
