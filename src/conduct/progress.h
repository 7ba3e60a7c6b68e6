/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How far a run has come: a bar on a terminal, a line a round elsewhere, nothing when quiet. */
#ifndef PERFBPF_CONDUCT_PROGRESS_H
#define PERFBPF_CONDUCT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool quiet, terminal, colour;
	int rounds, round;    /* round: 0-based */
	const char *scenario; /* NULL: none */
	const char *side;     /* "A kubectl" */
	const char
		*goal; /* what the number of rounds depends on, and how far it is; NULL: nothing */
	const char *phase;
	uint64_t phase_start_ns, phase_ns; /* phase_ns 0: its length is not known */
	uint64_t run_start_ns, round_start_ns;
	uint64_t round_ns; /* expected length of one round, 0: not known */
	uint64_t drawn_ns;
	bool drawn;
};

void progress_init(struct progress *progress, bool quiet);
void progress_round(struct progress *progress, int round, const char *side);
/* A new phase of the round; @length_ns 0: open end. */
void progress_phase(struct progress *progress, const char *phase, uint64_t length_ns);
/* Draws, if it is time to. */
void progress_tick(struct progress *progress);
/* Takes the bar off the screen, so that something else can be printed. */
void progress_clear(struct progress *progress);
/* A line of its own to stderr, bar or not; not when quiet unless @important. */
void progress_note(struct progress *progress, bool important, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
