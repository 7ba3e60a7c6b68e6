/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel tells of mapped code, out of the bytes of a perf ring. Pure. Each record ends
 * with its time (sample_id_all with PERF_SAMPLE_TIME alone).
 */
#ifndef PERFBPF_MEASURE_PERF_RECORDS_H
#define PERFBPF_MEASURE_PERF_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Code that was mapped, or (is_exec) a process that begins with nothing mapped. */
struct perf_mapped {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	int32_t pid;
	bool is_exec;
	uint64_t start, end, offset;
	uint8_t build_id_size; /* 0: not known */
	uint8_t build_id[20];
	/* Where it is not; inode 0: of no file. The device is as the file system has it. */
	uint32_t major, minor;
	uint64_t inode, generation;
	const char *path; /* "//anon" where it is in no file; valid during the call only */
};
typedef void (*perf_mapped_fn)(void *context, const struct perf_mapped *mapped);

/*
 * Hands over the records from *@tail up to @head of the ring of @size bytes at @data, and moves
 * *@tail there: places are counted on from turn to turn. Returns how many records are
 * lost: those that the kernel says it had no room for; one for each that makes no sense; one for
 * all that is behind a length that makes none.
 */
uint64_t perf_records_take(const void *data, uint64_t size, uint64_t *tail, uint64_t head,
			   perf_mapped_fn fn, void *context);

#endif
