/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The stacks of one side, or of both beside each other, as one tree of frames with what each of
 * them cost: what every format for stacks is made from. Pure functions of the record.
 *
 * Below the root are the processes by name; below them frames by name, the outermost first. Stacks
 * that were cut off stand apart below a mark, and off the CPU the innermost frame is the reason.
 */
#ifndef PERFBPF_REPORT_FLAME_H
#define PERFBPF_REPORT_FLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/profile.h"
#include "record/record.h"

#define FLAME_NONE UINT32_MAX
/* A graph of more frames is drawn without its innermost ones. */
#define FLAME_MAX_NODES (2U << 20)
/* A name of a frame is cut beyond so many bytes. */
#define FLAME_NAME_MAX    1024
#define FLAME_QUALITY_MAX 512

enum flame_side {
	FLAME_A = SIDE_A,
	FLAME_B = SIDE_B,
	FLAME_DIFF, /* both, B's values scaled to A's work */
};

struct flame_name {
	char *text;
	enum profile_frame_kind kind;
	bool is_process;
	uint32_t module; /* of the profile; PROFILE_NONE: none, or several */
};

/* What frames are called, each name and kind once, in alphabetical order. */
struct flame_names {
	size_t n;
	struct flame_name *list;
	uint32_t *of_frame, *of_process; /* by index in the profile */
	uint32_t of_reason[PROFILE_REASONS];
	uint32_t root, truncated;
};

/* NULL without memory. Lives no longer than @profile. */
struct flame_names *flame_names_new(const struct profile *profile);
void flame_names_free(struct flame_names *names);

/* Of one side. Seconds are a mean over its rounds, B's in a difference scaled to A's work. */
struct flame_value {
	double samples;         /* of all rounds together */
	double sampled_seconds; /* that they stand for, of all rounds together */
	double seconds;         /* so scaled that a round adds up to its exact account */
	double deviation;       /* standard deviation of that between rounds; NAN with one round */
	double variance; /* of the mean: by the rounds, or by the samples where that is larger */
};

struct flame_node {
	uint32_t parent; /* before its children; FLAME_NONE: the root, which is node 0 */
	uint32_t name;
	uint32_t first, n; /* its children: flame->children[first] and the following, by name */
	struct flame_value total[SIDES];
	double self_samples[SIDES], self_seconds[SIDES];
	double width; /* in seconds: of the side; of both the larger, so that nothing vanishes */
};

struct flame_options {
	enum flame_side side;
	enum profile_kind kind;
	const char *phase; /* NULL: the whole window */
};

struct flame {
	const struct record *rec;
	const struct flame_names *names;
	struct flame_options options;
	size_t n_nodes;
	struct flame_node *nodes;
	uint32_t *children;
	size_t rounds[SIDES];  /* that were averaged */
	double work[SIDES];    /* of a round, of a difference */
	const char *work_unit; /* "lines", "requests", "rounds" */
	bool exact;            /* every round knew its exact account; else seconds are sampled */
	double cut_samples;    /* whose innermost frames were beyond FLAME_MAX_NODES */
	size_t n_rows;
	struct flame_row {
		uint32_t row, node; /* of the profile; innermost of the tree */
	} * rows;                   /* round by round */
};

/*
 * NULL with @err, in words for the user: no stacks in the record, none of that kind or side, no
 * such phase. @names are of the record's profile. Lives no longer than @rec and @names.
 */
struct flame *flame_new(const struct record *rec, const struct flame_names *names,
			const struct flame_options *options, struct error *err);
void flame_free(struct flame *flame);

/* Are there samples of @kind on that side (of a difference: on both)? */
bool flame_has(const struct record *rec, enum flame_side side, enum profile_kind kind);

/* B against A. */
struct flame_change {
	double delta;    /* seconds for A's work */
	double relative; /* of A; INFINITY: only B has it */
	double step;     /* delta / larger of both: -1 vanished, 1 new */
	bool is_noise;   /* below two standard errors */
};
struct flame_change flame_change_of(const struct flame_value *a, const struct flame_value *b);

/* What B's seconds were multiplied with to be those of A's work; 1 of a single side. */
double flame_work_scale(const struct flame *flame);

/* One name over all stacks. Recursion counts once in the total. */
struct flame_function {
	uint32_t name;
	struct flame_value self[SIDES], total[SIDES]; /* without sampled_seconds */
};

/* Every name that is a function, in the order of names, to be freed; NULL without memory. */
struct flame_function *flame_functions(const struct flame *flame, size_t *n);

/* The sums over the rounds of a side; what no round knows is not known. event is borrowed. */
struct record_stacks flame_stacks_of(const struct record *rec, enum side side,
				     enum profile_kind kind);
/*
 * "97.8 % of samples complete to the thread's start, 1.2 % truncated, …; 1,234 samples, 12.4 s
 * sampled, 12.5 s exact"; returns @buf.
 */
char *flame_quality(char buf[FLAME_QUALITY_MAX], const struct record_stacks *stacks);
/* "on-CPU", "off-CPU". */
const char *flame_kind_title(enum profile_kind kind);
/* The name of a side's target, "A" or "B" where it has none. */
const char *flame_target(const struct record *rec, enum side side);

#endif
