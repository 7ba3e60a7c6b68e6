/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a record says of its numbers: how both sides compare, what explains it, how the run
 * compares with an earlier one, and what had to hold. Part of record.h; owned by the record.
 */
#ifndef PERFBPF_RECORD_RECORD_VERDICT_H
#define PERFBPF_RECORD_RECORD_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record_side.h"

/* One metric over all rounds of both sides. */
struct record_comparison {
	char *metric; /* a name of metric.h */
	char *unit;
	bool lower_is_better;
	double a_median, a_min, a_max;
	double b_median, b_min, b_max;  /* NAN with one side */
	double ratio;                   /* B/A */
	double ci_low, ci_high, p, mde; /* NAN where there is no verdict */
	double p_adjusted;              /* by Holm, over the metrics that a gate is on; else NAN */
	/* B - A in the unit of the metric, and its interval; what is judged where there is no ratio
	 */
	double difference, difference_low, difference_high;
	int64_t n;            /* pairs */
	int64_t pairs_needed; /* to settle what is inconclusive; RECORD_NONE: settled, or unknown */
	int64_t outliers;     /* rounds of both sides that lie far out; they are kept */
	bool exploratory;     /* no gate is on it */
	char *verdict;        /* B_lower B_higher equivalent inconclusive, or NULL */
};

/* How the comparison was made. */
struct record_statistics {
	double margin;      /* ratios within 1 +- this are called equivalent */
	double confidence;  /* of the intervals: 0.95 */
	char *primary;      /* the metric by which a winner is named; NULL: one side only */
	char *stopping;     /* "rounds": a fixed number of pairs; "width": see below */
	double until_width; /* half the width of primary's interval to reach; NAN: not asked for */
	bool width_reached;
	/* Metrics that a gate was asked for: the run fails where B is worse in one. None: none was.
	 */
	size_t n_gates;
	char **gates;
	bool strict; /* what is inconclusive fails the run too */
};

/* What explains the difference, how good the data are, or what to run next. */
struct record_insight {
	char *kind;   /* "cause" "quality" "next" */
	char *metric; /* what its number is of; NULL: of no row of the table */
	double value; /* NAN: it has none */
	char *text;   /* one sentence, with the number */
};

/* One metric of one side against the same in an earlier run. */
struct record_regression {
	enum side side;
	char *metric, *unit;
	bool lower_is_better;
	bool gate; /* the gate is on it; the rest is exploratory */
	double base_median, new_median;
	double ratio, ci_low, ci_high; /* new / base, Hodges-Lehmann; NAN: none */
	double p, p_adjusted;          /* Mann-Whitney; by Holm over the metrics with a gate */
	double effect;                 /* U/(n m): the share of pairs in which new is larger */
	int64_t n_base, n_new;         /* rounds */
	double threshold;              /* the relative change that is a regression */
	char *severity;                /* "minor" "major" "critical", NULL: no regression */
	char *verdict; /* "regressed" "improved" "unchanged" "inconclusive" "unknown" */
	char *text;    /* one sentence */
};

/* The comparison with an earlier run. */
struct record_baseline {
	char *path;       /* of its results folder, as given */
	char *started_at; /* of its first round */
	char *version;    /* of the perfbpf that measured it */
	bool comparable;  /* false: the differences below make all of it exploratory */
	size_t n_differences;
	char **differences; /* host, kernel, scenario: a sentence each */
	size_t n_rows;
	struct record_regression *rows;
};

/* A threshold (threshold.h) on one side, and whether it holds. */
struct record_threshold {
	enum side side;
	char *metric, *expression;
	char *level; /* NULL and "critical": the run fails with it */
	char *unit;  /* of the value: "s", "bytes" or "" */
	double value;
	bool passed;
	char *text; /* what more there is to say, NULL: nothing */
};

#endif
