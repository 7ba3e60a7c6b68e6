/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of places in code, each asked for once in a run: files are told apart by build id, so what
 * one process has taught holds for the next. Those of a round are looked up together, one file
 * after the other, so that the symbols of one file at a time take memory.
 */
#ifndef PERFBPF_CONDUCT_PLACE_NAMES_H
#define PERFBPF_CONDUCT_PLACE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "conduct/objects.h"
#include "measure/stacks.h"
#include "record/profile.h"

struct place_names;

/* Where names come from, and where they go. */
struct name_sources {
	struct objects *objects;
	FILE *kallsyms; /* NULL: kernel code stays without names */
	bool inlines;
	/* The name of code that is in no file, at @address of @process; NULL: not known. */
	const char *(*jit)(void *context, uint64_t process, uint64_t address);
	void *context;
	struct profile *profile; /* the same one each time */
};

/* NULL without memory. */
struct place_names *place_names_new(void);
void place_names_free(struct place_names *names);

/* The number of the place, which is of @process where it is in no file; HASH_INDEX_NONE without
 * memory. */
uint32_t place_names_add(struct place_names *names, const struct stack_frame *frame,
			 uint64_t process);
/* The number that it was given, or HASH_INDEX_NONE. */
uint32_t place_names_find(const struct place_names *names, const struct stack_frame *frame,
			  uint64_t process);
/* Names all that have none yet. 0, or -1 without memory. */
int place_names_look_up(struct place_names *names, const struct name_sources *sources);

/* Frames of the profile: several, where functions were inlined; the innermost first. */
struct place_name {
	const uint32_t *frames;
	uint32_t n;
	bool is_known;
};
struct place_name place_names_at(const struct place_names *names, uint32_t place);

/* A round is over: without many of them they are kept for the next. */
void place_names_rest(struct place_names *names);

#endif
