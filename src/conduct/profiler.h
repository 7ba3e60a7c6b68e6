/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the kernel's samples to stacks with names: keeps what is mapped, fills the tables by which
 * the kernel walks, goes on with walks that it could not end, and after the window puts names to it
 * all.
 */
#ifndef PERFBPF_CONDUCT_PROFILER_H
#define PERFBPF_CONDUCT_PROFILER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "conduct/keeper.h"
#include "measure/tree.h"
#include "probe/probe.h"
#include "record/record.h"

struct profiler;

/*
 * Lives as long as the run. @keeper opens the files of the processes, as long as it lives itself;
 * NULL: perfbpf does with its own rights. @kallsyms: the kernel's symbols, opened while it may be,
 * which it takes over; NULL: kernel code stays without names. @inlines: functions that were
 * inlined, too. To be called while perfbpf has its rights. NULL without memory.
 */
struct profiler *profiler_new(struct probe *probe, struct keeper *keeper, FILE *kallsyms,
			      bool inlines);
/* NULL is fine, here and in all below: then no stacks are wanted. */
void profiler_free(struct profiler *profiler);

/* A new round: nothing is known of its processes. 0, or -1 without memory. */
int profiler_round_begin(struct profiler *profiler);
/* Processes that ran already have become members: what they have mapped is asked for. 0 or -errno.
 */
int profiler_attached(struct profiler *profiler);
/*
 * The window will open: the rows of what the members have mapped by now are made, so that this is
 * not done inside of it. Bounded: what takes longer comes when a stack leads there.
 */
void profiler_prepare(struct profiler *profiler);
/* A process's start or end, as the ring has it. */
void profiler_event(struct profiler *profiler, const struct pb_event *event);
/* From @at_ns on it is phase @index of the window. */
void profiler_phase(struct profiler *profiler, uint32_t index, uint64_t at_ns);

/*
 * Takes over what has come: first profiler_fetch(), then all events of the ring go to
 * profiler_event(), then profiler_settle().
 */
void profiler_fetch(struct profiler *profiler);
void profiler_settle(struct profiler *profiler);

/* The window opens: from here on what does not run is looked at. */
void profiler_looks_begin(struct profiler *profiler, uint64_t now_ns);
/* It is closed. 0, or -errno where a look could not be made. */
int profiler_looks_end(struct profiler *profiler);

/*
 * The window is closed and all has been settled: the round's stacks go into @rec->profile (made
 * where there is none) as those of round @index, and how good they are into @out. While the
 * processes live, so that what run-time compilers tell of their code can be read. -1 without
 * memory.
 */
int profiler_fill(struct profiler *profiler, struct record *rec, uint32_t index,
		  struct record_round *out, const struct tree *tree);

#endif
