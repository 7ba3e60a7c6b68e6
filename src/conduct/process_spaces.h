/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the side's processes have mapped, followed through forks and execs: changes come from
 * several sources, each in its own order, and are applied in the order of their times.
 */
#ifndef PERFBPF_CONDUCT_PROCESS_SPACES_H
#define PERFBPF_CONDUCT_PROCESS_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conduct/objects.h"
#include "measure/perf_records.h"
#include "measure/space.h"
#include "measure/tables.h"
#include "perfbpf.h"

struct process_space {
	uint64_t id;
	uint32_t slot;
	int32_t pid;
	struct space *space;
	/* Before something else was mapped: what the kernel walked by until then, NULL: space. */
	struct space *walked;
	uint64_t walked_until_ns;
	uint32_t settles; /* of it still to come: samples from before may only come now */
	bool has_ended;
	/* Execs that were told by what is mapped, and by the kernel's side: the first can be lost.
	 */
	uint32_t execs_mapped, execs_told;
	bool is_published; /* the kernel knows space, as it is now, */
	uint32_t execs;    /* as that of the image of this number */
};

struct process_spaces;

/* @slots: PB_SLOTS, to which the tables' indices go. NULL without memory. */
struct process_spaces *process_spaces_new(struct objects *objects, struct tables *tables,
					  struct pb_slot *slots);
void process_spaces_free(struct process_spaces *spaces);

/* Keep for later what has changed: a process's start or end, and what was mapped. Without memory,
 * and beyond 65,536 of them, it counts as lost. */
void process_spaces_event(struct process_spaces *spaces, const struct pb_event *event);
void process_spaces_mapping(struct process_spaces *spaces, const struct pb_event_mapping *event);
void process_spaces_mapped(struct process_spaces *spaces, const struct perf_mapped *mapped);

/* Sorts what was kept; then applies all of it that is not after @until_ns. */
void process_spaces_sort(struct process_spaces *spaces);
void process_spaces_apply(struct process_spaces *spaces, uint64_t until_ns);
/*
 * Applies all that is not after @until_ns, up to which everything has come; the rest waits for what
 * may still come before it. Those that have ended go.
 */
void process_spaces_settle(struct process_spaces *spaces, uint64_t until_ns);

/*
 * Loads the rows of what is mapped now, as long as there is room for them: all that is small, and
 * for some 200 ms what is large, too.
 */
void process_spaces_prepare(struct process_spaces *spaces);
/* NULL: nobody of this number. Valid until the next call. */
struct process_space *process_spaces_find(struct process_spaces *spaces, uint64_t id);
/* Tells the kernel what the process has mapped, whose image is the one of number @execs. */
void process_spaces_publish(struct process_spaces *spaces, struct process_space *process,
			    uint32_t execs);
/* What of the process holds @pc, with its bias; NULL: nothing that is known. Valid until anything
 * else is mapped. */
const struct space_mapping *process_spaces_locate(struct process_spaces *spaces,
						  const struct process_space *process, uint64_t pc);
/*
 * Are the *@n user frames at @pcs, innermost first, all right, that the kernel found at @time_ns?
 * Where other code had come to the place of what it knew, it looked for the caller by rules of the
 * code before: then *@n takes how many are.
 */
bool process_spaces_verify(const struct process_space *process, uint64_t time_ns,
			   const uint64_t *pcs, uint32_t *n);
/* Mappings that could not be kept. */
uint64_t process_spaces_lost(const struct process_spaces *spaces);

#endif
