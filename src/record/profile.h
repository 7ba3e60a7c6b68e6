/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The stacks of a run, with names: what stacks.json.gz holds beside run.json, in memory. Like the
 * record it is the narrow waist: `run` fills it, every flame graph is a function of it.
 *
 * Stacks are a tree: a node is a frame and the node of its caller, so that stacks share what they
 * begin with. Every table only grows, and the same thing is put into it once: the functions that
 * add give back the index of what is there already, or -1 without memory.
 */
#ifndef PERFBPF_RECORD_PROFILE_H
#define PERFBPF_RECORD_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define PROFILE_SCHEMA    "perfbpf.stacks/1"
#define PROFILE_FILE_NAME "stacks.json.gz"
#define PROFILE_NONE      UINT32_MAX
/* Frames of one stack, more than a walk with all its inlined ones can give. A file with deeper ones
 * is refused. */
#define PROFILE_MAX_DEPTH 8192

enum profile_kind {
	PROFILE_ONCPU,
	PROFILE_OFFCPU,
	PROFILE_KINDS,
};

/* "oncpu", "offcpu". */
const char *profile_kind_name(enum profile_kind kind);

enum profile_frame_kind {
	PROFILE_FRAME_NATIVE, /* of a file */
	PROFILE_FRAME_KERNEL,
	PROFILE_FRAME_JIT,     /* compiled at run time: in no file */
	PROFILE_FRAME_INLINED, /* into the frame that is its caller here */
	PROFILE_FRAME_MARK,    /* no code: "[truncated]", "[woken while looked at]" */
	PROFILE_FRAME_KINDS,
};

/* "native", "kernel", … as in the file. */
const char *profile_frame_kind_name(enum profile_frame_kind kind);

/* A file that code is in. */
struct profile_module {
	char *path;     /* "/usr/sbin/nginx", "[vdso]", "[kernel]", a kernel module as "[ext4]" */
	char *build_id; /* in hexadecimal, NULL: none */
};

struct profile_frame {
	char *function;   /* demangled; NULL: not known, see profile_frame_label() */
	uint32_t module;  /* PROFILE_NONE: of no file */
	uint64_t address; /* in the module, as its symbols have it: where the function begins where
			     it has a name, else the place itself */
	char *source;     /* NULL: not known (only with inlined frames) */
	uint32_t line;
	enum profile_frame_kind kind;
};

struct profile_node {
	uint32_t parent; /* PROFILE_NONE: this is the thread's start, or what is known of it */
	uint32_t frame;
};

/* How the walk up a user stack ended; PB_WALK_* in the words of the file. */
enum profile_end {
	PROFILE_END_COMPLETE,
	PROFILE_END_NO_USER, /* a thread of the kernel, which has no user stack */
	PROFILE_END_DEPTH,
	PROFILE_END_MEMORY,
	PROFILE_END_UNMAPPED,
	PROFILE_END_UNLOADED,
	PROFILE_END_EXPRESSION,
	PROFILE_END_BROKEN,
	PROFILE_END_WOKEN,
	PROFILE_ENDS,
};

/* "complete", "no user stack", "too deep", … */
const char *profile_end_name(enum profile_end end);
/* Is the stack cut off before the thread's start? */
bool profile_end_is_truncated(enum profile_end end);

/* Samples of one stack, in one phase of one round, of processes of one name. */
struct profile_row {
	uint32_t round;   /* index in record.rounds */
	uint32_t phase;   /* index in its phases, PROFILE_NONE: in none */
	uint32_t process; /* index in processes */
	uint32_t node;    /* innermost frame; PROFILE_NONE: of an empty stack */
	uint8_t kind;     /* enum profile_kind */
	uint8_t reason;   /* index in profile_reasons, off-CPU only */
	uint8_t end;      /* enum profile_end */
	bool by_fp;       /* some of its frames were found by frame pointers */
	uint64_t samples;
	double seconds; /* that they stand for */
};

/*
 * Why a thread was off its CPU, in the order of enum pb_wait and PB_REASON_RUN_QUEUE: "futex"
 * "socket" "pipe" "disk" "timer" "other" "run queue"; last "", of on-CPU rows.
 */
#define PROFILE_REASONS     8
#define PROFILE_REASON_NONE 7
extern const char *const profile_reasons[PROFILE_REASONS];

struct profile {
	size_t n_modules, n_frames, n_nodes, n_processes, n_rows;
	struct profile_module *modules;
	struct profile_frame *frames;
	struct profile_node *nodes; /* a parent comes before its children */
	char **processes;           /* names (comm) */
	struct profile_row *rows;
	struct profile_index *index; /* for finding what is there; profile.c only */
};

struct profile *profile_new(void);
/* NULL is fine. */
void profile_free(struct profile *profile);

/* All strings are copied. */
int64_t profile_add_module(struct profile *profile, const char *path, const char *build_id);
int64_t profile_add_process(struct profile *profile, const char *name);
/* @frame's strings are copied; the same function of the same module, with the same address, source
 * line and kind, is there once. */
int64_t profile_add_frame(struct profile *profile, const struct profile_frame *frame);
int64_t profile_add_node(struct profile *profile, uint32_t parent, uint32_t frame);
/* Adds to the row that differs in samples and seconds only, or appends one. 0 or -1. The reason of
 * an on-CPU row is PROFILE_REASON_NONE whatever it says. */
int profile_add_row(struct profile *profile, const struct profile_row *row);

/*
 * What a frame is called: its function, else "[unknown] (nginx+0x1234)" by the last part of its
 * module's path, else "[unknown] (0x7f…)". Writes at most @size bytes with the NUL; returns @buf.
 * Not escaped: it may hold anything.
 */
const char *profile_frame_label(const struct profile *profile, uint32_t frame, char *buf,
				size_t size);

/*
 * stacks.json.gz: gzip'ed JSON. profile_write() goes through a temporary file and rename, as
 * run.json does. profile_read() gives NULL with @err for what is broken (the file and the key are
 * named), and checks every index, so that a profile that was read is sound. @path is the file;
 * profile_parse() takes the JSON text itself. docs/stacks-json.md describes it.
 */
int profile_write(const struct profile *profile, int dirfd, const char *dir, struct error *err);
struct profile *profile_read(const char *path, struct error *err);
/* The JSON text, to be freed; NULL without memory. */
char *profile_to_json(const struct profile *profile);
struct profile *profile_parse(const char *text, size_t size, const char *name, struct error *err);

#endif
