/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* deep FRAMES SECONDS: is busy for so long at the end of so many frames. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static __attribute__((noinline)) unsigned int descend(int frames, double until)
{
	volatile unsigned int n = 0;

	if (frames > 1)
		return descend(frames - 1, until) + n;
	while (cpu_seconds() < until)
		for (int i = 0; i < 10000; i++)
			n += (unsigned int)i;
	return n;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "deep FRAMES SECONDS\n");
		return 2;
	}
	/* main itself, __libc_start_call_main, __libc_start_main and _start are frames too. */
	return descend(atoi(argv[1]) - 4, atof(argv[2])) == 0;
}
