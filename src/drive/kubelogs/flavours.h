/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the ten kinds of deployment talk about: tables of templates, no code. */
#ifndef PERFBPF_DRIVE_KUBELOGS_FLAVOURS_H
#define PERFBPF_DRIVE_KUBELOGS_FLAVOURS_H

#include <stddef.h>
#include <stdint.h>

#include "drive/kubelogs/schedule.h"

enum level {
	LEVEL_DEBUG,
	LEVEL_INFO,
	LEVEL_WARN,
	LEVEL_ERROR,
	LEVELS,
};

#define FLAVOUR_TEXTS 8

/*
 * "<name>" in a layout or text stands for a slot. A layout that begins with '"' is
 * the inside of a JSON object after its first member, up to and with its '}'.
 */
struct flavour {
	const char *name;
	int percent[LEVELS]; /* adds up to 100 */
	const char *layout;
	const char *other_layout;         /* of one message in four; NULL: none */
	const char *calm[FLAVOUR_TEXTS];  /* of DEBUG and INFO */
	const char *alarm[FLAVOUR_TEXTS]; /* of WARN and ERROR */
};

/* What fills a slot: one of its words, a decimal number in [low, high], or hexadecimal digits. */
struct slot {
	const char *name;
	const char *const *words; /* NULL-terminated */
	uint32_t low, high;
	int hex_digits;
};

const char *level_name(enum level level);
const struct flavour *flavour_of(int deployment);
const struct slot *slot_find(const char *name, size_t length);

#endif
