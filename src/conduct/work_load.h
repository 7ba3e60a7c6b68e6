/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of a report that only drivers of loads give. Used by work*.c only. */
#ifndef PERFBPF_CONDUCT_WORK_LOAD_H
#define PERFBPF_CONDUCT_WORK_LOAD_H

#include <jansson.h>

#include "record/record.h"

/* More values over time than these are no driver's. */
#define REPORT_MAX_INTERVALS 100000

/* RECORD_NONE and NAN where the key is not there, or holds another kind of value. */
int64_t report_integer(const json_t *object, const char *key);
double report_number(const json_t *object, const char *key);
/* Into one that is not known (latency_init()). -1 without memory. */
int report_latency(struct record_latency *out, const json_t *from);

/* Errors by kind, phases, producers, recoveries and side metrics of @report. -1 without memory. */
int work_take_load(struct record_round *out, const json_t *report);

#endif
