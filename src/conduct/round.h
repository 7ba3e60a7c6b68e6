/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A round under way; private to round.c, which keeps the time, and launch.c, which starts and ends
 * what runs in it. */
#ifndef PERFBPF_CONDUCT_ROUND_H
#define PERFBPF_CONDUCT_ROUND_H

#include "conduct/collector.h"
#include "conduct/conductor.h"
#include "conduct/driver_process.h"
#include "conduct/parts.h"
#include "conduct/scrape.h"
#include "conduct/side.h"
#include "conduct/variables.h"

struct round {
	struct conductor *conductor;
	const struct round_plan *plan;
	struct collector collector;
	struct variables variables;
	struct parts parts;
	struct side_process side;
	struct driver_process *driver;
	bool is_client; /* the driver is the target's client */
	json_t *report; /* the driver's, NULL: none */
	char *dir;      /* private, below the keeper's folder */
	int output[2];
	struct scrape *scrape; /* between the two looks of a window, NULL: none */
	uint64_t released_ns;
	bool is_launching;     /* one after the other is started, set up, waited for */
	struct faults *faults; /* NULL: none */
	struct fault_host fault_host;
	int fault_log_fd;
	uint64_t next_peek_ns;
	bool is_aborted;  /* a threshold said so */
	char *aborted_by; /* which, for the record; NULL: none */
	bool is_void;     /* what was measured is not the target's */
	bool is_prepared; /* setup hooks have run, so cleanup is owed */
};

char side_letter(const struct round *round);
/*
 * Starts all of the round in its order: the driver, setup hooks, components, the target, which is
 * released and ready afterwards; prepare hooks; the driver is connected. -1 with @err; an interrupt
 * is 0 with conductor->interrupted set.
 */
int launch(struct round *round, struct error *err);
/* The same of a command without a scenario, which stays held: release() lets it run. */
int launch_command(struct round *round, struct error *err);
int release(struct round *round, struct error *err);
/* Until the driver says that the work goes on. -1 with @err. */
int wait_attached(struct round *round, struct error *err);
/* What is checked while all still runs. -1 with @err. */
int conclude(struct round *round, struct error *err);
/* Ends the driver's process, where it is a client; what it reported is kept. */
void hang_up(struct round *round);
/* Everything is ended and cleaned up. */
void round_clear(struct round *round);

/*
 * round_faults.c: what the scenario does to the round. Proxies listen once it is opened; a phase's
 * faults are due from where it begins, and are applied and undone in whatever is waited for.
 * close_window() undoes what the measured phases had, without waiting for that; where they were
 * @cut_short, what was still to come is not applied any more. -1 with @err.
 */
int round_faults_open(struct round *round, struct error *err);
void round_faults_phase(struct round *round, const struct phase *phase, uint64_t begin_ns);
int round_faults_tend(struct round *round, uint64_t *next_ns, struct error *err);
int round_faults_close_window(struct round *round, bool cut_short, struct error *err);
/* Undoes all, and puts what came of each into @out. */
int round_faults_end(struct round *round, struct record_round *out);
void round_faults_close(struct round *round);

/* The target, or a component of its side, has ended by itself. For collector_wait(). */
bool has_ended_early(void *round);
/* Says so: which, how, @when, and what it last said. Returns -1. */
int ended_early(struct round *round, const char *when, struct error *err);

#endif
