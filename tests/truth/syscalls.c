/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscalls N M [--sleeps K]: N calls each of getppid, read and write; M that fail each of
 * read, write and close; K sleeps of 5 ms. What the program loader calls comes on top: the
 * difference of two runs is exact.
 */
#include <sys/syscall.h>

#include "truth.h"

#define SLEEP_NS 5000000L

static void call(long n, int from, int to)
{
	char byte = 0;

	for (long i = 0; i < n; i++) {
		syscall(SYS_getppid);
		if (syscall(SYS_read, from, &byte, 1) != 1 || syscall(SYS_write, to, &byte, 1) != 1)
			truth_die("cannot read and write");
	}
}

static void fail(long m)
{
	char byte = 0;

	for (long i = 0; i < m; i++) {
		if (syscall(SYS_read, -1, &byte, 1) >= 0 || syscall(SYS_write, -1, &byte, 1) >= 0 ||
		    syscall(SYS_close, -1) >= 0)
			truth_die("a call did not fail");
	}
}

static double sleep_often(long k)
{
	const struct timespec nap = {.tv_nsec = SLEEP_NS};
	uint64_t begin_ns = truth_now_ns();

	for (long i = 0; i < k; i++)
		syscall(SYS_nanosleep, &nap, NULL);
	return (double)(truth_now_ns() - begin_ns) / 1e9;
}

int main(int argc, char **argv)
{
	double slept_seconds;
	int from, to;
	long n, m, k;

	truth_start(&argc, argv);
	k = truth_count(truth_option(&argc, argv, "--sleeps", "0"), 1000);
	if (argc < 3)
		truth_usage("N M [--sleeps K] [--truth FILE]");
	n = truth_count(argv[1], 10000000);
	m = truth_count(argv[2], 10000000);
	from = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	to = open("/dev/null", O_WRONLY | O_CLOEXEC);
	call(n, from, to);
	fail(m);
	slept_seconds = sleep_often(k);
	truth_print("{\"pid\": %d, \"each\": %ld, \"failing\": %ld, \"sleeps\": %ld, "
		    "\"slept_seconds\": %.6f}",
		    getpid(), n, m, k, slept_seconds);
	return 0;
}
