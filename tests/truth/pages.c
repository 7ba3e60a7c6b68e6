/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pages N: touches N fresh pages. minor_faults is all that getrusage has for the
 * process (from its fork on, so what ran before exec is in it too), here_minor_faults
 * what was added while this program touched them.
 */
#include <sys/mman.h>

#include "truth.h"

int main(int argc, char **argv)
{
	struct rusage before, after;
	volatile char *memory;
	size_t bytes;
	long n;

	truth_start(&argc, argv);
	truth_in_child(&argc, argv);
	if (argc < 2)
		truth_usage("N [--fork] [--truth FILE]");
	n = truth_count(argv[1], 4L << 20);
	bytes = (size_t)n * TRUTH_PAGE;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		truth_die("mmap");
	/* EINVAL: a kernel without huge pages needs no advice. */
	if (madvise((void *)(uintptr_t)memory, bytes, MADV_NOHUGEPAGE) < 0 && errno != EINVAL)
		truth_die("madvise");
	before = truth_rusage(RUSAGE_SELF);
	for (size_t at = 0; at < bytes; at += TRUTH_PAGE)
		memory[at] = 1;
	after = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"pages\": %ld, \"minor_faults\": %ld, \"major_faults\": %ld, "
		    "\"here_minor_faults\": %ld}",
		    getpid(), n, after.ru_minflt, after.ru_majflt,
		    after.ru_minflt - before.ru_minflt);
	return 0;
}
