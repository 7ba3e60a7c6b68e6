/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options that `run` and `attach` share: setters for their tables, over struct conduct_options.
 */
#ifndef PERFBPF_CMD_RUN_OPTIONS_H
#define PERFBPF_CMD_RUN_OPTIONS_H

#include "cmd/cmd.h"
#include "conduct/conduct.h"
#include "util/error.h"

int set_duration(void *state, const char *value, struct error *err);
int set_warmup(void *state, const char *value, struct error *err);
int set_cooldown(void *state, const char *value, struct error *err);
int set_ready_timeout(void *state, const char *value, struct error *err);
int set_tick(void *state, const char *value, struct error *err);
int set_observer(void *state, const char *value, struct error *err);
int set_without(void *state, const char *value, struct error *err);
int set_syscalls(void *state, const char *value, struct error *err);
int set_protocols(void *state, const char *value, struct error *err);
int set_profile(void *state, const char *value, struct error *err);
int set_freq(void *state, const char *value, struct error *err);
int set_inlines(void *state, const char *value, struct error *err);
int set_output(void *state, const char *value, struct error *err);
int set_quiet(void *state, const char *value, struct error *err);
int set_debug(void *state, const char *value, struct error *err);
int set_all(void *state, const char *value, struct error *err);
int set_soak(void *state, const char *value, struct error *err);
int add_threshold(void *state, const char *value, struct error *err);
int add_pid(void *state, const char *value, struct error *err);

/* Parses by @table over struct conduct_options and runs; messages are printed. Returns the exit
 * code. */
int run_by_table(const struct option_table *table, int argc, char **argv);

#endif
