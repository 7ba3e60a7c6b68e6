/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a scenario's phases want work to begin. Open loop (arrival rates): the moments
 * themselves, t(i), which depend on nothing that the target does. Closed loop (virtual
 * users): how many users there are at a moment.
 *
 * All times are nanoseconds from the schedule's begin. Pure functions of the phases: nothing is
 * kept of single arrivals, so a day's schedule takes as much memory as a second's.
 */
#ifndef PERFBPF_DRIVE_LOAD_SCHEDULE_H
#define PERFBPF_DRIVE_LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/scenario.h"

struct schedule;

/* The phases stay the caller's and must outlive it. NULL without memory. */
struct schedule *schedule_new(const struct phase *phases, size_t n_phases);
void schedule_free(struct schedule *schedule); /* takes NULL */

/* Where phase @phase begins; of n_phases: where the last ends. */
uint64_t schedule_phase_begin_ns(const struct schedule *schedule, size_t phase);
/* The phase that holds @at_ns; n_phases behind the last. */
size_t schedule_phase_at(const struct schedule *schedule, uint64_t at_ns);
bool phase_is_open_loop(const struct phase *phase);

/*
 * Open loop: how many arrivals phase @phase has in all, and when its i-th (from 0) is due. With a
 * constant rate r that is begin + i/r; while the rate is ramped from a to b over T, arrivals are
 * where the integral of the rate passes i: a·t + (b−a)·t²/2T = i.
 */
uint64_t schedule_arrivals(const struct schedule *schedule, size_t phase);
uint64_t schedule_arrival_ns(const struct schedule *schedule, size_t phase, uint64_t i);

/*
 * Closed loop: how many users are wanted at @at_ns (0 in an open loop and behind the last phase),
 * and when that number can change next (UINT64_MAX: never); at a phase's or stage's end at the
 * latest. With a spawn_rate s the n-th user (from 0) begins after n/s. While the number is ramped,
 * one begins or goes each time that the line between both reaches the next whole number.
 */
unsigned int schedule_users(const struct schedule *schedule, uint64_t at_ns);
uint64_t schedule_users_change_ns(const struct schedule *schedule, uint64_t at_ns);
/* The most users that any phase wants at a time; of an open loop its maxVUs. */
unsigned int schedule_users_max(const struct schedule *schedule);

#endif
