/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What counting and reporting share; others use tally.h. */
#ifndef PERFBPF_DRIVE_LOAD_TALLY_INTERNAL_H
#define PERFBPF_DRIVE_LOAD_TALLY_INTERNAL_H

#include "drive/load/recovery.h"
#include "drive/load/tally.h"
#include "drive/load/tally_series.h"
#include "measure/histogram.h"

/* Counters by name. */
struct tally_names {
	size_t n;
	struct tally_name {
		char *name;
		uint64_t n;
	} names[TALLY_ERRORS_MAX];
	uint64_t other; /* where there was no more room */
};

struct tally_counts {
	uint64_t operations, errors, bytes, rows, dropped;
	uint64_t completed; /* good answers that came in it, whenever they were due */
	uint64_t late_max_ns;
	uint64_t last_ns;                     /* when the last answer came, good or not */
	struct histogram *response, *service; /* NULL: no good answer yet */
};

struct tally {
	const struct phase *phases;
	size_t n_phases;
	size_t n_kinds;
	char **kinds;
	uint64_t start_ns, latest_ns; /* the last answer */
	uint64_t open_ns, close_ns;   /* of the window; UINT64_MAX: not yet known */
	bool is_closed;
	uint64_t good, bad; /* since the beginning */
	struct tally_counts window;
	struct tally_counts *by_phase; /* all that was due in it */
	struct tally_counts *by_kind;  /* in the window */
	struct tally_names errors, counts;
	struct histogram *failed; /* responses of the window's errors; NULL: none yet */
	struct series good_series, error_series; /* by when they came */
	struct p95s responses;                   /* of good answers, by when they were due */
	struct recovery *recovery;
	uint64_t times_lost; /* there was no memory for their histogram */
};

#endif
