/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests by what was asked: pieces of payload go to the trackers of their
 * connections, and what those tell is added up by protocol, role and label. Pure.
 */
#ifndef PERFBPF_MEASURE_KINDS_H
#define PERFBPF_MEASURE_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include "measure/histogram.h"
#include "perfbpf.h"
#include "protocol/protocol.h"

/* Kinds are told apart up to here, then by protocol and role alone, with the label "(rest)". */
#define KINDS_MAX 256
/* Connections that are followed at a time. */
#define KINDS_MAX_CONNECTIONS 16384

struct kind {
	const char *protocol;
	enum pb_role role;
	char label[PROTOCOL_LABEL_MAX];
	uint64_t count, errors;
	struct histogram *service; /* of a server */
	struct histogram *response;
};

struct kinds;

/* @set: of 1u << enum protocol_id. NULL without memory. */
struct kinds *kinds_new(unsigned int set);
void kinds_free(struct kinds *kinds);
/* Takes in one piece; a malformed event counts as unparsed. */
void kinds_event(struct kinds *kinds, const struct pb_event_payload *event, size_t size);
/* The window has ended: what was answered and only waited for the next turn counts. */
void kinds_finish(struct kinds *kinds);
/* Most requests first; valid until the next event. */
const struct kind *kinds_list(struct kinds *kinds, size_t *n);
/* Pieces that no tracker could tell, or that came while too many connections were open. */
uint64_t kinds_unparsed(const struct kinds *kinds);

#endif
