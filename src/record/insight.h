/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What explains the difference, how good the data are, what to run next: rec->insights. */
#ifndef PERFBPF_RECORD_INSIGHT_H
#define PERFBPF_RECORD_INSIGHT_H

#include "record/record.h"

/* After record_compare(); replaces earlier ones. -1 without memory. */
int record_insights(struct record *rec);

#endif
