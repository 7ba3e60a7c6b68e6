/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What came of the requests of a load: counts, errors by kind and times, in the window,
 * by phase and by kind of request. Constant memory, however long it runs.
 *
 * A request belongs to the phase and the window in which it was *intended* to begin, whenever its
 * answer comes: so the windows of all rounds hold the same work.
 */
#ifndef PERFBPF_DRIVE_LOAD_TALLY_H
#define PERFBPF_DRIVE_LOAD_TALLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/scenario.h"

/* More kinds of errors than these are counted under "other". */
#define TALLY_ERRORS_MAX 32

struct tally;

/* One request that has come to its end. Times are CLOCK_MONOTONIC nanoseconds. */
struct tally_request {
	size_t phase;         /* of the scenario */
	size_t kind;          /* below n_kinds */
	uint64_t intended_ns; /* when it was to begin; in a closed loop, when it did */
	uint64_t begun_ns;    /* when it was handed to the target */
	uint64_t ended_ns;
	const char *error; /* its kind, such as "status 503", "refused", "timeout"; copied; NULL:
			      a good answer */
	uint64_t bytes;    /* of the answer */
	uint64_t rows;     /* in a driver's own terms: rows returned, messages consumed; 0: none */
};

/* @phases outlive it. @kinds: names of the kinds of requests; copied. NULL without memory. */
struct tally *tally_new(const struct phase *phases, size_t n_phases, const char *const *kinds,
			size_t n_kinds);
void tally_free(struct tally *tally); /* takes NULL */

/*
 * The first phase begins at @at_ns. Until tally_window_open() says otherwise, the window is taken
 * to be that of the measured phases: the conductor's word of it comes somewhat after it has begun.
 */
void tally_start(struct tally *tally, uint64_t at_ns);
void tally_window_open(struct tally *tally, uint64_t at_ns, uint64_t tick_ns);
void tally_window_close(struct tally *tally, uint64_t at_ns);

void tally_add(struct tally *tally, const struct tally_request *request);
/* Adds @n to what "counts" has as @name, for a request that was due at @intended_ns. */
void tally_count(struct tally *tally, const char *name, uint64_t n, uint64_t intended_ns);
/* A request that was due at @intended_ns went out @late_ns late, by the driver's own fault: there
 * was a user free to send it. */
void tally_late(struct tally *tally, size_t phase, uint64_t intended_ns, uint64_t late_ns);
/* One that was never sent, as no user was free until its phase ended. */
void tally_dropped(struct tally *tally, size_t phase, uint64_t intended_ns);
/* A fault began (or, @ended, ended) at @at_ns: recovery is counted from here. */
void tally_fault(struct tally *tally, const char *name, uint64_t at_ns, bool ended);

/* Good answers and errors since the beginning, for a line of progress. */
uint64_t tally_good(const struct tally *tally);
uint64_t tally_errors(const struct tally *tally);

/* Was what was due at @intended_ns due in the window? */
bool tally_is_in_window(const struct tally *tally, uint64_t intended_ns);
bool tally_is_closed(const struct tally *tally);

/*
 * The report of a driver (driver.h):
 *   "work"     {operations (good answers), errors, bytes, rows, dropped, success_rate,
 *              counts {NAME: n}}
 *   "errors"   {KIND: n}
 *   "kinds"    [{name, operations, errors, bytes, rows}]
 *   "latency"  {"response" (from the intended moment), "service" (from the moment at which it
 *              was sent), "failed" (responses of errors, where there are any) and, of several
 *              kinds, "response KIND"}
 *   "operations_per_second" and "errors_per_second" by ticks of "tick_seconds", when the answers
 *              came
 *   "response_p95_seconds" by intervals of "response_p95_interval_seconds", when they were due
 *   "late_seconds_max", "dropped"
 *   "phases"   [{name, role, seconds, operations, errors, dropped, success_rate,
 *              operations_per_second, late_seconds_max, response {…}, service {…}}]: all that was
 *              due in each, whatever the window; "seconds" to its last answer where it is of
 *              iterations that are all done
 *   "recovery" as of recovery.h
 *   "notes"
 * Times of good answers only, but for "failed"; a percentile that its count does not carry is null.
 * New reference; NULL without memory.
 */
json_t *tally_report(const struct tally *tally);

#endif
