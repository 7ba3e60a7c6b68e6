/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files as a process has them: what it has mapped, also where it was deleted or lies in another
 * mount namespace, and what its run-time compiler tells of its code. Opened with the rights of who
 * calls: the keeper, where there is one.
 *
 * They may be handed to somebody with fewer rights, so what is opened is proven to be such a file:
 * a regular one that the process has mapped as code at this moment; or a map by the name that its
 * number gives, which is the process's user's or root's. Paths are walked below the process's root,
 * and no symbolic link leads out of it.
 */
#ifndef PERFBPF_CONDUCT_PROCESS_FILE_H
#define PERFBPF_CONDUCT_PROCESS_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct mapped_file {
	int32_t pid;
	uint64_t start;   /* of one of its mappings, when it was seen */
	const char *path; /* then, "/…" or "/… (deleted)" */
	bool by_path; /* only by this path, wherever it lies, or, there, by one that ends with it */
};

/* The file for reading, or -errno: -ENOENT where the process has it mapped no more. */
int process_file_mapped(const struct mapped_file *file);
/* The perf map of @pid for reading, or -errno. */
int process_file_perf_map(int32_t pid);
/* The regular file at @path for reading, or -errno: -EINVAL where it is another kind, which is not
 * opened: that can do things. */
int process_file_regular(const char *path);
/* The same, but not through a symbolic link. */
int process_file_own(const char *path);
/* When @pid started: nanoseconds of CLOCK_BOOTTIME, in steps of 10 ms. 0: there is no such process.
 */
uint64_t process_file_started_ns(int32_t pid);

#endif
