/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lanes that wait, by when they are to be woken: a binary heap with the places kept in the lanes.
 */
#include <errno.h>
#include <stdlib.h>

#include "fault/proxy_internal.h"

static void place(struct proxy_state *proxy, struct lane *lane, size_t at)
{
	proxy->heap[at] = lane;
	lane->heap_at = at + 1;
}

static size_t sift_up(struct proxy_state *proxy, struct lane *lane, size_t at)
{
	while (at && proxy->heap[(at - 1) / 2]->wake_ns > lane->wake_ns) {
		place(proxy, proxy->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	return at;
}

static size_t sift_down(struct proxy_state *proxy, struct lane *lane, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= proxy->n_heap)
			return at;
		if (child + 1 < proxy->n_heap &&
		    proxy->heap[child + 1]->wake_ns < proxy->heap[child]->wake_ns)
			child++;
		if (proxy->heap[child]->wake_ns >= lane->wake_ns)
			return at;
		place(proxy, proxy->heap[child], at);
		at = child;
	}
}

void heap_remove(struct proxy_state *proxy, struct lane *lane)
{
	size_t at = lane->heap_at - 1;
	struct lane *last;

	if (!lane->heap_at)
		return;
	lane->heap_at = 0;
	last = proxy->heap[--proxy->n_heap];
	if (last == lane)
		return;
	place(proxy, last, sift_down(proxy, last, sift_up(proxy, last, at)));
}

int heap_put(struct proxy_state *proxy, struct lane *lane, uint64_t wake_ns)
{
	heap_remove(proxy, lane);
	if (proxy->n_heap == proxy->heap_room) {
		size_t room = proxy->heap_room ? proxy->heap_room * 2 : 64;
		struct lane **larger = realloc(proxy->heap, room * sizeof(struct lane *));

		if (!larger)
			return -ENOMEM;
		proxy->heap = larger;
		proxy->heap_room = room;
	}
	lane->wake_ns = wake_ns;
	place(proxy, lane, sift_up(proxy, lane, proxy->n_heap));
	proxy->n_heap++;
	return 0;
}

struct lane *heap_first(const struct proxy_state *proxy)
{
	return proxy->n_heap ? proxy->heap[0] : NULL;
}
