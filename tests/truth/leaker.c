/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * leaker MIB_PER_MINUTE SECONDS [SWEPT_MIB]: takes memory evenly and never gives it back; beside
 * it, a heap of SWEPT_MIB that fills and is swept each second. Says what it leaked, an hour of it,
 * and what the kernel has of its resident set. With 0 MiB a minute it is a steady program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB            (1024.0 * 1024)
#define TICK_NS        20000000
#define TICKS_A_SECOND 50

/* Pages that are there, since they are written to. */
static char *take(size_t bytes)
{
	char *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("leaker: mmap");
		exit(1);
	}
	return memory;
}

static long resident_bytes(void)
{
	long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2)
		resident = -1;
	if (file)
		fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv)
{
	double rate = argc > 2 ? atof(argv[1]) : -1, seconds = argc > 2 ? atof(argv[2]) : 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t swept = argc > 3 ? (size_t)(atof(argv[3]) * MIB) / page * page : 0;
	size_t total = (size_t)(rate * MIB * seconds / 60) / page * page, leaked = 0;
	unsigned long ticks = (unsigned long)(seconds * TICKS_A_SECOND);
	struct timespec next;
	char *memory, *heap;
	long before;

	if (rate < 0 || !(seconds > 0)) {
		fprintf(stderr, "usage: leaker MIB_PER_MINUTE SECONDS [SWEPT_MIB]\n");
		return 2;
	}
	memory = take(total + page);
	heap = take(swept + page);
	memset(heap, 1, page);
	before = resident_bytes();
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned long i = 1; i <= ticks; i++) {
		size_t due = (size_t)((double)total * (double)i / (double)ticks) / page * page;
		size_t filled = swept / TICKS_A_SECOND * (i % TICKS_A_SECOND);

		if (due > leaked)
			memset(memory + leaked, 1, due - leaked);
		leaked = due;
		if (filled)
			memset(heap, 1, filled);
		else if (swept)
			madvise(heap, swept, MADV_DONTNEED);
		next.tv_nsec += TICK_NS;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	if (swept)
		madvise(heap, swept, MADV_DONTNEED);
	printf("{\"leaked_bytes\": %zu, \"bytes_per_hour\": %.0f, \"rss_grown_bytes\": %ld}\n",
	       leaked, (double)leaked / seconds * 3600, resident_bytes() - before);
	return 0;
}
