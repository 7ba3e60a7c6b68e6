/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of the proxy share; the rest of perfbpf uses proxy.h. */
#ifndef PERFBPF_FAULT_PROXY_INTERNAL_H
#define PERFBPF_FAULT_PROXY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault/lines.h"
#include "fault/proxy.h"
#include "util/loopback.h"

#define PROXY_READ_MAX 65536

struct proxy_state;
struct link;

enum end {
	END_CLIENT,
	END_BACKEND,
	ENDS,
};

/* Bytes on their way, or the end of them. */
struct piece {
	struct piece *next;
	uint64_t due_ns;
	uint32_t length, sent; /* length 0: the sender has closed its side */
	char data[];
};

/* From one end of a connection to the other. */
struct lane {
	struct link *link;
	enum end from;
	struct piece *first, *last;
	size_t bytes;        /* of its pieces, with their heads */
	uint64_t due_ns;     /* of the last piece: order is kept */
	uint64_t wake_ns;    /* valid while it is in the heap */
	size_t heap_at;      /* place in the heap + 1; 0: not in it */
	bool is_full;        /* nothing is read for it */
	bool has_read_end;   /* the sender has closed */
	bool has_passed_end; /* and the receiver has been told */
	bool is_blocked;     /* the receiver takes nothing now */
	bool ends_by_reset;  /* the sender's end was a reset */
};

/* What epoll gives back. */
struct socket_end {
	struct link *link;
	enum end end;
	int fd; /* -1: not yet, or no more */
	uint32_t armed;
	bool is_registered;
};

/* A client's connection and the one that was made for it. */
struct link {
	struct proxy_state *proxy;
	struct link *previous, *next; /* of all links, or the next of the dead */
	struct socket_end ends[ENDS];
	struct lane lanes[ENDS]; /* by the end that they come from */
	bool is_connected;
	bool is_stalled;
	bool is_slow;   /* the bandwidth is for it */
	bool has_asked; /* the client has sent something since the last answer began */
	bool is_drawn;  /* the present answer is met */
	bool is_dead;
};

struct bucket {
	double tokens; /* bytes that may go now; below 0: owed */
	uint64_t at_ns;
};

struct proxy_state {
	int epoll_fd, listen_fd, timer_fd;
	uint64_t timer_ns; /* what the timer is set to; 0: not */
	union loopback to;
	socklen_t to_length;
	struct link *links, *dead;
	bool is_listening;
	/* the effect */
	enum proxy_effect effect;
	uint64_t delay_ns;
	double bytes_per_second;
	double probability;
	uint64_t random;
	struct bucket buckets[ENDS];
	/* lanes that wait for a time, a binary heap by it */
	struct lane **heap;
	size_t n_heap, heap_room;
	/* counts */
	uint64_t accepted, refused, turned_away, met, affected;
	size_t n_links, held_bytes;
	struct lines control;
	char input[PROXY_READ_MAX];
};

/* proxy_link.c: one connection */
/* Takes @client. NULL without memory: it has been closed then. */
struct link *link_new(struct proxy_state *proxy, int client);
void link_handle(struct link *link, enum end end, uint32_t events);
/* Passes on what is due. */
void lane_pump(struct lane *lane, uint64_t now_ns);
/* Both ends get a reset. It is freed by links_sweep(). */
void link_reset(struct link *link);
/* Nothing is read or sent any more; its is_stalled is set. */
void link_stand_still(struct link *link);
/* Goes on after it stood still, or has to wait no more. */
void link_resume(struct link *link);
void links_sweep(struct proxy_state *proxy);

/* proxy_heap.c: lanes by the time that they wait for */
int heap_put(struct proxy_state *proxy, struct lane *lane, uint64_t wake_ns);
void heap_remove(struct proxy_state *proxy, struct lane *lane);
/* The one that is to be woken first; NULL: none waits. */
struct lane *heap_first(const struct proxy_state *proxy);

/* proxy_effect.c: what the effect does */
bool effect_draw(struct proxy_state *proxy);
/* A new connection; false: it has been reset. */
bool effect_meets_link(struct link *link);
/* The backend's bytes have come; false: they are not to be read, the connection is reset or stands
 * still. */
bool effect_meets_answer(struct link *link);
/* When bytes that have come now are due. */
uint64_t effect_due_ns(const struct link *link, enum end from, uint64_t now_ns);
/* How many of @wanted bytes may pass; 0: none before *@wake_ns. */
size_t effect_allowance(struct link *link, enum end from, size_t wanted, uint64_t now_ns,
			uint64_t *wake_ns);
void effect_spend(struct link *link, enum end from, size_t bytes);
/* Obeys one line of the control stream. */
void effect_obey(void *proxy, const json_t *message);

#endif
