/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The side under test as the kernel told it: its processes, what each has used
 * within the window, and the totals at a tick. Pure: it reads slots and events from
 * memory and knows neither BPF nor /proc, so it is tested on made-up ones.
 */
#ifndef PERFBPF_MEASURE_TREE_H
#define PERFBPF_MEASURE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/threads.h"
#include "perfbpf.h"

/* Ended processes are listed up to here; the costs of the rest are in the totals alone. */
#define TREE_MAX_ENDED 20000

struct tree_process {
	uint64_t id;
	uint32_t slot; /* while it lives */
	int32_t pid, ppid;
	char comm[PB_COMM_LEN];
	char exe[PB_EXE_LEN];
	uint64_t started_ns, exited_ns; /* CLOCK_MONOTONIC; exited_ns 0: lives */
	int32_t exit_code;              /* as wait(2) encodes it */
	int32_t threads_peak;
	uint32_t execs;
	bool held; /* perfbpf's own fork until its first exec: that image's memory is not the
		      target's */
	struct pb_totals used; /* in the window */
	struct pb_totals base; /* at the window's opening */
	uint64_t peak_at_base; /* the kernel's high-water mark then */
	uint64_t rss_peak_bytes, vms_peak_bytes;
	struct thread_time time; /* of its threads, once they have ended or the window closed */
};

/* The whole tree at one moment. */
struct tree_sum {
	struct pb_totals used; /* since the window's opening */
	uint64_t rss_anon_bytes, rss_file_bytes, rss_shmem_bytes;
	uint64_t vms_bytes;
	uint64_t largest_process_vms_bytes;  /* of one process, by the kernel's mark */
	uint64_t largest_process_peak_bytes; /* of one process, by the kernel's mark, if it rose in
						the window */
	uint32_t live;
};

struct tree;

/* @slots: PB_SLOTS accounts, which stay the caller's. NULL without memory. */
struct tree *tree_new(const struct pb_slot *slots);
void tree_free(struct tree *tree);

/*
 * Takes in one event. Returns the slot to be given back (probe_slot_free), 0 where none.
 * Events of unknown kind or wrong size are counted as malformed and otherwise ignored.
 */
uint32_t tree_event(struct tree *tree, const struct pb_event *event, size_t size);
/* All threads that have been told of in the window. */
struct threads *tree_threads(struct tree *tree);
/* The process @pid was forked by perfbpf and waits for its exec. */
void tree_set_held(struct tree *tree, int32_t pid);

/* Both after a snapshot and after all events have been taken in. */
void tree_window_open(struct tree *tree, uint64_t now_ns);
void tree_window_close(struct tree *tree, uint64_t now_ns);
/* The totals now, after a snapshot. Updates the processes' peaks. */
void tree_sum(struct tree *tree, struct tree_sum *sum);

/* All processes that lived in the window, in order of their start; valid until the next call on
 * @tree. */
const struct tree_process *tree_processes(const struct tree *tree, size_t *n);
/* Processes that are not listed: ended beyond TREE_MAX_ENDED, or their end was lost. */
uint64_t tree_unlisted(const struct tree *tree);
/* When the last process ended, 0: none has. */
uint64_t tree_last_exit_ns(const struct tree *tree);
/* The pid's process, or NULL; the youngest where the number was used twice. */
const struct tree_process *tree_find(const struct tree *tree, int32_t pid);

/* c = a - b, field by field; never below 0. */
void totals_subtract(struct pb_totals *c, const struct pb_totals *a, const struct pb_totals *b);
void totals_accumulate(struct pb_totals *into, const struct pb_totals *from);

#endif
