/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of the profiler share. */
#ifndef PERFBPF_CONDUCT_PROFILER_INTERNAL_H
#define PERFBPF_CONDUCT_PROFILER_INTERNAL_H

#include "conduct/looker.h"
#include "conduct/objects.h"
#include "conduct/place_names.h"
#include "conduct/process_spaces.h"
#include "conduct/profiler.h"
#include "measure/stacks.h"

/* The last stack of a thread that was off its CPU: it is told again by this. */
struct last_stack {
	uint64_t process;
	int32_t tid;
	bool by_fp;
	uint8_t end;
	uint32_t stack;
};

/* A sample as it came, until it is settled. */
struct sample {
	uint64_t time_ns;
	size_t at; /* in bytes */
	size_t size;
};

struct profiler {
	struct probe *probe;
	struct keeper *keeper; /* NULL: perfbpf opens files itself */
	bool inlines;
	struct objects *objects;
	struct tables *tables;
	struct place_names *names;
	FILE *kallsyms;
	/* Of the present round */
	struct process_spaces *spaces;
	struct stacks stacks;
	size_t n_last, last_room;
	struct last_stack *last;
	struct hash_index last_index;
	size_t n_phases;
	uint64_t *phase_begins_ns;
	uint64_t deferred[2], lost[2]; /* by enum pb_stack_source */
	uint64_t mapped_lost, evicted_before, objects_lost_before;
	/* What waits to be settled */
	uint64_t fetched_ns; /* up to here, all that has changed has come */
	size_t n_samples, samples_room, n_bytes, bytes_room;
	struct sample *samples;
	char *bytes;
	/* Looks at what does not run */
	struct looker *looker; /* NULL: they are not wanted */
	uint64_t period_ns;
	uint32_t stride;
	uint64_t looked_at; /* threads that were found since the stride was chosen */
};

#endif
