/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The proxies of a scenario: processes that live as long as its faults; private to fault/. */
#ifndef PERFBPF_FAULT_PROXIES_H
#define PERFBPF_FAULT_PROXIES_H

#include "fault/internal.h"

/* Starts all and waits until they listen. -1 with @err. */
int proxies_open(struct faults *set, struct error *err);
/* Hears what they have said. -1 with @err where one has ended. */
int proxies_read(struct faults *set, struct error *err);
void proxies_close(struct faults *set);
/* By name; it is there, since the scenario was checked. */
struct proxy_run *proxies_find(struct faults *set, const char *name);
/* What a proxy says of the effect that @run has it have. */
void fault_proxy_hear(struct fault_run *run, const json_t *message);

#endif
