/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ${variables} of one round, and the ports that are handed out for them. */
#ifndef PERFBPF_CONDUCT_VARIABLES_H
#define PERFBPF_CONDUCT_VARIABLES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "scenario/scenario.h"

struct variables {
	struct variable *list; /* names and values are owned */
	size_t n;
};

/* A name that is there already keeps its first value. -1 without memory. */
int variables_add(struct variables *variables, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
const char *variables_get(const struct variables *variables, const char *name);
/* {"NAME": "value", …}; new reference. */
json_t *variables_json(const struct variables *variables);
void variables_clear(struct variables *variables);

/*
 * The ports and folders that a round of @target under @scenario names, either of which may be NULL:
 * ${port} and ${port2} of the target, ${port.NAME}, ${port2.NAME} and ${dir.NAME} (below
 * @round_dir) of each component, ${port.NAME} of each proxy, ${scripts}. The ports are free on
 * loopback at this moment, and all different. -1 with @err.
 */
int variables_hand_out(struct variables *variables, const struct target *target,
		       const struct scenario *scenario, const char *round_dir, struct error *err);

#endif
