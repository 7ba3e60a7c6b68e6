/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `run` and `compare` both have for the comparison with an earlier run. */
#ifndef PERFBPF_CMD_BASELINE_OPTIONS_H
#define PERFBPF_CMD_BASELINE_OPTIONS_H

#include "record/baseline.h"
#include "util/error.h"

/* Appends what @value says to the @n rules of @rules, which has room for BASELINE_MAX_RULES. */
int baseline_add_threshold(struct baseline_rule *rules, size_t *n, const char *option,
			   const char *value, struct error *err);
int baseline_add_severity(struct baseline_rule *rules, size_t *n, const char *option,
			  const char *value, struct error *err);

/* For the tables of `run` and (the first) `attach`, over struct conduct_options. */
int set_baseline(void *state, const char *value, struct error *err);
int add_baseline_threshold(void *state, const char *value, struct error *err);
int add_baseline_severity(void *state, const char *value, struct error *err);
int set_accept_differences(void *state, const char *value, struct error *err);

#endif
