/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stacks of one round, each once, compared frame by frame: two that only hash alike stay two.
 * Memory is bounded; what has no room any more is counted. Pure.
 */
#ifndef PERFBPF_MEASURE_STACKS_H
#define PERFBPF_MEASURE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfbpf.h"
#include "util/hash_index.h"

/* Frames, stacks and rows together. */
#define STACKS_MAX_BYTES (128 << 20)
#define STACKS_NO_PHASE  UINT32_MAX

/* Beside PB_OBJECT_ANON and files: code of the kernel. */
#define STACKS_OBJECT_KERNEL UINT32_MAX

/* @address: of the object's symbols; of PB_OBJECT_ANON and the kernel in memory. */
struct stack_frame {
	uint64_t address;
	uint32_t object;
	uint32_t pad; /* 0 */
};

/* Innermost first: the kernel's, then the user's. */
struct stack {
	uint32_t first; /* in frames */
	uint16_t n, n_kernel;
};

struct stack_row {
	uint64_t process; /* id, 0: one that has no account of its own */
	uint32_t stack;   /* in stacks */
	uint32_t phase;   /* STACKS_NO_PHASE: none */
	uint8_t source;   /* enum pb_stack_source */
	uint8_t reason;
	uint8_t end; /* enum pb_walk */
	uint8_t by_fp;
	uint32_t pad; /* 0 */
	uint64_t samples, weight_ns;
};

struct stacks {
	size_t n_frames, n_stacks, n_rows;
	size_t frames_room, stacks_room, rows_room;
	struct stack_frame *frames;
	struct stack *stacks;
	struct stack_row *rows;
	struct hash_index by_frames, by_row;
	uint64_t lost; /* samples without room */
};

/* Zeroed is empty. */
void stacks_clear(struct stacks *stacks);
/* The stack's index, the same for the same frames; HASH_INDEX_NONE where there is no room. */
uint32_t stacks_put(struct stacks *stacks, const struct stack_frame *frames, uint16_t n,
		    uint16_t n_kernel);
/* Adds to the row that differs in samples and weight only. What has no room is lost. */
void stacks_count(struct stacks *stacks, const struct stack_row *row);

#endif
