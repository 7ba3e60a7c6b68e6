/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory MIB HOLD_SECONDS: touches MIB, holds, gives half back, holds. The peak
 * is the kernel's own mark (VmHWM), read just before the end.
 */
#include <sys/mman.h>

#include "truth.h"

int main(int argc, char **argv)
{
	size_t bytes;
	uint64_t hold_ns;
	long full, half;
	char *memory;

	truth_start(&argc, argv);
	truth_in_child(&argc, argv);
	if (argc < 3)
		truth_usage("MIB HOLD_SECONDS [--fork] [--truth FILE]");
	bytes = (size_t)truth_count(argv[1], 16384) << 20;
	hold_ns = (uint64_t)(truth_number(argv[2], TRUTH_MAX_SEC / 2) * 1e9);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		truth_die("mmap");
	memset(memory, 1, bytes);
	full = truth_status_bytes("VmRSS");
	truth_sleep_ns(hold_ns);
	if (munmap(memory + bytes / 2, bytes - bytes / 2) < 0)
		truth_die("munmap");
	half = truth_status_bytes("VmRSS");
	truth_sleep_ns(hold_ns);
	truth_print("{\"pid\": %d, \"touched_bytes\": %zu, \"rss_peak_bytes\": %ld, "
		    "\"rss_full_bytes\": %ld, \"rss_half_bytes\": %ld, \"vms_peak_bytes\": %ld}",
		    getpid(), bytes, truth_status_bytes("VmHWM"), full, half,
		    truth_status_bytes("VmPeak"));
	return 0;
}
