/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each message begins with: who sent it, which one it is, and when it was to be sent, so that
 * whoever reads it knows whether one is missing and how long it took. Pure.
 */
#ifndef PERFBPF_DRIVE_KAFKA_STAMP_H
#define PERFBPF_DRIVE_KAFKA_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_BYTES 48

enum stamp_flag {
	STAMP_COUNTED = 1, /* it was to be sent in the window */
	STAMP_PRELOAD = 2, /* from before the load: nobody asks how long it took */
};

struct stamp {
	uint64_t run;         /* drawn anew for each; others in the topic are strangers */
	uint64_t sequence;    /* of the producer's messages, from 0 */
	uint64_t intended_ns; /* CLOCK_MONOTONIC: when it was to be sent */
	uint64_t sent_ns;     /* when it was handed to the library */
	uint16_t producer;
	uint16_t flags;
	uint32_t size; /* of the message, with the stamp */
};

/* Writes STAMP_BYTES at @into. */
void stamp_write(const struct stamp *stamp, void *into);
/* Is there an undamaged stamp at the beginning of a message of @size bytes? */
bool stamp_read(struct stamp *stamp, const void *message, size_t size);

#endif
