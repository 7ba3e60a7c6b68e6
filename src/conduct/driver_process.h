/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The conductor's end of a driver: `perfbpf drive` started by the keeper, spoken to in lines of
 * JSON. */
#ifndef PERFBPF_CONDUCT_DRIVER_PROCESS_H
#define PERFBPF_CONDUCT_DRIVER_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conduct/identity.h"
#include "conduct/keeper.h"
#include "scenario/scenario.h"
#include "util/error.h"

struct driver_process;

struct driver_start {
	struct keeper *keeper;
	const struct identity *identity;
	const struct scenario *scenario;
	const char *private_dir; /* is made below it */
	int output_fd;           /* read end of the target's output */
	int log_fd;              /* its standard error */
	double rate;             /* NAN: the scenario's */
	const uint64_t *seed;    /* NULL: the scenario's */
	const char *kubeconfig;  /* --kubeconfig, or NULL */
};

/* Starts it and waits until it is ready. NULL with @err. */
struct driver_process *driver_process_start(const struct driver_start *start, struct error *err);
/* For a pidfd; it is waited for by the keeper. */
pid_t driver_process_pid(const struct driver_process *driver);
/* Ends it; NULL is fine. */
void driver_process_stop(struct driver_process *driver);
int driver_process_fd(const struct driver_process *driver);
/* Its variables for the target; pointers stay the driver's. */
const struct variable *driver_process_variables(const struct driver_process *driver, size_t *n);
/*
 * Takes in what it has said, without blocking. 0, or -1 with @err where it has failed or
 * gone.
 */
int driver_process_step(struct driver_process *driver, struct error *err);
bool driver_process_is_attached(const struct driver_process *driver);
/* When the target was attached and the driver's schedule began anew; 0: not yet. */
uint64_t driver_process_attached_ns(const struct driver_process *driver);
/* CPU time it has used since its start; 0 where it has gone. */
uint64_t driver_process_cpu_ns(const struct driver_process *driver);
/* To a client: all is ready, @variables (an object of strings) say where. Takes the reference. */
void driver_process_connect(struct driver_process *driver, json_t *variables);
/* It has no more to do, whatever the phases' lengths. */
bool driver_process_is_finished(const struct driver_process *driver);
void driver_process_fault(struct driver_process *driver, const char *name, uint64_t at_ns,
			  bool ended);
/* Asks how things stand; driver_process_peeked() gives the newest answer, borrowed, NULL: none. */
void driver_process_peek(struct driver_process *driver);
const json_t *driver_process_peeked(const struct driver_process *driver);
void driver_process_window_open(struct driver_process *driver, uint64_t at_ns, uint64_t tick_ns);
/* Inside the window the next phase begins, for the work at @at_ns. */
void driver_process_phase(struct driver_process *driver, uint64_t at_ns);
void driver_process_window_close(struct driver_process *driver, uint64_t at_ns);
/* Asks for the report; driver_process_report() gives it once it has come. */
void driver_process_ask_report(struct driver_process *driver, uint64_t timeout_ns);
/* Borrowed; NULL until it is there. */
const json_t *driver_process_report(const struct driver_process *driver);

#endif
