/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The conductor: one invocation of `perfbpf run` or `attach`, from its options to its results. */
#ifndef PERFBPF_CONDUCT_CONDUCT_H
#define PERFBPF_CONDUCT_CONDUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/probe.h"
#include "record/compare.h"
#include "record/baseline.h"
#include "record/threshold.h"
#include "util/error.h"

#define CONDUCT_MAX_SCENARIOS  32
#define CONDUCT_MAX_PIDS       64
#define CONDUCT_MAX_THRESHOLDS 64
#define DURATION_UNSET         UINT64_MAX

struct conduct_options {
	int argc; /* of the whole command line, for the record */
	char **argv;
	const char *target, *versus; /* versus NULL: one side */
	size_t n_scenarios;
	const char *scenarios[CONDUCT_MAX_SCENARIOS];
	size_t n_pids; /* attach to these running processes; then there is no target */
	pid_t pids[CONDUCT_MAX_PIDS];
	int rounds; /* 0: as the scenario says, or 10 for commands */
	uint64_t warmup_ns, duration_ns, cooldown_ns; /* DURATION_UNSET: as the scenario says */
	double rate;                                  /* NAN: as the scenario says */
	bool has_seed;                                /* false: one is drawn, printed and stored */
	uint64_t seed;
	const char *user;   /* NULL: the invoking user */
	const char *output; /* NULL: perfbpf-results/… */
	const char *kubeconfig;
	double work_bound;                    /* NAN: as the scenario says */
	double margin;                        /* of record_compare(); NAN: as the scenario says */
	size_t n_gates;                       /* 0: as the scenario says */
	const char *gates[COMPARE_MAX_GATES]; /* names as metric.h has them */
	bool is_strict;                       /* what is inconclusive is EXIT_CODE_INCONCLUSIVE */
	double until_width;                   /* rounds are the fewest; NAN: as the scenario says */
	int max_rounds;                       /* 0: as the scenario says */
	bool is_noise;             /* both sides are the same: how much differs all the same? */
	uint64_t ready_timeout_ns; /* DURATION_UNSET: as the scenario says */
	uint64_t tick_ns;
	struct probe_options probe; /* --observer, --without, --syscalls; payload by --protocols */
	unsigned int protocols;     /* a set of 1u << enum protocol_id */
	bool inlines;               /* stacks show functions that were inlined */
	size_t n_thresholds;        /* beside the scenario's */
	struct threshold_rule thresholds[CONDUCT_MAX_THRESHOLDS];
	char threshold_metrics[CONDUCT_MAX_THRESHOLDS][THRESHOLD_NAME_MAX]; /* they point there */
	const char *baseline; /* the results of an earlier run to be compared with; NULL: none */
	size_t n_baseline_rules;
	struct baseline_rule baseline_rules[BASELINE_MAX_RULES];
	bool accept_differences; /* of host and scenario between the two */
	bool is_soak; /* judge what grows and what wears off, whatever the scenario says */
	bool quiet, debug, all_metrics;
};

/* Defaults for all of it. */
void conduct_options_init(struct conduct_options *options);

/*
 * Runs it all: prints the report to stdout, progress and warnings to stderr, writes the
 * results folder. Returns the exit code; @err is filled where a message is to be
 * printed (text not empty), also when what was measured has been saved.
 */
int conduct_run(const struct conduct_options *options, struct error *err);

#endif
