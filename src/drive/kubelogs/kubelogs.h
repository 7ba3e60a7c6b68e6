/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of the driver that speak to people and records share with it. */
#ifndef PERFBPF_DRIVE_KUBELOGS_KUBELOGS_H
#define PERFBPF_DRIVE_KUBELOGS_KUBELOGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "drive/driver.h"
#include "drive/kubelogs/check.h"
#include "drive/kubelogs/server.h"
#include "drive/kubelogs/source.h"

/* The section `kubelogs:` of a scenario. */
struct kubelogs_config {
	char *namespace_name;
	int deployments;
	int replicas;
	double rate;
	double phases_rate; /* that the phases' rates are in proportion to: --rate changes all */
	int seed;
	bool bursts;
	uint64_t batch_ns;
	/* --seed takes more than a scenario's integers. */
	bool has_seed_override;
	uint64_t seed_override;
};

extern const struct yaml_schema kubelogs_schema;
int kubelogs_override(void *config, double rate, const uint64_t *seed, struct error *err);
uint64_t kubelogs_seed(const struct kubelogs_config *config);

struct driver {
	const struct kubelogs_config *config;
	const struct scenario *scenario;
	struct warp *warp; /* NULL: all phases have the same rate */
	struct source source;
	struct server *server; /* NULL: a real cluster serves */
	struct check *check;   /* NULL: nobody's output is read */
	char *kubeconfig;
	int epoll_fd;
	int emit_timer, check_timer, sweep_timer;
	bool is_emitting, is_checking; /* the timers run */
	int output_fd;
	bool output_ended;
	uint64_t open_ns, close_ns;            /* of the window; 0: not yet */
	size_t n_phases;                       /* measured ones that have ended */
	uint64_t late_ns[SCENARIO_PHASES_MAX]; /* the most, in each */
	uint64_t rate_at_ns, rate_lines;
	double lines_per_second; /* handed to clients, over the last second or so */
};

/* What driver.h calls variables, report, print_usage and print_progress. */
json_t *kubelogs_variables(const struct driver *driver);
json_t *kubelogs_report(struct driver *driver);
void kubelogs_print_usage(const struct driver *driver, FILE *out);
void kubelogs_print_progress(const struct driver *driver, FILE *out);

/* Writes the kubeconfig of @port into @path, for its owner only. 0, or -1 with @err. */
int kubelogs_write_kubeconfig(const char *path, uint16_t port, const char *namespace_name,
			      struct error *err);

#endif
