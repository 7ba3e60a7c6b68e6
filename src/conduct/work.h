/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A driver's report, taken into a round. */
#ifndef PERFBPF_CONDUCT_WORK_H
#define PERFBPF_CONDUCT_WORK_H

#include <jansson.h>

#include "record/record.h"
#include "scenario/scenario.h"

/*
 * Takes work, errors by kind, latencies, phases, recoveries, side metrics, series and the
 * driver's own numbers from @report (NULL: it never came, which makes the round invalid). What the
 * round has measured itself must be in it before: a phase of the report finds its place by its
 * name, and a latency that the round has under a name of the report becomes server_NAME.
 * @driver_cpu_ns as measured from outside. -1 without memory.
 */
int work_take(struct record_round *out, const json_t *report, uint64_t driver_cpu_ns);

/*
 * Says of a driver's work, where its report does not, whether the plan fixes how much of it there
 * is: all measured phases of @scenario have arrival rates or iterations, or are the driver's own.
 */
void work_fix(struct record_round *out, const json_t *report, const struct scenario *scenario);

/*
 * A driver of one thread that had no time left in a measured phase with virtual users was what kept
 * them waiting: the round is invalid. With an arrival rate its lateness tells.
 */
void work_check_busy(struct record_round *out, const json_t *report,
		     const struct scenario *scenario);

/*
 * Does one of the thresholds that abort a run fail by what the driver tells on the way (@peek, as
 * its report), @passed_ns into the window? Of a threshold on a phase its delay is from the phase's
 * begin. 1 with its index in @which, 0, or -1 without memory.
 * See threshold_fails_live() for which can be judged before the end.
 */
int work_fails_live(const struct scenario_threshold *thresholds, size_t n, const json_t *peek,
		    uint64_t passed_ns, size_t *which);

/* The driver's remarks for who reads the numbers; NULL is fine. */
void work_notes(struct record *rec, const json_t *report);

#endif
