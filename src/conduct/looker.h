/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looks at what does not run, at random moments, from a thread that gets a CPU at once. The moments
 * are only random where it does: on a machine that is busy a thread like others gets its turn
 * when somebody else's ends, and then sees another state of things than the drawn moment had.
 */
#ifndef PERFBPF_CONDUCT_LOOKER_H
#define PERFBPF_CONDUCT_LOOKER_H

#include <stdint.h>

#include "probe/probe.h"

struct looker;

/*
 * One look in each @period_ns, while looks are wanted. To be called while perfbpf may still ask for
 * the right of way (CAP_SYS_NICE); where it may not, looks come late on a busy machine. The
 * thread gives up its own rights with the first look. NULL without memory.
 */
struct looker *looker_new(struct probe *probe, uint64_t period_ns);
/* NULL is fine, here and in all below. */
void looker_free(struct looker *looker);

/* From @from_ns (CLOCK_MONOTONIC) on. */
void looker_begin(struct looker *looker, uint64_t from_ns);
/* No look is going on any more when it returns. 0, or -errno of the first look that failed. */
int looker_end(struct looker *looker);
/* How many looks there were since the last call; @stride is that of the next (pb_control). */
uint64_t looker_take(struct looker *looker, uint32_t stride);

#endif
