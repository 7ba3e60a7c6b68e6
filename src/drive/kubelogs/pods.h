/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pods as Kubernetes describes them, and the selectors that choose among them. Pure. */
#ifndef PERFBPF_DRIVE_KUBELOGS_PODS_H
#define PERFBPF_DRIVE_KUBELOGS_PODS_H

#include <jansson.h>

#include "drive/kubelogs/source.h"

#define PODS_LIST_VERSION "1000"

/* A Pod object. New reference, NULL: no memory. */
json_t *pods_object(const struct source *source, uint32_t pod);

/* 1: chosen, 0: not, -EINVAL: a selector that is not understood. NULL and "" choose all. */
int pods_match_labels(const struct source *source, uint32_t pod, const char *selector);
int pods_match_fields(const struct source *source, uint32_t pod, const char *selector);

#endif
