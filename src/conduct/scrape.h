/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The section `scrape` of a scenario: histograms that the target publishes for Prometheus, fetched
 * at both ends of a window. What cannot be had becomes a note in the record; a run never ends for
 * it.
 */
#ifndef PERFBPF_CONDUCT_SCRAPE_H
#define PERFBPF_CONDUCT_SCRAPE_H

#include "record/record.h"
#include "scenario/scenario.h"

struct scrape;

/* Why nothing can be fetched here at all; NULL: it can. */
const char *scrape_absent(void);

/*
 * The first look; to be called right before the window opens, since it takes up to 0.4 s. @vars are
 * filled into the addresses. NULL where @scenario (which may be NULL) has nothing to scrape, or
 * without memory; all below take NULL.
 */
struct scrape *scrape_open(const struct scenario *scenario, const struct variable *vars,
			   size_t n_vars, struct record *notes);
/*
 * The second look, right after the window has closed and while the target still runs; adds what
 * came between to the latencies of @out, and frees @scrape. A note tells where the time between the
 * looks is not the window's, @window_seconds (NAN: not known).
 */
void scrape_close(struct scrape *scrape, struct record_round *out, double window_seconds,
		  struct record *notes);
/* For a round that came to no end. */
void scrape_free(struct scrape *scrape);

#endif
