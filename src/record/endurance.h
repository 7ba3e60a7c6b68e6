/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a soak is for: does memory leak, do throughput and response wear off, do errors become
 * more? Pure functions of a round's series.
 *
 * Memory: the first third of the window is the warm-up. Of the rest the slope of the
 * resident set is estimated by Theil and Sen over ENDURANCE_BLOCKS block medians, with a 95 %
 * interval that allows for autocorrelation (stats/trend.h). A leak is found where
 *   - the whole interval is above zero,
 *   - what it makes of the time is more than ENDURANCE_MIN_BYTES and ENDURANCE_MIN_SHARE of the
 *     resident set, so that a page now and then is none,
 *   - the floor (5 % quantile) rises from each quarter to the next: a heap that fills and is swept
 *     comes back to its floor, a leak does not,
 *   - and the growth does not level off, as it does where a cache or a pool fills: the slope of
 *     the second half is at least half of that of the first, or may be as large by its interval.
 * A heap that is not swept once in the window looks like a leak: soak longer than that.
 *
 * Throughput, response (p95) and errors: the last tenth of the window against the first, as the
 * median of all differences (of logarithms, for the first two) between parts of both, with its 95 %
 * interval. Worse by more than ENDURANCE_DRIFT (errors: by ENDURANCE_ERRORS of the operations) with
 * the whole interval is a drift; within the bound with the whole interval is steady; between is
 * inconclusive.
 */
#ifndef PERFBPF_RECORD_ENDURANCE_H
#define PERFBPF_RECORD_ENDURANCE_H

#include <stdbool.h>

#include "record/record.h"

#define ENDURANCE_BLOCKS 32
/* Fewer values of the series than this are not enough. */
#define ENDURANCE_MIN_POINTS (3 * ENDURANCE_BLOCKS)
#define ENDURANCE_MIN_BYTES  (256.0 * 1024)
#define ENDURANCE_MIN_SHARE  0.01
/* Of throughput and response, and of all operations that are errors. */
#define ENDURANCE_DRIFT  0.10
#define ENDURANCE_ERRORS 0.001

/* Sets round->endurance; replaces earlier ones. -1 without memory. */
int record_endurance(struct record_round *round);
/* Was a leak or a drift found in a round? */
bool record_endurance_failed(const struct record *rec);

#endif
