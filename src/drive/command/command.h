/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the driver share: its section of a scenario. */
#ifndef PERFBPF_DRIVE_COMMAND_COMMAND_H
#define PERFBPF_DRIVE_COMMAND_COMMAND_H

#include "drive/command/metrics.h"
#include "drive/driver.h"

/* The section `command:` of a scenario. */
struct command_config {
	size_t n_command;
	char **command;
	size_t n_environment;
	struct yaml_pair *environment;
	int expect_exit;
	uint64_t timeout_ns; /* 0: none */
	size_t n_metrics;
	struct command_metric *metrics;
};

extern const struct yaml_schema command_driver_schema;

/*
 * What it has printed, as far as it is kept: the last part, since summaries come at the end. All of
 * it, up to a bound, is passed on to standard error, which a run keeps in its results folder.
 */
struct output {
	char *text; /* OUTPUT_KEPT bytes and one more */
	size_t length;
	uint64_t bytes;  /* in all */
	uint64_t passed; /* of these, passed on */
};

#define OUTPUT_KEPT   (1024 * 1024)
#define OUTPUT_PASSED (16 * 1024 * 1024)

/* -1 without memory. */
int output_open(struct output *output);
void output_close(struct output *output);
/* Reads what is there from @fd, which does not block. 1: its end, 0: more may come. */
int output_read(struct output *output, int fd);

#endif
