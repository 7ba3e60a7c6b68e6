/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread with a connection of its own: it gets the server ready before the load, and asks for the
 * side metrics at the window's ends, while the load goes on without waiting for it.
 */
#ifndef PERFBPF_DRIVE_POSTGRES_ASSISTANT_H
#define PERFBPF_DRIVE_POSTGRES_ASSISTANT_H

#include "drive/postgres/metrics.h"
#include "drive/postgres/setup.h"

struct assistant;

/*
 * Begins with the setup. @config, @pq and @connection outlive it; @variables are copied. NULL with
 * @err.
 */
struct assistant *assistant_start(const struct postgres_config *config, const struct libpq *pq,
				  const char *connection, const struct variable *variables,
				  size_t n_variables, struct error *err);
/* Readable once the setup has come to its end. */
int assistant_fd(const struct assistant *assistant);
/* 1: the server is ready; 0: not yet; -1 with @err: it could not be made so. */
int assistant_setup(struct assistant *assistant, struct error *err);
/* Once the server is ready: what came of it, and the variables with ${vector}. */
const struct setup *assistant_result(const struct assistant *assistant);
const struct variable *assistant_variables(const struct assistant *assistant, size_t *n);
/* The window @opens or closes: has the side metrics asked for. */
void assistant_look(struct assistant *assistant, bool opens);
/* The readings, one for each side metric, after a wait of some seconds at most where the last look
 * is under way; NULL: there has been none. */
const struct metric_reading *assistant_readings(struct assistant *assistant);
/* Ends what is under way. Takes NULL. */
void assistant_end(struct assistant *assistant);

#endif
