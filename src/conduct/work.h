/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A driver's report, taken into a round. */
#ifndef PERFBPF_CONDUCT_WORK_H
#define PERFBPF_CONDUCT_WORK_H

#include <jansson.h>

#include "record/record.h"

/*
 * Takes work, latencies, lines per second and the driver's own numbers from @report
 * (NULL: it never came, which makes the round invalid), also into the round's phases, which
 * are there before. @driver_cpu_ns as measured from outside. -1 without memory.
 */
int work_take(struct record_round *out, const json_t *report, uint64_t driver_cpu_ns);

/* The driver's remarks for who reads the numbers; NULL is fine. */
void work_notes(struct record *rec, const json_t *report);

#endif
