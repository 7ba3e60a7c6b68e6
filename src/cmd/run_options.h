/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options that `run` and `attach` share: setters for their tables, over struct conduct_options.
 */
#ifndef PERFBPF_CMD_RUN_OPTIONS_H
#define PERFBPF_CMD_RUN_OPTIONS_H

#include "conduct/conduct.h"
#include "util/error.h"

int set_duration(void *state, const char *value, struct error *err);
int set_warmup(void *state, const char *value, struct error *err);
int set_cooldown(void *state, const char *value, struct error *err);
int set_ready_timeout(void *state, const char *value, struct error *err);
int set_tick(void *state, const char *value, struct error *err);
int set_observer(void *state, const char *value, struct error *err);
int set_output(void *state, const char *value, struct error *err);
int set_quiet(void *state, const char *value, struct error *err);
int set_debug(void *state, const char *value, struct error *err);
int set_all(void *state, const char *value, struct error *err);
int add_pid(void *state, const char *value, struct error *err);

/* conduct_run(), its message printed; returns the exit code. */
int run_conduct(const struct conduct_options *options);

#endif
