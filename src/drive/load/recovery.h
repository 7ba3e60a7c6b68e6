/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long a target took to recover from each fault, from its answers alone. Constant memory.
 *
 * Outage: the longest time without a good answer among those that end after the fault's begin, so
 * that answers which were still under way when it hit do not hide it. One that is no longer than
 * 1.5 times the longest in the 10 s before the fault is none, 0 s.
 *
 * Back to normal: normal is the p95 over the 10 s before the fault (an error counts as an answer
 * that took for ever), and 1.5 times that is still normal. Answers are looked at in slots of
 * 100 ms, each together with as many before it as it takes to have 100 answers, or 20 where that
 * takes more than 1 s, at most 10 s: fewer say nothing. A slot is not normal where those are not
 * and it has a part in it, or where it is silent and so are those before it, in which 10 answers
 * were to be expected. The target is back at the end of the last slot that is not normal, once a
 * second without one has passed; after 10 s without one, what comes later is not the fault's.
 */
#ifndef PERFBPF_DRIVE_LOAD_RECOVERY_H
#define PERFBPF_DRIVE_LOAD_RECOVERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Faults beyond these are not followed; recovery_report() says so. */
#define RECOVERY_FAULTS_MAX 64
#define RECOVERY_NORMAL     1.5

struct recovery;

struct recovery *recovery_new(void); /* NULL without memory */
void recovery_free(struct recovery *recovery);
/* An answer came at @ended_ns that took @response_ns; in about their order. */
void recovery_add(struct recovery *recovery, uint64_t ended_ns, uint64_t response_ns, bool is_good);
/* A fault began or, @ended, ended. */
void recovery_fault(struct recovery *recovery, const char *name, uint64_t at_ns, bool ended);
/*
 * [{"fault", "at_seconds", "last_good_seconds", "first_good_seconds" (from @origin_ns),
 * "outage_seconds", "normal_p95_seconds", "p95_normal_after_seconds" (from the fault's begin)}].
 * null: not known, or not until the last answer; without
 * an outage there are no good answers around it. New reference.
 */
json_t *recovery_report(const struct recovery *recovery, uint64_t origin_ns);
/* Faults that came when RECOVERY_FAULTS_MAX were followed already. */
unsigned int recovery_faults_left_out(const struct recovery *recovery);

#endif
