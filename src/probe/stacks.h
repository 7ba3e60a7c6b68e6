/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Samples of stacks: the sampling events, what the kernel tells of mapped code, and the tables
 * by which stacks are walked. What goes into the tables is measure/'s business.
 */
#ifndef PERFBPF_PROBE_STACKS_H
#define PERFBPF_PROBE_STACKS_H

#include "measure/perf_records.h"
#include "measure/tables.h"
#include "probe/probe.h"

bool probe_has_oncpu(const struct probe *probe);
bool probe_has_offcpu(const struct probe *probe);
/* The memory that the programs read. */
void probe_tables(const struct probe *probe, struct table_memory *tables);
/* What a sample on a CPU is taken by: "cycles" or "cpu-clock"; how often a second on each CPU. */
const char *probe_oncpu_event(const struct probe *probe);
double probe_oncpu_frequency(const struct probe *probe);

/* Hands over all samples and mappings (PB_EVENT_STACK, PB_EVENT_MAPPING) that are there. */
int probe_stacks_drain(struct probe *probe, probe_event_fn fn, void *context);
/* Becomes readable when so many samples wait that they should not wait for the next tick. */
int probe_stacks_fd(const struct probe *probe);
/* The same of what was mapped. */
int probe_mapped_fd(const struct probe *probe);
/*
 * Looks at the threads that are off their CPUs, at every @stride-th of them; each look stands for
 * @weight_ns. @from_ns: since when perfbpf has had its CPU. 0, or -errno.
 */
int probe_offcpu_look(struct probe *probe, uint64_t from_ns, uint64_t weight_ns, uint32_t stride);
/* Tells all code that the members have mapped now. 0, or -errno. */
int probe_mappings_tell(struct probe *probe);
/* Marks what is used from here on (pb_object.used_at). Returns the mark. */
uint32_t probe_sweep(struct probe *probe);

/* Hands over what any process of the machine has mapped since; returns how many of them were lost.
 */
uint64_t probe_mapped_drain(struct probe *probe, perf_mapped_fn fn, void *context);

#endif
