/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files share that find insights; used by insight*.c only. */
#ifndef PERFBPF_REPORT_INSIGHT_LIST_H
#define PERFBPF_REPORT_INSIGHT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"
#include "report/flame.h"

struct insights {
	struct record *rec;
	bool two_sided;
	size_t n_rounds[SIDES];
	const struct record_round **rounds[SIDES]; /* that were not cut short, in their order */
	double *room;                              /* for a value of each round */
	size_t n;
	struct insight_found {
		struct record_insight insight; /* owned */
		double weight;                 /* the larger, the earlier */
	} * found;
	bool failed; /* memory was short */
};

/* A number of a round; NAN: not known. */
typedef double insight_get(const struct record_round *round, const void *what);

/* Over the rounds of a side that know it. */
struct insight_range {
	size_t n;
	double median, min, max;
};

/* What a round is divided by, so that both sides are compared at equal work. */
struct insight_unit {
	double (*get)(const struct record_round *round);
	const char *text; /* " a round" */
};

/* Both sides in one number. */
struct insight_difference {
	double values[SIDES]; /* medians, in a unit */
	double delta;         /* B - A */
	bool is_beyond_noise;
};

/* What is to be explained. */
enum insight_kind {
	INSIGHT_CPU,
	INSIGHT_WALL,
	INSIGHT_LATENCY,
};

struct insight_target {
	enum insight_kind kind;
	const char *metric, *label;
	struct insight_unit unit;
	struct insight_difference difference;
	enum side more;  /* the side with more of it */
	double seconds;  /* by how much: above 0 */
	char extra[160]; /* "B's extra CPU time (1.43 s a round)" */
};

static inline const char *insights_letter(enum side side)
{
	return side == SIDE_A ? "A" : "B";
}

/* Appends one; @metric may be NULL, @value NAN. */
void insights_add(struct insights *list, const char *kind, const char *metric, double value,
		  double weight, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The row of the comparison; NULL: none. */
const struct record_comparison *insights_row(const struct insights *list, const char *metric);
/* Does the row say that the sides differ, by its verdict or, without a ratio, by the interval of
 * their difference? */
bool insights_is_decided(const struct record_comparison *row);
/* What a metric is called in a sentence: "CPU time". */
const char *insights_label(const char *metric);

struct insight_range insights_range(const struct insights *list, enum side side, insight_get *get,
				    const void *what);
/* Lie both apart, over so many rounds that chance rarely does that? */
bool insights_are_apart(const struct insight_range ranges[SIDES]);
/* Of a metric: of whole rounds by the row's verdict, else by the ranges. */
struct insight_difference insights_difference(const struct insights *list, const char *metric,
					      const struct insight_unit *unit);
/* Of all else, by the ranges. */
struct insight_difference insights_difference_of(const struct insights *list, insight_get *get,
						 const void *what, const struct insight_unit *unit);
/* Does the side with more of the target also have more of this, beyond the noise? */
bool insights_goes_along(const struct insight_target *target,
			 const struct insight_difference *difference);

/* insight_cause.c: causes of what differs most. */
void insights_find_causes(struct insights *list);
/* insight_detail.c: of one target; system calls, processes, what limited the sides. */
void insights_add_syscalls(struct insights *list, const struct insight_target *target);
void insights_add_processes(struct insights *list, const struct insight_target *target);
void insights_add_limits(struct insights *list, const struct insight_target *target);
/* insight_function.c: of one target; functions by their stacks. */
void insights_add_functions(struct insights *list, const struct insight_target *target);
/* insight_quality.c, insight_machine.c: the data, and where they come from. */
void insights_find_quality(struct insights *list);
void insights_find_machine(struct insights *list);
/* insight_next.c: after the others, on what they found. */
void insights_find_next(struct insights *list);

/* Of the machine's CPU time in the side's rounds, the part that neither the side nor the driver
 * used; the median, NAN: not known. */
double insights_others(const struct insights *list, enum side side);
/* The part of the side's time on CPUs that the host or interrupts took, over all rounds; NAN: not
 * known. */
double insights_stolen(const struct insights *list, enum side side);

#endif
