/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads what the target printed and says how much of its work it did: every line is
 * compared with what it must say, and counted by the window that its intended time
 * falls into. The output is not trusted.
 */
#ifndef PERFBPF_DRIVE_KUBELOGS_CHECK_H
#define PERFBPF_DRIVE_KUBELOGS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drive/kubelogs/source.h"
#include "measure/histogram.h"

/*
 * How long a line waits before it is counted, so that a window_open or window_close
 * that is told a little after its time still gets its lines right.
 */
#define CHECK_SETTLE_NS (250 * NSEC_PER_MSEC)

struct check_counts {
	uint64_t lines; /* whole and true, duplicates among them */
	uint64_t bytes; /* of these as they were printed, newlines included */
	uint64_t duplicated;
	uint64_t reordered;        /* came after a later line of the same pod */
	uint64_t malformed;        /* with a stamp, but not what the line must say */
	uint64_t foreign;          /* without a stamp: the tool's own words */
	uint64_t unwanted;         /* true lines that the filter does not want */
	uint64_t expected;         /* wanted lines of the window up to now */
	uint64_t found;            /* of these */
	struct histogram delivery; /* intended to seen, first time of each line */
};

/* What of it is of one phase of the window. */
struct check_phase {
	uint64_t from_ns; /* where it begins, CLOCK_MONOTONIC */
	uint64_t lines, expected, found;
	struct histogram *delivery; /* NULL: there was no memory for it */
};

struct check;

/* @source NULL: nothing is known of the lines, they are only counted. NULL: no memory. */
struct check *check_new(const struct source *source);
void check_free(struct check *check); /* takes NULL */

/* Output that was seen at @now_ns, and its end. */
void check_feed(struct check *check, const char *bytes, size_t length, uint64_t now_ns);
void check_feed_end(struct check *check, uint64_t now_ns);
/*
 * Feeds what @fd (non-blocking) holds, at most about 1 MiB: 0, 1 at its end, -errno.
 */
int check_read(struct check *check, int fd);

void check_open_window(struct check *check, uint64_t at_ns, uint64_t tick_ns);
/* The window's next phase begins; the first does where the window opens. */
void check_phase_begin(struct check *check, uint64_t at_ns);
void check_close_window(struct check *check, uint64_t at_ns);
/* Counts what has settled by @now_ns; to be called now and then while a window is open. */
void check_advance(struct check *check, uint64_t now_ns);
/* Counts all that was seen. The window must be closed. */
void check_settle(struct check *check);

/* Has every line that the closed window expects been seen? */
bool check_is_complete(struct check *check);
/* Wanted lines that have been seen since the start, again and again counted. */
uint64_t check_wanted_seen(const struct check *check);
/* Has anything at all been seen? */
bool check_has_output(const struct check *check);
const struct check_counts *check_counts(const struct check *check);
/* The phases of the window, at most SCENARIO_PHASES_MAX. */
const struct check_phase *check_phases(const struct check *check, size_t *n);
/* Lines seen in each tick of the window; NULL with @n 0 where there was none. */
const uint64_t *check_series(const struct check *check, size_t *n, uint64_t *tick_ns);

#endif
