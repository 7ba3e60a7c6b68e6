/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files share that build sections; used inside report/ only. */
#ifndef PERFBPF_REPORT_BUILDER_H
#define PERFBPF_REPORT_BUILDER_H

#include <math.h>

#include "report/merged.h"
#include "report/section.h"

/* What sections are made from, and where they go. */
struct builder {
	const struct record *rec;
	const struct summary *summary;
	struct merged *sides[SIDES];
	struct sections *out;
	bool all;
	bool always_use; /* by phase, also where there is one */
};

static inline size_t sides_of(const struct builder *b)
{
	return b->summary->two_sided ? SIDES : 1;
}

static inline const struct record_round *sum_of(const struct builder *b, size_t side)
{
	return &b->sides[side]->sum;
}

static inline double as_real(int64_t value)
{
	return value == RECORD_NONE ? NAN : (double)value;
}

/* " of A" in titles of tables that are one for each side, where there are two. */
const char *builder_of_side(const struct builder *b, size_t side);
/* A column for each side; @with_share: and one of shares before it. */
void builder_side_columns(const struct builder *b, bool with_share);

/* Rows of integers in a group that a round may lack. */
struct count_row {
	const char *label;
	size_t offset; /* of an int64_t in the group */
	enum metric_kind kind;
	bool always; /* shown where it is 0 too */
};
/* @groups: of each side, NULL where it has none. */
void builder_add_counts(const struct builder *b, const struct count_row *rows, size_t n,
			const void *groups[SIDES]);

/* Which latencies belong into a table. */
typedef bool wanted_latency(const char *name);
wanted_latency is_request_latency, is_wait_latency, is_storage_latency, is_connection_latency,
	is_kind_latency, is_other_latency;
/* A table of their percentiles, with how many values they stand on. */
void builder_add_percentiles(const struct builder *b, const char *title, wanted_latency *wanted);

/* section_insight.c: causes, data quality, what to run next. */
void builder_add_insights(const struct builder *b);
void builder_add_profile(const struct builder *b);
/* Most phases that a round of the record has; more than a scenario can have are of a broken one. */
size_t builder_phases(const struct builder *b);
const char *builder_phase_name(const struct builder *b, size_t phase);
/* section_load.c: what load drivers tell; thresholds, endurance, faults, recoveries. */
void builder_add_thresholds(const struct builder *b);
void builder_add_endurance(const struct builder *b);
void builder_add_load(const struct builder *b);
void builder_add_faults(const struct builder *b);
void builder_add_side_metrics(const struct builder *b);
/* section_baseline.c: the run against an earlier one. */
void builder_add_baseline(const struct builder *b);
void builder_add_limits(const struct builder *b);
void builder_add_use(const struct builder *b);
void builder_add_storage(const struct builder *b);
void builder_add_peers(const struct builder *b, size_t side);
void builder_add_syscalls(const struct builder *b, size_t side);

#endif
