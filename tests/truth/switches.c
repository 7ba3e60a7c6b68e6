/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* switches N: sleeps N times for 50 us: each is one voluntary context switch, as getrusage counts.
 */
#include "truth.h"

int main(int argc, char **argv)
{
	struct rusage usage;
	long n;

	truth_start(&argc, argv);
	truth_in_child(&argc, argv);
	if (argc < 2)
		truth_usage("N [--fork] [--truth FILE]");
	n = truth_count(argv[1], 1000000);
	for (long i = 0; i < n; i++)
		truth_sleep_ns(50000);
	usage = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"voluntary_switches\": %ld, \"involuntary_switches\": %ld, "
		    "\"context_switches\": %ld}",
		    getpid(), usage.ru_nvcsw, usage.ru_nivcsw, usage.ru_nvcsw + usage.ru_nivcsw);
	return 0;
}
