/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mapfile N [--dir DIR] [--sequential]: writes a file of N pages, lets the kernel
 * drop it from its cache, maps it and reads each page cold. Without --sequential
 * there is no read-ahead, so that each page is a major fault. DIR must be on a disk: a
 * tmpfs has nothing to drop, and then major_faults is 0.
 */
#include <sys/mman.h>

#include "truth.h"

static int cold_file(const char *dir, size_t bytes)
{
	char path[4096], block[TRUTH_PAGE];
	int fd;

	snprintf(path, sizeof(path), "%s/perfbpf-mapfile-XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		truth_die("cannot make a file in %s", dir);
	unlink(path);
	memset(block, 'x', sizeof(block));
	for (size_t at = 0; at < bytes; at += sizeof(block)) {
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			truth_die("cannot write %s", path);
	}
	if (fsync(fd) < 0)
		truth_die("fsync");
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		truth_die("posix_fadvise");
	return fd;
}

int main(int argc, char **argv)
{
	struct rusage before, after;
	const char *dir, *memory;
	volatile char sink;
	size_t bytes;
	bool sequential;
	int fd;

	truth_start(&argc, argv);
	truth_in_child(&argc, argv);
	sequential = truth_flag(&argc, argv, "--sequential");
	dir = truth_option(&argc, argv, "--dir", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (argc < 2)
		truth_usage("N [--dir DIR] [--sequential] [--fork] [--truth FILE]");
	bytes = (size_t)truth_count(argv[1], 1L << 18) * TRUTH_PAGE;
	fd = cold_file(dir, bytes);
	memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		truth_die("mmap");
	if (madvise((void *)(uintptr_t)memory, bytes, sequential ? MADV_SEQUENTIAL : MADV_RANDOM))
		truth_die("madvise");
	before = truth_rusage(RUSAGE_SELF);
	for (size_t at = 0; at < bytes; at += TRUTH_PAGE)
		sink = memory[at];
	(void)sink;
	after = truth_rusage(RUSAGE_SELF);
	truth_print("{\"pid\": %d, \"pages\": %zu, \"minor_faults\": %ld, \"major_faults\": %ld, "
		    "\"here_minor_faults\": %ld, \"here_major_faults\": %ld}",
		    getpid(), bytes / TRUTH_PAGE, after.ru_minflt, after.ru_majflt,
		    after.ru_minflt - before.ru_minflt, after.ru_majflt - before.ru_majflt);
	return 0;
}
