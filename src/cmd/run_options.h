/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options that `run` and `attach` share: setters for their tables, over struct conduct_options.
 */
#ifndef PERFBPF_CMD_RUN_OPTIONS_H
#define PERFBPF_CMD_RUN_OPTIONS_H

#include "cmd/cmd.h"
#include "conduct/conduct.h"
#include "util/error.h"

/* A whole number of pairs from 1 on. */
int set_pairs(const char *option, const char *value, int *pairs, struct error *err);
int set_margin(void *state, const char *value, struct error *err);
int add_gates(void *state, const char *value, struct error *err);
int set_strict(void *state, const char *value, struct error *err);
int set_until_width(void *state, const char *value, struct error *err);
int set_max_rounds(void *state, const char *value, struct error *err);
int set_work_bound(void *state, const char *value, struct error *err);
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

/* The options of `run`. */
extern const struct option_table run_table;

/* Parses by @table over struct conduct_options, which may be the first of something larger: as
 * options_parse(), with what options say of each other. */
enum options_result run_options_parse(const struct option_table *table, int argc, char **argv,
				      struct conduct_options *options, struct error *err);
/* Runs what has been parsed; messages are printed. Returns the exit code. */
int run_options_conduct(const struct conduct_options *options);

/* Parses by @table over struct conduct_options and runs; messages are printed. Returns the exit
 * code. */
int run_by_table(const struct option_table *table, int argc, char **argv);

#endif
