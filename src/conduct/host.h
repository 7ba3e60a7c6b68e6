/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What machine this is, for the record. */
#ifndef PERFBPF_CONDUCT_HOST_H
#define PERFBPF_CONDUCT_HOST_H

#include "record/record.h"

/* Fills rec->host; what cannot be known stays NULL. */
void host_describe(struct record *rec);

#endif
