/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What frames cost; used by flame*.c only. */
#ifndef PERFBPF_REPORT_FLAME_VALUES_H
#define PERFBPF_REPORT_FLAME_VALUES_H

#include "report/flame.h"

/* Fills values, widths, rounds and work of a tree whose rows and children are there. 0 or -1. */
int flame_fill(struct flame *flame);

/* By how much the seconds of each round's rows are multiplied; to be freed, NULL without memory.
 * *@exact: each round's exact account was known. */
double *flame_scales(const struct record *rec, enum profile_kind kind, bool *exact);

#endif
