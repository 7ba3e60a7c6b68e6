/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of collector_fill(): each fills what its name says from a closed window; -1 without
 * memory. */
#ifndef PERFBPF_CONDUCT_FILL_H
#define PERFBPF_CONDUCT_FILL_H

#include "conduct/collector.h"
#include "measure/threads.h"
#include "record/record.h"

/* Requests, their kinds, latencies, peers, system calls, storage. */
int fill_requests(struct record_round *out, struct collector *collector);
int fill_latencies(struct record_round *out, const struct collector *collector);
int fill_syscalls(struct record_round *out, const struct collector *collector);
void fill_io(struct record_round *out, const struct collector *collector);

/* Where time went, of one or many threads; not known where @time is NULL. */
void fill_thread_time(struct record_time *out, const struct thread_time *time);
int fill_threads(struct record_round *out, struct collector *collector);
/* The window's phases, and what was used of the machine in each; not yet what limited them. */
int fill_phases(struct record_round *out, const struct collector *collector);

#endif
