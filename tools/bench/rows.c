/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rows FILE: how long it takes to make the walker's rows of a file's CFI, from opening it to the
 * finished table (the median of three), and what they do not hold. Prints one line of JSON.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "symbol/cfi.h"
#include "util/clock.h"

#define TIMES 3

static void die(const char *path, const char *what)
{
	fprintf(stderr, "rows: %s: %s\n", path, what);
	exit(1);
}

static double build(const char *path, struct cfi_rows *rows)
{
	uint64_t start = clock_now_ns(), ns;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct elf_file *file = fd < 0 ? NULL : elf_file_open(fd);

	if (!file)
		die(path, "no ELF file of 64 bits that can be read");
	err = cfi_rows_build(file, rows);
	if (err)
		die(path, strerror(-err));
	ns = clock_now_ns() - start;
	elf_file_close(file);
	return (double)ns / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	struct cfi_rows rows;
	double seconds[TIMES];
	struct stat st;

	if (argc != 2)
		die("usage", "rows FILE");
	if (stat(argv[1], &st))
		die(argv[1], "is not there");
	for (int i = 0; i < TIMES; i++) {
		seconds[i] = build(argv[1], &rows);
		if (i < TIMES - 1)
			cfi_rows_clear(&rows);
	}
	qsort(seconds, TIMES, sizeof(*seconds), by_value);
	printf("{\"file_bytes\":%jd,\"rows\":%zu,\"entries\":%" PRIu64
	       ",\"seconds\":%.4f,\"rows_bytes\":%zu,\"gaps\":{",
	       (intmax_t)st.st_size, rows.n, rows.entries, seconds[TIMES / 2],
	       rows.n * sizeof(*rows.rows));
	for (int gap = 0; gap < CFI_GAPS; gap++)
		printf("%s\"%s\":%" PRIu64, gap ? "," : "", cfi_gap_name((enum cfi_gap)gap),
		       rows.gaps[gap]);
	puts("}}");
	cfi_rows_clear(&rows);
	return 0;
}
