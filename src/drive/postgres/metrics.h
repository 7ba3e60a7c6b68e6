/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the server counts of itself, asked at both ends of the window. */
#ifndef PERFBPF_DRIVE_POSTGRES_METRICS_H
#define PERFBPF_DRIVE_POSTGRES_METRICS_H

#include <jansson.h>

#include "drive/postgres/config.h"
#include "drive/postgres/dialogue.h"

/* One number, or two that only grow. */
struct metric_look {
	int n; /* numbers that there are; 0: it could not be had */
	double values[2];
};

struct metric_reading {
	struct metric_look first, last;
	char why[256]; /* it could not be had; "": nothing went wrong */
};

/* Asks for all of them; @texts are their SQL with variables filled in. A failure is that of its
 * reading. */
void metrics_look(const struct postgres_config *config, char *const *texts,
		  struct dialogue *dialogue, bool is_first, struct metric_reading *readings);

/*
 * One number: what it was at the window's end. Two: the growth of the first in the window by that
 * of the second. NAN: not known.
 */
double metric_value(const struct metric_reading *reading);

#endif
