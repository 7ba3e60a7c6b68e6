/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asking a tool for its version, as the target's file says. */
#ifndef PERFBPF_CONDUCT_VERSION_H
#define PERFBPF_CONDUCT_VERSION_H

#include "conduct/conductor.h"

/* The first line it prints, to be freed; NULL where it cannot be had within 10 s. */
char *target_version(struct conductor *conductor, const struct target *target);

#endif
