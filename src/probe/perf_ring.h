/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* perf events: a sampling one and one that tells of mapped code, on each CPU. Private to probe/. */
#ifndef PERFBPF_PROBE_PERF_RING_H
#define PERFBPF_PROBE_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/perf_records.h"

/*
 * Cycles that a CPU makes in a second of work, measured; 0 where the machine does not count them,
 * as most virtual ones.
 */
uint64_t perf_cycles_per_second(void);
/*
 * A sampling event on @cpu, @frequency times a second: by its clock, or where @cycles are not 0
 * after so many cycles that it comes to that. Each sample stands for the same amount (the kernel's
 * own adapting would take more samples where a CPU is idle at times). Not running yet. An fd, or
 * -errno.
 */
int perf_sampling_open(int cpu, uint64_t frequency, uint64_t cycles);

/* May such events be had? On @why_not the reason. @cycles: by hardware cycles. */
bool perf_can_sample(bool cycles, char *why_not, size_t size);
bool perf_can_tell_mapped(char *why_not, size_t size);

struct perf_rings;

/* Tells of all code that is mapped on the machine, from now on. NULL with errno. */
struct perf_rings *perf_rings_open(void);
/* NULL is fine. */
void perf_rings_free(struct perf_rings *rings);
/* Hands over what has been mapped since; returns how many of them were lost. */
/* Becomes readable when one of them is half full. */
int perf_rings_fd(const struct perf_rings *rings);
uint64_t perf_rings_drain(struct perf_rings *rings, perf_mapped_fn fn, void *context);

#endif
