/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which user's wait is over next: a binary heap. */
#ifndef PERFBPF_DRIVE_LOAD_WAKES_H
#define PERFBPF_DRIVE_LOAD_WAKES_H

#include <stddef.h>
#include <stdint.h>

struct wakes {
	size_t n, room;
	struct wake {
		uint64_t at_ns;
		unsigned int user;
	} * heap;
};

/* 0, or -1 without memory. */
int wakes_add(struct wakes *wakes, uint64_t at_ns, unsigned int user);
/* When the first is due; UINT64_MAX: there is none. */
uint64_t wakes_next_ns(const struct wakes *wakes);
/* Removes the first, which there must be. */
struct wake wakes_take(struct wakes *wakes);
void wakes_clear(struct wakes *wakes);

#endif
