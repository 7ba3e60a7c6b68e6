/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Phases with rates of their own make the schedule's time run faster or slower: a map between
 * nanoseconds since the restart and the schedule's own, which never goes back. The schedule's lines
 * stay the same ones; only when they are due changes.
 */
#ifndef PERFBPF_DRIVE_KUBELOGS_WARP_H
#define PERFBPF_DRIVE_KUBELOGS_WARP_H

#include <stddef.h>
#include <stdint.h>

#include "scenario/scenario.h"

struct warp;

/*
 * @rate: lines a second where a phase says none, and behind the last. 0 with *@warp NULL where no
 * phase has a rate: then both times are the same. -1 with @err for a phase that cannot be followed.
 */
int warp_new(struct warp **warp, const struct phase *phases, size_t n_phases, double rate,
	     struct error *err);
void warp_free(struct warp *warp); /* takes NULL */

/* How far the schedule is at @real_ns. */
uint64_t warp_to_schedule(const struct warp *warp, uint64_t real_ns);
/* The first moment at which it is at @schedule_ns: warp_to_schedule() of it is no less, of the
 * nanosecond before it is less. */
uint64_t warp_to_real(const struct warp *warp, uint64_t schedule_ns);

#endif
