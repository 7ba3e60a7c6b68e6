/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/load/wakes.h"

#include <stdlib.h>

int wakes_add(struct wakes *wakes, uint64_t at_ns, unsigned int user)
{
	size_t at = wakes->n;

	if (wakes->n == wakes->room) {
		size_t room = wakes->room ? 2 * wakes->room : 64;
		struct wake *heap = realloc(wakes->heap, room * sizeof(*heap));

		if (!heap)
			return -1;
		wakes->heap = heap;
		wakes->room = room;
	}
	for (; at && wakes->heap[(at - 1) / 2].at_ns > at_ns; at = (at - 1) / 2)
		wakes->heap[at] = wakes->heap[(at - 1) / 2];
	wakes->heap[at] = (struct wake){at_ns, user};
	wakes->n++;
	return 0;
}

uint64_t wakes_next_ns(const struct wakes *wakes)
{
	return wakes->n ? wakes->heap[0].at_ns : UINT64_MAX;
}

struct wake wakes_take(struct wakes *wakes)
{
	struct wake first = wakes->heap[0], last = wakes->heap[--wakes->n];
	size_t at = 0, child;

	for (child = 1; child < wakes->n; at = child, child = 2 * at + 1) {
		if (child + 1 < wakes->n && wakes->heap[child + 1].at_ns < wakes->heap[child].at_ns)
			child++;
		if (wakes->heap[child].at_ns >= last.at_ns)
			break;
		wakes->heap[at] = wakes->heap[child];
	}
	wakes->heap[at] = last;
	return first;
}

void wakes_clear(struct wakes *wakes)
{
	free(wakes->heap);
	*wakes = (struct wakes){0};
}
