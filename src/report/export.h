/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the formats share that other programs compute with: which rounds they get, and of whom. */
#ifndef PERFBPF_REPORT_EXPORT_H
#define PERFBPF_REPORT_EXPORT_H

#include <stdbool.h>

#include "record/metric.h"
#include "report/report.h"

/* Does @options ask for this side? */
bool export_wants(const struct report_options *options, enum side side);
/*
 * Is it a round of @side that may be compared? Others are in no export: who reads one would
 * compute with them like with the rest.
 */
bool export_has(const struct record_round *round, enum side side);
/* 0, or -1 with @err where @options ask for what is no side, or for sides without a valid round. */
int export_check(const struct record *rec, const struct report_options *options, const char *format,
		 struct error *err);
/* What tells the side from the other: the target's name, with the side where both are called the
 * same. To be freed; NULL without memory. */
char *export_target(const struct record *rec, enum side side);
/* The known values of the side's valid rounds, in their order, to be freed; NULL without memory. */
double *export_values(const struct record *rec, enum side side, const struct metric *metric,
		      size_t *n);

#endif
